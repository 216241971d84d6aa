#include "host/rotation_header.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/key_files.h"
#include "host/register.h"
#include "host/text.h"

struct content {
    uint8_t validate[KW_PAIR_SIZE];
    uint8_t invalidate[KW_PAIR_SIZE];
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t signature[KW_SIGNATURE_SIZE];
};

static kw_status sign_digest(const char *key_file, struct content *content,
                             struct kw_error *error) {
    struct kw_key *key = NULL;
    KW_TRY(kw_random(content->digest, sizeof content->digest, error));
    KW_TRY(kw_key_read(key_file, &key, error));
    const kw_status status =
        kw_key_sign(key, content->digest, content->signature, error);
    kw_key_free(key);
    return status;
}

static kw_status make_content(const struct kw_header_about *about,
                              struct content *content, struct kw_error *error) {
    const struct kw_configuration configuration =
        kw_configuration_of(about->config);
    uint8_t serial[KW_SERIAL_SIZE];
    kw_config_serial(about->config, serial);
    KW_TRY(kw_pair_make(about->authority, &configuration, serial,
                        about->new_key, false, content->validate, error));
    KW_TRY(kw_pair_make(about->authority, &configuration, serial,
                        about->invalidates, true, content->invalidate, error));
    return sign_digest(about->new_key_file, content, error);
}

static kw_status enter(const struct kw_workspace *workspace,
                       const struct kw_header_about *about,
                       struct kw_error *error) {
    uint8_t serial[KW_SERIAL_SIZE];
    uint8_t authority[KW_PUBLIC_KEY_SIZE];
    kw_config_serial(about->config, serial);
    kw_authority_public(about->authority, authority);
    const struct kw_register_entry entry = {
        .serial = serial,
        .authority = authority,
        .new_key = about->new_key,
    };
    return kw_register_append(workspace, &entry, error);
}

kw_status kw_vendor_header_create(const struct kw_workspace *workspace,
                                  const char *path,
                                  const struct kw_header_about *about,
                                  struct kw_error *error) {
    struct content content;
    const uint8_t *validate = content.validate;
    const uint8_t *invalidate = content.invalidate;
    KW_TRY(kw_file_is_free(path, error));
    KW_TRY(make_content(about, &content, error));
    KW_TRY(enter(workspace, about, error));
    const struct kw_c_array arrays[] = {
        {"validated_nonce", validate, KW_NONCE_SIZE, true},
        {"validated_signature", validate + KW_NONCE_SIZE, KW_SIGNATURE_SIZE,
         true},
        {"invalidated_nonce", invalidate, KW_NONCE_SIZE, true},
        {"invalidated_signature", invalidate + KW_NONCE_SIZE, KW_SIGNATURE_SIZE,
         true},
        {"rotating_digest", content.digest, sizeof content.digest, true},
        {"rotating_signature", content.signature, sizeof content.signature,
         true},
        {"public_key", about->new_key, KW_PUBLIC_KEY_SIZE, true},
    };
    return kw_c_header_create(path, arrays, sizeof arrays / sizeof *arrays,
                              error);
}

/* --- our own header --- */

#define ROW 12 /* bytes a row: 80 columns */

static void print_bytes(FILE *out, const char *name, const uint8_t *bytes,
                        size_t size) {
    (void)fprintf(out, "\nstatic const uint8_t %s[%zu] = {", name, size);
    for (size_t i = 0; i < size; i++) {
        (void)fprintf(out, "%s0x%02X,", i % ROW == 0 ? "\n    " : " ",
                      bytes[i]);
    }
    (void)fputs("\n};\n", out);
}

static void print_comment(FILE *out, const struct kw_bundle *bundle) {
    char serial[64] = "none: every chip of this configuration";
    char old_key[KW_FINGERPRINT_TEXT] = "none";
    char new_key_text[KW_FINGERPRINT_TEXT];
    kw_fingerprint(bundle->new_key, new_key_text);
    if (bundle->has_old_key) {
        kw_fingerprint(bundle->old_key, old_key);
    }
    if (bundle->names_serial) {
        kw_hex_upper(bundle->serial, KW_SERIAL_SIZE, serial);
    }
    (void)fprintf(out,
                  "/* A bundle of Keywright: one rotation of slot 14, "
                  "authorised.\n"
                  " *\n"
                  " * Serial    %s\n"
                  " * Sequence  %" PRIu32 "\n"
                  " * Old key   %s\n"
                  " * New key   %s\n"
                  " *\n"
                  " * Keys are shown by the SHA-256 of X and Y. */\n",
                  serial, bundle->sequence, old_key, new_key_text);
}

static kw_status print_bundle(const struct kw_envelope *envelope,
                              const struct kw_bundle *bundle, char **text,
                              size_t *size) {
    FILE *out = open_memstream(text, size);
    KW_ENSURE(out != NULL, KW_SYSTEM_MEMORY);
    print_comment(out, bundle);
    (void)fputs("#ifndef KEYWRIGHT_BUNDLE_H\n"
                "#define KEYWRIGHT_BUNDLE_H\n\n"
                "#include <stdint.h>\n",
                out);
    print_bytes(out, "keywright_bundle", envelope->payload, KW_BUNDLE_SIZE);
    print_bytes(out, "keywright_bundle_signature", envelope->signature,
                KW_SIGNATURE_SIZE);
    (void)fputs("\n#endif\n", out);
    const bool failed = ferror(out) != 0;
    return fclose(out) == 0 && !failed ? KW_OK : KW_SYSTEM_MEMORY;
}

/* It holds no secret. */
kw_status kw_bundle_header_create(const char *path,
                                  const struct kw_envelope *envelope,
                                  const struct kw_bundle *bundle,
                                  struct kw_error *error) {
    char *text = NULL;
    size_t size = 0;
    kw_status status = print_bundle(envelope, bundle, &text, &size);
    status = status == KW_OK
                 ? kw_file_create(path, KW_PUBLIC_MODE, text, size, error)
                 : kw_error_core(error, status, path);
    free(text);
    return status;
}
