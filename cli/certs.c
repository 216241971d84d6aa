/* cli/certs.c: the noun `certs`. */
#include "cli/certs.h"

#include <stdlib.h>
#include <string.h>

#include "host/text.h"

kw_status kw_certs_hex(struct kw_cli *cli, const char *option, const char *text,
                       uint8_t *bytes, size_t size) {
    return kw_hex_read(text, bytes, size) == KW_OK
               ? KW_OK
               : kw_error(&cli->error, KW_USAGE, "%s takes %zu hex digits",
                          option, 2 * size);
}

kw_status kw_certs_number(struct kw_cli *cli,
                          const struct kw_arguments *arguments,
                          const char *option, unsigned limit, unsigned *value) {
    const char *text = kw_argument(arguments, option);
    char *end = NULL;
    if (text == NULL) {
        return KW_OK;
    }
    const unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number > limit) {
        return kw_error(&cli->error, KW_USAGE, "%s takes a number up to %u",
                        option, limit);
    }
    *value = (unsigned)number;
    return KW_OK;
}

static const struct kw_verb VERBS[] = {
    {"custom", NULL, "make the chain of an own PKI and put it into the chip",
     kw_certs_custom_options, 0, 0, kw_certs_custom, .asks = "first",
     .missing = "it stands in each certificate: --org \"Example Devices\"",
     .example = "certs custom --org \"Example Devices\""},
    {"vendor", NULL, "show and verify the vendor's chain",
     kw_certs_root_options, 0, 0, kw_certs_vendor, .example = "certs vendor"},
    {"backup", NULL, "save slots 10, 11 and 12", kw_certs_backup_options, 0, 0,
     kw_certs_backup_verb, .example = "certs backup"},
    {"restore", NULL, "put them back byte for byte", kw_certs_restore_options,
     0, 0, kw_certs_restore, .asks = "first", .example = "certs restore"},
    {"resume", NULL, "finish an interrupted custom or restore",
     kw_certs_resume_options, 0, 0, kw_certs_resume_verb,
     .example = "certs resume"},
    {"show", NULL, "the chain that the chip holds", kw_certs_root_options, 0, 0,
     kw_certs_show, .example = "certs show"},
    {"verify", NULL, "the chain, and that the chip holds its key",
     kw_certs_root_options, 0, 0, kw_certs_verify, .example = "certs verify"},
    {"export", NULL, "write the chain: PEM, DER, C definitions",
     kw_certs_export_options, 0, 0, kw_certs_export,
     .example = "certs export --c-def -o firmware"},
    {"compress", "CERTIFICATE", "a certificate to 72 bytes",
     kw_certs_compress_options, 1, 1, kw_certs_compress,
     .example = "certs compress device.pem --write-definition device.json"},
    {"expand", "COMPRESSED", "72 bytes to a certificate",
     kw_certs_expand_options, 1, 1, kw_certs_expand,
     .missing = "`keywright certs compress --write-definition` writes one",
     .example = "certs expand d.bin --definition d.json --public-key d.pub"},
};

const struct kw_noun kw_noun_certs = {"certs",
                                      "the certificate chain of a chip", VERBS,
                                      sizeof VERBS / sizeof *VERBS, KW_ON_CHIP};
