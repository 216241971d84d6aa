#include "host/primitives/document_lines.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LIMIT 80 /* bytes of a member's name that a path shows */

/* A table with open addressing; the key is a hash of the path (FNV-1a), 0
 * marks a free place. Two paths of one hash would cost a wrong line, no
 * more. */
struct place {
    uint64_t path;
    unsigned line;
};

struct kw_lines {
    struct place *place;
    size_t room; /* a power of two */
    size_t count;
    const char *at;
    const char *end;
    unsigned line;
    bool failed; /* memory ran out */
};

/* --- the table --- */

#define EMPTY_PATH 0xCBF29CE484222325U

static uint64_t extend(uint64_t path, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        path = (path ^ (unsigned char)text[i]) * 0x100000001B3U;
    }
    return path == 0 ? 1 : path;
}

static struct place *find(const struct kw_lines *lines, uint64_t path) {
    size_t at = (size_t)(path ^ path >> 32) & (lines->room - 1);
    while (lines->place[at].path != 0 && lines->place[at].path != path) {
        at = (at + 1) & (lines->room - 1);
    }
    return &lines->place[at];
}

static bool grow(struct kw_lines *lines) {
    struct kw_lines larger = *lines;
    larger.room = lines->room * 2;
    larger.place = calloc(larger.room, sizeof *larger.place);
    if (larger.place == NULL) {
        return false;
    }
    for (size_t i = 0; i < lines->room; i++) {
        if (lines->place[i].path != 0) {
            *find(&larger, lines->place[i].path) = lines->place[i];
        }
    }
    free(lines->place);
    *lines = larger;
    return true;
}

static void note(struct kw_lines *lines, uint64_t path) {
    if (lines->count * 2 >= lines->room && !grow(lines)) {
        lines->failed = true;
        return;
    }
    struct place *place = find(lines, path);
    if (place->path == 0) {
        *place = (struct place){path, lines->line};
        lines->count++;
    }
}

/* --- the pass --- */

static void skip(struct kw_lines *lines, const char *what) {
    while (lines->at < lines->end && strchr(what, *lines->at) != NULL) {
        lines->line += *lines->at == '\n' ? 1U : 0U;
        lines->at++;
    }
}

/* Over a string; its size without quotes. */
static size_t skip_string(struct kw_lines *lines) {
    const char *start = ++lines->at;
    while (lines->at < lines->end && *lines->at != '"') {
        lines->at += *lines->at == '\\' && lines->at + 1 < lines->end ? 2 : 1;
    }
    const size_t size = (size_t)(lines->at - start);
    lines->at += lines->at < lines->end;
    return size;
}

/* Four hex digits, which jansson has seen. */
static uint32_t code_unit(const char *text) {
    uint32_t unit = 0;
    for (size_t i = 0; i < 4; i++) {
        const uint32_t letter = (unsigned char)text[i];
        unit = unit << 4 |
               (letter <= '9' ? letter - '0' : (letter | 0x20U) - 'a' + 10);
    }
    return unit;
}

/* The UTF-8 of a code point; how many bytes. */
static size_t put_code_point(uint32_t code, char out[4]) {
    const size_t more = code < 0x80      ? 0
                        : code < 0x800   ? 1
                        : code < 0x10000 ? 2
                                         : 3;
    static const unsigned char FIRST[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(FIRST[more] | code >> 6 * more);
    for (size_t i = 1; i <= more; i++) {
        out[i] = (char)(0x80 | (code >> 6 * (more - i) & 0x3F));
    }
    return more + 1;
}

/* One character, or one escape, of a name; how many bytes it takes there.
 * Its UTF-8 goes to out. */
static size_t read_character(const char *text, size_t size, char out[4],
                             size_t *out_size) {
    static const char LETTERS[] = "bfnrt";
    static const char MEANT[] = "\b\f\n\r\t";
    *out_size = 1;
    out[0] = text[0];
    if (text[0] != '\\' || size < 2) {
        return 1;
    }
    if (text[1] != 'u' || size < 6) {
        const char *letter = strchr(LETTERS, text[1]);
        out[0] = text[1];
        if (letter != NULL) {
            out[0] = MEANT[letter - LETTERS];
        }
        return 2;
    }
    uint32_t code = code_unit(text + 2);
    const bool pair = (code & 0xFC00) == 0xD800 && size >= 12;
    if (pair) {
        code = 0x10000 + ((code & 0x3FF) << 10 | (code_unit(text + 8) & 0x3FF));
    }
    *out_size = put_code_point(code, out);
    return pair ? 12 : 6;
}

/* A name as jansson knows it: without escapes. */
static size_t read_name(const char *text, size_t size, char name[NAME_LIMIT]) {
    size_t count = 0;
    while (size > 0 && count < NAME_LIMIT) {
        char one[4];
        size_t one_size;
        const size_t used = read_character(text, size, one, &one_size);
        for (size_t i = 0; i < one_size && count < NAME_LIMIT; i++) {
            name[count++] = one[i];
        }
        text += used;
        size -= used;
    }
    return count;
}

static uint64_t member_path(struct kw_lines *lines, uint64_t path) {
    char name[NAME_LIMIT];
    const char *text = lines->at + 1;
    const size_t size = read_name(text, skip_string(lines), name);
    const uint64_t longer = path == EMPTY_PATH ? path : extend(path, ".", 1);
    return extend(longer, name, size);
}

static uint64_t entry_path(uint64_t path, unsigned index) {
    char text[16];
    const int size = snprintf(text, sizeof text, "[%u]", index);
    return extend(path, text, (size_t)size);
}

static void scan_value(struct kw_lines *lines, uint64_t path);

/* NOLINTNEXTLINE(misc-no-recursion): as deep as jansson let it be */
static void scan_inside(struct kw_lines *lines, uint64_t path, bool object) {
    lines->at++;
    for (unsigned index = 0;; index++) {
        skip(lines, " \t\r\n,");
        if (lines->at >= lines->end || *lines->at == '}' || *lines->at == ']' ||
            lines->failed) {
            lines->at += lines->at < lines->end;
            return;
        }
        const uint64_t inner =
            object ? member_path(lines, path) : entry_path(path, index);
        skip(lines, " \t\r\n:");
        scan_value(lines, inner);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as jansson let it be */
static void scan_value(struct kw_lines *lines, uint64_t path) {
    note(lines, path);
    if (lines->at >= lines->end) {
        return;
    }
    if (*lines->at == '{' || *lines->at == '[') {
        scan_inside(lines, path, *lines->at == '{');
        return;
    }
    if (*lines->at == '"') {
        (void)skip_string(lines);
        return;
    }
    while (lines->at < lines->end && strchr(" \t\r\n,}]", *lines->at) == NULL) {
        lines->at++;
    }
}

/* --- outside --- */

struct kw_lines *kw_lines_new(const char *text, size_t size) {
    struct kw_lines *lines = malloc(sizeof *lines);
    if (lines == NULL) {
        return NULL;
    }
    *lines = (struct kw_lines){
        .room = 256, .at = text, .end = text + size, .line = 1};
    lines->place = calloc(lines->room, sizeof *lines->place);
    if (lines->place == NULL) {
        free(lines);
        return NULL;
    }
    skip(lines, " \t\r\n");
    scan_value(lines, EMPTY_PATH);
    return lines;
}

void kw_lines_free(struct kw_lines *lines) {
    if (lines != NULL) {
        free(lines->place);
        free(lines);
    }
}

/* Where the last step of a path begins. */
static size_t last_step(const char *path, size_t size) {
    while (size > 0 && path[size - 1] != '.' && path[size - 1] != '[') {
        size--;
    }
    return size == 0 ? 0 : size - 1;
}

unsigned kw_lines_of(const struct kw_lines *lines, const char *path) {
    size_t size = strlen(path);
    const struct place *place = find(lines, extend(EMPTY_PATH, path, size));
    while (place->path == 0 && size > 0) {
        size = last_step(path, size);
        place = find(lines, extend(EMPTY_PATH, path, size));
    }
    return place->path == 0 ? 1 : place->line;
}
