/* sim/atecc608/personality.h: chips as they leave the vendor.
 *
 * TrustFLEX (prototype part, I2C address 6C), Trust&GO (6A) and blank (C0).
 * Sources: data sheets DS40002138A (TFLXTLS) and DS40002112B (TNGTLS);
 * values that no public sheet gives are marked in the code.
 *
 * Knows sim/atecc608/chip.h. */
#ifndef KW_SIM_ATECC608_PERSONALITY_H
#define KW_SIM_ATECC608_PERSONALITY_H

#include "sim/atecc608/chip.h"

enum kw_sim_part {
    KW_SIM_TRUSTFLEX,
    KW_SIM_TRUSTGO,
    KW_SIM_BLANK,
};

enum kw_sim_model {
    KW_SIM_608A, /* revision 00 00 60 02 */
    KW_SIM_608B, /* revision 00 00 60 03 */
};

/* Fills an EEPROM: configuration, OTP code, lock state, keys in slots 0-4
 * (where the part has them), all else blank (FF). The serial is 01 23, six
 * random bytes, and 01 (EE for a blank part). Slots 10, 11, 12 stay blank:
 * host/certs/simulated_vendor.c issues the chain and puts it there with
 * kw_sim_eeprom_slot. */
KW_MUST_USE kw_status kw_sim_personality(enum kw_sim_part part,
                                         enum kw_sim_model model,
                                         const struct kw_sim_crypto *crypto,
                                         struct kw_sim_eeprom *eeprom);

/* The bytes of a slot inside an EEPROM; its size is kw_slot_size(slot). */
uint8_t *kw_sim_eeprom_slot(struct kw_sim_eeprom *eeprom, unsigned slot);

#endif
