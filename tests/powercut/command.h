/* tests/powercut/command.h: the keywright command on a simulated disk.
 *
 * A runner gives the workspace, the operation at which the power goes, and
 * the words of a command line; the command runs in a child process and its
 * exit code comes back. KEYWRIGHT_CUTS_LOUD shows what the children print.
 * Knows cli/cli.h and tests/powercut/disk.h. */
#ifndef KW_TESTS_POWERCUT_COMMAND_H
#define KW_TESTS_POWERCUT_COMMAND_H

#include "cli/cli.h"
#include "tests/powercut/disk.h"

struct kw_cut {
    unsigned long at; /* operation of the disk; 0: never */
    uint64_t seed;
};

extern const struct kw_cut kw_no_cut;

struct kw_cut_command {
    const struct kw_noun *nouns;
    size_t noun_count;
    bool lies;                 /* the disk does not flush */
    unsigned long *operations; /* of the last whole run */
};

/* Memory for the counter, shared with the children. */
bool kw_cut_command_open(struct kw_cut_command *command);

/* `keywright --yes --workspace WORKSPACE WORDS...`; the words end with NULL.
 * KW_DISK_EXIT after a cut; -1 when the child did not end by itself. */
int kw_cut_command_run(const struct kw_cut_command *command,
                       const char *workspace, struct kw_cut cut,
                       const char *const *words);

/* Another program, silent; the words end with NULL. True: exit code 0. */
bool kw_cut_program(const char *const *words);
/* What lies at `to` is removed first. */
bool kw_cut_copy_folder(const char *from, const char *to);

/* A new folder below TMPDIR or /tmp. */
bool kw_cut_make_folder(char *path, size_t size);
bool kw_cut_has_option(int argc, char **argv, const char *option);

#endif
