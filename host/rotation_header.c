#include "host/rotation_header.h"

#include "host/key_files.h"
#include "host/register.h"

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

kw_status kw_bundle_header_create(const char *path,
                                  const struct kw_envelope *bundle,
                                  struct kw_error *error) {
    const struct kw_c_array arrays[] = {
        {"keywright_bundle", bundle->payload, KW_BUNDLE_SIZE, true},
        {"keywright_bundle_signature", bundle->signature, KW_SIGNATURE_SIZE,
         true},
    };
    return kw_c_header_create(path, arrays, 2, error);
}
