#include "host/lines.h"

#include <stdlib.h>
#include <string.h>

#include "host/files.h"

#define FILE_MAX (256u << 20)

/* Reads lines until the first that is no object; *end is the offset behind
 * the last good one. */
static void parse_lines(const char *text, size_t size, json_t *lines,
                        size_t *end) {
    const char *line_end = NULL;
    *end = 0;
    while ((line_end = memchr(text + *end, '\n', size - *end)) != NULL) {
        const char *line = text + *end;
        json_t *object = json_loadb(line, (size_t)(line_end - line),
                                    JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(object)) {
            json_decref(object);
            return;
        }
        json_array_append_new(lines, object);
        *end = (size_t)(line_end + 1 - text);
    }
}

/* What a power cut left behind the last line holds no object; damage of
 * another kind does. */
static bool holds_an_object(const char *text, size_t size) {
    const char *end = NULL;
    for (; (end = memchr(text, '\n', size)) != NULL;) {
        const size_t length = (size_t)(end - text);
        json_t *object = json_loadb(text, length, 0, NULL);
        const bool is_object = json_is_object(object);
        json_decref(object);
        if (is_object) {
            return true;
        }
        text = end + 1;
        size -= length + 1;
    }
    return false;
}

static kw_status parse_file(const char *path, const char *text, size_t size,
                            json_t *lines, size_t *end,
                            struct kw_error *error) {
    parse_lines(text, size, lines, end);
    if (!holds_an_object(text + *end, size - *end)) {
        return KW_OK;
    }
    kw_error(error, KW_PARSE, "%s: line %zu is damaged", path,
             json_array_size(lines) + 1);
    return kw_error_hint(error, "bring the file back from a backup, or mend "
                                "that line by hand");
}

static kw_status read_file(const char *path, json_t *lines, size_t *end,
                           struct kw_error *error) {
    uint8_t *text = NULL;
    size_t size = 0;
    *end = 0;
    if (!kw_file_exists(path)) {
        return KW_OK;
    }
    KW_TRY(kw_file_read(path, FILE_MAX, &text, &size, error));
    const kw_status status =
        parse_file(path, (const char *)text, size, lines, end, error);
    free(text);
    return status;
}

static kw_status read_lines(const char *path, json_t **lines, size_t *end,
                            struct kw_error *error) {
    json_t *found = json_array();
    if (found == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const kw_status status = read_file(path, found, end, error);
    if (status != KW_OK) {
        json_decref(found);
        return status;
    }
    *lines = found;
    return KW_OK;
}

kw_status kw_lines_read(const char *path, json_t **lines,
                        struct kw_error *error) {
    size_t end = 0;
    return read_lines(path, lines, &end, error);
}

kw_status kw_lines_append(const char *path, json_t *object,
                          struct kw_error *error) {
    json_t *lines = NULL;
    size_t end = 0;
    char *line = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (line == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    kw_status status = read_lines(path, &lines, &end, error);
    if (status == KW_OK) {
        json_decref(lines);
        status = kw_file_append_line(path, end, line, error);
    }
    free(line);
    return status;
}
