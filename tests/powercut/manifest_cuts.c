/* Cuts the power of a change of a manifest at every storage operation, and
 * of the recovery at every operation too.
 *
 * Three changes: a new file, entries appended, and one entry replaced while
 * another is appended. After the recovery the file is byte for byte as
 * before or as after, and nothing lies beside it; once the change was
 * acknowledged it is as after.
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

#include "host/files.h"
#include "host/manifest_store.h"
#include "tests/powercut/disk.h"

#define FILE_MAX 65536
#define IDS_MAX  4

/* --- the changes --- */

struct change {
    const char *name;
    const char *before; /* NULL: the file is not there */
    unsigned ids[IDS_MAX];
    size_t count;
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
};

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

/* --- children --- */

struct cut {
    unsigned long at; /* 0: never */
    uint64_t seed;
};

struct campaign {
    char root[64];
    char path[96];
    const struct change *change;
    unsigned long *operations; /* shared with the children */
    char before[FILE_MAX];
    char after[FILE_MAX];
    bool is_short;
    bool lies;
    unsigned long cuts;
    unsigned long failures;
};

enum job { CHANGE, RECOVER };

static int child(const struct campaign *campaign, enum job job,
                 struct cut cut) {
    struct kw_error error;
    bool recovered = false;
    kw_disk_start(campaign->root, cut.seed, cut.at);
    kw_disk_lie_about_flushing(campaign->lies);
    const kw_status status =
        job == CHANGE ? change_file(campaign->change, campaign->path, &error)
                      : kw_manifest_recover(campaign->path, &recovered, &error);
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
    if (mkdir(campaign->root, 0700) != 0) {
        return false;
    }
    return before == NULL ||
           kw_file_create(campaign->path, KW_PUBLIC_MODE, before,
                          strlen(before), &error) == KW_OK;
}

/* "" for a file that is not there. */
static bool read_back(const struct campaign *campaign, char text[FILE_MAX]) {
    struct kw_error error;
    uint8_t *data = NULL;
    size_t size = 0;
    text[0] = '\0';
    if (!kw_file_exists(campaign->path)) {
        return true;
    }
    if (kw_file_read(campaign->path, FILE_MAX - 1, &data, &size, &error) !=
        KW_OK) {
        return false;
    }
    memcpy(text, data, size + 1);
    free(data);
    return true;
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

static void settle(struct campaign *campaign, struct cut first,
                   struct cut second, bool acknowledged) {
    char text[FILE_MAX];
    const struct cut none = {0, 1};
    if (run(campaign, RECOVER, none) != 0) {
        fail(campaign, first, second, "the recovery fails");
        return;
    }
    if (!read_back(campaign, text)) {
        fail(campaign, first, second, "the file cannot be read");
        return;
    }
    const bool is_after = strcmp(text, campaign->after) == 0;
    if (!is_after && strcmp(text, campaign->before) != 0) {
        fail(campaign, first, second, "the file is neither old nor new");
    } else if (acknowledged && !is_after) {
        fail(campaign, first, second, "an acknowledged change is lost");
    } else if (names_in(campaign->root) > (text[0] == '\0' ? 0u : 1u)) {
        fail(campaign, first, second, "something is left beside the file");
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
    const uint64_t seeds = campaign->is_short ? 1 : 6;
    if (!set_up(campaign) || !read_back(campaign, campaign->before) ||
        run(campaign, CHANGE, none) != 0 ||
        !read_back(campaign, campaign->after) ||
        strcmp(campaign->before, campaign->after) == 0) {
        fail(campaign, none, none, "the change does nothing");
        return;
    }
    const unsigned long operations = *campaign->operations;
    for (uint64_t seed = 0; seed < seeds; seed++) {
        cut_everywhere(campaign, campaign->is_short ? 2 : seed, operations);
    }
}

int main(int argc, char **argv) {
    static struct campaign campaign;
    const char *option = argc > 1 ? argv[1] : "";
    campaign.is_short = strcmp(option, "--short") == 0;
    campaign.lies = strcmp(option, "--self-test") == 0;
    campaign.operations =
        mmap(NULL, sizeof *campaign.operations, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memcpy(campaign.root, "/tmp/keywright-manifest-XXXXXX", 31);
    if (campaign.operations == MAP_FAILED || mkdtemp(campaign.root) == NULL) {
        return 1;
    }
    (void)snprintf(campaign.path, sizeof campaign.path, "%s/m.json",
                   campaign.root);
    for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
        campaign.change = &CHANGES[i];
        conduct(&campaign);
    }
    kw_disk_remove(campaign.root);
    (void)printf("manifest: %lu cuts, %lu failures\n", campaign.cuts,
                 campaign.failures);
    if (campaign.lies) {
        return campaign.failures > 0 ? 0 : 1;
    }
    return campaign.failures == 0 && campaign.cuts > 0 ? 0 : 1;
}
