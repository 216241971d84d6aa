/* Random (1B): 32 bytes from the generator. DS40002138A 5.1.5.
 * Mode 1 does not update the EEPROM seed; nothing of it can be seen. */
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

kw_status kw_sim_random(struct kw_sim_chip *chip,
                        const struct kw_command *command,
                        struct kw_sim_answer *answer) {
    KW_TRY(kw_sim_policy_mode(chip, command, 0x01));
    KW_TRY(kw_sim_policy_param2(chip, command, 0));
    KW_TRY(kw_sim_policy_size(chip, command, 0));
    answer->size = 32;
    return kw_sim_random_bytes(chip, answer->data);
}
