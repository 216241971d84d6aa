#include "cli/show.h"

#include <stdlib.h>
#include <string.h>

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

static bool is_plain(const char *word) {
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789@%+=:,./_-";
    return word[0] != '\0' && word[strspn(word, PLAIN)] == '\0';
}

/* A word as a POSIX shell reads it back. */
static void put_word(FILE *out, const char *word) {
    if (is_plain(word)) {
        (void)fprintf(out, " %s", word);
        return;
    }
    (void)fputs(" '", out);
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            (void)fputs("'\\''", out);
        } else {
            (void)fputc(*word, out);
        }
    }
    (void)fputc('\'', out);
}

static void put_option(FILE *out, const char *name, const char *value,
                       const char *by_default) {
    if (strcmp(value, by_default) != 0) {
        (void)fprintf(out, " %s", name);
        put_word(out, value);
    }
}

char *kw_command_text(const struct kw_cli *cli, const char *command,
                      const char *file) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    (void)fputs("keywright", out);
    put_option(out, "--workspace", cli->workspace_folder,
               kw_default_workspace());
    put_option(out, "--chip", cli->chip_text, KW_DEFAULT_CHIP);
    (void)fprintf(out, " %s", command);
    if (file != NULL) {
        put_word(out, file);
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

void kw_print_next(const struct kw_cli *cli, const char *where,
                   const char *command, const char *file) {
    char *text = kw_command_text(cli, command, file);
    if (text != NULL) {
        kw_print(cli, "Next%s%s: %s\n", where == NULL ? "" : ", ",
                 where == NULL ? "" : where, text);
    }
    free(text);
}
