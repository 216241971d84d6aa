/* cli/winc.h: the verbs of `winc`, and what `ota` shares with them.
 * Knows cli/cli.h and host/winc/work.h. */
#ifndef KW_CLI_WINC_H
#define KW_CLI_WINC_H

#include "cli/cli.h"
#include "host/winc/work.h"

#define KW_WINC_OPTION_MODULE                                                  \
    { "--module", "NAME", "which module (default: winc)" }
#define KW_WINC_OPTION_STRICT                                                  \
    { "--strict", NULL, "refuse expired certificates" }
#define KW_WINC_OPTION_JOURNAL                                                 \
    {                                                                          \
        "--journal", "file|flash",                                             \
            "where the change is kept until it is made; flash: from 0x80000 "  \
            "on in a WINC1510 (default: file)"                                 \
    }
#define KW_WINC_OPTIONS_CHANGE                                                 \
    {"--dry-run", NULL, "only show what would be written"},                    \
        KW_WINC_OPTION_JOURNAL, {                                              \
        "--download-mode", NULL, "leave the module in download mode"           \
    }

/* Opens the module that --module names, with the workspace's lock. */
KW_MUST_USE kw_status kw_winc_begin(struct kw_cli *cli,
                                    const struct kw_arguments *arguments,
                                    struct kw_winc *winc);
/* The same, and finishes an interrupted update first. */
KW_MUST_USE kw_status kw_winc_begin_change(struct kw_cli *cli,
                                           const struct kw_arguments *arguments,
                                           struct kw_winc *winc);
/* Resets the module, or leaves it, as --download-mode says. */
void kw_winc_end(const struct kw_arguments *arguments, struct kw_winc *winc);

/* Builds and checks the new stores, and shows what they cost. */
KW_MUST_USE kw_status
kw_winc_prepare_change(struct kw_cli *cli, const struct kw_arguments *arguments,
                       struct kw_winc_work *work);
/* Writes what was prepared. */
KW_MUST_USE kw_status kw_winc_write_change(struct kw_cli *cli,
                                           const struct kw_arguments *arguments,
                                           struct kw_winc_work *work);
/* Both: with --dry-run it only shows. */
KW_MUST_USE kw_status kw_winc_carry_out(struct kw_cli *cli,
                                        const struct kw_arguments *arguments,
                                        struct kw_winc_work *work);

/* Warns of an expired certificate; refuses it with --strict. */
KW_MUST_USE kw_status kw_winc_check_date(struct kw_cli *cli,
                                         const struct kw_arguments *arguments,
                                         const struct kw_winc_input *input);

/* Warns of a certificate of the module's own whose key is larger than its
 * firmware works with. */
void kw_winc_check_own_key(struct kw_cli *cli,
                           const struct kw_winc_input *leaf);

/* That the certificate is for the key in slot 0 of the chip. */
KW_MUST_USE kw_status kw_winc_check_chip(struct kw_cli *cli,
                                         const struct kw_winc_input *leaf);

/* Prints what happens to the flash; the observer is the struct kw_cli. */
void kw_winc_tell(void *observer, enum kw_winc_event event, uint32_t address,
                  uint32_t detail);

/* Texts and documents of both stores. */
KW_MUST_USE kw_status kw_winc_show_roots(struct kw_cli *cli,
                                         struct kw_winc *winc);
KW_MUST_USE kw_status kw_winc_show_files(struct kw_cli *cli,
                                         struct kw_winc *winc);

/* cli/winc_root.c, cli/winc_tls.c, cli/winc_image.c, cli/winc_connect.c. */
extern const struct kw_option kw_winc_root_options[];
extern const struct kw_option kw_winc_tls_options[];
extern const struct kw_option kw_winc_connect_options[];
kw_status kw_winc_root(struct kw_cli *cli,
                       const struct kw_arguments *arguments);
kw_status kw_winc_tls(struct kw_cli *cli, const struct kw_arguments *arguments);
kw_status kw_winc_dump(struct kw_cli *cli,
                       const struct kw_arguments *arguments);
kw_status kw_winc_load(struct kw_cli *cli,
                       const struct kw_arguments *arguments);
kw_status kw_winc_erase(struct kw_cli *cli,
                        const struct kw_arguments *arguments);
kw_status kw_winc_connect_verb(struct kw_cli *cli,
                               const struct kw_arguments *arguments);

#endif
