#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "core/bytes.h"
#include "host/authority_kind.h"

#define ENVIRONMENT "KEYWRIGHT_PIN"

static kw_status take_line(char *text, size_t size, char pin[KW_PIN_MAX]) {
    const size_t length = strcspn(text, "\r\n");
    KW_ENSURE(length > 0 && length < size && length < KW_PIN_MAX, KW_PARSE);
    memcpy(pin, text, length);
    pin[length] = '\0';
    return KW_OK;
}

/* --- a file --- */

static kw_status check_mode(int fd, const char *path, struct kw_error *error) {
    struct stat about;
    if (fstat(fd, &about) != 0) {
        return kw_error_system(error, "cannot look at %s", path);
    }
    if (!S_ISREG(about.st_mode) || (about.st_mode & 077) != 0) {
        kw_error(error, KW_NO, "others may read the PIN in %s", path);
        return kw_error_hint(error, "chmod 600 %s", path);
    }
    return KW_OK;
}

static kw_status read_pin(int fd, const char *path, char pin[KW_PIN_MAX],
                          struct kw_error *error) {
    char text[KW_PIN_MAX + 1] = "";
    KW_TRY(check_mode(fd, path, error));
    const ssize_t size = read(fd, text, sizeof text - 1);
    const kw_status status =
        size <= 0 ? KW_PARSE : take_line(text, sizeof text, pin);
    kw_wipe(text, sizeof text);
    return status == KW_OK ? KW_OK
                           : kw_error(error, KW_PARSE, "%s holds no PIN", path);
}

/* RFC 7512, 2.4: a file URI or a path; a command ("|...") is not run. */
static kw_status from_file(const char *source, char pin[KW_PIN_MAX],
                           struct kw_error *error) {
    const char *path = source;
    if (source[0] == '|') {
        return kw_error(error, KW_USAGE,
                        "a pin-source that is a command is not run");
    }
    if (strncmp(path, "file:", 5) == 0) {
        path += 5;
        path += strncmp(path, "//", 2) == 0 ? 2 : 0;
    }
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return kw_error_system(error, "cannot open the pin-source %s", path);
    }
    const kw_status status = read_pin(fd, path, pin, error);
    (void)close(fd);
    return status;
}

/* --- the terminal --- */

/* Silent before the question: what is typed at once must not show, or be
 * thrown away. */
static bool read_silently(FILE *terminal, const char *token, char *text,
                          size_t size) {
    struct termios before;
    if (tcgetattr(fileno(terminal), &before) != 0) {
        return false;
    }
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(fileno(terminal), TCSAFLUSH, &silent);
    (void)dprintf(fileno(terminal), "PIN of the token %s: ", token);
    const bool read = fgets(text, (int)size, terminal) != NULL;
    (void)tcsetattr(fileno(terminal), TCSAFLUSH, &before);
    return read;
}

static kw_status from_terminal(const char *token, char pin[KW_PIN_MAX],
                               struct kw_error *error) {
    char text[KW_PIN_MAX + 1] = "";
    FILE *terminal =
        isatty(STDIN_FILENO) == 1 ? fopen("/dev/tty", "r+e") : NULL;
    if (terminal == NULL) {
        kw_error(error, KW_USAGE, "the token %s needs a PIN", token);
        return kw_error_hint(error, "give it in " ENVIRONMENT
                                    ", or name its file with "
                                    "?pin-source=file:PATH (mode 0600)");
    }
    (void)setvbuf(terminal, NULL, _IONBF, 0);
    errno = 0;
    const bool read = read_silently(terminal, token, text, sizeof text);
    const bool interrupted = !read && errno == EINTR;
    (void)dprintf(fileno(terminal), "\n");
    (void)fclose(terminal);
    const kw_status status =
        read ? take_line(text, sizeof text, pin) : KW_PARSE;
    kw_wipe(text, sizeof text);
    if (interrupted) {
        return kw_error(error, KW_INTERRUPTED, "interrupted before the PIN");
    }
    return status == KW_OK ? KW_OK
                           : kw_error(error, KW_USAGE, "no PIN was given");
}

kw_status kw_authority_pin(const char *pin_source, const char *token,
                           char pin[KW_PIN_MAX], struct kw_error *error) {
    const char *given = getenv(ENVIRONMENT);
    if (pin_source != NULL) {
        return from_file(pin_source, pin, error);
    }
    if (given == NULL || given[0] == '\0') {
        return from_terminal(token, pin, error);
    }
    const size_t size = strlen(given);
    if (size >= KW_PIN_MAX) {
        return kw_error(error, KW_USAGE,
                        "the PIN in " ENVIRONMENT " is too "
                        "long");
    }
    memcpy(pin, given, size + 1);
    return KW_OK;
}
