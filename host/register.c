#include "host/register.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/key.h"
#include "host/keyring.h"
#include "host/lines.h"
#include "host/openssl_hash.h"
#include "host/text.h"

#define REGISTER "bundles/register.ndjson"

static json_t *hex_or_null(const uint8_t *bytes, size_t size) {
    char text[2 * KW_SHA256_SIZE + 1];
    if (bytes == NULL) {
        return json_null();
    }
    kw_hex(bytes, size, text);
    return json_string(text);
}

static json_t *fingerprint_or_null(const uint8_t *key) {
    char text[KW_FINGERPRINT_TEXT];
    if (key == NULL) {
        return json_null();
    }
    kw_fingerprint(key, text);
    return json_string(text);
}

static json_t *payload_hash(const uint8_t *payload) {
    uint8_t digest[KW_SHA256_SIZE];
    if (payload == NULL || kw_hash_bytes(&kw_openssl_hash, payload,
                                         KW_BUNDLE_SIZE, digest) != KW_OK) {
        return json_null();
    }
    return hex_or_null(digest, sizeof digest);
}

static json_t *describe(const struct kw_register_entry *entry) {
    char now[KW_TIME_TEXT];
    kw_time_now(now);
    return json_pack("{s:s, s:o, s:i, s:I, s:o, s:o, s:o, s:o}", "time", now,
                     "serial", hex_or_null(entry->serial, KW_SERIAL_SIZE),
                     "slot", KW_ROTATING_SLOT, "sequence",
                     (json_int_t)entry->sequence, "authority",
                     fingerprint_or_null(entry->authority), "old_key",
                     fingerprint_or_null(entry->old_key), "new_key",
                     fingerprint_or_null(entry->new_key), "bundle",
                     payload_hash(entry->payload));
}

kw_status kw_register_append(const struct kw_workspace *workspace,
                             const struct kw_register_entry *entry,
                             struct kw_error *error) {
    char *path = kw_workspace_path(workspace, REGISTER);
    json_t *line = describe(entry);
    const kw_status status =
        path == NULL || line == NULL
            ? kw_error(error, KW_SYSTEM_MEMORY, "out of memory")
            : kw_lines_append(path, line, error);
    free(path);
    return status;
}

static kw_status read_register(const struct kw_workspace *workspace,
                               json_t **lines, struct kw_error *error) {
    char *path = kw_workspace_path(workspace, REGISTER);
    if (path == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const kw_status status = kw_lines_read(path, lines, error);
    free(path);
    return status;
}

kw_status kw_register_last_sequence(const struct kw_workspace *workspace,
                                    const uint8_t *serial, uint32_t *sequence,
                                    struct kw_error *error) {
    json_t *lines = NULL;
    json_t *line = NULL;
    size_t i = 0;
    KW_TRY(read_register(workspace, &lines, error));
    json_t *wanted = hex_or_null(serial, KW_SERIAL_SIZE);
    *sequence = 0;
    kw_status status = KW_OK;
    json_array_foreach(lines, i, line) {
        const json_int_t found =
            json_integer_value(json_object_get(line, "sequence"));
        if (found < 0 || found > KW_COUNTER_MAX) {
            status = kw_error(error, KW_PARSE,
                              "%s: line %zu has no possible sequence", REGISTER,
                              i + 1);
        } else if (json_equal(json_object_get(line, "serial"), wanted) != 0 &&
                   found > *sequence) {
            *sequence = (uint32_t)found;
        }
    }
    json_decref(wanted);
    json_decref(lines);
    return status;
}

static bool has_text(const json_t *line, const char *member, const char *text) {
    const char *value = json_string_value(json_object_get(line, member));
    return value != NULL && strcmp(value, text) == 0;
}

kw_status kw_register_vouches(const struct kw_workspace *workspace,
                              const uint8_t *authority,
                              const uint8_t key[KW_PUBLIC_KEY_SIZE],
                              bool *vouches, struct kw_error *error) {
    char of_authority[KW_FINGERPRINT_TEXT] = "";
    char of_key[KW_FINGERPRINT_TEXT];
    json_t *lines = NULL;
    json_t *line = NULL;
    size_t i = 0;
    KW_TRY(read_register(workspace, &lines, error));
    if (authority != NULL) {
        kw_fingerprint(authority, of_authority);
    }
    kw_fingerprint(key, of_key);
    *vouches = false;
    json_array_foreach(lines, i, line) {
        const bool is_its =
            authority == NULL || has_text(line, "authority", of_authority);
        *vouches = *vouches || (is_its && has_text(line, "new_key", of_key));
    }
    json_decref(lines);
    return KW_OK;
}

kw_status kw_register_authority_of(const struct kw_workspace *workspace,
                                   const uint8_t key[KW_PUBLIC_KEY_SIZE],
                                   char fingerprint[KW_FINGERPRINT_TEXT],
                                   struct kw_error *error) {
    char of_key[KW_FINGERPRINT_TEXT];
    json_t *lines = NULL;
    json_t *line = NULL;
    size_t i = 0;
    KW_TRY(read_register(workspace, &lines, error));
    kw_fingerprint(key, of_key);
    fingerprint[0] = '\0';
    json_array_foreach(lines, i, line) {
        const char *authority =
            json_string_value(json_object_get(line, "authority"));
        if (authority != NULL && has_text(line, "new_key", of_key)) {
            (void)snprintf(fingerprint, KW_FINGERPRINT_TEXT, "%s", authority);
        }
    }
    json_decref(lines);
    return KW_OK;
}
