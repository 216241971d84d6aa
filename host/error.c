#define KW_ERROR_DEFINITIONS
#include "host/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/chip.h"

static void put_words(char *text, size_t size, const char *format,
                      va_list arguments) {
    (void)vsnprintf(text, size, format, arguments);
}

kw_status kw_error(struct kw_error *error, kw_status status, const char *format,
                   ...) {
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    error->hint[0] = '\0';
    put_words(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

static const char *advice_for(kw_status status) {
    switch (kw_status_class(status)) {
    case KW_CLASS_ABSENT:
        return "check that the chip is connected and powered, that its "
               "switch is on, and that no other program uses it; then run "
               "the same command again";
    case KW_CLASS_INTERRUPTED:
        return "run the same command again to go on";
    default:
        return "";
    }
}

kw_status kw_error_system(struct kw_error *error, const char *format, ...) {
    const int cause = errno;
    char what[400];
    va_list arguments;
    va_start(arguments, format);
    put_words(what, sizeof what, format, arguments);
    va_end(arguments);
    if (cause == EINTR) {
        kw_error(error, KW_INTERRUPTED, "%s: interrupted", what);
        return kw_error_hint(error, "%s", advice_for(KW_INTERRUPTED));
    }
    /* A folder in the place of a file is no failure of the system. */
    const kw_status status =
        kw_error(error, cause == EISDIR ? KW_PARSE : KW_SYSTEM_FILE, "%s: %s",
                 what, strerror(cause));
    if (cause == ENOSPC || cause == EDQUOT) {
        return kw_error_hint(error, "free some space first");
    }
    return status;
}

kw_status kw_error_hint(struct kw_error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    put_words(error->hint, sizeof error->hint, format, arguments);
    va_end(arguments);
    return error->status;
}

void kw_error_also(struct kw_error *error, const char *words) {
    const size_t size = strlen(error->hint);
    (void)snprintf(error->hint + size, sizeof error->hint - size, "%s%s",
                   size == 0 ? "" : "; ", words);
}

/* A byte of a chip that no data sheet names has no words of its own. */
static const char *words_of(kw_status status, char unknown[64]) {
    const char *words = kw_status_text(status);
    if (!kw_status_is_refusal(status) || strncmp(words, "status ", 7) == 0) {
        return words;
    }
    (void)snprintf(unknown, 64, "status %02X: %s", (unsigned)status & 0xFF,
                   words);
    return unknown;
}

kw_status kw_error_core(struct kw_error *error, kw_status status,
                        const char *doing) {
    char unknown[64];
    return kw_error(error, status, "%s: %s", doing, words_of(status, unknown));
}

kw_status kw_error_chip(struct kw_error *error, kw_status status,
                        const struct kw_chip *chip, const char *doing) {
    const bool refused = kw_status_is_refusal(status);
    const char *reason = refused ? kw_chip_reason(chip) : "";
    char unknown[64];
    kw_error(error, status, "%s: %s%s%s", doing, words_of(status, unknown),
             reason[0] == '\0' ? "" : ": ", reason);
    return kw_error_hint(error, "%s", advice_for(status));
}
