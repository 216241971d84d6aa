/* host/lab.h: a use case, played to the end, and attacked.
 *
 * A lab is a table of steps and a table of attacks (docs/labs.md). The
 * steps are what a host and a chip do; one that fails ends the lab. An
 * attack answers what the host answered to it: it must be refused.
 * Knows host/workspace.h, host/certs/pki.h, core/chip.h. */
#ifndef KW_HOST_LAB_H
#define KW_HOST_LAB_H

#include "core/chip.h"
#include "host/certs/pki.h"
#include "host/error.h"
#include "host/workspace.h"

struct kw_lab_part;

/* Who is told what happens. */
struct kw_lab_watcher {
    void (*begin)(void *self, const struct kw_lab_part *part, bool is_attack);
    void (*line)(void *self, const char *line);
    /* Bytes that went to and fro: never a secret. */
    void (*value)(void *self, const char *name, const uint8_t *bytes,
                  size_t size);
    void (*refused)(void *self, const char *words);
    void *self;
};

/* What every lab works with. */
struct kw_lab_bench {
    const struct kw_workspace *workspace; /* NULL: none, `source` is there */
    struct kw_chip *chip;
    const char *source; /* the root or the secret; NULL: the workspace's */
    struct kw_moment now;
    const struct kw_lab_watcher *watcher;
    struct kw_error *error;
    void *state; /* the lab's own; wiped at the end */
};

/* A step or an attack. `name` is for documents and --attack. */
struct kw_lab_part {
    const char *name;
    const char *title; /* what is done, a phrase */
    const char *why;   /* a sentence */
    kw_status (*run)(struct kw_lab_bench *bench);
};

struct kw_lab {
    const char *title;
    const struct kw_lab_part *steps;
    size_t step_count;
    const struct kw_lab_part *attacks;
    size_t attack_count;
    size_t state_size;
};

#define KW_LAB_NO_ATTACK "none"

extern const struct kw_lab kw_lab_asymmetric;
extern const struct kw_lab kw_lab_accessory;

/* Plays the steps, then the attack of that name, or all (NULL), or none.
 * KW_USAGE: there is no such attack. KW_NO: the chip proves nothing, or an
 * attack was not refused. */
KW_MUST_USE kw_status kw_lab_play(const struct kw_lab *lab, const char *attack,
                                  struct kw_lab_bench *bench);

/* For the labs. A line of the console; bytes for documents; bytes in
 * upper-case hex for a line. */
void kw_lab_say(const struct kw_lab_bench *bench, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void kw_lab_value(const struct kw_lab_bench *bench, const char *name,
                  const uint8_t *bytes, size_t size);
#define KW_LAB_HEX_MAX 64 /* bytes */
#define KW_LAB_HEX     (2 * KW_LAB_HEX_MAX + 1)
const char *kw_lab_hex(const uint8_t *bytes, size_t size,
                       char text[KW_LAB_HEX]);

#endif
