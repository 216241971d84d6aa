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

/* The same for a failed call of the system: adds the words of errno. */
kw_status kw_error_system(struct kw_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says what to do next. Answers the error's status. */
kw_status kw_error_hint(struct kw_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Words for a status that core answered: "DOING: words of the status". */
kw_status kw_error_core(struct kw_error *error, kw_status status,
                        const char *doing);

/* The same for a command that a chip refused, with the reason that the link
 * knows. */
struct kw_chip;
kw_status kw_error_chip(struct kw_error *error, kw_status status,
                        const struct kw_chip *chip, const char *doing);

#endif
