/* Cuts the power of `keywright rotate run` at every storage operation and
 * between every two commands to the chip, then resumes; and cuts inside the
 * resume too.
 *
 * Three starts: a blank slot 14, a slot 14 that holds a key which is not
 * validated, and a validated one. After the cut slot 14 may hold anything
 * but no validated key, unless it is the whole old one where that was
 * validated before, or the whole new one that the register names. After
 * `rotate resume` it holds the whole new key (validated, counter 1 at its
 * bundle's sequence) or the whole old one, bit by bit as before the run; once
 * the journal named a bundle, the new one. At each look the private key of
 * what is in the slot, and that of the old key, are on disk; in the end the
 * journal is closed. Now and then a whole rotation is run after that: nothing
 * may be stuck.
 *
 * --long: every resume is cut at every operation, with more seeds.
 * --short: one seed, and no cut inside a resume: for slow instrumented builds.
 * --self-test: one seed on a disk that does not flush; this program must
 * find what that loses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/rotate.h"
#include "host/journal.h"
#include "host/keyring.h"
#include "host/links.h"
#include "host/register.h"
#include "host/rotation.h"
#include "tests/powercut/command.h"

/* --- the command --- */

struct place {
    char folder[64]; /* holds everything below */
    char work[96];   /* the workspace that is cut */
    char authority[96];
    struct kw_cut_command command;
};

static int run(const struct place *place, const char *workspace,
               struct kw_cut cut, const char *const *words) {
    return kw_cut_command_run(&place->command, workspace, cut, words);
}

static const char *const INIT[] = {"init", NULL};
static const char *const MAKE[] = {"resources", "make", NULL};
static const char *const RESUME[] = {"rotate", "resume", NULL};
static const char *const RUN[] = {"rotate", "run", NULL};

/* --- the three starts --- */

struct start {
    const char *name;
    bool (*prepare)(const struct place *place, const char *workspace);
    bool names_authority; /* its key lies outside keys/ */
};

static bool prepare_invalid(const struct place *place, const char *workspace) {
    return run(place, workspace, kw_no_cut, INIT) == 0 &&
           run(place, workspace, kw_no_cut, MAKE) == 0;
}

static bool prepare_validated(const struct place *place,
                              const char *workspace) {
    return prepare_invalid(place, workspace) &&
           run(place, workspace, kw_no_cut, RUN) == 0;
}

struct opened {
    struct kw_workspace workspace;
    struct kw_opened_link link;
    struct kw_chip chip;
};

static bool open_chip(const char *folder, struct opened *opened) {
    struct kw_error error;
    if (kw_workspace_open(&opened->workspace, folder, &error) != KW_OK ||
        kw_link_open("sim:trustflex", &opened->workspace, &opened->link,
                     &error) != KW_OK) {
        (void)printf("  %s\n", error.message);
        return false;
    }
    kw_chip_init(&opened->chip, opened->link.link);
    return true;
}

static void close_chip(struct opened *opened) {
    kw_link_close(&opened->link);
    kw_workspace_close(&opened->workspace);
}

static bool write_authority(const struct place *place, struct kw_chip *chip) {
    struct kw_error error;
    struct kw_key *key = NULL;
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    uint8_t stored[KW_STORED_KEY_SIZE];
    if (kw_key_make(&key, &error) != KW_OK) {
        return false;
    }
    kw_key_public(key, public_key);
    kw_stored_key(public_key, stored);
    const bool done = kw_key_write(key, place->authority, &error) == KW_OK &&
                      kw_chip_write_slot(chip, KW_AUTHORITY_SLOT, stored,
                                         sizeof stored) == KW_OK;
    kw_key_free(key);
    return done;
}

/* Slot 14 as it leaves the vendor, an authority in slot 13. */
static bool prepare_blank(const struct place *place, const char *workspace) {
    struct opened opened;
    if (run(place, workspace, kw_no_cut, INIT) != 0 ||
        !open_chip(workspace, &opened)) {
        return false;
    }
    const bool done = write_authority(place, &opened.chip);
    close_chip(&opened);
    return done;
}

static const struct start STARTS[] = {
    {"blank", prepare_blank, true},
    {"not validated", prepare_invalid, false},
    {"validated", prepare_validated, false},
};

/* --- what must hold --- */

/* The chip and the files, as the checks need them. */
struct facts {
    struct kw_rotation_view view;
    bool journal_open;
    bool bundle_named; /* by the open journal */
    bool registered;   /* the register names slot 14's key as a new one */
    bool private_key;  /* of the key in slot 14 is in keys/ */
    bool old_private;  /* and that of the key before the run */
    uint32_t sequence; /* of the newest bundle in the register */
};

static bool is_on_disk(const struct opened *opened, const uint8_t *key) {
    struct kw_error ignored;
    struct kw_key_file file;
    const bool found =
        kw_keyring_find(&opened->workspace, NULL, KW_ROTATING_SLOT, key, &file,
                        &ignored) == KW_OK;
    if (found) {
        kw_key_file_free(&file);
    }
    return found;
}

static kw_status read_journal(const struct opened *opened, struct facts *facts,
                              struct kw_error *error) {
    struct kw_journal journal;
    KW_TRY(kw_journal_find(&opened->workspace, facts->view.state.serial,
                           &journal, error));
    facts->journal_open = journal.path != NULL;
    facts->bundle_named = journal.bundle != NULL;
    kw_journal_free(&journal);
    return KW_OK;
}

static kw_status read_all(struct opened *opened, const struct facts *before,
                          struct facts *facts, struct kw_error *error) {
    const struct kw_rotation rotation = {.workspace = &opened->workspace,
                                         .chip = &opened->chip};
    const struct kw_rotation_view *view = &facts->view;
    const struct facts *start = before == NULL ? facts : before;
    KW_TRY(kw_rotation_look(&rotation, &facts->view, error));
    KW_TRY(read_journal(opened, facts, error));
    KW_TRY(kw_register_last_sequence(&opened->workspace, view->state.serial,
                                     &facts->sequence, error));
    KW_TRY(kw_register_vouches(&opened->workspace, view->authority, view->key,
                               &facts->registered, error));
    facts->private_key = view->has_key && is_on_disk(opened, view->key);
    facts->old_private =
        start->view.has_key && is_on_disk(opened, start->view.key);
    return KW_OK;
}

/* before: NULL at the start of a campaign. */
static bool read_facts(const char *folder, const struct facts *before,
                       struct facts *facts) {
    struct opened opened;
    struct kw_error error;
    if (!open_chip(folder, &opened)) {
        return false;
    }
    const bool done = read_all(&opened, before, facts, &error) == KW_OK;
    if (!done) {
        (void)printf("  %s\n", error.message);
    }
    close_chip(&opened);
    return done;
}

static bool is_as_before(const struct facts *before,
                         const struct facts *after) {
    return memcmp(before->view.state.stored, after->view.state.stored,
                  KW_STORED_KEY_SIZE) == 0;
}

/* Whole, that is: what a validated slot holds is X, Y and pads alone. */
static bool is_new_key(const struct facts *facts) {
    uint8_t stored[KW_STORED_KEY_SIZE];
    kw_stored_key(facts->view.key, stored);
    return facts->view.has_key && facts->registered &&
           memcmp(stored + 1, facts->view.state.stored + 1,
                  sizeof stored - 1) == 0;
}

/* At any moment. */
static const char *broken_promise(const struct facts *before,
                                  const struct facts *now) {
    const bool as_before = is_as_before(before, now);
    if (before->old_private && !now->old_private) {
        return "the old key's private key is gone";
    }
    if (now->view.state.validated && !as_before && !is_new_key(now)) {
        return "slot 14 is validated and holds neither the old key nor the "
               "new one";
    }
    if (now->view.state.validated && !as_before && !now->private_key) {
        return "the new key is validated and its private key is not on disk";
    }
    return !now->view.state.validated &&
                   now->view.state.counter != before->view.state.counter
               ? "counter 1 has moved, and nothing is validated"
               : NULL;
}

static const char *complaint(const struct facts *before, bool bundle_named,
                             const struct facts *after) {
    if (after->journal_open) {
        return "the journal is still open";
    }
    if (is_as_before(before, after)) {
        if (bundle_named) {
            return "the journal named a bundle, yet the old key is there";
        }
        return after->view.state.counter == before->view.state.counter
                   ? NULL
                   : "the old key is back, yet counter 1 has moved";
    }
    if (!after->view.state.validated) {
        return "slot 14 holds neither the old state nor a validated key";
    }
    return after->view.state.counter == after->sequence
               ? NULL
               : "counter 1 is not the bundle's sequence";
}

/* --- cutting --- */

struct campaign {
    struct place place;
    const struct start *start;
    char base[96];
    struct facts before;
    unsigned long cuts;
    unsigned long new_keys; /* cuts that ended with the new key */
    unsigned long old_keys;
    unsigned long failures;
    bool is_long;
    bool is_short;
};

static int rotate(struct campaign *campaign, struct kw_cut cut,
                  const char *const *words) {
    const char *with[6];
    size_t count = 0;
    for (; words[count] != NULL; count++) {
        with[count] = words[count];
    }
    if (campaign->start->names_authority) {
        with[count++] = "--authority";
        with[count++] = campaign->place.authority;
    }
    with[count] = NULL;
    return run(&campaign->place, campaign->place.work, cut, with);
}

static void fail(struct campaign *campaign, struct kw_cut first,
                 struct kw_cut second, const char *why) {
    campaign->failures++;
    if (campaign->place.command.lies) {
        return; /* as it should be */
    }
    (void)printf("rotate, %s: cut at %lu seed %llu, in the resume at %lu seed "
                 "%llu: %s\n",
                 campaign->start->name, first.at,
                 (unsigned long long)first.seed, second.at,
                 (unsigned long long)second.seed, why);
}

/* What the slot, the counter and the files must be at any moment. */
static bool look(struct campaign *campaign, struct kw_cut first,
                 struct kw_cut second, struct facts *now) {
    if (!read_facts(campaign->place.work, &campaign->before, now)) {
        fail(campaign, first, second, "the chip cannot be read");
        return false;
    }
    const char *why = broken_promise(&campaign->before, now);
    if (why != NULL) {
        fail(campaign, first, second, why);
    }
    return why == NULL;
}

/* Another rotation, from whatever is there now. */
static void run_another(struct campaign *campaign, struct kw_cut first,
                        struct kw_cut second) {
    struct facts now;
    if (rotate(campaign, kw_no_cut, RUN) != 0) {
        fail(campaign, first, second, "another rotation fails");
        return;
    }
    if (look(campaign, first, second, &now) &&
        (is_as_before(&campaign->before, &now) ||
         complaint(&campaign->before, true, &now) != NULL)) {
        fail(campaign, first, second, "another rotation changes nothing");
    }
}

/* Resumes without a cut and checks, before it and after. */
static void settle(struct campaign *campaign, struct kw_cut first,
                   struct kw_cut second) {
    struct facts cut;
    struct facts after;
    if (!look(campaign, first, second, &cut)) {
        return;
    }
    if (rotate(campaign, kw_no_cut, RESUME) != 0) {
        fail(campaign, first, second, "resume fails");
        return;
    }
    if (!look(campaign, first, second, &after)) {
        return;
    }
    const char *why = complaint(&campaign->before, cut.bundle_named, &after);
    if (why != NULL) {
        fail(campaign, first, second, why);
        return;
    }
    *(is_as_before(&campaign->before, &after) ? &campaign->old_keys
                                              : &campaign->new_keys) += 1;
    if (first.at % 16 == 0) {
        run_another(campaign, first, second);
    }
}

/* A run that is cut; false when it ended before the cut. */
static bool cut_run(struct campaign *campaign, struct kw_cut cut) {
    if (!kw_cut_copy_folder(campaign->base, campaign->place.work)) {
        fail(campaign, cut, kw_no_cut, "cannot copy the workspace");
        return false;
    }
    const int code = rotate(campaign, cut, RUN);
    if (code != KW_DISK_EXIT && code != 0) {
        fail(campaign, cut, kw_no_cut, "the run fails by itself");
    }
    campaign->cuts += code == KW_DISK_EXIT ? 1 : 0;
    return code == KW_DISK_EXIT;
}

/* Cuts the resume after a cut run, at every step-th operation. */
static void cut_resumes(struct campaign *campaign, struct kw_cut first,
                        unsigned long step) {
    for (unsigned long at = 1 + first.at % step;; at += step) {
        const struct kw_cut second = {at, first.seed + at};
        if (!cut_run(campaign, first)) {
            return;
        }
        campaign->cuts--; /* counted when it was cut first */
        if (rotate(campaign, second, RESUME) != KW_DISK_EXIT) {
            return;
        }
        campaign->cuts++;
        settle(campaign, first, second);
    }
}

static void cut_everywhere(struct campaign *campaign, uint64_t seed) {
    const unsigned long every = campaign->is_long ? 1 : 5;
    const unsigned long step = campaign->is_long ? 1 : 13;
    for (unsigned long at = 1;; at++) {
        const struct kw_cut cut = {at, seed};
        if (!cut_run(campaign, cut)) {
            return;
        }
        settle(campaign, cut, kw_no_cut);
        if (at % every == 0 && !campaign->is_short) {
            cut_resumes(campaign, cut, step);
        }
    }
}

static bool prepare(struct campaign *campaign) {
    (void)snprintf(campaign->base, sizeof campaign->base, "%s/base",
                   campaign->place.folder);
    kw_disk_remove(campaign->base);
    (void)unlink(campaign->place.authority);
    (void)mkdir(campaign->base, 0700);
    return campaign->start->prepare(&campaign->place, campaign->base) &&
           read_facts(campaign->base, NULL, &campaign->before);
}

static unsigned long conduct(struct campaign *campaign) {
    const uint64_t seeds = campaign->is_long ? 4 : 3;
    if (!prepare(campaign)) {
        (void)printf("rotate, %s: cannot prepare\n", campaign->start->name);
        return 1;
    }
    const bool one_seed = campaign->is_short || campaign->place.command.lies;
    for (uint64_t seed = one_seed ? seeds - 1 : 0; seed < seeds; seed++) {
        cut_everywhere(campaign, seed);
    }
    (void)printf("rotate, %s: %lu operations a run, %lu cuts (%lu end with the "
                 "new key, %lu with the old one), %lu failures\n",
                 campaign->start->name, *campaign->place.command.operations,
                 campaign->cuts, campaign->new_keys, campaign->old_keys,
                 campaign->failures);
    (void)fflush(stdout);
    return campaign->failures;
}

static bool make_place(struct place *place) {
    if (!kw_cut_command_open(&place->command) ||
        !kw_cut_make_folder(place->folder, sizeof place->folder)) {
        return false;
    }
    (void)snprintf(place->work, sizeof place->work, "%s/work", place->folder);
    (void)snprintf(place->authority, sizeof place->authority,
                   "%s/authority.pem", place->folder);
    return true;
}

int main(int argc, char **argv) {
    const struct kw_noun nouns[] = {kw_noun_init, kw_noun_resources,
                                    kw_noun_rotate};
    const bool is_long = kw_cut_has_option(argc, argv, "--long");
    const bool is_short = kw_cut_has_option(argc, argv, "--short");
    const bool self_test = kw_cut_has_option(argc, argv, "--self-test");
    struct place place = {
        .command = {.nouns = nouns, .noun_count = 3, .lies = self_test}};
    unsigned long failures = 0;
    if (!make_place(&place)) {
        perror("rotate_cuts");
        return 1;
    }
    for (size_t i = 0; i < sizeof STARTS / sizeof *STARTS; i++) {
        struct campaign campaign = {.place = place,
                                    .start = &STARTS[i],
                                    .is_long = is_long,
                                    .is_short = is_short};
        failures += conduct(&campaign);
    }
    kw_disk_remove(place.folder);
    return (failures == 0) == !self_test ? 0 : 1;
}
