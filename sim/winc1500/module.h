/* sim/winc1500/module.h: an ATWINC15x0 seen through its registers.
 *
 * Chip identity, reset and download mode, and the flash controller, as a
 * host driver finds them: registers of 32 bits and blocks of memory. The
 * flash controller works only while the module's processor is halted: with
 * the firmware running a host that touches it is ignored.
 * Facts and their confidence: docs/winc.md.
 * Knows sim/winc1500/flash.h and core/winc_flash.h (the port). */
#ifndef KW_SIM_WINC1500_MODULE_H
#define KW_SIM_WINC1500_MODULE_H

#include "core/winc_flash.h"
#include "sim/winc1500/flash.h"

#define KW_SIM_STAGING 0x1000u /* bytes of memory at 0xD0000 */

struct kw_sim_module {
    struct kw_nor *nor;
    /* Registers that only keep what is written. */
    uint32_t boot_mux;
    uint32_t pins;
    uint32_t reset;
    uint32_t data_count;
    uint32_t buffer[2];
    uint32_t direction;
    uint32_t dma;
    uint32_t done;
    uint32_t answer;
    uint8_t staging[KW_SIM_STAGING];
};

/* As after a hardware reset: the firmware runs. */
void kw_sim_module_power_up(struct kw_sim_module *module, struct kw_nor *nor);
/* True in download mode. */
bool kw_sim_module_is_halted(const struct kw_sim_module *module);

/* The port of core/winc_flash.h; KW_ABSENT while the power is off. */
void kw_sim_module_port(struct kw_sim_module *module,
                        struct kw_winc_port *port);

#endif
