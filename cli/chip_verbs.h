/* cli/chip_verbs.h: the verbs of `chip` that give single commands, and what
 * they share. Contract: docs/cli.md. Knows cli/cli.h. */
#ifndef KW_CLI_CHIP_VERBS_H
#define KW_CLI_CHIP_VERBS_H

#include "cli/cli.h"
#include "host/config_lint.h"

#define KW_CHIP_VERB(name)                                                     \
    extern const struct kw_option kw_chip_##name##_options[];                  \
    kw_status kw_chip_##name##_verb(struct kw_cli *cli,                        \
                                    const struct kw_arguments *arguments)

KW_CHIP_VERB(read);
KW_CHIP_VERB(write);
KW_CHIP_VERB(lock);
KW_CHIP_VERB(random);
KW_CHIP_VERB(genkey);
KW_CHIP_VERB(sign);
KW_CHIP_VERB(verify);
KW_CHIP_VERB(sha);
KW_CHIP_VERB(mac);
KW_CHIP_VERB(counter);
KW_CHIP_VERB(config);
KW_CHIP_VERB(explain);
KW_CHIP_VERB(trace);
KW_CHIP_VERB(snapshot);
KW_CHIP_VERB(restore);
#undef KW_CHIP_VERB

/* --- arguments: KW_USAGE with the error filled --- */

KW_MUST_USE kw_status kw_read_number(struct kw_cli *cli, const char *what,
                                     const char *text, unsigned maximum,
                                     unsigned *value);
KW_MUST_USE kw_status kw_read_slot(struct kw_cli *cli, const char *text,
                                   unsigned *slot);

/* config, otp, or a slot. */
struct kw_place {
    enum kw_zone zone;
    unsigned slot; /* of KW_ZONE_DATA */
    size_t size;   /* bytes in the zone or slot */
};
KW_MUST_USE kw_status kw_read_place(struct kw_cli *cli, const char *text,
                                    struct kw_place *place);
/* The block of --block; blocks is how many the place has. *given tells
 * whether the option was there. */
KW_MUST_USE kw_status kw_read_block(struct kw_cli *cli,
                                    const struct kw_arguments *arguments,
                                    const struct kw_place *place,
                                    unsigned *block, bool *given);
/* Exactly so many bytes of an option in hex. */
KW_MUST_USE kw_status kw_read_hex(struct kw_cli *cli, const char *name,
                                  const char *text, uint8_t *bytes,
                                  size_t size);
/* --digest HEX, or the SHA-256 of --file FILE: one of them. */
KW_MUST_USE kw_status kw_read_digest(struct kw_cli *cli,
                                     const struct kw_arguments *arguments,
                                     uint8_t digest[KW_SHA256_SIZE]);

/* --- answers --- */

void kw_set_bytes(json_t *object, const char *member, const uint8_t *bytes,
                  size_t size);
/* null for KW_NO_SLOT. */
void kw_set_slot(json_t *object, unsigned slot);
/* null for NULL. */
void kw_set_text(json_t *object, const char *member, const char *text);
void kw_print_bytes(const struct kw_cli *cli, const uint8_t *bytes,
                    size_t size);
/* The same of bytes that begin at an offset. */
void kw_print_bytes_at(const struct kw_cli *cli, size_t offset,
                       const uint8_t *bytes, size_t size);
/* Where an answer was written; nothing for NULL. */
void kw_print_file(const struct kw_cli *cli, const char *file);

/* Prints findings and answers them as a JSON array. */
json_t *kw_show_findings(const struct kw_cli *cli,
                         const struct kw_findings *findings);

#endif
