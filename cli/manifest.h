/* cli/manifest.h: the verbs of `manifest` and what they share.
 * Knows cli/cli.h and host/manifest/. */
#ifndef KW_CLI_MANIFEST_H
#define KW_CLI_MANIFEST_H

#include "cli/cli.h"
#include "host/manifest/scan.h"

/* A number from 1 to `limit` of an option; `fallback` when it is not
 * there. */
KW_MUST_USE kw_status kw_manifest_number(struct kw_cli *cli,
                                         const struct kw_arguments *arguments,
                                         const char *option, unsigned limit,
                                         unsigned fallback, unsigned *number);

/* Ends an interrupted change of the file, and says so on stderr. */
KW_MUST_USE kw_status kw_manifest_whole(struct kw_cli *cli, const char *path);

/* Calls for each entry of a file, which is made whole first. KW_INTERRUPTED
 * when the user stops it. */
typedef kw_status kw_manifest_visit(void *self,
                                    const struct kw_manifest_piece *piece);
KW_MUST_USE kw_status kw_manifest_each(struct kw_cli *cli, const char *path,
                                       kw_manifest_visit *visit, void *self);

/* Fills the error: entry N of FILE, and why it cannot be used. */
kw_status kw_manifest_unreadable(struct kw_cli *cli, const char *path,
                                 uint32_t entry, const char *words);

/* One file a verb. */
kw_status kw_manifest_make(struct kw_cli *cli,
                           const struct kw_arguments *arguments);
kw_status kw_manifest_verify_verb(struct kw_cli *cli,
                                  const struct kw_arguments *arguments);
kw_status kw_manifest_show(struct kw_cli *cli,
                           const struct kw_arguments *arguments);
kw_status kw_manifest_split(struct kw_cli *cli,
                            const struct kw_arguments *arguments);
kw_status kw_manifest_merge(struct kw_cli *cli,
                            const struct kw_arguments *arguments);
kw_status kw_manifest_diff(struct kw_cli *cli,
                           const struct kw_arguments *arguments);
kw_status kw_manifest_export_verb(struct kw_cli *cli,
                                  const struct kw_arguments *arguments);

#endif
