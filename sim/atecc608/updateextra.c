/* UpdateExtra (20): gives configuration byte 84 or 85 its one value, in any
 * state of the locks. DS40002138A 5.1.9. Mode 2, which counted keys of the
 * 508A down, is in no sheet of a 608 and is refused (open). */
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

#define MODE_EXTRA_ADD 0x01

kw_status kw_sim_updateextra(struct kw_sim_chip *chip,
                             const struct kw_command *command,
                             struct kw_sim_answer *answer) {
    (void)answer;
    const size_t offset = command->param1 == MODE_EXTRA_ADD
                              ? (size_t)KW_CONFIG_USER_EXTRA_ADD
                              : (size_t)KW_CONFIG_USER_EXTRA;
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_EXTRA_ADD));
    KW_TRY(kw_sim_policy_size(chip, command, 0));
    KW_TRY(kw_sim_policy_update_extra(chip, offset));
    kw_sim_change(chip)->config[offset] = (uint8_t)command->param2;
    return KW_OK;
}
