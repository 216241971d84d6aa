#include "host/winc/record.h"

#include <jansson.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/text.h"

#define FILE_MAX  262144
#define HASH_TEXT (2 * KW_SHA1_SIZE + 1)
#define SUBJECTS  "subjects"
#define SEQUENCE  "sequence"

static char *path_of(const struct kw_winc *winc, const char *what) {
    return kw_workspace_path(winc->workspace, "winc/%s/%s.json", winc->name,
                             what);
}

/* An object; an empty one when there is no file yet. */
static kw_status load(const struct kw_winc *winc, const char *what,
                      json_t **root, struct kw_error *error) {
    uint8_t *text = NULL;
    size_t size = 0;
    char *path = path_of(winc, what);
    if (path == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    kw_status status = KW_OK;
    *root = NULL;
    if (!kw_file_exists(path)) {
        *root = json_object();
    } else if ((status = kw_file_read(path, FILE_MAX, &text, &size, error)) ==
               KW_OK) {
        *root = json_loadb((const char *)text, size, 0, NULL);
        free(text);
    }
    if (status == KW_OK && !json_is_object(*root)) {
        json_decref(*root);
        status = kw_error(error, KW_PARSE, "%s is damaged", path);
    }
    free(path);
    return status;
}

static kw_status save(const struct kw_winc *winc, const char *what,
                      const json_t *root, struct kw_error *error) {
    char *path = path_of(winc, what);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
    const kw_status status =
        path == NULL || text == NULL
            ? kw_error(error, KW_SYSTEM_MEMORY, "out of memory")
            : kw_file_replace(path, KW_PUBLIC_MODE, text, strlen(text), error);
    free(path);
    free(text);
    return status;
}

/* --- subjects --- */

kw_status kw_winc_record_knows(const struct kw_winc *winc,
                               const struct kw_winc_input *input, bool *known,
                               bool *same, struct kw_error *error) {
    char hash[HASH_TEXT];
    json_t *root = NULL;
    KW_TRY(load(winc, SUBJECTS, &root, error));
    kw_hex(input->cert.subject_hash, KW_SHA1_SIZE, hash);
    const char *kept = json_string_value(json_object_get(root, hash));
    char *subject = kw_winc_input_subject(input);
    *known = kept != NULL;
    *same = kept != NULL && subject != NULL && strcmp(kept, subject) == 0;
    free(subject);
    json_decref(root);
    return KW_OK;
}

/* DER in hex, as words in plain ASCII on one line. */
static void print_name(const char *hex, char *name, size_t size) {
    uint8_t der[2048];
    const uint8_t *at = der;
    const size_t bytes = strlen(hex) / 2;
    X509_NAME *subject = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio != NULL && bytes <= sizeof der &&
        kw_hex_read(hex, der, bytes) == KW_OK &&
        (subject = d2i_X509_NAME(NULL, &at, (long)bytes)) != NULL &&
        X509_NAME_print_ex(bio, subject, 0,
                           ASN1_STRFLGS_RFC2253 | XN_FLAG_SEP_CPLUS_SPC |
                               XN_FLAG_FN_SN) > 0) {
        const int got = BIO_read(bio, name, (int)size - 1);
        name[got > 0 ? got : 0] = '\0';
    }
    X509_NAME_free(subject);
    BIO_free(bio);
    ERR_clear_error();
}

kw_status kw_winc_record_name(const struct kw_winc *winc,
                              const uint8_t hash[KW_SHA1_SIZE], char *name,
                              size_t size, struct kw_error *error) {
    char digits[HASH_TEXT];
    json_t *root = NULL;
    name[0] = '\0';
    KW_TRY(load(winc, SUBJECTS, &root, error));
    kw_hex(hash, KW_SHA1_SIZE, digits);
    const char *kept = json_string_value(json_object_get(root, digits));
    if (kept != NULL) {
        print_name(kept, name, size);
    }
    json_decref(root);
    return KW_OK;
}

/* Before the flash is written, a name whose subject changes is unknown: after
 * a cut nobody could say which of the two the store holds. */
static void enter(json_t *root, const struct kw_winc_input *input,
                  bool written) {
    char hash[HASH_TEXT];
    char *subject = kw_winc_input_subject(input);
    if (subject == NULL) {
        return;
    }
    kw_hex(input->cert.subject_hash, KW_SHA1_SIZE, hash);
    const char *kept = json_string_value(json_object_get(root, hash));
    if (written || kept == NULL || strcmp(kept, subject) == 0) {
        json_object_set_new(root, hash, json_string(subject));
    } else {
        json_object_del(root, hash);
    }
    free(subject);
}

kw_status kw_winc_record_enter(const struct kw_winc *winc,
                               const struct kw_winc_input *const *inputs,
                               size_t count, bool written,
                               struct kw_error *error) {
    json_t *root = NULL;
    KW_TRY(load(winc, SUBJECTS, &root, error));
    json_t *before = json_deep_copy(root);
    for (size_t i = 0; i < count; i++) {
        if (inputs[i] != NULL) {
            enter(root, inputs[i], written);
        }
    }
    const kw_status status =
        json_equal(root, before) ? KW_OK : save(winc, SUBJECTS, root, error);
    json_decref(before);
    json_decref(root);
    return status;
}

kw_status kw_winc_record_clear(const struct kw_winc *winc,
                               struct kw_error *error) {
    json_t *root = json_object();
    const kw_status status = save(winc, SUBJECTS, root, error);
    json_decref(root);
    return status;
}

/* --- the last list --- */

kw_status kw_winc_record_last(const struct kw_winc *winc,
                              struct kw_winc_last_list *last,
                              struct kw_error *error) {
    json_t *root = NULL;
    *last = (struct kw_winc_last_list){.sequence = 0};
    KW_TRY(load(winc, SEQUENCE, &root, error));
    const char *list = json_string_value(json_object_get(root, "list"));
    last->sequence =
        (uint32_t)json_integer_value(json_object_get(root, "sequence"));
    (void)snprintf(last->list, sizeof last->list, "%s",
                   list == NULL ? "" : list);
    json_decref(root);
    return KW_OK;
}

kw_status kw_winc_record_keep(const struct kw_winc *winc,
                              const struct kw_winc_last_list *last,
                              struct kw_error *error) {
    json_t *root = json_pack("{s:I, s:s}", "sequence",
                             (json_int_t)last->sequence, "list", last->list);
    const kw_status status = save(winc, SEQUENCE, root, error);
    json_decref(root);
    return status;
}
