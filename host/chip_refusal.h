/* host/chip_refusal.h: why a chip refused, derived from its configuration.
 *
 * For links that know no reasons: real parts, sockets. The 128 bytes and the
 * command tell the rule; where only the chip's volatile state can be the
 * cause, the words say so. Knows host/chip_explain.h. */
#ifndef KW_HOST_CHIP_REFUSAL_H
#define KW_HOST_CHIP_REFUSAL_H

#include "host/chip_explain.h"
#include "host/error.h"

/* Why a chip of this configuration answered the command with 03 or 0F; ""
 * when the configuration does not tell. The command's bytes are not looked
 * at, only their number. */
void kw_explain_refusal(const uint8_t config[KW_CONFIG_SIZE],
                        const struct kw_command *command, kw_status status,
                        char why[KW_WHY_MAX]);

/* As kw_error_chip, for a command that others prepare, as Nonce and GenDig
 * do before an encrypted access: what forbids `wanted` itself is the reason,
 * whichever of them the chip refused. Its slot is looked at alone. */
kw_status kw_error_refused(struct kw_error *error, kw_status status,
                           const struct kw_chip *chip, const char *doing,
                           const uint8_t config[KW_CONFIG_SIZE],
                           const struct kw_command *wanted);

#endif
