/* tests/core/tiny_chip.h: a chip of a few lines, and a bundle for it.
 *
 * It knows slot 14, its nibble, counter 1 and whether a command is refused;
 * every signature is good unless the test spoils one. Runs on the target's
 * own processor too. Knows core alone. */
#ifndef KW_TESTS_CORE_TINY_CHIP_H
#define KW_TESTS_CORE_TINY_CHIP_H

#include "core/rotate.h"

#define KW_TINY_SEQUENCE 3
#define KW_TINY_NEVER    1000u

enum kw_tiny_fault {
    KW_TINY_REFUSED,     /* the chip answers 0F and does nothing */
    KW_TINY_NOT_SENT,    /* the command never arrives, and none after it */
    KW_TINY_ANSWER_LOST, /* done, but the answer does not arrive */
};

struct kw_tiny_chip {
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t slot[96]; /* slot 14 with the unused rest of block 2 */
    uint32_t counter;
    unsigned transfers;
    unsigned fault_at; /* which transfer fails, counted from 1 */
    enum kw_tiny_fault fault;
    bool gone;
    bool counter_stands;   /* it answers, and does not move */
    uint8_t bad_parameter; /* a Verify of this mode answers 01 ... */
    unsigned bad_skip;     /* ... after so many that were good ... */
    unsigned bad_left;     /* ... so many times */
    bool changed;          /* slot 14, by a Write or a Verify */
};

struct kw_tiny_scene {
    struct kw_tiny_chip tiny;
    struct kw_chip chip;
    struct kw_rotate rotate;
    struct kw_bundle content; /* what a case makes */
    struct kw_bundle bundle;  /* what the chip's side decodes */
    uint8_t serial[KW_SERIAL_SIZE];
    uint8_t configuration[KW_SHA256_SIZE];
    uint8_t old_key[KW_PUBLIC_KEY_SIZE];
    uint8_t new_key[KW_PUBLIC_KEY_SIZE];
    uint8_t pair[KW_PAIR_SIZE];
    uint8_t payload[KW_BUNDLE_SIZE];
};

/* A validated old key in the chip, and a bundle that replaces it. False when
 * it cannot be made. */
bool kw_tiny_set(struct kw_tiny_scene *scene);
/* Encodes what scene->content says now. */
bool kw_tiny_encode(struct kw_tiny_scene *scene);
/* Puts a key into slot 14; nibble is its first byte. */
void kw_tiny_put_key(struct kw_tiny_scene *scene, const uint8_t *key,
                     uint8_t nibble);
/* Whether slot 14 holds the key in that state. */
bool kw_tiny_holds(const struct kw_tiny_scene *scene, const uint8_t *key,
                   bool valid);

#endif
