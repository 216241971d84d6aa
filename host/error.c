#include "host/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void put_words(char *text, size_t size, const char *format,
                      va_list arguments) {
    (void)vsnprintf(text, size, format, arguments);
}

kw_status kw_error(struct kw_error *error, kw_status status,
                   const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    error->hint[0] = '\0';
    put_words(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

kw_status kw_error_system(struct kw_error *error, const char *format, ...) {
    const int cause = errno;
    char what[400];
    va_list arguments;
    va_start(arguments, format);
    put_words(what, sizeof what, format, arguments);
    va_end(arguments);
    const kw_status status =
        kw_error(error, KW_SYSTEM_FILE, "%s: %s", what, strerror(cause));
    if (cause == ENOSPC || cause == EDQUOT) {
        return kw_error_hint(error, "free some space and run it again; what "
                                    "was there before is unchanged");
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

kw_status kw_error_core(struct kw_error *error, kw_status status,
                        const char *doing) {
    return kw_error(error, status, "%s: %s", doing, kw_status_text(status));
}
