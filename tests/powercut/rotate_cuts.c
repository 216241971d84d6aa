/* Cuts the power of `keywright rotate run` at every storage operation and
 * between every two commands to the chip, then resumes; and cuts inside the
 * resume too.
 *
 * Three starts: a blank slot 14, a slot 14 that holds a key which is not
 * validated, and a validated one. After `rotate resume` slot 14 holds the
 * whole new key (validated, counter 1 at its bundle's sequence) or the whole
 * old one as before the run; the private key of either is on disk and the
 * journal is closed. Now and then a whole rotation is run after that:
 * nothing may be stuck.
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

/* A cut between two commands: before a packet is built for the wire. The
 * linker sends core's and host's calls here. */
kw_status __real_kw_packet_encode(const struct kw_command *command,
                                  uint8_t packet[KW_PACKET_MAX], size_t *size);
kw_status __wrap_kw_packet_encode(const struct kw_command *command,
                                  uint8_t packet[KW_PACKET_MAX], size_t *size);
kw_status __wrap_kw_packet_encode(const struct kw_command *command,
                                  uint8_t packet[KW_PACKET_MAX], size_t *size) {
    kw_disk_mark();
    return __real_kw_packet_encode(command, packet, size);
}

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
    bool private_key;  /* of the key in slot 14 is in keys/ */
    uint32_t sequence; /* of the newest bundle in the register */
};

static bool read_facts(const char *folder, struct facts *facts) {
    struct opened opened;
    struct kw_error error;
    struct kw_journal journal;
    struct kw_key_file file;
    if (!open_chip(folder, &opened)) {
        return false;
    }
    const struct kw_rotation rotation = {.workspace = &opened.workspace,
                                         .chip = &opened.chip};
    bool done =
        kw_rotation_look(&rotation, &facts->view, &error) == KW_OK &&
        kw_journal_find(&opened.workspace, facts->view.state.serial, &journal,
                        &error) == KW_OK &&
        kw_register_last_sequence(&opened.workspace, facts->view.state.serial,
                                  &facts->sequence, &error) == KW_OK;
    if (done) {
        facts->journal_open = journal.path != NULL;
        kw_journal_free(&journal);
        facts->private_key =
            facts->view.has_key &&
            kw_keyring_find(&opened.workspace, NULL, KW_ROTATING_SLOT,
                            facts->view.key, &file, &error) == KW_OK;
        if (facts->private_key) {
            kw_key_file_free(&file);
        }
    } else {
        (void)printf("  %s\n", error.message);
    }
    close_chip(&opened);
    return done;
}

/* The slot's content, but for the nibble, which is compared apart. */
static bool same_content(const struct facts *a, const struct facts *b) {
    return a->view.has_key == b->view.has_key &&
           a->view.state.validated == b->view.state.validated &&
           (!a->view.has_key ||
            memcmp(a->view.key, b->view.key, KW_PUBLIC_KEY_SIZE) == 0);
}

static const char *complaint(const struct facts *before,
                             const struct facts *after) {
    if (after->journal_open) {
        return "the journal is still open";
    }
    if (same_content(before, after)) {
        return after->view.state.counter == before->view.state.counter
                   ? NULL
                   : "the old key is back, yet counter 1 has moved";
    }
    if (!after->view.state.validated) {
        return "slot 14 holds neither the old state nor a validated key";
    }
    if (!after->private_key) {
        return "the new key's private key is not on disk";
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

/* Resumes without a cut and checks. */
static void settle(struct campaign *campaign, struct kw_cut first,
                   struct kw_cut second) {
    struct facts after;
    if (rotate(campaign, kw_no_cut, RESUME) != 0) {
        fail(campaign, first, second, "resume fails");
        return;
    }
    if (!read_facts(campaign->place.work, &after)) {
        fail(campaign, first, second, "the chip cannot be read");
        return;
    }
    const char *why = complaint(&campaign->before, &after);
    if (why != NULL) {
        fail(campaign, first, second, why);
        return;
    }
    if (first.at % 16 == 0 && rotate(campaign, kw_no_cut, RUN) != 0) {
        fail(campaign, first, second, "another rotation fails");
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
           read_facts(campaign->base, &campaign->before);
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
    (void)printf("rotate, %s: %lu operations a run, %lu cuts, %lu failures\n",
                 campaign->start->name, *campaign->place.command.operations,
                 campaign->cuts, campaign->failures);
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
