#include "host/winc/ota_list.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "host/authority.h"
#include "host/files.h"
#include "host/openssl_hash.h"
#include "host/text.h"

static const char *const TYPES[] = {"ROOT_CERT", "TLS_RSA_CERT",
                                    "TLS_ECC_CERT"};
#define TYPE_COUNT (sizeof TYPES / sizeof *TYPES)

const char *kw_ota_type_text(enum kw_ota_type type) {
    return TYPES[type];
}

static kw_status bad(struct kw_error *error, const char *why) {
    (void)kw_error(error, KW_PARSE, "the certificate list: %s", why);
    return kw_error_hint(error,
                         "each item has type (ROOT_CERT, TLS_RSA_CERT or "
                         "TLS_ECC_CERT), numOfChainCert and filename");
}

/* --- one file --- */

static bool read_type(const char *text, size_t size, enum kw_ota_type *type) {
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (strlen(TYPES[i]) == size && memcmp(TYPES[i], text, size) == 0) {
            *type = (enum kw_ota_type)i;
            return true;
        }
    }
    return false;
}

/* A plain name: no folder, nothing that a URL or a shell would read. */
static kw_status check_name(const char *name, struct kw_error *error) {
    const size_t size = strlen(name);
    if (size >= KW_OTA_NAME_MAX) {
        return kw_error(error, KW_NO_WINC_NAME_LENGTH,
                        "the file name %.20s... is longer than 47 characters",
                        name);
    }
    if (size == 0 || name[0] == '.' ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789._-") != size) {
        return bad(error, "a file name has other characters than letters, "
                          "digits, '.', '_' and '-'");
    }
    return KW_OK;
}

static kw_status take_file(struct kw_ota_list *list, const char *type,
                           size_t type_size, long long chain, const char *name,
                           struct kw_error *error) {
    if (list->count == KW_OTA_FILES_MAX) {
        return bad(error, "it names more than 40 files");
    }
    struct kw_ota_file *file = &list->file[list->count];
    *file = (struct kw_ota_file){.type = KW_OTA_ROOT};
    if (!read_type(type, type_size, &file->type)) {
        return bad(error, "an item is of an unknown type");
    }
    if (chain < 0 || chain > 7) {
        return bad(error, "a numOfChainCert is not 0 to 7");
    }
    KW_TRY(check_name(name, error));
    file->chain = (unsigned)chain;
    memcpy(file->name, name, strlen(name) + 1);
    list->count++;
    return KW_OK;
}

/* The first item of a chain says how many certificates follow: for RSA its
 * key comes first and is not counted; for ECC it is the first of them. */
static kw_status check_chain(struct kw_ota_list *list, size_t *at,
                             struct kw_error *error) {
    struct kw_ota_file *first = &list->file[*at];
    const bool rsa = first->type == KW_OTA_RSA;
    const size_t items = first->chain + (rsa ? 1u : 0u);
    if (first->chain == 0) {
        return bad(error, "a chain begins without numOfChainCert");
    }
    if (items > list->count - *at) {
        return bad(error, "a chain is incomplete: files are missing");
    }
    first->is_key = rsa;
    for (size_t i = 1; i < items; i++) {
        if (first[i].type != first->type || first[i].chain != 0) {
            return bad(error, "a chain is interrupted by another item");
        }
    }
    *at += items;
    return KW_OK;
}

static kw_status check_chains(struct kw_ota_list *list,
                              struct kw_error *error) {
    for (size_t i = 0; i < list->count;) {
        if (list->file[i].type != KW_OTA_ROOT) {
            KW_TRY(check_chain(list, &i, error));
            continue;
        }
        if (list->file[i].chain != 0) {
            return bad(error, "a ROOT_CERT has no chain");
        }
        i++;
    }
    return list->count > 0 ? KW_OK : bad(error, "it is empty");
}

/* --- JSON --- */

static kw_status take_item(struct kw_ota_list *list, const json_t *item,
                           struct kw_error *error) {
    const char *type = json_string_value(json_object_get(item, "type"));
    const char *name = json_string_value(json_object_get(item, "filename"));
    const char *digest = json_string_value(json_object_get(item, "sha256"));
    const json_t *chain = json_object_get(item, "numOfChainCert");
    if (type == NULL || name == NULL ||
        (chain != NULL && !json_is_integer(chain))) {
        return bad(error, "an item lacks a field");
    }
    KW_TRY(take_file(list, type, strlen(type), json_integer_value(chain), name,
                     error));
    struct kw_ota_file *file = &list->file[list->count - 1];
    file->has_digest = digest != NULL;
    if (digest != NULL &&
        kw_hex_read(digest, file->digest, KW_SHA256_SIZE) != KW_OK) {
        return bad(error, "a sha256 is not 64 hex digits");
    }
    return KW_OK;
}

static kw_status take_items(struct kw_ota_list *list, const json_t *items,
                            struct kw_error *error) {
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(items, i, item) {
        KW_TRY(take_item(list, item, error));
    }
    return check_chains(list, error);
}

/* --- a signed list --- */

static const char PURPOSE[20] = "keywright list v1";

kw_status kw_ota_list_digest(const uint8_t *payload, size_t size,
                             uint8_t digest[KW_SHA256_SIZE]) {
    const struct kw_span spans[] = {{PURPOSE, sizeof PURPOSE}, {payload, size}};
    return kw_hash_spans(&kw_openssl_hash, spans, 2, digest);
}

static kw_status take_payload(struct kw_ota_list *list, const json_t *root,
                              struct kw_error *error) {
    const char *module = json_string_value(json_object_get(root, "module"));
    const json_int_t sequence =
        json_integer_value(json_object_get(root, "sequence"));
    const json_t *files = json_object_get(root, "files");
    if (module == NULL || !json_is_array(files) || sequence < 1 ||
        sequence > UINT32_MAX) {
        return bad(error, "a signed list has sequence, module and files");
    }
    list->is_signed = true;
    list->sequence = (uint32_t)sequence;
    list->names_module = strcmp(module, "fleet") != 0;
    if (list->names_module &&
        kw_hex_read(module, list->mac, sizeof list->mac) != KW_OK) {
        return bad(error, "module is neither a MAC of 12 hex digits nor "
                          "\"fleet\"");
    }
    KW_TRY(take_items(list, files, error));
    for (size_t i = 0; i < list->count; i++) {
        if (!list->file[i].has_digest) {
            return bad(error, "a file of a signed list has no sha256");
        }
    }
    return KW_OK;
}

static kw_status check_signature(const char *payload, const char *signature,
                                 const uint8_t *authority,
                                 struct kw_error *error) {
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t raw[KW_SIGNATURE_SIZE];
    if (kw_base64url_read(signature, raw, sizeof raw) != KW_OK) {
        return bad(error, "its signature is not base64url of 64 bytes");
    }
    KW_TRY(
        kw_ota_list_digest((const uint8_t *)payload, strlen(payload), digest));
    if (authority == NULL ||
        kw_public_key_verify(authority, digest, raw) != KW_OK) {
        (void)kw_error(error, KW_NO_SIGNATURE,
                       "the certificate list is not signed by the authority");
        return kw_error_hint(error, "the authority is the key in slot 13 of "
                                    "the chip, or that of --authority FILE; "
                                    "nothing was changed");
    }
    return KW_OK;
}

/* The payload is the text that was signed, as a string. */
static kw_status take_signed(struct kw_ota_list *list, const json_t *root,
                             const uint8_t *authority, struct kw_error *error) {
    const char *payload = json_string_value(json_object_get(root, "payload"));
    const char *signature =
        json_string_value(json_object_get(root, "signature"));
    if (payload == NULL || signature == NULL || json_object_size(root) != 2) {
        return bad(error, "neither an array nor payload and signature");
    }
    KW_TRY(check_signature(payload, signature, authority, error));
    json_t *inner = json_loads(payload, JSON_REJECT_DUPLICATES, NULL);
    const kw_status status = take_payload(list, inner, error);
    json_decref(inner);
    return status;
}

/* --- the reference example's C array --- */

static const char *skip(const char *at, const char *end) {
    while (at < end && strchr(" \t\r\n", *at) != NULL) {
        at++;
    }
    return at;
}

static bool accept(const char **at, const char *end, char wanted) {
    *at = skip(*at, end);
    if (*at < end && **at == wanted) {
        (*at)++;
        return true;
    }
    return false;
}

/* A cast before the name: (uint8_t *). */
static void skip_cast(const char **at, const char *end) {
    if (accept(at, end, '(')) {
        while (*at < end && **at != ')') {
            (*at)++;
        }
        (void)accept(at, end, ')');
    }
}

static bool read_string(const char **at, const char *end, char *text,
                        size_t capacity) {
    size_t size = 0;
    if (!accept(at, end, '"')) {
        return false;
    }
    while (*at < end && **at != '"' && size + 1 < capacity) {
        text[size++] = *(*at)++;
    }
    text[size] = '\0';
    return accept(at, end, '"');
}

/* {TYPE, N, (uint8_t *)"NAME"} */
static kw_status take_row(struct kw_ota_list *list, const char **at,
                          const char *end, struct kw_error *error) {
    char name[128];
    long long chain = 0;
    *at = skip(*at, end);
    const char *type = *at;
    while (*at < end && ((**at >= 'A' && **at <= 'Z') || **at == '_')) {
        (*at)++;
    }
    const size_t type_size = (size_t)(*at - type);
    bool fine = accept(at, end, ',');
    *at = skip(*at, end);
    fine = fine && *at < end && **at >= '0' && **at <= '9';
    while (*at < end && **at >= '0' && **at <= '9' && chain < 100) {
        chain = chain * 10 + (*(*at)++ - '0');
    }
    fine = fine && accept(at, end, ',');
    skip_cast(at, end);
    fine =
        fine && read_string(at, end, name, sizeof name) && accept(at, end, '}');
    return fine ? take_file(list, type, type_size, chain, name, error)
                : bad(error, "a row of the C array cannot be read");
}

static kw_status parse_array(const char *text, size_t size,
                             struct kw_ota_list *list, struct kw_error *error) {
    const char *end = text + size;
    const char *equals = memchr(text, '=', size);
    const char *at = equals != NULL ? equals + 1 : text;
    if (!accept(&at, end, '{')) {
        return bad(error, "neither JSON nor a C array");
    }
    while (accept(&at, end, '{')) {
        KW_TRY(take_row(list, &at, end, error));
        (void)accept(&at, end, ',');
    }
    return accept(&at, end, '}') ? check_chains(list, error)
                                 : bad(error, "the C array does not end");
}

/* --- any list --- */

kw_status kw_ota_list_parse(const char *text, size_t size,
                            const uint8_t *authority, struct kw_ota_list *list,
                            struct kw_error *error) {
    *list = (struct kw_ota_list){.count = 0};
    KW_TRY(kw_hash_bytes(&kw_openssl_hash, text, size, list->digest));
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    kw_status status = KW_OK;
    if (root == NULL) {
        status = parse_array(text, size, list, error);
    } else if (json_is_array(root)) {
        status = take_items(list, root, error);
    } else {
        status = take_signed(list, root, authority, error);
    }
    json_decref(root);
    return status;
}

kw_status kw_ota_list_read(const char *path, const uint8_t *authority,
                           struct kw_ota_list *list, struct kw_error *error) {
    uint8_t *text = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(path, KW_OTA_LIST_MAX, &text, &size, error));
    const kw_status status =
        kw_ota_list_parse((const char *)text, size, authority, list, error);
    free(text);
    return status;
}

/* --- signing --- */

static json_t *item_of(const struct kw_ota_file *file) {
    char digest[2 * KW_SHA256_SIZE + 1];
    kw_hex(file->digest, KW_SHA256_SIZE, digest);
    return json_pack("{s:s, s:i, s:s, s:s}", "type",
                     kw_ota_type_text(file->type), "numOfChainCert",
                     (int)file->chain, "filename", file->name, "sha256",
                     digest);
}

static char *payload_of(const struct kw_ota_list *list) {
    char module[2 * KW_OTA_MAC_SIZE + 1] = "fleet";
    json_t *files = json_array();
    for (size_t i = 0; i < list->count; i++) {
        json_array_append_new(files, item_of(&list->file[i]));
    }
    if (list->names_module) {
        kw_hex(list->mac, KW_OTA_MAC_SIZE, module);
    }
    json_t *root =
        json_pack("{s:I, s:s, s:o}", "sequence", (json_int_t)list->sequence,
                  "module", module, "files", files);
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

kw_status kw_ota_list_sign(const struct kw_ota_list *list,
                           const struct kw_authority *authority, char **text,
                           struct kw_error *error) {
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t signature[KW_SIGNATURE_SIZE];
    char *payload = payload_of(list);
    if (payload == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    kw_status status =
        kw_ota_list_digest((const uint8_t *)payload, strlen(payload), digest);
    if (status == KW_OK) {
        status = kw_authority_sign(authority, digest, signature, error);
    }
    char *encoded =
        status == KW_OK ? kw_base64url(signature, sizeof signature) : NULL;
    if (encoded != NULL) {
        json_t *root =
            json_pack("{s:s, s:s}", "payload", payload, "signature", encoded);
        *text = json_dumps(root, JSON_INDENT(2));
        json_decref(root);
    }
    free(encoded);
    free(payload);
    return status;
}
