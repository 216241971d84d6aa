#include "cli/copied.h"

#include <stdlib.h>
#include <string.h>

#define PROGRAM   "keywright "
#define ELSEWHERE "at the device"

/* --- its options --- */

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

static bool names(const char *command, size_t size, const char *option) {
    return memmem(command, size, option, strlen(option)) != NULL;
}

static void put_options(const struct kw_cli *cli, unsigned works_on,
                        const char *command, size_t size, FILE *out) {
    if (works_on >= KW_ON_WORKSPACE && !names(command, size, "--workspace")) {
        put_option(out, "--workspace", cli->workspace_folder,
                   kw_default_workspace());
    }
    if (works_on >= KW_ON_CHIP && !names(command, size, "--chip")) {
        put_option(out, "--chip", cli->chip_text, KW_DEFAULT_CHIP);
    }
}

/* --- one command --- */

static size_t word_size(const char *text) {
    return strcspn(text, " `");
}

static bool is_word(const char *text, const char *word) {
    return strlen(word) == word_size(text) &&
           strncmp(text, word, strlen(word)) == 0;
}

static const struct kw_noun *noun_of(const struct kw_cli *cli,
                                     const char *text) {
    for (size_t i = 0; i < cli->noun_count; i++) {
        if (is_word(text, cli->nouns[i].name)) {
            return &cli->nouns[i];
        }
    }
    return NULL;
}

static bool has_verb(const struct kw_noun *noun, const char *text) {
    const char *verb = text + word_size(text);
    verb += strspn(verb, " ");
    for (size_t i = 0; i < noun->verb_count; i++) {
        if (noun->verbs[i].name != NULL && is_word(verb, noun->verbs[i].name)) {
            return true;
        }
    }
    return false;
}

/* What stands between two backquotes. False: it is no command of ours. */
static bool put_command(const struct kw_cli *cli, const char *text, size_t size,
                        FILE *out) {
    const bool whole = strncmp(text, PROGRAM, strlen(PROGRAM)) == 0;
    const char *command = whole ? text + strlen(PROGRAM) : text;
    const size_t rest = size - (size_t)(command - text);
    const struct kw_noun *noun = noun_of(cli, command);
    if (noun == NULL || names(command, rest, "--help") ||
        (!whole && !has_verb(noun, command))) {
        return false;
    }
    (void)fputs("keywright", out);
    put_options(cli, noun->works_on, command, rest, out);
    (void)fprintf(out, " %.*s", (int)rest, command);
    if (noun->works_on >= KW_ON_MODULE && cli->module != NULL &&
        !names(command, rest, "--module")) {
        put_option(out, "--module", cli->module, "");
    }
    return true;
}

char *kw_command_text(const struct kw_cli *cli, const char *command,
                      const char *file) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    if (cli == NULL || !put_command(cli, command, strlen(command), out)) {
        (void)fprintf(out, "keywright %s", command);
    }
    if (file != NULL) {
        put_word(out, file);
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* --- a text that names commands --- */

static bool has_options(const struct kw_cli *cli) {
    return strcmp(cli->workspace_folder, kw_default_workspace()) != 0 ||
           strcmp(cli->chip_text, KW_DEFAULT_CHIP) != 0 || cli->module != NULL;
}

static void put_copied(const struct kw_cli *cli, const char *text, FILE *out) {
    const char *quote = NULL;
    const bool stays = strstr(text, ELSEWHERE) != NULL;
    while (!stays && (quote = strchr(text, '`')) != NULL) {
        const size_t size = strcspn(quote + 1, "`");
        (void)fprintf(out, "%.*s`", (int)(quote - text), text);
        text = quote + 1;
        if (text[size] == '\0') {
            break;
        }
        if (!put_command(cli, text, size, out)) {
            (void)fprintf(out, "%.*s", (int)size, text);
        }
        (void)fputc('`', out);
        text += size + 1;
    }
    (void)fputs(text, out);
}

char *kw_copied(const struct kw_cli *cli, const char *text) {
    char *copied = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&copied, &size);
    if (out == NULL) {
        return NULL;
    }
    put_copied(cli, text, out);
    if (fclose(out) != 0) {
        free(copied);
        return NULL;
    }
    return copied;
}

void kw_put_copied(const struct kw_cli *cli, FILE *out, const char *format,
                   va_list arguments) {
    char *text = NULL;
    if (!has_options(cli)) {
        (void)vfprintf(out, format, arguments);
    } else if (vasprintf(&text, format, arguments) >= 0) {
        put_copied(cli, text, out);
        free(text);
    }
}
