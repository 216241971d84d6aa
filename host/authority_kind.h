/* host/authority_kind.h: what a kind of authority is: a file, a token, a
 * chip.
 * For host/authority*.c alone. Knows host/authority.h. */
#ifndef KW_HOST_AUTHORITY_KIND_H
#define KW_HOST_AUTHORITY_KIND_H

#include "host/authority.h"

struct kw_authority_kind {
    const char *prefix; /* of the text that names one */
    kw_status (*open)(const struct kw_workspace *workspace, const char *text,
                      void **self, struct kw_error *error);
    void (*close)(void *self);
    void (*public_key)(const void *self, uint8_t key[KW_PUBLIC_KEY_SIZE]);
    kw_status (*sign)(const void *self, const uint8_t digest[KW_SHA256_SIZE],
                      uint8_t signature[KW_SIGNATURE_SIZE],
                      struct kw_error *error);
};

/* host/authority_token.c */
extern const struct kw_authority_kind kw_authority_token;

/* host/authority_chip.c */
extern const struct kw_authority_kind kw_authority_chip;

/* host/authority_pin.c. The PIN of a token: from the pin-source of its URI
 * (NULL: none), from KEYWRIGHT_PIN, or from the terminal. KW_NO: others may
 * read the file. KW_USAGE: it is nowhere. The caller wipes it. */
#define KW_PIN_MAX 256
KW_MUST_USE kw_status kw_authority_pin(const char *pin_source,
                                       const char *token, char pin[KW_PIN_MAX],
                                       struct kw_error *error);

#endif
