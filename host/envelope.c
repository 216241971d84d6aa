#include "host/envelope.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "host/files.h"
#include "host/text.h"

#define FILE_MAX 4096

static kw_status decode(json_t *root, size_t payload_size,
                        struct kw_envelope *envelope) {
    const char *payload = json_string_value(json_object_get(root, "payload"));
    const char *signature =
        json_string_value(json_object_get(root, "signature"));
    KW_ENSURE(json_object_size(root) == 2 && payload != NULL &&
                  signature != NULL,
              KW_PARSE);
    KW_TRY(kw_base64url_read(payload, envelope->payload, payload_size));
    KW_TRY(
        kw_base64url_read(signature, envelope->signature, KW_SIGNATURE_SIZE));
    envelope->payload_size = payload_size;
    return KW_OK;
}

kw_status kw_envelope_parse(const char *text, size_t size, size_t payload_size,
                            struct kw_envelope *envelope) {
    KW_ENSURE(payload_size <= KW_PAYLOAD_MAX, KW_PARSE_SIZE);
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const kw_status status =
        json_is_object(root) ? decode(root, payload_size, envelope) : KW_PARSE;
    json_decref(root);
    return status;
}

/* --- files --- */

struct kind {
    size_t size;
    const char *magic; /* of the payload: docs/formats.md */
    const char *name;
    const char *what_for;
};

static const struct kind KINDS[] = {
    {KW_REQUEST_SIZE, "KWR1", "request",
     "`keywright rotate authorize` makes a bundle of it"},
    {KW_BUNDLE_SIZE, "KWB1", "bundle",
     "`keywright rotate apply` takes it at the device"},
};

static const struct kind *kind_of(size_t payload_size) {
    return payload_size == KW_REQUEST_SIZE ? &KINDS[0] : &KINDS[1];
}

/* The likeliest mistake: a file of the other kind. */
static kw_status refuse(const char *path, const uint8_t *text, size_t size,
                        const struct kind *wanted, kw_status status,
                        struct kw_error *error) {
    const struct kind *other = wanted == &KINDS[0] ? &KINDS[1] : &KINDS[0];
    struct kw_envelope envelope;
    if (kw_envelope_parse((const char *)text, size, other->size, &envelope) ==
            KW_OK &&
        memcmp(envelope.payload, other->magic, strlen(other->magic)) == 0) {
        kw_error(error, KW_PARSE_MAGIC, "%s is a %s, not a %s", path,
                 other->name, wanted->name);
        return kw_error_hint(error, "%s", other->what_for);
    }
    kw_error_core(error, status, path);
    return kw_error_hint(error,
                         "a %s has exactly the members payload and signature, "
                         "in base64url; copy the file again",
                         wanted->name);
}

kw_status kw_envelope_read(const char *path, size_t payload_size,
                           struct kw_envelope *envelope,
                           struct kw_error *error) {
    uint8_t *text = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(path, FILE_MAX, &text, &size, error));
    const kw_status status =
        kw_envelope_parse((const char *)text, size, payload_size, envelope);
    if (status != KW_OK) {
        (void)refuse(path, text, size, kind_of(payload_size), status, error);
    }
    free(text);
    return status == KW_OK ? KW_OK : error->status;
}

static char *print(const struct kw_envelope *envelope) {
    char *payload = kw_base64url(envelope->payload, envelope->payload_size);
    char *signature = kw_base64url(envelope->signature, KW_SIGNATURE_SIZE);
    char *text = payload == NULL || signature == NULL
                     ? NULL
                     : kw_format("{\"payload\":\"%s\",\"signature\":\"%s\"}\n",
                                 payload, signature);
    free(payload);
    free(signature);
    return text;
}

kw_status kw_envelope_create(const char *path,
                             const struct kw_envelope *envelope,
                             struct kw_error *error) {
    char *text = print(envelope);
    if (text == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const kw_status status =
        kw_file_create(path, KW_PUBLIC_MODE, text, strlen(text), error);
    free(text);
    return status;
}
