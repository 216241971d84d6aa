/* cli/manifest_files.c: `manifest split` and `manifest merge`. */
#include <stdlib.h>
#include <string.h>

#include "cli/manifest.h"
#include "host/manifest/store.h"

/* Entries go from files into a new one. */
struct moving {
    struct kw_cli *cli;
    const char *source;
    struct kw_manifest_store *store; /* NULL: none is open */
    struct kw_manifest_room room;
    /* split */
    const char *prefix;
    unsigned every;
    unsigned in_part;
    unsigned parts;
    char *path;
    json_t *files;
    /* merge */
    bool latest;
};

static kw_status open_new(struct moving *moving, const char *path,
                          const char *advice) {
    struct kw_cli *cli = moving->cli;
    /* Of a split or a merge that was interrupted nothing stays. */
    KW_TRY(kw_manifest_whole(cli, path));
    if (kw_file_exists(path)) {
        kw_error(&cli->error, KW_NO, "%s is there already", path);
        return kw_error_hint(&cli->error, "nothing is overwritten: %s", advice);
    }
    return kw_manifest_store_open(path, &moving->store, &cli->error);
}

static kw_status close_new(struct moving *moving, const char *path,
                           struct kw_manifest_change *change) {
    KW_TRY(
        kw_manifest_store_commit(moving->store, change, &moving->cli->error));
    kw_manifest_store_close(moving->store);
    moving->store = NULL;
    kw_print(moving->cli, "%s: %u %s\n", path, change->entries,
             kw_counted(change->entries, "entry", "entries"));
    return KW_OK;
}

static kw_status unique_id_of(struct moving *moving,
                              const struct kw_manifest_piece *piece,
                              uint8_t unique_id[KW_UNIQUE_ID_SIZE]) {
    const struct kw_verdict verdict =
        kw_manifest_entry_unique_id(piece, &moving->room, unique_id);
    return verdict.status == KW_OK
               ? KW_OK
               : kw_manifest_unreadable(moving->cli, moving->source,
                                        piece->number, verdict.words);
}

/* --- split --- */

static kw_status end_part(struct moving *moving) {
    struct kw_manifest_change change;
    if (moving->store == NULL) {
        return KW_OK;
    }
    KW_TRY(close_new(moving, moving->path, &change));
    json_array_append_new(moving->files,
                          json_pack("{s:s, s:I}", "file", moving->path,
                                    "entries", (json_int_t)change.entries));
    free(moving->path);
    moving->path = NULL;
    moving->in_part = 0;
    return KW_OK;
}

static kw_status split_piece(void *self,
                             const struct kw_manifest_piece *piece) {
    struct moving *moving = self;
    uint8_t unique_id[KW_UNIQUE_ID_SIZE];
    KW_TRY(unique_id_of(moving, piece, unique_id));
    if (moving->store == NULL) {
        moving->path =
            kw_format("%s-%04u.json", moving->prefix, ++moving->parts);
        if (moving->path == NULL) {
            return kw_error(&moving->cli->error, KW_SYSTEM_MEMORY,
                            "out of memory");
        }
        KW_TRY(open_new(moving, moving->path,
                        "name another with --output, or remove what an "
                        "interrupted split left"));
    }
    KW_TRY(kw_manifest_store_put(moving->store, unique_id, piece->text,
                                 piece->size, &moving->cli->error));
    moving->in_part++;
    return moving->in_part == moving->every ? end_part(moving) : KW_OK;
}

static kw_status split(struct moving *moving) {
    moving->files = json_array();
    json_object_set_new(moving->cli->result, "file",
                        json_string(moving->source));
    json_object_set_new(moving->cli->result, "files", moving->files);
    KW_TRY(kw_manifest_each(moving->cli, moving->source, split_piece, moving));
    return end_part(moving);
}

/* The file's name without .json. */
static char *default_prefix(const char *path) {
    const size_t size = strlen(path);
    const bool is_json = size > 5 && strcmp(path + size - 5, ".json") == 0;
    return strndup(path, is_json ? size - 5 : size);
}

static kw_status split_as(struct moving *moving, const char *output) {
    char *prefix =
        output == NULL ? default_prefix(moving->source) : strdup(output);
    if (prefix == NULL) {
        return kw_error(&moving->cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    moving->prefix = prefix;
    const kw_status status = split(moving);
    free(prefix);
    return status;
}

kw_status kw_manifest_split(struct kw_cli *cli,
                            const struct kw_arguments *arguments) {
    unsigned every = 1;
    KW_TRY(
        kw_manifest_number(cli, arguments, "--every", 1000000000, 1, &every));
    struct moving *moving = calloc(1, sizeof *moving);
    if (moving == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    moving->cli = cli;
    moving->source = arguments->operand[0];
    moving->every = every;
    const kw_status status =
        split_as(moving, kw_argument(arguments, "--output"));
    kw_manifest_store_close(moving->store);
    free(moving->path);
    free(moving);
    return status;
}

/* --- merge --- */

static kw_status merge_piece(void *self,
                             const struct kw_manifest_piece *piece) {
    struct moving *moving = self;
    struct kw_cli *cli = moving->cli;
    uint8_t unique_id[KW_UNIQUE_ID_SIZE];
    char text[KW_UNIQUE_ID_TEXT];
    KW_TRY(unique_id_of(moving, piece, unique_id));
    if (!moving->latest && kw_manifest_store_has(moving->store, unique_id)) {
        kw_unique_id_text(unique_id, text);
        kw_error(&cli->error, KW_NO,
                 "entry %u of %s: %s was in a file before it",
                 (unsigned)piece->number, moving->source, text);
        return kw_error_hint(&cli->error, "--latest takes the last one; "
                                          "nothing was written");
    }
    return kw_manifest_store_put(moving->store, unique_id, piece->text,
                                 piece->size, &cli->error);
}

static kw_status merge_all(struct moving *moving,
                           const struct kw_arguments *arguments,
                           const char *output) {
    struct kw_manifest_change change;
    struct kw_cli *cli = moving->cli;
    KW_TRY(open_new(moving, output, "name a new file with --output"));
    for (size_t i = 0; i < arguments->operand_count; i++) {
        moving->source = arguments->operand[i];
        KW_TRY(kw_manifest_each(cli, moving->source, merge_piece, moving));
    }
    KW_TRY(close_new(moving, output, &change));
    json_object_set_new(cli->result, "file", json_string(output));
    json_object_set_new(cli->result, "entries", json_integer(change.entries));
    json_object_set_new(cli->result, "replaced", json_integer(change.replaced));
    return KW_OK;
}

kw_status kw_manifest_merge(struct kw_cli *cli,
                            const struct kw_arguments *arguments) {
    const char *output = kw_argument(arguments, "--output");
    struct moving *moving = calloc(1, sizeof *moving);
    if (moving == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    moving->cli = cli;
    moving->latest = kw_argument(arguments, "--latest") != NULL;
    const kw_status status = merge_all(moving, arguments, output);
    kw_manifest_store_close(moving->store);
    free(moving);
    return status;
}
