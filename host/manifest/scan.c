#include "host/manifest/scan.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW (4 * KW_MANIFEST_ENTRY_MAX)
#define MIB    ((off_t)1024 * 1024)
#define CACHED (256 * MIB) /* of a file stay in the page cache */
#define LET_GO (8 * MIB)   /* of what is behind them, at a time */

/* The window holds the file's bytes from `base` on; [at, have) is not read
 * yet. `mark` is where the entry began, or `at` when none is open. */
struct kw_manifest_scan {
    char *path;
    int fd;
    bool ended; /* the file */
    bool begun; /* the array */
    bool closed;
    uint32_t entries;
    off_t base;
    off_t kept;
    off_t let_go; /* up to here, behind CACHED */
    size_t mark;
    size_t at;
    size_t have;
    char window[WINDOW];
};

kw_status kw_manifest_scan_open(const char *path,
                                struct kw_manifest_scan **scan,
                                struct kw_error *error) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return kw_error_system(error, "cannot open %s", path);
    }
    struct kw_manifest_scan *made = malloc(sizeof *made);
    char *name = strdup(path);
    if (made == NULL || name == NULL) {
        free(made);
        free(name);
        (void)close(fd);
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    memset(made, 0, offsetof(struct kw_manifest_scan, window));
    made->path = name;
    made->fd = fd;
    made->let_go = CACHED;
    *scan = made;
    return KW_OK;
}

void kw_manifest_scan_close(struct kw_manifest_scan *scan) {
    if (scan != NULL) {
        (void)close(scan->fd);
        free(scan->path);
        free(scan);
    }
}

off_t kw_manifest_scan_kept(const struct kw_manifest_scan *scan) {
    return scan->kept;
}

/* --- the window --- */

/* A file of gigabytes is read once: the page cache need not hold it. */
static void let_go(struct kw_manifest_scan *scan) {
    const off_t size = scan->base - scan->let_go;
    if (size >= LET_GO) {
        (void)posix_fadvise(scan->fd, scan->let_go, size, POSIX_FADV_DONTNEED);
        scan->let_go += size;
    }
}

static kw_status fill(struct kw_manifest_scan *scan, struct kw_error *error) {
    let_go(scan);
    if (scan->mark > 0) {
        memmove(scan->window, scan->window + scan->mark,
                scan->have - scan->mark);
        scan->base += (off_t)scan->mark;
        scan->at -= scan->mark;
        scan->have -= scan->mark;
        scan->mark = 0;
    }
    const ssize_t count =
        read(scan->fd, scan->window + scan->have, WINDOW - scan->have);
    if (count < 0) {
        return kw_error_system(error, "cannot read %s", scan->path);
    }
    scan->ended = count == 0;
    scan->have += (size_t)count;
    return KW_OK;
}

/* Makes sure that there is a byte at `at`; `ended` tells when there is
 * none. */
static kw_status need(struct kw_manifest_scan *scan, struct kw_error *error) {
    while (scan->at == scan->have && !scan->ended) {
        KW_TRY(fill(scan, error));
    }
    return KW_OK;
}

static bool is_space(char byte) {
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* The next byte that is no white space, not taken; 0 at the end. */
static kw_status next_byte(struct kw_manifest_scan *scan, char *byte,
                           struct kw_error *error) {
    for (;;) {
        *byte = '\0';
        scan->mark = scan->at;
        KW_TRY(need(scan, error));
        if (scan->at == scan->have) {
            return KW_OK;
        }
        *byte = scan->window[scan->at];
        if (!is_space(*byte)) {
            return KW_OK;
        }
        scan->at++;
    }
}

static off_t position(const struct kw_manifest_scan *scan) {
    return scan->base + (off_t)scan->at;
}

/* --- one entry --- */

struct inside {
    unsigned depth;
    bool in_string;
    bool escaped; /* the byte before was a backslash */
    const char *words;
};

/* Bytes inside a string that need no look: up to a quote, a backslash or a
 * line end. */
static size_t plain_run(const char *at, size_t left) {
    const char *quote = memchr(at, '"', left);
    size_t size = quote == NULL ? left : (size_t)(quote - at);
    const char *other = memchr(at, '\\', size);
    size = other == NULL ? size : (size_t)(other - at);
    other = memchr(at, '\n', size);
    return other == NULL ? size : (size_t)(other - at);
}

static void string_byte(struct inside *inside, char byte) {
    if (byte == '\n') {
        inside->words = "a string holds a raw line end";
        inside->in_string = false;
    } else if (inside->escaped) {
        inside->escaped = false;
    } else if (byte == '\\') {
        inside->escaped = true;
    } else if (byte == '"') {
        inside->in_string = false;
    }
}

/* True when the byte ends the entry, and does not belong to it. */
static bool outer_byte(struct inside *inside, char byte) {
    switch (byte) {
    case '"':
        inside->in_string = true;
        return false;
    case '{':
    case '[':
        inside->depth++;
        return false;
    case ',':
        return inside->depth == 0;
    case ']':
        if (inside->depth == 0) {
            return true;
        }
        inside->depth--;
        return false;
    case '}':
        if (inside->depth == 0) {
            inside->words = "a } is there without its {";
            return false;
        }
        inside->depth--;
        return false;
    default:
        return false;
    }
}

/* Goes over what is in the window; true when the entry has ended. */
static bool pass(struct kw_manifest_scan *scan, struct inside *inside) {
    while (scan->at < scan->have) {
        const char *at = scan->window + scan->at;
        if (inside->in_string && !inside->escaped) {
            scan->at += plain_run(at, scan->have - scan->at);
            if (scan->at == scan->have) {
                return false;
            }
        }
        const char byte = scan->window[scan->at];
        if (inside->in_string) {
            string_byte(inside, byte);
        } else if (outer_byte(inside, byte)) {
            return true;
        }
        scan->at++;
    }
    return false;
}

static kw_status truncated(const struct kw_manifest_scan *scan,
                           struct kw_error *error) {
    return kw_error(error, KW_PARSE, "%s ends inside entry %u", scan->path,
                    (unsigned)scan->entries);
}

/* Where the file ends: was the entry whole? */
static bool is_closed(const struct kw_manifest_scan *scan,
                      const struct inside *inside) {
    size_t end = scan->have;
    while (end > scan->mark && is_space(scan->window[end - 1])) {
        end--;
    }
    return !inside->in_string && inside->depth == 0 && end > scan->mark &&
           scan->window[end - 1] == '}';
}

/* From `mark` to the byte that ends the entry. */
static kw_status find_end(struct kw_manifest_scan *scan, struct inside *inside,
                          struct kw_error *error) {
    while (!pass(scan, inside)) {
        if (scan->ended && is_closed(scan, inside)) {
            return KW_OK; /* only the ] behind it is missing */
        }
        if (scan->ended) {
            return truncated(scan, error);
        }
        if (scan->at - scan->mark > KW_MANIFEST_ENTRY_MAX) {
            inside->words = "it is longer than 65536 bytes";
        }
        if (inside->words != NULL) {
            scan->mark = scan->at; /* nobody will look at it */
        }
        KW_TRY(fill(scan, error));
    }
    if (scan->at - scan->mark > KW_MANIFEST_ENTRY_MAX) {
        inside->words = "it is longer than 65536 bytes";
    }
    return KW_OK;
}

static kw_status read_entry(struct kw_manifest_scan *scan,
                            struct kw_manifest_piece *piece,
                            struct kw_error *error) {
    struct inside inside = {.depth = 0};
    const off_t begin = position(scan);
    scan->entries++;
    KW_TRY(find_end(scan, &inside, error));
    size_t end = scan->at;
    while (end > scan->mark && is_space(scan->window[end - 1])) {
        end--;
    }
    *piece = (struct kw_manifest_piece){
        .number = scan->entries,
        .text = scan->window + scan->mark,
        .size = end - scan->mark,
        .begin = begin,
        .end = scan->base + (off_t)end,
        .words = inside.words,
    };
    scan->kept = piece->end;
    return KW_OK;
}

/* --- the array --- */

static kw_status begin(struct kw_manifest_scan *scan, struct kw_error *error) {
    char byte = '\0';
    KW_TRY(next_byte(scan, &byte, error));
    if (byte != '[') {
        kw_error(error, KW_PARSE, "%s is no manifest: it does not begin with [",
                 scan->path);
        return kw_error_hint(error, "a manifest is a JSON array of "
                                    "SignedSecureElement objects");
    }
    scan->at++;
    scan->begun = true;
    scan->kept = position(scan);
    return KW_OK;
}

static kw_status finish(struct kw_manifest_scan *scan, struct kw_error *error) {
    char byte = '\0';
    scan->at++;
    scan->closed = true;
    KW_TRY(next_byte(scan, &byte, error));
    return scan->at == scan->have
               ? KW_OK
               : kw_error(error, KW_PARSE, "%s goes on behind the array",
                          scan->path);
}

kw_status kw_manifest_scan_next(struct kw_manifest_scan *scan,
                                struct kw_manifest_piece *piece, bool *more,
                                struct kw_error *error) {
    char byte = '\0';
    *more = false;
    if (!scan->begun) {
        KW_TRY(begin(scan, error));
    }
    if (scan->closed) {
        return KW_OK;
    }
    KW_TRY(next_byte(scan, &byte, error));
    if (byte == ']') {
        return finish(scan, error);
    }
    if (byte == ',' && scan->entries > 0) {
        scan->at++;
        KW_TRY(next_byte(scan, &byte, error));
    }
    if (byte == '\0' && scan->at == scan->have) {
        return kw_error(error, KW_PARSE, "%s ends behind entry %u: no ] there",
                        scan->path, (unsigned)scan->entries);
    }
    *more = true;
    return read_entry(scan, piece, error);
}
