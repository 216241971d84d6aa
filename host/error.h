/* host/error.h: a failure in words.
 *
 * Core answers a status; host adds what happened, to which file, slot or
 * device, and what to do next. Never a secret. Knows core/status.h and
 * core/chip.h. */
#ifndef KW_HOST_ERROR_H
#define KW_HOST_ERROR_H

#include "core/status.h"

struct kw_error {
    kw_status status;
    char message[512];
    char hint[512]; /* what to do next; "" when there is nothing to advise */
};

/* Fills the error and answers the status, so that a function can leave with
 * `return kw_error(error, status, "...", ...)`. */
kw_status kw_error(struct kw_error *error, kw_status status, const char *format,
                   ...) __attribute__((format(printf, 3, 4)));

/* The same for a failed call of the system: adds the words of errno. EINTR is
 * KW_INTERRUPTED: only SIGINT and SIGTERM are caught. EISDIR is KW_PARSE. */
kw_status kw_error_system(struct kw_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says what to do next. Answers the error's status. */
kw_status kw_error_hint(struct kw_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds words to what the hint says already. */
void kw_error_also(struct kw_error *error, const char *words);

/* Words for a status that core answered: "DOING: words of the status". */
kw_status kw_error_core(struct kw_error *error, kw_status status,
                        const char *doing);

/* The same for a command that a chip refused, with the reason that the link
 * knows. */
struct kw_chip;
kw_status kw_error_chip(struct kw_error *error, kw_status status,
                        const struct kw_chip *chip, const char *doing);

/* The analyser looks at one file at a time: what it must know of these is
 * that they answer a failure. */
#if defined(__clang_analyzer__) && !defined(KW_ERROR_DEFINITIONS)
int kw_error_words(const void *error, ...);
static inline kw_status kw_error_model(kw_status status, int words) {
    (void)words;
    return status;
}
#define kw_error(error, status, ...)                                           \
    kw_error_model(status, kw_error_words(error, __VA_ARGS__))
#define kw_error_core(error, status, doing)                                    \
    kw_error_model(status, kw_error_words(error, doing))
#define kw_error_chip(error, status, chip, doing)                              \
    kw_error_model(status, kw_error_words(error, chip, doing))
#define kw_error_system(error, ...)                                            \
    kw_error_model(KW_SYSTEM_FILE, kw_error_words(error, __VA_ARGS__))
#define kw_error_hint(error, ...)                                              \
    kw_error_model(KW_NO, kw_error_words(error, __VA_ARGS__))
#endif

#endif
