#include "host/authority.h"

#include <stdlib.h>
#include <string.h>

/* One kind of authority: a file, a token. */
struct kind {
    void (*close)(void *self);
    void (*public_key)(const void *self, uint8_t key[KW_PUBLIC_KEY_SIZE]);
    kw_status (*sign)(const void *self, const uint8_t digest[KW_SHA256_SIZE],
                      uint8_t signature[KW_SIGNATURE_SIZE],
                      struct kw_error *error);
};

struct kw_authority {
    const struct kind *kind;
    void *self;
};

static void pem_close(void *self) {
    kw_key_free(self);
}

static void pem_public_key(const void *self, uint8_t key[KW_PUBLIC_KEY_SIZE]) {
    kw_key_public(self, key);
}

static kw_status pem_sign(const void *self,
                          const uint8_t digest[KW_SHA256_SIZE],
                          uint8_t signature[KW_SIGNATURE_SIZE],
                          struct kw_error *error) {
    return kw_key_sign(self, digest, signature, error);
}

static const struct kind PEM = {pem_close, pem_public_key, pem_sign};

kw_status kw_authority_open(const char *text, struct kw_authority **authority,
                            struct kw_error *error) {
    struct kw_key *key = NULL;
    if (strncmp(text, "pkcs11:", 7) == 0) {
        kw_error(error, KW_USAGE,
                 "this version does not reach PKCS#11 tokens yet");
        return kw_error_hint(error, "name a PEM file");
    }
    KW_TRY(kw_key_read(text, &key, error));
    struct kw_authority *opened = malloc(sizeof *opened);
    if (opened == NULL) {
        kw_key_free(key);
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    *opened = (struct kw_authority){&PEM, key};
    *authority = opened;
    return KW_OK;
}

void kw_authority_close(struct kw_authority *authority) {
    if (authority != NULL) {
        authority->kind->close(authority->self);
        free(authority);
    }
}

void kw_authority_public(const struct kw_authority *authority,
                         uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    authority->kind->public_key(authority->self, public_key);
}

kw_status kw_authority_sign(const struct kw_authority *authority,
                            const uint8_t digest[KW_SHA256_SIZE],
                            uint8_t signature[KW_SIGNATURE_SIZE],
                            struct kw_error *error) {
    return authority->kind->sign(authority->self, digest, signature, error);
}
