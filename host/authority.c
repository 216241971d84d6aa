#include "host/authority.h"

#include <stdlib.h>
#include <string.h>

#include "host/authority_kind.h"

struct kw_authority {
    const struct kw_authority_kind *kind;
    void *self;
};

/* --- a PEM file --- */

static kw_status pem_open(const struct kw_workspace *workspace,
                          const char *text, void **self,
                          struct kw_error *error) {
    struct kw_key *key = NULL;
    (void)workspace;
    KW_TRY(kw_key_read(text, &key, error));
    *self = key;
    return KW_OK;
}

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

static const struct kw_authority_kind PEM = {"", pem_open, pem_close,
                                             pem_public_key, pem_sign};

/* --- any --- */

/* Whatever has no prefix is a file. */
static const struct kw_authority_kind *kind_of(const char *text) {
    static const struct kw_authority_kind *const KINDS[] = {
        &kw_authority_token, &kw_authority_chip, NULL};
    for (size_t i = 0; KINDS[i] != NULL; i++) {
        if (strncmp(text, KINDS[i]->prefix, strlen(KINDS[i]->prefix)) == 0) {
            return KINDS[i];
        }
    }
    return &PEM;
}

kw_status kw_authority_open(const char *text, struct kw_authority **authority,
                            struct kw_error *error) {
    return kw_authority_open_in(NULL, text, authority, error);
}

/* Takes self over. */
static kw_status wrap(const struct kw_authority_kind *kind, void *self,
                      struct kw_authority **authority, struct kw_error *error) {
    struct kw_authority *opened = malloc(sizeof *opened);
    if (opened == NULL) {
        kind->close(self);
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    *opened = (struct kw_authority){kind, self};
    *authority = opened;
    return KW_OK;
}

kw_status kw_authority_open_in(const struct kw_workspace *workspace,
                               const char *text,
                               struct kw_authority **authority,
                               struct kw_error *error) {
    const struct kw_authority_kind *kind = kind_of(text);
    void *self = NULL;
    KW_TRY(kind->open(workspace, text, &self, error));
    return wrap(kind, self, authority, error);
}

kw_status kw_authority_make(struct kw_authority **authority,
                            struct kw_error *error) {
    struct kw_key *key = NULL;
    KW_TRY(kw_key_make(&key, error));
    return wrap(&PEM, key, authority, error);
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
