/* core/winc_root.h: the Wi-Fi module's root certificate store, 4096 bytes.
 *
 * The functions work on the whole store in the caller's memory, byte for
 * byte as the module's firmware has it: docs/formats.md, "The module's root
 * store". Every change is checked before it is made: a store that would not
 * fit is left as it was. Pads that the module ignores are written 00
 * (dates) and FF (behind a key).
 * Knows core/winc_cert.h. */
#ifndef KW_CORE_WINC_ROOT_H
#define KW_CORE_WINC_ROOT_H

#include "core/winc_cert.h"

#define KW_WINC_ROOT_ADDRESS 0x4000u
#define KW_WINC_ROOT_SIZE    4096u
#define KW_WINC_ROOT_HEADER  20u

enum kw_winc_root_kind {
    KW_WINC_ROOT_ERASED, /* the pattern is all FF */
    KW_WINC_ROOT_V0,     /* firmware 19.4.x, RSA only */
    KW_WINC_ROOT_V1,     /* firmware 19.5.x and later */
    KW_WINC_ROOT_FOREIGN,
};

enum kw_winc_root_kind
kw_winc_root_kind(const uint8_t store[KW_WINC_ROOT_SIZE]);

struct kw_winc_root {
    uint32_t offset; /* in the store; 0: before the first */
    uint32_t size;   /* with pads */
    uint8_t hash[KW_SHA1_SIZE];
    struct kw_winc_date not_before;
    struct kw_winc_date not_after;
    enum kw_winc_key_type key_type;
    /* Modulus and exponent, or X and Y. */
    uint32_t key_at[2];
    uint16_t key_size[2];
};

/* Walks the whole store. KW_NO_WINC_STORE: it is of a foreign kind, or an
 * entry does not fit. An erased one holds 0. */
KW_MUST_USE kw_status kw_winc_root_check(const uint8_t store[KW_WINC_ROOT_SIZE],
                                         uint32_t *count, uint32_t *used);

/* The next entry; root->offset is 0 before the first. KW_NO_WINC_ABSENT:
 * there is none. */
KW_MUST_USE kw_status kw_winc_root_next(const uint8_t store[KW_WINC_ROOT_SIZE],
                                        struct kw_winc_root *root);
/* KW_NO_WINC_ABSENT. */
KW_MUST_USE kw_status kw_winc_root_find(const uint8_t store[KW_WINC_ROOT_SIZE],
                                        const uint8_t hash[KW_SHA1_SIZE],
                                        struct kw_winc_root *root);

/* Bytes that an entry for this certificate takes. */
uint32_t kw_winc_root_entry_size(enum kw_winc_root_kind kind,
                                 const struct kw_winc_cert *cert);

/* Makes an erased store an empty one of this kind. */
void kw_winc_root_begin(uint8_t store[KW_WINC_ROOT_SIZE],
                        enum kw_winc_root_kind kind);

enum kw_winc_root_put {
    KW_WINC_ROOT_ADDED,
    KW_WINC_ROOT_SAME,    /* nothing changed */
    KW_WINC_ROOT_RENEWED, /* the dates changed in place */
    KW_WINC_ROOT_REKEYED, /* replaced, the rest moved */
};

/* Adds a root, or replaces that of the same name hash. rekey: the caller
 * knows that both are of one subject. KW_NO_WINC_REKEYED, KW_NO_WINC_FULL,
 * KW_NO_WINC_STORE, KW_NO_WINC_KEY_TYPE (ECDSA in V0): nothing changed. */
KW_MUST_USE kw_status kw_winc_root_put(uint8_t store[KW_WINC_ROOT_SIZE],
                                       const struct kw_winc_cert *cert,
                                       bool rekey, enum kw_winc_root_put *done);

/* KW_NO_WINC_ABSENT, KW_NO_WINC_STORE. */
KW_MUST_USE kw_status kw_winc_root_remove(uint8_t store[KW_WINC_ROOT_SIZE],
                                          const uint8_t hash[KW_SHA1_SIZE]);

#endif
