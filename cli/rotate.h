/* cli/rotate.h: the verbs of `rotate` and what they share.
 * Knows cli/cli.h and host/rotation.h. */
#ifndef KW_CLI_ROTATE_H
#define KW_CLI_ROTATE_H

#include "cli/cli.h"
#include "host/rotation.h"

/* Workspace and chip, as most verbs need them. */
KW_MUST_USE kw_status kw_rotate_open(struct kw_cli *cli,
                                     const struct kw_arguments *arguments,
                                     struct kw_rotation *rotation);

/* The same for a verb that only looks: it waits for nobody. */
KW_MUST_USE kw_status
kw_rotate_open_to_look(struct kw_cli *cli, const struct kw_arguments *arguments,
                       struct kw_rotation *rotation);

/* The place that --output names, else a new file below bundles/; the caller
 * frees. */
char *kw_rotate_output(const struct kw_rotation *rotation,
                       const struct kw_arguments *arguments,
                       const uint8_t *serial, const char *kind);

/* The newest rotating key of a chip. KW_NO with what to run first. */
KW_MUST_USE kw_status kw_rotate_newest_key(const struct kw_rotation *rotation,
                                           const uint8_t *serial,
                                           struct kw_key_file *key,
                                           struct kw_error *error);

/* "Next: ... rotate authorize ...": where keys/ lacks the authority's private
 * key its owner must name it, on another machine; a fleet's sequence must be
 * named. */
void kw_rotate_print_authorize(struct kw_cli *cli,
                               const struct kw_rotation *rotation,
                               const uint8_t authority[KW_PUBLIC_KEY_SIZE],
                               const char *request, bool fleet);

/* KW_NO when a rotation of this chip is not finished. */
KW_MUST_USE kw_status kw_rotate_no_journal(struct kw_cli *cli,
                                           const struct kw_rotation *rotation,
                                           const struct kw_rotation_view *view);

/* KW_USAGE unless the serial and the fingerprints that the options name have
 * their digits. */
KW_MUST_USE kw_status
kw_rotate_check_forms(struct kw_cli *cli, const struct kw_arguments *arguments);

/* cli/rotate_request.c, cli/rotate_authorize.c, cli/rotate_status.c,
 * cli/rotate_export.c, cli/rotate_set.c and cli/rotate_lock.c: one verb
 * each. */
kw_status kw_rotate_request(struct kw_cli *cli,
                            const struct kw_arguments *arguments);
kw_status kw_rotate_authorize(struct kw_cli *cli,
                              const struct kw_arguments *arguments);
kw_status kw_rotate_status(struct kw_cli *cli,
                           const struct kw_arguments *arguments);
kw_status kw_rotate_export(struct kw_cli *cli,
                           const struct kw_arguments *arguments);
kw_status kw_rotate_set_authority(struct kw_cli *cli,
                                  const struct kw_arguments *arguments);
kw_status kw_rotate_lock_authority(struct kw_cli *cli,
                                   const struct kw_arguments *arguments);

#endif
