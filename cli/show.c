#include "cli/show.h"

#include <stdlib.h>
#include <string.h>

#include "cli/copied.h"
#include "host/text.h"

void kw_say_line(void *observer, const char *line) {
    const struct kw_cli *cli = observer;
    kw_print(cli, "%s\n", line);
}

void kw_set_serial(json_t *object, const uint8_t *serial) {
    char text[2 * KW_SERIAL_SIZE + 1];
    if (serial == NULL) {
        json_object_set_new(object, "serial", json_null());
        return;
    }
    kw_hex(serial, KW_SERIAL_SIZE, text);
    json_object_set_new(object, "serial", json_string(text));
}

void kw_set_fingerprint(json_t *object, const char *member,
                        const uint8_t *key) {
    char text[KW_FINGERPRINT_TEXT];
    if (key == NULL) {
        json_object_set_new(object, member, json_null());
        return;
    }
    kw_fingerprint(key, text);
    json_object_set_new(object, member, json_string(text));
}

const char *kw_short_fingerprint(const uint8_t *key, char text[KW_SHORT_TEXT]) {
    char whole[KW_FINGERPRINT_TEXT];
    if (key == NULL) {
        return "none";
    }
    kw_fingerprint(key, whole);
    memcpy(text, whole, KW_FINGERPRINT_SHOWN);
    text[KW_FINGERPRINT_SHOWN] = '\0';
    return text;
}

/* --- the next command --- */

void kw_print_next(const struct kw_cli *cli, const char *where,
                   const char *command, const char *file) {
    char *text = kw_command_text(where == NULL ? cli : NULL, command, file);
    if (text != NULL) {
        kw_print(cli, "Next%s%s: %s\n", where == NULL ? "" : ", ",
                 where == NULL ? "" : where, text);
    }
    free(text);
}
