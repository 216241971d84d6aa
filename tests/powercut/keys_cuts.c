/* Cuts the power of the commands that make, apply and wipe keys at every
 * storage operation and between every two commands to the chip, then gives
 * the same command again; and cuts that one too.
 *
 * `resources make` on a new chip and over a validated key, `rotate apply` of
 * a bundle, `keys retire` and `chip retire`. At any moment: slots 5, 6, 13, 14
 * and 15 hold only blocks of keys that are on disk, zeros or FF; a validated
 * slot 14 has its authority in slot 13; a generation that is marked as
 * programmed is in the chip; no file that was there before has changed but
 * those that are to be wiped. In the end the command is done as if nothing had
 * happened, no half file with a secret is left, and now and then a whole
 * rotation is run: nothing may be stuck.
 *
 * --long: every second try is cut at every operation, with more seeds.
 * --short: one seed, every third operation, no second cut: for slow
 * instrumented builds.
 * --self-test: one seed on a disk that does not flush; this program must find
 * what that loses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/rotate.h"
#include "host/files.h"
#include "host/keyring.h"
#include "tests/powercut/command.h"
#include "tests/powercut/keys_facts.h"

#define WORDS_MAX    8
#define KEY_FILE_MAX 65536
#define AGAIN_STEP   23 /* between two cuts of a second try, and their tries */
#define RUN_EVERY    16 /* cuts between two rotations afterwards */

/* --- a campaign --- */

struct campaign;

struct job {
    const char *name;
    bool (*prepare)(struct campaign *campaign);
    const char *words[WORDS_MAX]; /* what is cut; "SERIAL" is replaced */
    const char *(*complaint)(const struct campaign *campaign);
    bool wipes_files;    /* of generation 1 */
    bool may_be_nothing; /* the second try may find nothing left to do */
    bool can_rotate;     /* afterwards */
    bool erases_chip;
};

struct campaign {
    struct kw_cut_command command;
    const struct job *job;
    char folder[64]; /* holds everything below */
    char base[96];
    char work[96];  /* the workspace that is cut */
    char whole[96]; /* after a run that was not cut */
    char serial[KW_SERIAL_TEXT];
    unsigned long cuts;
    unsigned long failures;
    bool is_long;
    bool is_short;
};

static int run(const struct campaign *campaign, const char *workspace,
               struct kw_cut cut, const char *const *words) {
    const char *with[WORDS_MAX + 1];
    size_t count = 0;
    for (; words[count] != NULL; count++) {
        with[count] = strcmp(words[count], "SERIAL") == 0 ? campaign->serial
                                                          : words[count];
    }
    with[count] = NULL;
    return kw_cut_command_run(&campaign->command, workspace, cut, with);
}

static bool prepare_by(struct campaign *campaign, const char *const *words) {
    return run(campaign, campaign->base, kw_no_cut, words) == 0;
}

static const char *const INIT[] = {"init", NULL};
static const char *const MAKE[] = {"resources", "make", NULL};
static const char *const RUN[] = {"rotate", "run", NULL};
static const char *const NEW_KEY[] = {"rotate", "new-key", NULL};

/* --- files that were there before --- */

static bool same_file(const char *left, const char *right) {
    uint8_t *bytes[2] = {NULL, NULL};
    size_t size[2] = {0, 0};
    struct kw_error ignored;
    const bool same =
        kw_file_read(left, KEY_FILE_MAX, &bytes[0], &size[0], &ignored) ==
            KW_OK &&
        kw_file_read(right, KEY_FILE_MAX, &bytes[1], &size[1], &ignored) ==
            KW_OK &&
        size[0] == size[1] && memcmp(bytes[0], bytes[1], size[0]) == 0;
    free(bytes[0]);
    free(bytes[1]);
    return same;
}

/* Key files of the base are whole; but generation 1's where it is wiped. */
static bool keeps_files(const struct campaign *campaign) {
    struct kw_workspace workspace;
    struct kw_key_files files;
    bool kept = kw_cut_open_keys(campaign->base, &workspace, &files);
    for (size_t i = 0; kept && i < files.count; i++) {
        const struct kw_key_file *file = &files.file[i];
        char path[256];
        (void)snprintf(path, sizeof path, "%s%s", campaign->work,
                       file->path + strlen(campaign->base));
        kept = (campaign->job->wipes_files && file->generation == 1) ||
               same_file(file->path, path);
    }
    kw_key_files_free(&files);
    kw_workspace_close(&workspace);
    return kept;
}

static const char *broken_promise(const struct campaign *campaign) {
    struct kw_workspace workspace;
    struct kw_key_files files;
    struct kw_cut_image image;
    if (!kw_cut_read_image(campaign->work, &image)) {
        return "the chip's image does not open";
    }
    if (!kw_cut_open_keys(campaign->work, &workspace, &files)) {
        return "the key files cannot be listed";
    }
    const char *why = kw_cut_explain_slots(&files, &image);
    if (why == NULL && !campaign->job->erases_chip) {
        why = kw_cut_check_marks(&files, &image);
    }
    kw_key_files_free(&files);
    kw_workspace_close(&workspace);
    if (why != NULL) {
        return why;
    }
    return keeps_files(campaign) ? NULL : "a key file of before has changed";
}

/* --- the jobs --- */

static bool prepare_new(struct campaign *campaign) {
    return prepare_by(campaign, INIT);
}

static bool prepare_validated(struct campaign *campaign) {
    return prepare_by(campaign, INIT) && prepare_by(campaign, MAKE) &&
           prepare_by(campaign, RUN);
}

static bool prepare_two_generations(struct campaign *campaign) {
    return prepare_by(campaign, INIT) && prepare_by(campaign, MAKE) &&
           prepare_by(campaign, MAKE);
}

static bool prepare_bundle(struct campaign *campaign) {
    char request[160];
    char bundle[160];
    (void)snprintf(request, sizeof request, "%s/request", campaign->base);
    (void)snprintf(bundle, sizeof bundle, "%s/bundle", campaign->base);
    const char *const ask[] = {"rotate", "request", "-o", request, NULL};
    const char *const authorize[] = {
        "rotate", "authorize", "--request", request, "-o", bundle, NULL};
    return prepare_validated(campaign) && prepare_by(campaign, NEW_KEY) &&
           prepare_by(campaign, ask) && prepare_by(campaign, authorize);
}

static const char *check_made(const struct campaign *campaign) {
    struct kw_workspace workspace;
    struct kw_key_files files;
    struct kw_cut_image image;
    if (!kw_cut_read_image(campaign->work, &image) ||
        !kw_cut_open_keys(campaign->work, &workspace, &files)) {
        return "cannot be read";
    }
    const char *why =
        kw_cut_is_validated(&image) ? "slot 14 is validated" : NULL;
    if (why == NULL) {
        why = kw_cut_not_newest(&files, &image);
    }
    if (why == NULL &&
        !kw_generation_is_programmed(kw_cut_newest(&files, 13))) {
        why = "the newest generation is not marked as programmed";
    }
    kw_key_files_free(&files);
    kw_workspace_close(&workspace);
    return why;
}

static const char *check_applied(const struct campaign *campaign) {
    struct kw_workspace workspace;
    struct kw_key_files files;
    struct kw_cut_image image;
    if (!kw_cut_read_image(campaign->work, &image) ||
        !kw_cut_open_keys(campaign->work, &workspace, &files)) {
        return "cannot be read";
    }
    const char *why =
        !kw_cut_is_validated(&image) ? "slot 14 is not validated" : NULL;
    if (why == NULL && !kw_cut_holds_newest(&files, &image, KW_ROTATING_SLOT)) {
        why = "slot 14 does not hold the new key";
    }
    kw_key_files_free(&files);
    kw_workspace_close(&workspace);
    return why;
}

static const char *check_wiped(const struct campaign *campaign) {
    struct kw_cut_image before;
    struct kw_cut_image after;
    if (!kw_cut_read_image(campaign->base, &before) ||
        !kw_cut_read_image(campaign->work, &after) ||
        memcmp(&before, &after, sizeof before) != 0) {
        return "the chip has changed";
    }
    return kw_cut_count_files(campaign->work,
                              "keys/*/prototype-0001/*key*.pem") +
                       kw_cut_count_files(campaign->work,
                                          "keys/*/prototype-0001/*secret*.h") ==
                   0
               ? NULL
               : "a key that was to be wiped is there";
}

/* Private keys that were made anew are others each time. */
static bool same_fate(const uint8_t *before, const uint8_t *whole,
                      const uint8_t *after, size_t size) {
    const bool made_anew =
        !kw_cut_is_filled(whole, size, 0) && memcmp(before, whole, size) != 0;
    return made_anew ? memcmp(before, after, size) != 0
                     : memcmp(whole, after, size) == 0;
}

static const char *check_retired(const struct campaign *campaign) {
    struct kw_cut_image before;
    struct kw_cut_image whole;
    struct kw_cut_image after;
    if (!kw_cut_read_image(campaign->base, &before) ||
        !kw_cut_read_image(campaign->whole, &whole) ||
        !kw_cut_read_image(campaign->work, &after)) {
        return "the chip cannot be read";
    }
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        if (!same_fate(kw_cut_slot(&before, slot), kw_cut_slot(&whole, slot),
                       kw_cut_slot(&after, slot), kw_slot_size(slot))) {
            return "a slot is not as after a retirement";
        }
    }
    return kw_cut_count_files(campaign->work, "journal/retired-*.json") > 0
               ? NULL
               : "there is no record";
}

static const struct job JOBS[] = {
    {"resources make, new chip",
     prepare_new,
     {"resources", "make"},
     check_made,
     .can_rotate = true},
    {"resources make, validated",
     prepare_validated,
     {"resources", "make"},
     check_made,
     .can_rotate = true},
    {"rotate apply",
     prepare_bundle,
     {"rotate", "apply", "--bundle", "BUNDLE"},
     check_applied,
     .can_rotate = true},
    {"keys retire",
     prepare_two_generations,
     {"keys", "retire", "SERIAL", "1"},
     check_wiped,
     .wipes_files = true,
     .may_be_nothing = true,
     .can_rotate = true},
    {"chip retire",
     prepare_validated,
     {"chip", "retire"},
     check_retired,
     .erases_chip = true},
};

/* --- cutting --- */

static int give(const struct campaign *campaign, const char *workspace,
                struct kw_cut cut) {
    char bundle[160];
    const char *words[WORDS_MAX + 1];
    size_t count = 0;
    (void)snprintf(bundle, sizeof bundle, "%s/bundle", workspace);
    for (; campaign->job->words[count] != NULL; count++) {
        words[count] = strcmp(campaign->job->words[count], "BUNDLE") == 0
                           ? bundle
                           : campaign->job->words[count];
    }
    words[count] = NULL;
    return run(campaign, workspace, cut, words);
}

static void fail(struct campaign *campaign, struct kw_cut first,
                 struct kw_cut second, const char *why) {
    campaign->failures++;
    if (campaign->command.lies) {
        return; /* as it should be */
    }
    (void)printf("%s: cut at %lu seed %llu, in the second try at %lu seed "
                 "%llu: %s\n",
                 campaign->job->name, first.at, (unsigned long long)first.seed,
                 second.at, (unsigned long long)second.seed, why);
}

static const char *try_again(const struct campaign *campaign) {
    const int code = give(campaign, campaign->work, kw_no_cut);
    const char *why = broken_promise(campaign);
    if (why != NULL) {
        return why;
    }
    if (code != 0 && (code != 1 || !campaign->job->may_be_nothing)) {
        return "the second try fails";
    }
    why = campaign->job->complaint(campaign);
    if (why != NULL) {
        return why;
    }
    return kw_cut_count_files(campaign->work, "keys/*/*/.tmp-*") == 0
               ? NULL
               : "a half file with a key is left";
}

/* After a cut: what must hold at once, and what in the end. */
static void settle(struct campaign *campaign, struct kw_cut first,
                   struct kw_cut second) {
    const char *why = broken_promise(campaign);
    if (why == NULL) {
        why = try_again(campaign);
    }
    if (why == NULL && campaign->job->can_rotate && first.at % RUN_EVERY == 0 &&
        run(campaign, campaign->work, kw_no_cut, RUN) != 0) {
        why = "a rotation fails afterwards";
    }
    if (why != NULL) {
        fail(campaign, first, second, why);
    }
}

/* False when the command ended before the cut. */
static bool cut_first(struct campaign *campaign, struct kw_cut cut) {
    if (!kw_cut_copy_folder(campaign->base, campaign->work)) {
        fail(campaign, cut, kw_no_cut, "cannot copy the workspace");
        return false;
    }
    const int code = give(campaign, campaign->work, cut);
    if (code != KW_DISK_EXIT && code != 0) {
        fail(campaign, cut, kw_no_cut, "the command fails by itself");
    }
    return code == KW_DISK_EXIT;
}

static void cut_again(struct campaign *campaign, struct kw_cut first,
                      unsigned long step) {
    for (unsigned long at = 1 + first.at % step;; at += step) {
        const struct kw_cut second = {at, first.seed + at};
        if (!cut_first(campaign, first) ||
            give(campaign, campaign->work, second) != KW_DISK_EXIT) {
            return;
        }
        campaign->cuts++;
        settle(campaign, first, second);
    }
}

static void cut_everywhere(struct campaign *campaign, uint64_t seed) {
    const unsigned long step = campaign->is_long ? 1 : AGAIN_STEP;
    for (unsigned long at = 1;; at += campaign->is_short ? 3 : 1) {
        const struct kw_cut cut = {at, seed};
        if (!cut_first(campaign, cut)) {
            return;
        }
        campaign->cuts++;
        settle(campaign, cut, kw_no_cut);
        if (at % step == 0 && !campaign->is_short) {
            cut_again(campaign, cut, step);
        }
    }
}

static bool prepare(struct campaign *campaign) {
    struct kw_cut_image image;
    uint8_t serial[KW_SERIAL_SIZE];
    kw_disk_remove(campaign->base);
    (void)mkdir(campaign->base, 0700);
    if (!campaign->job->prepare(campaign) ||
        !kw_cut_read_image(campaign->base, &image) ||
        !kw_cut_copy_folder(campaign->base, campaign->whole)) {
        return false;
    }
    kw_config_serial(image.eeprom.config, serial);
    kw_serial_text(serial, campaign->serial);
    return give(campaign, campaign->whole, kw_no_cut) == 0;
}

static unsigned long conduct(struct campaign *campaign) {
    const uint64_t seeds = campaign->is_long ? 4 : 3;
    const uint64_t pace = campaign->is_long ? 1 : 2;
    if (!prepare(campaign)) {
        (void)printf("%s: cannot prepare\n", campaign->job->name);
        return 1;
    }
    const unsigned long operations = *campaign->command.operations;
    const bool one_seed = campaign->is_short || campaign->command.lies;
    for (uint64_t seed = one_seed ? seeds - 1 : 0; seed < seeds; seed += pace) {
        cut_everywhere(campaign, seed);
    }
    (void)printf("%s: %lu operations, %lu cuts, %lu failures\n",
                 campaign->job->name, operations, campaign->cuts,
                 campaign->failures);
    (void)fflush(stdout);
    return campaign->failures;
}

static bool make_folder(struct campaign *campaign) {
    if (!kw_cut_command_open(&campaign->command) ||
        !kw_cut_make_folder(campaign->folder, sizeof campaign->folder)) {
        return false;
    }
    (void)snprintf(campaign->base, sizeof campaign->base, "%s/base",
                   campaign->folder);
    (void)snprintf(campaign->work, sizeof campaign->work, "%s/work",
                   campaign->folder);
    (void)snprintf(campaign->whole, sizeof campaign->whole, "%s/whole",
                   campaign->folder);
    return true;
}

int main(int argc, char **argv) {
    const struct kw_noun nouns[] = {kw_noun_init, kw_noun_resources,
                                    kw_noun_rotate, kw_noun_keys, kw_noun_chip};
    const bool self_test = kw_cut_has_option(argc, argv, "--self-test");
    struct campaign any = {
        .command = {.nouns = nouns, .noun_count = 5, .lies = self_test},
        .is_long = kw_cut_has_option(argc, argv, "--long"),
        .is_short = kw_cut_has_option(argc, argv, "--short"),
    };
    unsigned long failures = 0;
    if (!make_folder(&any)) {
        perror("keys_cuts");
        return 1;
    }
    for (size_t i = 0; i < sizeof JOBS / sizeof *JOBS; i++) {
        struct campaign campaign = any;
        campaign.job = &JOBS[i];
        failures += conduct(&campaign);
    }
    kw_disk_remove(any.folder);
    return (failures == 0) == !self_test ? 0 : 1;
}
