#include "bench/trustflex.h"

#include "sim/atecc608/personality.h"

struct kw_sim_chip *trustflex_new(void) {
    const struct kw_sim_options options = {.crypto = NULL};
    struct kw_sim_eeprom eeprom;
    return kw_sim_personality(KW_SIM_TRUSTFLEX, KW_SIM_608B,
                              &kw_sim_crypto_openssl, &eeprom) == KW_OK
               ? kw_sim_chip_new(&eeprom, &options)
               : NULL;
}
