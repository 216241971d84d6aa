#include "host/lines.h"

#include <stdlib.h>
#include <string.h>

#include "host/files.h"

#define FILE_MAX (256u << 20)

kw_status kw_lines_append(const char *path, json_t *object,
                          struct kw_error *error) {
    char *line = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (line == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const kw_status status = kw_file_append_line(path, line, error);
    free(line);
    return status;
}

static kw_status parse_lines(const char *path, const char *text, json_t *lines,
                             struct kw_error *error) {
    for (size_t number = 1;; number++) {
        const char *end = strchr(text, '\n');
        if (end == NULL) {
            return KW_OK;
        }
        json_t *line = json_loadb(text, (size_t)(end - text),
                                  JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(line)) {
            json_decref(line);
            return kw_error(error, KW_PARSE, "%s: line %zu is damaged", path,
                            number);
        }
        json_array_append_new(lines, line);
        text = end + 1;
    }
}

kw_status kw_lines_read(const char *path, json_t **lines,
                        struct kw_error *error) {
    uint8_t *text = NULL;
    size_t size = 0;
    json_t *found = json_array();
    if (found == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    if (kw_file_exists(path)) {
        kw_status status = kw_file_read(path, FILE_MAX, &text, &size, error);
        if (status == KW_OK) {
            status = parse_lines(path, (const char *)text, found, error);
        }
        free(text);
        if (status != KW_OK) {
            json_decref(found);
            return status;
        }
    }
    *lines = found;
    return KW_OK;
}
