/* cli/manifest_diff.c: `manifest diff`. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/manifest.h"
#include "host/manifest/index.h"
#include "host/openssl_hash.h"

#define PRINT_SIZE 8

/* What is kept of an entry of the first file. */
struct print {
    uint8_t payload[PRINT_SIZE]; /* begin of its SHA-256 */
    uint8_t whole[PRINT_SIZE];
    bool seen; /* in the second file */
};

struct diffing {
    struct kw_cli *cli;
    const char *path;
    struct kw_manifest_index *index;
    struct print *prints; /* by entry, from 1 */
    size_t room;
    json_t *only_first;
    json_t *only_second;
    json_t *changed;
    json_t *signed_anew;
    struct kw_manifest_entry entry;
    struct kw_manifest_room scratch;
};

static kw_status print_of(const struct kw_manifest_entry *entry,
                          struct print *print) {
    uint8_t digest[KW_SHA256_SIZE];
    const struct kw_span spans[] = {
        {entry->payload_text.at, entry->payload_text.size},
        {".", 1},
        {entry->protected_text.at, entry->protected_text.size},
        {entry->signature, KW_SIGNATURE_SIZE},
    };
    KW_TRY(kw_hash_spans(&kw_openssl_hash, spans, 1, digest));
    memcpy(print->payload, digest, PRINT_SIZE);
    KW_TRY(kw_hash_spans(&kw_openssl_hash, spans, 4, digest));
    memcpy(print->whole, digest, PRINT_SIZE);
    print->seen = false;
    return KW_OK;
}

static kw_status read_piece(struct diffing *diffing,
                            const struct kw_manifest_piece *piece,
                            struct print *print) {
    const struct kw_verdict verdict =
        kw_manifest_entry_read(piece, &diffing->scratch, &diffing->entry);
    if (verdict.status != KW_OK) {
        return kw_manifest_unreadable(diffing->cli, diffing->path,
                                      piece->number, verdict.words);
    }
    return print_of(&diffing->entry, print);
}

static void list(struct diffing *diffing, json_t *where, const char *words) {
    char text[KW_UNIQUE_ID_TEXT];
    kw_unique_id_text(diffing->entry.unique_id, text);
    kw_print(diffing->cli, "%s %s\n", words, text);
    json_array_append_new(where, json_string(text));
}

static kw_status no_memory(struct diffing *diffing) {
    return kw_error(&diffing->cli->error, KW_SYSTEM_MEMORY, "out of memory");
}

/* --- the passes --- */

static kw_status keep_first(void *self, const struct kw_manifest_piece *piece) {
    struct diffing *diffing = self;
    uint32_t before = 0;
    if (piece->number >= diffing->room) {
        const size_t room = 2 * (size_t)piece->number + 64;
        struct print *grown =
            realloc(diffing->prints, room * sizeof *diffing->prints);
        if (grown == NULL) {
            return no_memory(diffing);
        }
        diffing->prints = grown;
        diffing->room = room;
    }
    KW_TRY(read_piece(diffing, piece, &diffing->prints[piece->number]));
    return kw_manifest_index_put(diffing->index, diffing->entry.unique_id,
                                 piece->number, &before) == KW_OK
               ? KW_OK
               : no_memory(diffing);
}

static kw_status compare_second(void *self,
                                const struct kw_manifest_piece *piece) {
    struct diffing *diffing = self;
    struct print second;
    KW_TRY(read_piece(diffing, piece, &second));
    const uint32_t entry =
        kw_manifest_index_find(diffing->index, diffing->entry.unique_id);
    if (entry == 0) {
        list(diffing, diffing->only_second, "+");
        return KW_OK;
    }
    struct print *first = &diffing->prints[entry];
    first->seen = true;
    if (memcmp(first->payload, second.payload, PRINT_SIZE) != 0) {
        list(diffing, diffing->changed, "!");
    } else if (memcmp(first->whole, second.whole, PRINT_SIZE) != 0) {
        list(diffing, diffing->signed_anew, "~");
    }
    return KW_OK;
}

static kw_status find_missing(void *self,
                              const struct kw_manifest_piece *piece) {
    struct diffing *diffing = self;
    struct print print;
    KW_TRY(read_piece(diffing, piece, &print));
    const uint32_t entry =
        kw_manifest_index_find(diffing->index, diffing->entry.unique_id);
    if (entry != piece->number || diffing->prints[entry].seen) {
        return KW_OK; /* there, or a later entry of the same id speaks */
    }
    list(diffing, diffing->only_first, "-");
    return KW_OK;
}

/* --- the verb --- */

static json_t *add_list(json_t *result, const char *name) {
    json_t *made = json_array();
    json_object_set_new(result, name, made);
    return made;
}

/* About as many entries as a file of this size has; more are fine. */
#define ENTRY_SIZE 4096

static kw_status reserve(struct diffing *diffing, const char *path) {
    struct stat file;
    const bool found = stat(path, &file) == 0;
    if (found && S_ISFIFO(file.st_mode)) {
        return kw_error(&diffing->cli->error, KW_PARSE,
                        "%s is not a file: it is read twice, which a pipe "
                        "cannot be",
                        path);
    }
    if (!found || file.st_size <= 0) {
        return KW_OK; /* reading it will say why */
    }
    return kw_manifest_index_reserve(diffing->index,
                                     (size_t)file.st_size / ENTRY_SIZE) == KW_OK
               ? KW_OK
               : no_memory(diffing);
}

static kw_status diff(struct diffing *diffing, const char *first,
                      const char *second) {
    struct kw_cli *cli = diffing->cli;
    diffing->path = first;
    KW_TRY(reserve(diffing, first));
    KW_TRY(kw_manifest_each(cli, first, keep_first, diffing));
    diffing->path = second;
    KW_TRY(kw_manifest_each(cli, second, compare_second, diffing));
    diffing->path = first;
    KW_TRY(kw_manifest_each(cli, first, find_missing, diffing));
    const size_t count = json_array_size(diffing->only_first) +
                         json_array_size(diffing->only_second) +
                         json_array_size(diffing->changed) +
                         json_array_size(diffing->signed_anew);
    if (count == 0) {
        kw_print(cli, "The same entries\n");
        return KW_OK;
    }
    kw_print(cli, "- in the first alone, + in the second alone, ! says "
                  "something else, ~ signed anew\n");
    return KW_NO;
}

kw_status kw_manifest_diff(struct kw_cli *cli,
                           const struct kw_arguments *arguments) {
    struct diffing *diffing = calloc(1, sizeof *diffing);
    if (diffing == NULL || kw_manifest_index_open(&diffing->index) != KW_OK) {
        free(diffing);
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    diffing->cli = cli;
    diffing->only_first = add_list(cli->result, "only_first");
    diffing->only_second = add_list(cli->result, "only_second");
    diffing->changed = add_list(cli->result, "changed");
    diffing->signed_anew = add_list(cli->result, "signed_anew");
    json_object_set_new(cli->result, "first",
                        json_string(arguments->operand[0]));
    json_object_set_new(cli->result, "second",
                        json_string(arguments->operand[1]));
    const kw_status status =
        diff(diffing, arguments->operand[0], arguments->operand[1]);
    kw_manifest_index_close(diffing->index);
    free(diffing->prints);
    free(diffing);
    return status;
}
