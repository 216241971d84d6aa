/* Counter (24): reads or advances a monotonic counter. DS40002138A 5.1.1.
 * Reading works in any lock state and shows what is written to bytes 52-67
 * while the configuration is open; advancing needs the configuration locked
 * (inference from the vendor's tests). */
#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

#define MODE_INCREMENT 0x01

kw_status kw_sim_counter(struct kw_sim_chip *chip,
                         const struct kw_command *command,
                         struct kw_sim_answer *answer) {
    const unsigned counter = command->param2;
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_INCREMENT));
    KW_SIM_DEMAND(counter <= 1, chip, KW_CHIP_PARSE, "there is no counter %u",
                  counter);
    KW_TRY(kw_sim_policy_size(chip, command, 0));
    if (command->param1 == MODE_INCREMENT) {
        KW_TRY(kw_sim_policy_config_locked(chip));
        KW_TRY(kw_sim_policy_count(chip, counter));
    }
    kw_store_le32(answer->data,
                  kw_counter_decode(chip->eeprom.config + KW_CONFIG_COUNTER +
                                    8 * (size_t)counter));
    answer->size = 4;
    return KW_OK;
}
