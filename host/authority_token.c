/* host/authority_token.c: a key in a PKCS#11 token.
 *
 * p11-kit reads the URI (RFC 7512) and loads the modules; the token signs
 * the digest with CKM_ECDSA, which answers R, S. A wrong PIN is tried once:
 * tokens lock themselves. */
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/der.h"
#include "host/authority_kind.h"

#define SLOTS_MAX  64
#define POINT_SIZE 65
#define ID_MAX     256
#define LABEL_SIZE 32

struct token {
    P11KitUri *uri;
    CK_FUNCTION_LIST **modules; /* ends with NULL */
    bool is_single;             /* one module, that the URI names */
    CK_FUNCTION_LIST *module;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    char label[LABEL_SIZE + 1];
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
};

static kw_status failed(struct kw_error *error, const struct token *token,
                        const char *doing, CK_RV why) {
    return kw_error(error, KW_SYSTEM_CRYPTO, "the token %s cannot %s: %s",
                    token->label, doing, p11_kit_strerror(why));
}

/* --- the URI and its modules --- */

static kw_status read_uri(const char *text, struct token *token,
                          struct kw_error *error) {
    token->uri = p11_kit_uri_new();
    if (token->uri == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    /* The text is not repeated: it may hold a PIN. */
    const int result = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, token->uri);
    if (result != P11_KIT_URI_OK || p11_kit_uri_any_unrecognized(token->uri)) {
        kw_error(error, KW_USAGE, "the pkcs11: URI cannot be read: %s",
                 result == P11_KIT_URI_OK ? "an attribute is unknown"
                                          : p11_kit_uri_message(result));
        return kw_error_hint(error, "for example "
                                    "'pkcs11:token=NAME;object=KEY' "
                                    "(RFC 7512)");
    }
    if (p11_kit_uri_get_pin_value(token->uri) != NULL) {
        kw_error(error, KW_USAGE,
                 "pin-value is refused: other processes see a command line");
        return kw_error_hint(error, "use ?pin-source=file:PATH (mode 0600), "
                                    "or KEYWRIGHT_PIN");
    }
    return KW_OK;
}

static kw_status load_named(const char *path, struct token *token,
                            struct kw_error *error) {
    token->modules = calloc(2, sizeof(CK_FUNCTION_LIST *));
    token->is_single = true;
    CK_FUNCTION_LIST *module =
        token->modules == NULL ? NULL : p11_kit_module_load(path, 0);
    if (module != NULL && p11_kit_module_initialize(module) != CKR_OK) {
        p11_kit_module_release(module);
        module = NULL;
    }
    if (module == NULL) {
        const char *why = p11_kit_message();
        return kw_error(error, KW_ABSENT, "cannot load the module %s: %s", path,
                        why == NULL ? "it is no PKCS#11 module" : why);
    }
    token->modules[0] = module;
    return KW_OK;
}

static kw_status load_modules(struct token *token, struct kw_error *error) {
    const char *path = p11_kit_uri_get_module_path(token->uri);
    p11_kit_be_quiet();
    if (path != NULL) {
        return load_named(path, token, error);
    }
    token->modules = p11_kit_modules_load_and_initialize(0);
    if (token->modules == NULL || token->modules[0] == NULL) {
        kw_error(error, KW_ABSENT, "p11-kit knows no PKCS#11 module");
        return kw_error_hint(error, "name one: ?module-path=PATH");
    }
    return KW_OK;
}

/* --- the token --- */

static bool slot_fits(const struct token *token, CK_FUNCTION_LIST *module,
                      CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
    const CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(token->uri);
    CK_INFO about;
    return module->C_GetTokenInfo(slot, info) == CKR_OK &&
           (info->flags & CKF_TOKEN_INITIALIZED) != 0 &&
           (wanted == (CK_SLOT_ID)-1 || wanted == slot) &&
           module->C_GetInfo(&about) == CKR_OK &&
           p11_kit_uri_match_module_info(token->uri, &about) == 1 &&
           p11_kit_uri_match_token_info(token->uri, info) == 1;
}

/* Labels are padded with blanks. */
static void keep_label(struct token *token, const CK_TOKEN_INFO *info) {
    memcpy(token->label, info->label, LABEL_SIZE);
    for (size_t i = LABEL_SIZE; i > 0 && token->label[i - 1] == ' '; i--) {
        token->label[i - 1] = '\0';
    }
}

static unsigned find_in_module(struct token *token, CK_FUNCTION_LIST *module,
                               CK_TOKEN_INFO *found) {
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    CK_TOKEN_INFO info = {.flags = 0};
    unsigned fitting = 0;
    if (module->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK) {
        return 0;
    }
    for (CK_ULONG i = 0; i < count; i++) {
        if (slot_fits(token, module, slots[i], &info)) {
            token->module = module;
            token->slot = slots[i];
            *found = info;
            fitting++;
        }
    }
    return fitting;
}

static kw_status find_token(struct token *token, CK_TOKEN_INFO *info,
                            struct kw_error *error) {
    unsigned fitting = 0;
    for (size_t i = 0; token->modules[i] != NULL; i++) {
        fitting += find_in_module(token, token->modules[i], info);
    }
    if (fitting == 0) {
        kw_error(error, KW_ABSENT, "no token is there that fits the URI");
        return kw_error_hint(error, "`p11tool --list-tokens` or `pkcs11-tool "
                                    "-L` show those that are there");
    }
    if (fitting > 1) {
        return kw_error(
            error, KW_USAGE,
            "%u tokens fit the URI: name one by token= or serial=", fitting);
    }
    keep_label(token, info);
    return KW_OK;
}

static kw_status log_in(struct token *token, struct kw_error *error) {
    char pin[KW_PIN_MAX] = "";
    KW_TRY(kw_authority_pin(p11_kit_uri_get_pin_source(token->uri),
                            token->label, pin, error));
    const CK_RV result = token->module->C_Login(
        token->session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
    kw_wipe(pin, sizeof pin);
    if (result == CKR_PIN_INCORRECT || result == CKR_PIN_LEN_RANGE ||
        result == CKR_PIN_INVALID) {
        kw_error(error, KW_NO, "the token %s refuses the PIN", token->label);
        return kw_error_hint(error, "it was tried once; most tokens lock "
                                    "themselves after a few");
    }
    if (result == CKR_PIN_LOCKED) {
        return kw_error(error, KW_NO, "the token %s has locked its PIN",
                        token->label);
    }
    return result == CKR_OK || result == CKR_USER_ALREADY_LOGGED_IN
               ? KW_OK
               : failed(error, token, "be logged in to", result);
}

static kw_status open_session(struct token *token, const CK_TOKEN_INFO *info,
                              struct kw_error *error) {
    KW_ENSURE(token->module != NULL, KW_ABSENT);
    const CK_RV result = token->module->C_OpenSession(
        token->slot, CKF_SERIAL_SESSION, NULL, NULL, &token->session);
    if (result != CKR_OK) {
        token->session = 0;
        return failed(error, token, "open a session", result);
    }
    return (info->flags & CKF_LOGIN_REQUIRED) != 0 ? log_in(token, error)
                                                   : KW_OK;
}

/* --- the key --- */

/* How many objects fit, up to 2; the first one. */
static CK_ULONG find_objects(struct token *token, CK_ATTRIBUTE *wanted,
                             CK_ULONG count, CK_OBJECT_HANDLE *object) {
    CK_OBJECT_HANDLE found[2];
    CK_ULONG fitting = 0;
    if (token->module->C_FindObjectsInit(token->session, wanted, count) !=
        CKR_OK) {
        return 0;
    }
    if (token->module->C_FindObjects(token->session, found, 2, &fitting) !=
        CKR_OK) {
        fitting = 0;
    }
    (void)token->module->C_FindObjectsFinal(token->session);
    if (fitting > 0) {
        *object = found[0];
    }
    return fitting;
}

static kw_status find_key(struct token *token, struct kw_error *error) {
    static const CK_ATTRIBUTE_TYPE TYPES[] = {CKA_LABEL, CKA_ID};
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE type = CKK_EC;
    CK_ATTRIBUTE wanted[4] = {{CKA_CLASS, &class, sizeof class},
                              {CKA_KEY_TYPE, &type, sizeof type}};
    CK_ULONG count = 2;
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        CK_ATTRIBUTE *attribute =
            p11_kit_uri_get_attribute(token->uri, TYPES[i]);
        if (attribute != NULL) {
            wanted[count++] = *attribute;
        }
    }
    const CK_ULONG fitting = find_objects(token, wanted, count, &token->key);
    if (fitting == 0) {
        return kw_error(error, KW_ABSENT,
                        "the token %s holds no private EC key that fits the "
                        "URI",
                        token->label);
    }
    return fitting == 1 ? KW_OK
                        : kw_error(error, KW_USAGE,
                                   "several keys of the token %s fit the URI: "
                                   "name one by object= or id=",
                                   token->label);
}

static kw_status read_attribute(struct token *token, CK_OBJECT_HANDLE object,
                                CK_ATTRIBUTE_TYPE type, uint8_t *bytes,
                                size_t *size) {
    CK_ATTRIBUTE attribute = {type, bytes, *size};
    KW_ENSURE(token->module->C_GetAttributeValue(token->session, object,
                                                 &attribute, 1) == CKR_OK,
              KW_PARSE_KEY);
    *size = attribute.ulValueLen;
    return KW_OK;
}

static kw_status check_curve(struct token *token) {
    static const uint8_t P256[] = {0x06, 0x08, 0x2A, 0x86, 0x48,
                                   0xCE, 0x3D, 0x03, 0x01, 0x07};
    uint8_t curve[64];
    size_t size = sizeof curve;
    KW_TRY(read_attribute(token, token->key, CKA_EC_PARAMS, curve, &size));
    return size == sizeof P256 && memcmp(curve, P256, size) == 0 ? KW_OK
                                                                 : KW_PARSE_KEY;
}

/* CKA_EC_POINT is an OCTET STRING; some tokens leave its head out. */
static kw_status read_point(struct token *token, CK_OBJECT_HANDLE object) {
    uint8_t bytes[128];
    size_t size = sizeof bytes;
    struct kw_der point;
    KW_TRY(read_attribute(token, object, CKA_EC_POINT, bytes, &size));
    struct kw_der cursor = {bytes, size};
    const bool is_bare =
        size == POINT_SIZE && bytes[0] == 4 && bytes[1] != POINT_SIZE - 2;
    if (is_bare || kw_der_take(&cursor, KW_DER_OCTET_STRING, &point) != KW_OK) {
        point = (struct kw_der){bytes, size};
    }
    KW_ENSURE(point.left == POINT_SIZE && point.at[0] == 4, KW_PARSE_KEY);
    memcpy(token->public_key, point.at + 1, KW_PUBLIC_KEY_SIZE);
    return KW_OK;
}

static kw_status read_public(struct token *token) {
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    CK_OBJECT_HANDLE object = 0;
    uint8_t id[ID_MAX];
    size_t size = sizeof id;
    KW_TRY(check_curve(token));
    KW_TRY(read_attribute(token, token->key, CKA_ID, id, &size));
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class},
                             {CKA_ID, id, size}};
    KW_ENSURE(find_objects(token, wanted, 2, &object) == 1, KW_PARSE_KEY);
    return read_point(token, object);
}

/* --- signing --- */

static kw_status token_sign(const void *self,
                            const uint8_t digest[KW_SHA256_SIZE],
                            uint8_t signature[KW_SIGNATURE_SIZE],
                            struct kw_error *error) {
    const struct token *token = self;
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_ULONG size = KW_SIGNATURE_SIZE;
    uint8_t copy[KW_SHA256_SIZE];
    memcpy(copy, digest, sizeof copy);
    CK_RV result =
        token->module->C_SignInit(token->session, &mechanism, token->key);
    if (result == CKR_OK) {
        result = token->module->C_Sign(token->session, copy, sizeof copy,
                                       signature, &size);
    }
    return result == CKR_OK && size == KW_SIGNATURE_SIZE
               ? KW_OK
               : failed(error, token, "sign", result);
}

/* The public key object may belong to another private key. */
static kw_status prove(struct token *token, struct kw_error *error) {
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t signature[KW_SIGNATURE_SIZE];
    KW_TRY(kw_random(digest, sizeof digest, error));
    KW_TRY(token_sign(token, digest, signature, error));
    return kw_public_key_verify(token->public_key, digest, signature) == KW_OK
               ? KW_OK
               : kw_error(error, KW_PARSE_KEY,
                          "the public key beside the private one in the token "
                          "%s is not its own",
                          token->label);
}

static void token_public_key(const void *self,
                             uint8_t key[KW_PUBLIC_KEY_SIZE]) {
    const struct token *token = self;
    memcpy(key, token->public_key, KW_PUBLIC_KEY_SIZE);
}

/* --- opening and closing --- */

static void release_modules(struct token *token) {
    if (token->modules == NULL) {
        return;
    }
    if (!token->is_single) {
        p11_kit_modules_finalize_and_release(token->modules);
        return;
    }
    if (token->modules[0] != NULL) {
        (void)p11_kit_module_finalize(token->modules[0]);
        p11_kit_module_release(token->modules[0]);
    }
    free(token->modules);
}

static void token_close(void *self) {
    struct token *token = self;
    if (token->session != 0) {
        (void)token->module->C_CloseSession(token->session);
    }
    release_modules(token);
    p11_kit_uri_free(token->uri);
    free(token);
}

static kw_status open_all(const char *text, struct token *token,
                          struct kw_error *error) {
    CK_TOKEN_INFO info = {.flags = 0};
    KW_TRY(read_uri(text, token, error));
    KW_TRY(load_modules(token, error));
    KW_TRY(find_token(token, &info, error));
    KW_TRY(open_session(token, &info, error));
    KW_TRY(find_key(token, error));
    if (read_public(token) != KW_OK) {
        kw_error(error, KW_PARSE_KEY,
                 "the key in the token %s is not on P-256, or its public key "
                 "is not there",
                 token->label);
        return kw_error_hint(error, "the public key object must have the same "
                                    "CKA_ID");
    }
    return prove(token, error);
}

static kw_status token_open(const struct kw_workspace *workspace,
                            const char *text, void **self,
                            struct kw_error *error) {
    (void)workspace;
    struct token *token = calloc(1, sizeof *token);
    if (token == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const kw_status status = open_all(text, token, error);
    if (status != KW_OK) {
        token_close(token);
        return status;
    }
    *self = token;
    return KW_OK;
}

const struct kw_authority_kind kw_authority_token = {
    "pkcs11:", token_open, token_close, token_public_key, token_sign};
