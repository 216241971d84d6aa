/* Lines of the register and of journals. A file that reads gives every
 * whole line that holds an object, whoever looks at it can, and a line that
 * is appended stands after them. */
#include "core/bytes.h"
#include "host/journal.h"
#include "host/lines.h"
#include "host/register.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t SERIAL[KW_SERIAL_SIZE] = {0x01, 0x23, 0x45, 0x67, 0x89,
                                               0xAB, 0xCD, 0xEF, 0x01};
#define REGISTER "bundles/register.ndjson"
#define JOURNAL  "journal/rotation-0123456789ABCDEF01-0001.ndjson"

/* Lines with their newline that hold an object. */
static size_t count_objects(const uint8_t *data, size_t size) {
    const uint8_t *end;
    size_t count = 0;
    while (size > 0 && (end = memchr(data, '\n', size)) != NULL) {
        const size_t length = (size_t)(end - data);
        json_t *line = json_loadb((const char *)data, length, 0, NULL);
        count += json_is_object(line) ? 1 : 0;
        json_decref(line);
        data = end + 1;
        size -= length + 1;
    }
    return count;
}

static void try_register(const struct kw_workspace *workspace, bool reads) {
    const uint8_t key[KW_PUBLIC_KEY_SIZE] = {0};
    struct kw_error error;
    uint32_t sequence;
    bool vouches;
    const kw_status last =
        kw_register_last_sequence(workspace, SERIAL, &sequence, &error);
    FUZZ_DEMAND(reads || last != KW_OK);
    FUZZ_DEMAND(last != KW_OK || sequence <= KW_COUNTER_MAX);
    FUZZ_DEMAND(reads == (kw_register_vouches(workspace, key, key, &vouches,
                                              &error) == KW_OK));
}

static void try_journal(const struct kw_workspace *workspace, bool reads) {
    struct kw_journal journal;
    struct kw_error error;
    bool needs;
    FUZZ_DEMAND(reads == (kw_journal_find(workspace, SERIAL, &journal,
                                          &error) == KW_OK));
    if (reads) {
        FUZZ_DEMAND(kw_journal_stage(&journal)[0] != '\0');
        kw_journal_free(&journal);
    }
    FUZZ_DEMAND(reads == (kw_journal_needs(workspace, "keys/some", &needs,
                                           &error) == KW_OK));
}

static void try_append(const char *path, json_t *before) {
    struct kw_error error;
    json_t *after;
    json_t *line = json_pack("{s:s}", "event", "new-key");
    json_array_append(before, line);
    FUZZ_DEMAND(kw_lines_append(path, line, &error) == KW_OK);
    FUZZ_DEMAND(kw_lines_read(path, &after, &error) == KW_OK);
    FUZZ_DEMAND(json_equal(before, after));
    json_decref(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char folder[1200];
    const char *path = fuzz_path(REGISTER);
    struct kw_error error;
    json_t *lines = NULL;
    const int length = (int)(strlen(path) - strlen("/" REGISTER));
    (void)snprintf(folder, sizeof folder, "%.*s", length, path);
    const struct kw_workspace workspace = {.folder = folder, .lock = -1};
    fuzz_write_file(path, data, size);
    fuzz_write_file(fuzz_path(JOURNAL), data, size);

    const bool reads = kw_lines_read(path, &lines, &error) == KW_OK;
    try_register(&workspace, reads);
    try_journal(&workspace, reads);
    if (reads) {
        FUZZ_DEMAND(json_array_size(lines) == count_objects(data, size));
        try_append(path, lines);
        json_decref(lines);
    }
    return 0;
}
