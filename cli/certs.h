/* cli/certs.h: the verbs of `certs` and what they share.
 * Knows cli/cli.h and host/certs/chain.h. */
#ifndef KW_CLI_CERTS_H
#define KW_CLI_CERTS_H

#include "cli/cli.h"
#include "host/certs/chain.h"

/* A number in hex digits: exactly `size` bytes. KW_USAGE names the option. */
KW_MUST_USE kw_status kw_certs_hex(struct kw_cli *cli, const char *option,
                                   const char *text, uint8_t *bytes,
                                   size_t size);
/* An option's number, 0 to limit; `value` stays without the option. */
KW_MUST_USE kw_status kw_certs_number(struct kw_cli *cli,
                                      const struct kw_arguments *arguments,
                                      const char *option, unsigned limit,
                                      unsigned *value);

/* cli/certs_compress.c */
kw_status kw_certs_compress(struct kw_cli *cli,
                            const struct kw_arguments *arguments);
kw_status kw_certs_expand(struct kw_cli *cli,
                          const struct kw_arguments *arguments);
extern const struct kw_option kw_certs_compress_options[];
extern const struct kw_option kw_certs_expand_options[];

/* cli/certs_chain.c */
kw_status kw_certs_show(struct kw_cli *cli,
                        const struct kw_arguments *arguments);
kw_status kw_certs_vendor(struct kw_cli *cli,
                          const struct kw_arguments *arguments);
kw_status kw_certs_verify(struct kw_cli *cli,
                          const struct kw_arguments *arguments);
kw_status kw_certs_export(struct kw_cli *cli,
                          const struct kw_arguments *arguments);
extern const struct kw_option kw_certs_root_options[];
extern const struct kw_option kw_certs_export_options[];

/* cli/certs_custom.c */
kw_status kw_certs_custom(struct kw_cli *cli,
                          const struct kw_arguments *arguments);
extern const struct kw_option kw_certs_custom_options[];

/* cli/certs_slots.c */
/* Shows what the slots hold, and asks before it is replaced; the observer
 * is the struct kw_cli. */
KW_MUST_USE kw_status kw_certs_confirm(void *observer,
                                       const struct kw_chip_certs *certs);
kw_status kw_certs_backup_verb(struct kw_cli *cli,
                               const struct kw_arguments *arguments);
kw_status kw_certs_restore(struct kw_cli *cli,
                           const struct kw_arguments *arguments);
kw_status kw_certs_resume_verb(struct kw_cli *cli,
                               const struct kw_arguments *arguments);
extern const struct kw_option kw_certs_backup_options[];
extern const struct kw_option kw_certs_restore_options[];
extern const struct kw_option kw_certs_resume_options[];

#endif
