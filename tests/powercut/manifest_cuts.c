/* Cuts the power of a change of a manifest at every storage operation, and
 * of the recovery at every operation too.
 *
 * Five changes: a new file, entries appended, one entry replaced while
 * another is appended, and `keywright manifest merge` and `split`. After the
 * recovery, which every verb that opens a file begins with, each file is
 * byte for byte as before or as after, and nothing lies beside it; once the
 * change was acknowledged it is as after. What was not done is done then by
 * the same change again; a split says instead what is there already.
 *
 * --short: one seed, and no cut inside a recovery: for slow instrumented
 * builds. --self-test: on a disk that does not flush; this program must find
 * what that loses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/program.h"
#include "host/files.h"
#include "host/manifest/store.h"
#include "tests/powercut/disk.h"

#define FILE_MAX 65536
#define IDS_MAX  4
#define FILES    2
#define WORDS    10

/* --- the changes --- */

struct change {
    const char *name;
    const char *before; /* NULL: the file is not there */
    unsigned ids[IDS_MAX];
    size_t count;
    const char *words[WORDS]; /* of a command; it makes new files */
};

#define SIGNATURE                                                              \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
    "A"                                                                        \
    "AAAAAAAAAAAAA"
#define ENTRY(id, word)                                                        \
    "{\"payload\": \"" word "\", \"protected\": \"AA\", \"header\": "          \
    "{\"uniqueId\": \"01230000000000" id "01\"}, \"signature\": \"" SIGNATURE  \
    "\"}"

static const struct change CHANGES[] = {
    {"new file", NULL, {1, 2}, 2},
    {"append", "[\n  " ENTRY("01", "b2xk") "\n]", {2, 3}, 2},
    {"replace",
     "[\n  " ENTRY("01", "b2xk") ",\n  " ENTRY("02", "b2xk") "\n]\n",
     {2, 3},
     2},
    {.name = "merge",
     .words = {"keywright", "manifest", "merge", "--quiet", "../a.json",
               "../b.json", "-o", "m-0001.json"}},
    {.name = "split",
     .words = {"keywright", "manifest", "split", "--quiet", "../a.json",
               "--every", "1", "-o", "m"}},
};

/* What merge and split read, beside the disk. */
static const char *const SOURCES[] = {
    "[\n  " ENTRY("01", "b2xk") ",\n  " ENTRY("02", "b2xk") "\n]",
    "[" ENTRY("03", "bmV3") "]"};

static kw_status put(struct kw_manifest_store *store, unsigned id,
                     struct kw_error *error) {
    const uint8_t unique_id[KW_UNIQUE_ID_SIZE] = {1, 0x23, 0,           0, 0,
                                                  0, 0,    (uint8_t)id, 1};
    static const char *const TEXTS[] = {
        "", ENTRY("01", "bmV3"), ENTRY("02", "bmV3"), ENTRY("03", "bmV3")};
    return kw_manifest_store_put(store, unique_id, TEXTS[id], strlen(TEXTS[id]),
                                 error);
}

static kw_status change_file(const struct change *change, const char *path,
                             struct kw_error *error) {
    struct kw_manifest_store *store = NULL;
    struct kw_manifest_change made;
    KW_TRY(kw_manifest_store_open(path, &store, error));
    kw_status status = KW_OK;
    for (size_t i = 0; status == KW_OK && i < change->count; i++) {
        status = put(store, change->ids[i], error);
    }
    if (status == KW_OK) {
        status = kw_manifest_store_commit(store, &made, error);
    }
    kw_manifest_store_close(store);
    return status;
}

static kw_status run_command(const struct change *change) {
    char *words[WORDS + 1] = {NULL};
    const struct kw_noun nouns[] = {kw_noun_manifest};
    int count = 0;
    for (; count < WORDS && change->words[count] != NULL; count++) {
        words[count] = strdup(change->words[count]);
    }
    const int code = kw_program_main(count, words, nouns, 1);
    for (int i = 0; i < count; i++) {
        free(words[i]);
    }
    return (kw_status)code;
}

/* --- children --- */

struct cut {
    unsigned long at; /* 0: never */
    uint64_t seed;
};

struct campaign {
    char folder[64];
    char root[80];
    char paths[FILES][96]; /* the second: of a split alone */
    const struct change *change;
    unsigned long *operations; /* shared with the children */
    char before[FILES][FILE_MAX];
    char after[FILES][FILE_MAX];
    bool is_short;
    bool lies;
    unsigned long cuts;
    unsigned long failures;
};

enum job { CHANGE, RECOVER };

static kw_status recover_all(const struct campaign *campaign,
                             struct kw_error *error) {
    bool recovered = false;
    for (size_t i = 0; i < FILES; i++) {
        KW_TRY(kw_manifest_recover(campaign->paths[i], &recovered, error));
    }
    return KW_OK;
}

static kw_status do_job(const struct campaign *campaign, enum job job,
                        struct kw_error *error) {
    if (job == RECOVER) {
        return recover_all(campaign, error);
    }
    return campaign->change->words[0] == NULL
               ? change_file(campaign->change, campaign->paths[0], error)
               : run_command(campaign->change);
}

static int child(const struct campaign *campaign, enum job job,
                 struct cut cut) {
    struct kw_error error = {.message = "the command says why"};
    kw_disk_start(campaign->root, cut.seed, cut.at);
    kw_disk_lie_about_flushing(campaign->lies);
    const kw_status status = do_job(campaign, job, &error);
    kw_disk_mark(); /* from here on it is acknowledged */
    *campaign->operations = kw_disk_operations();
    if (status != KW_OK) {
        (void)printf("  %s\n", error.message);
        (void)fflush(stdout);
    }
    return status == KW_OK ? 0 : 1;
}

static int run(const struct campaign *campaign, enum job job, struct cut cut) {
    int status = 0;
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(child(campaign, job, cut));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

/* --- files --- */

static bool set_up(const struct campaign *campaign) {
    struct kw_error error;
    const char *before = campaign->change->before;
    kw_disk_remove(campaign->root);
    if (mkdir(campaign->root, 0700) != 0 || chdir(campaign->root) != 0) {
        return false;
    }
    return before == NULL ||
           kw_file_create(campaign->paths[0], KW_PUBLIC_MODE, before,
                          strlen(before), &error) == KW_OK;
}

/* "" for a file that is not there. */
static bool read_file(const char *path, char text[FILE_MAX]) {
    struct kw_error error;
    uint8_t *data = NULL;
    size_t size = 0;
    text[0] = '\0';
    if (!kw_file_exists(path)) {
        return true;
    }
    if (kw_file_read(path, FILE_MAX - 1, &data, &size, &error) != KW_OK) {
        return false;
    }
    memcpy(text, data, size + 1);
    free(data);
    return true;
}

static bool read_back(const struct campaign *campaign,
                      char texts[FILES][FILE_MAX]) {
    bool done = true;
    for (size_t i = 0; i < FILES; i++) {
        done = read_file(campaign->paths[i], texts[i]) && done;
    }
    return done;
}

static size_t names_in(const char *folder) {
    struct kw_error error;
    struct kw_names names;
    if (kw_folder_list(folder, &names, &error) != KW_OK) {
        return 0;
    }
    const size_t count = names.count;
    kw_names_free(&names);
    return count;
}

/* --- what must hold --- */

static void fail(struct campaign *campaign, struct cut first, struct cut second,
                 const char *why) {
    campaign->failures++;
    if (!campaign->lies) {
        (void)printf("manifest, %s: cut at %lu seed %llu, in the recovery at "
                     "%lu seed %llu: %s\n",
                     campaign->change->name, first.at,
                     (unsigned long long)first.seed, second.at,
                     (unsigned long long)second.seed, why);
    }
}

/* What is wrong with the files; NULL: nothing. */
static const char *look(const struct campaign *campaign, bool acknowledged,
                        bool *is_after) {
    static char texts[FILES][FILE_MAX];
    size_t there = 0;
    if (!read_back(campaign, texts)) {
        return "the file cannot be read";
    }
    *is_after = true;
    for (size_t i = 0; i < FILES; i++) {
        const bool is_new = strcmp(texts[i], campaign->after[i]) == 0;
        if (!is_new && strcmp(texts[i], campaign->before[i]) != 0) {
            return "the file is neither old nor new";
        }
        *is_after = *is_after && is_new;
        there += texts[i][0] != '\0' ? 1 : 0;
    }
    return acknowledged && !*is_after ? "an acknowledged change is lost"
           : names_in(campaign->root) > there
               ? "something is left beside the file"
               : NULL;
}

static bool is_split(const struct campaign *campaign) {
    return campaign->after[1][0] != '\0';
}

static void settle(struct campaign *campaign, struct cut first,
                   struct cut second, bool acknowledged) {
    const struct cut none = {0, 1};
    bool is_after = false;
    if (run(campaign, RECOVER, none) != 0) {
        fail(campaign, first, second, "the recovery fails");
        return;
    }
    const char *why = look(campaign, acknowledged, &is_after);
    if (why != NULL) {
        fail(campaign, first, second, why);
        return;
    }
    if (!is_after && !is_split(campaign) &&
        (run(campaign, CHANGE, none) != 0 ||
         look(campaign, true, &is_after) != NULL)) {
        fail(campaign, first, second, "the change does not go again");
    }
}

/* A change that is cut; false when it ended before the cut. */
static bool cut_change(struct campaign *campaign, struct cut cut) {
    if (!set_up(campaign)) {
        fail(campaign, cut, cut, "cannot prepare");
        return false;
    }
    const int code = run(campaign, CHANGE, cut);
    if (code != KW_DISK_EXIT && code != 0) {
        fail(campaign, cut, cut, "the change fails by itself");
    }
    return code == KW_DISK_EXIT;
}

static void cut_recoveries(struct campaign *campaign, struct cut first) {
    for (unsigned long at = 1;; at++) {
        const struct cut second = {at, first.seed + at};
        if (!cut_change(campaign, first) ||
            run(campaign, RECOVER, second) != KW_DISK_EXIT) {
            return;
        }
        campaign->cuts++;
        settle(campaign, first, second, false);
    }
}

static void cut_everywhere(struct campaign *campaign, uint64_t seed,
                           unsigned long operations) {
    for (unsigned long at = 1; at <= operations; at++) {
        const struct cut cut = {at, seed};
        if (!cut_change(campaign, cut)) {
            return;
        }
        campaign->cuts++;
        settle(campaign, cut, (struct cut){0, 0}, at == operations);
        if (!campaign->is_short) {
            cut_recoveries(campaign, cut);
        }
    }
}

static void conduct(struct campaign *campaign) {
    const struct cut none = {0, 1};
    const uint64_t seeds = campaign->is_short ? 1 : campaign->lies ? 2 : 4;
    if (!set_up(campaign) || !read_back(campaign, campaign->before) ||
        run(campaign, CHANGE, none) != 0 ||
        !read_back(campaign, campaign->after) ||
        strcmp(campaign->before[0], campaign->after[0]) == 0) {
        fail(campaign, none, none, "the change does nothing");
        return;
    }
    const unsigned long operations = *campaign->operations;
    for (uint64_t seed = 0; seed < seeds; seed++) {
        cut_everywhere(campaign,
                       campaign->is_short || campaign->lies ? seed + 2 : seed,
                       operations);
    }
}

static bool prepare(struct campaign *campaign) {
    char path[96];
    struct kw_error error;
    campaign->operations =
        mmap(NULL, sizeof *campaign->operations, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memcpy(campaign->folder, "/tmp/keywright-manifest-XXXXXX", 31);
    if (campaign->operations == MAP_FAILED ||
        mkdtemp(campaign->folder) == NULL) {
        return false;
    }
    (void)snprintf(campaign->root, sizeof campaign->root, "%s/disk",
                   campaign->folder);
    for (unsigned i = 0; i < FILES; i++) {
        (void)snprintf(campaign->paths[i], sizeof campaign->paths[i],
                       "%s/m-000%u.json", campaign->root, i + 1);
        (void)snprintf(path, sizeof path, "%s/%c.json", campaign->folder,
                       (int)"ab"[i]);
        if (kw_file_create(path, KW_PUBLIC_MODE, SOURCES[i], strlen(SOURCES[i]),
                           &error) != KW_OK) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv) {
    static struct campaign campaign;
    const char *option = argc > 1 ? argv[1] : "";
    campaign.is_short = strcmp(option, "--short") == 0;
    campaign.lies = strcmp(option, "--self-test") == 0;
    if (!prepare(&campaign)) {
        return 1;
    }
    for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
        campaign.change = &CHANGES[i];
        conduct(&campaign);
    }
    (void)!chdir("/");
    kw_disk_remove(campaign.root);
    kw_disk_remove(campaign.folder);
    (void)printf("manifest: %lu cuts, %lu failures\n", campaign.cuts,
                 campaign.failures);
    if (campaign.lies) {
        return campaign.failures > 0 ? 0 : 1;
    }
    return campaign.failures == 0 && campaign.cuts > 0 ? 0 : 1;
}
