/* Cuts the power of `keywright certs custom` and `certs restore` at every
 * storage operation and between every two commands to the chip, then runs
 * `certs resume`; and cuts inside the resume too.
 *
 * Three starts: the vendor's chain in the chip and an own one to come; an own
 * chain and another to come; an own chain and the vendor's to come back.
 * After the resume slots 10, 11 and 12 hold the whole old content or a whole
 * new chain that verifies; the vendor's content is in the chip or in its
 * first backup; whatever certificate of a CA is there has its private key.
 * Now and then the command is run again: it must succeed, and the vendor's
 * chain must come back.
 *
 * --long: every resume is cut at every operation, with more seeds. --short:
 * one seed, and no cut inside a resume: for slow instrumented builds.
 * --self-test: one seed on a disk that does not flush; this program
 * must find what that loses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/certs/backup.h"
#include "host/certs/journal.h"
#include "host/certs/pki_file.h"
#include "host/key.h"
#include "host/links.h"
#include "tests/powercut/command.h"

/* --- the command --- */

static const char *const INIT[] = {"init", NULL};
static const char *const CUSTOM[] = {"certs", "custom", "--org", "test", NULL};
static const char *const RENEW[] = {"certs", "custom",  "--org",
                                    "test",  "--renew", NULL};
static const char *const RESTORE[] = {"certs", "restore", NULL};
static const char *const RESUME[] = {"certs", "resume", NULL};
static const char *const TAKE_BACK[] = {"certs", "resume", "--old", NULL};
static const char *const VERIFY[] = {"certs", "verify", NULL};

struct start {
    const char *name;
    bool has_own_chain;
    const char *const *words; /* what is cut */
};
static const struct start STARTS[] = {
    {"first", false, CUSTOM},
    {"renewed", true, RENEW},
    {"restored", true, RESTORE},
};

struct campaign {
    char folder[64]; /* holds everything below */
    char base[96];
    char work[96]; /* the workspace that is cut */
    struct kw_cut_command command;
    const struct start *start;
    struct kw_cert_slots vendor;
    struct kw_cert_slots before;
    bool is_long;
    bool is_short;
    unsigned long cuts;
    unsigned long failures;
};

static int run_in(const struct campaign *campaign, const char *workspace,
                  struct kw_cut cut, const char *const *words) {
    return kw_cut_command_run(&campaign->command, workspace, cut, words);
}

static int run(const struct campaign *campaign, struct kw_cut cut,
               const char *const *words) {
    return run_in(campaign, campaign->work, cut, words);
}

/* --- what must hold --- */

struct facts {
    struct kw_cert_slots slots;
    bool journal_open;
    bool vendor_is_kept;
    const char *lost; /* NULL: every CA's certificate has its key */
};

/* Of the workspace's generations: each certificate of a CA has its key. */
static bool has_its_key(const struct kw_workspace *workspace,
                        unsigned generation, const char *certificate,
                        const char *key) {
    struct kw_error error;
    struct kw_pki_bytes bytes;
    struct kw_pki_view view;
    struct kw_key *private_key = NULL;
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    char *path = kw_workspace_path(workspace, "certs/" KW_CUSTOM_FOLDER "/%s",
                                   generation, certificate);
    char *key_path = kw_workspace_path(
        workspace, "keys/" KW_CUSTOM_FOLDER "/%s", generation, key);
    bool good = !kw_file_exists(path);
    if (!good && kw_pki_read_file(path, &bytes, &view, &error) == KW_OK &&
        kw_key_read(key_path, &private_key, &error) == KW_OK) {
        kw_key_public(private_key, public_key);
        good = memcmp(public_key, view.public_key, sizeof public_key) == 0;
    }
    kw_key_free(private_key);
    free(path);
    free(key_path);
    return good;
}

static const char *lost_key(const struct kw_workspace *workspace) {
    for (unsigned generation = 1; generation <= 3; generation++) {
        if (!has_its_key(workspace, generation, "root_crt.crt",
                         "root_key.key") ||
            !has_its_key(workspace, generation, "signer_FFFF.crt",
                         "signer_FFFF.key")) {
            return "a certificate of a CA is there without its key";
        }
    }
    return NULL;
}

static bool vendor_is_kept(const struct campaign *campaign,
                           const struct kw_workspace *workspace,
                           const struct kw_chip_certs *certs) {
    struct kw_error error;
    struct kw_cert_slots kept;
    char *file = NULL;
    if (memcmp(&certs->slots, &campaign->vendor, sizeof certs->slots) == 0) {
        return true;
    }
    const bool good = kw_certs_first_backup(workspace, certs->about.serial,
                                            &file, &error) == KW_OK &&
                      kw_certs_backup_read(file, certs->about.serial, &kept,
                                           &error) == KW_OK &&
                      memcmp(&kept, &campaign->vendor, sizeof kept) == 0;
    free(file);
    return good;
}

static bool look(const struct campaign *campaign,
                 const struct kw_workspace *workspace, struct kw_chip *chip,
                 struct facts *facts) {
    struct kw_error error;
    struct kw_chip_certs certs;
    struct kw_certs_journal journal;
    if (kw_chip_certs_read(chip, &certs, &error) != KW_OK ||
        kw_certs_journal_find(workspace, certs.about.serial, &journal,
                              &error) != KW_OK) {
        (void)printf("  %s\n", error.message);
        return false;
    }
    facts->journal_open = journal.path != NULL;
    kw_certs_journal_free(&journal);
    facts->slots = certs.slots;
    facts->vendor_is_kept = vendor_is_kept(campaign, workspace, &certs);
    facts->lost = lost_key(workspace);
    return true;
}

static bool read_facts(const struct campaign *campaign, const char *folder,
                       struct facts *facts) {
    struct kw_workspace workspace;
    struct kw_opened_link link;
    struct kw_chip chip;
    struct kw_error error;
    if (kw_workspace_open(&workspace, folder, &error) != KW_OK ||
        kw_link_open("sim:trustflex", &workspace, &link, &error) != KW_OK) {
        (void)printf("  %s\n", error.message);
        return false;
    }
    kw_chip_init(&chip, link.link);
    const bool done = look(campaign, &workspace, &chip, facts);
    kw_link_close(&link);
    kw_workspace_close(&workspace);
    return done;
}

static bool same(const struct kw_cert_slots *a, const struct kw_cert_slots *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

/* New content is a chain that verifies; a restored one is the vendor's. */
static const char *complaint(const struct campaign *campaign,
                             const struct facts *facts) {
    if (facts->journal_open) {
        return "the journal is still open";
    }
    if (!facts->vendor_is_kept) {
        return "the vendor's chain is lost";
    }
    if (facts->lost != NULL) {
        return facts->lost;
    }
    if (same(&facts->slots, &campaign->before)) {
        return NULL;
    }
    if (campaign->start->words == RESTORE &&
        !same(&facts->slots, &campaign->vendor)) {
        return "the slots hold neither the old nor the new content";
    }
    return run(campaign, kw_no_cut, VERIFY) == 0
               ? NULL
               : "the slots hold neither the old content nor a whole chain";
}

/* --- cutting --- */

static void fail(struct campaign *campaign, struct kw_cut first,
                 struct kw_cut second, const char *why) {
    campaign->failures++;
    if (campaign->command.lies) {
        return; /* as it should be */
    }
    (void)printf("certs, %s: cut at %lu seed %llu, in the resume at %lu seed "
                 "%llu: %s\n",
                 campaign->start->name, first.at,
                 (unsigned long long)first.seed, second.at,
                 (unsigned long long)second.seed, why);
}

/* Nothing is stuck: the command runs, and the vendor's chain comes back. */
static const char *run_again(struct campaign *campaign) {
    struct facts facts;
    if (run(campaign, kw_no_cut, campaign->start->words) != 0 ||
        run(campaign, kw_no_cut, VERIFY) != 0) {
        return "the command cannot be run again";
    }
    return run(campaign, kw_no_cut, RESTORE) == 0 &&
                   read_facts(campaign, campaign->work, &facts) &&
                   same(&facts.slots, &campaign->vendor)
               ? NULL
               : "the vendor's chain does not come back";
}

/* Resumes without a cut and checks. */
static void settle(struct campaign *campaign, struct kw_cut first,
                   struct kw_cut second, const char *const *resume) {
    struct facts facts;
    if (run(campaign, kw_no_cut, resume) != 0) {
        fail(campaign, first, second, "resume fails");
        return;
    }
    if (!read_facts(campaign, campaign->work, &facts)) {
        fail(campaign, first, second, "the chip cannot be read");
        return;
    }
    const char *why = complaint(campaign, &facts);
    if (why == NULL && (first.at + first.seed) % 6 == 0) {
        why = run_again(campaign);
    }
    if (why != NULL) {
        fail(campaign, first, second, why);
    }
}

/* A run that is cut; false when it ended before the cut. */
static bool cut_run(struct campaign *campaign, struct kw_cut cut) {
    if (!kw_cut_copy_folder(campaign->base, campaign->work)) {
        fail(campaign, cut, kw_no_cut, "cannot copy the workspace");
        return false;
    }
    const int code = run(campaign, cut, campaign->start->words);
    if (code != KW_DISK_EXIT && code != 0) {
        fail(campaign, cut, kw_no_cut, "the run fails by itself");
    }
    return code == KW_DISK_EXIT;
}

/* Where the chip was being written a resume has work to do; the next run
 * without a resume must do as well, and so must going back. */
static void cut_resumes(struct campaign *campaign, struct kw_cut first) {
    const unsigned long step = campaign->is_long ? 1 : 9;
    for (unsigned long at = 1 + first.at % step;; at += step) {
        const struct kw_cut second = {at, first.seed + at};
        const char *const *resume = at % 2 == 0 ? RESUME : TAKE_BACK;
        if (!cut_run(campaign, first) ||
            run(campaign, second, resume) != KW_DISK_EXIT) {
            return;
        }
        campaign->cuts++;
        settle(campaign, first, second, at % 3 == 0 ? RESUME : TAKE_BACK);
    }
}

static bool journal_is_open(const struct campaign *campaign) {
    struct facts facts;
    return read_facts(campaign, campaign->work, &facts) && facts.journal_open;
}

static void cut_everywhere(struct campaign *campaign, uint64_t seed) {
    for (unsigned long at = 1;; at++) {
        const struct kw_cut cut = {at, seed};
        if (!cut_run(campaign, cut)) {
            return;
        }
        campaign->cuts++;
        const bool open = !campaign->command.lies && journal_is_open(campaign);
        settle(campaign, cut, kw_no_cut, at % 2 == 0 ? RESUME : TAKE_BACK);
        if (open && (campaign->is_long || at % 3 == 0) && !campaign->is_short) {
            cut_resumes(campaign, cut);
        }
    }
}

/* --- the campaigns --- */

static bool prepare(struct campaign *campaign) {
    struct facts facts = {.journal_open = false};
    (void)snprintf(campaign->base, sizeof campaign->base, "%s/base",
                   campaign->folder);
    (void)snprintf(campaign->work, sizeof campaign->work, "%s/work",
                   campaign->folder);
    kw_disk_remove(campaign->base);
    (void)mkdir(campaign->base, 0700);
    const char *base = campaign->base;
    bool done = run_in(campaign, base, kw_no_cut, INIT) == 0 &&
                read_facts(campaign, base, &facts);
    campaign->vendor = facts.slots;
    if (done && campaign->start->has_own_chain) {
        done = run_in(campaign, base, kw_no_cut, CUSTOM) == 0 &&
               read_facts(campaign, base, &facts);
    }
    campaign->before = facts.slots;
    return done;
}

static unsigned long conduct(struct campaign *campaign) {
    static const uint64_t SEEDS[] = {0, 2, 1, 3};
    const size_t first = campaign->is_short || campaign->command.lies ? 1 : 0;
    const size_t end = campaign->is_long ? 4 : 2;
    if (!prepare(campaign)) {
        (void)printf("certs, %s: cannot prepare\n", campaign->start->name);
        return 1;
    }
    for (size_t i = first; i < end; i++) {
        cut_everywhere(campaign, SEEDS[i]);
    }
    (void)printf("certs, %s: %lu operations a run, %lu cuts, %lu failures\n",
                 campaign->start->name, *campaign->command.operations,
                 campaign->cuts, campaign->failures);
    (void)fflush(stdout);
    return campaign->cuts == 0 ? 1 : campaign->failures;
}

int main(int argc, char **argv) {
    const struct kw_noun nouns[] = {kw_noun_init, kw_noun_certs};
    const bool self_test = kw_cut_has_option(argc, argv, "--self-test");
    struct campaign campaign = {
        .command = {.nouns = nouns, .noun_count = 2, .lies = self_test},
        .is_long = kw_cut_has_option(argc, argv, "--long"),
        .is_short = kw_cut_has_option(argc, argv, "--short"),
    };
    unsigned long failures = 0;
    if (!kw_cut_command_open(&campaign.command) ||
        !kw_cut_make_folder(campaign.folder, sizeof campaign.folder)) {
        perror("certs_cuts");
        return 1;
    }
    for (size_t i = 0; i < sizeof STARTS / sizeof *STARTS; i++) {
        campaign.start = &STARTS[i];
        campaign.cuts = 0;
        campaign.failures = 0;
        failures += conduct(&campaign);
    }
    kw_disk_remove(campaign.folder);
    return (failures == 0) == !self_test ? 0 : 1;
}
