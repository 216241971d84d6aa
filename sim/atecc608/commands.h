/* sim/atecc608/commands.h: one function a command.
 *
 * Each answers KW_OK with the response's data, or the status of class
 * KW_CLASS_CHIP that it refuses with; any other status is an internal
 * failure, which the chip turns into 0F. A new command is one file, one
 * declaration here and one row of the table in chip.c.
 *
 * Knows sim/atecc608/state.h. */
#ifndef KW_SIM_ATECC608_COMMANDS_H
#define KW_SIM_ATECC608_COMMANDS_H

#include "sim/atecc608/state.h"

/* Response data, all zero at first; a size of 0 stands for the one status
 * byte 00. */
struct kw_sim_answer {
    uint8_t data[KW_RESPONSE_MAX - KW_RESPONSE_OVERHEAD];
    size_t size;
};

typedef kw_status kw_sim_handler(struct kw_sim_chip *chip,
                                 const struct kw_command *command,
                                 struct kw_sim_answer *answer);

kw_sim_handler kw_sim_aes;
kw_sim_handler kw_sim_checkmac;
kw_sim_handler kw_sim_counter;
kw_sim_handler kw_sim_derivekey;
kw_sim_handler kw_sim_ecdh;
kw_sim_handler kw_sim_gendig;
kw_sim_handler kw_sim_genkey;
kw_sim_handler kw_sim_info;
kw_sim_handler kw_sim_kdf;
kw_sim_handler kw_sim_lock;
kw_sim_handler kw_sim_mac;
kw_sim_handler kw_sim_nonce;
kw_sim_handler kw_sim_privwrite;
kw_sim_handler kw_sim_random;
kw_sim_handler kw_sim_read;
kw_sim_handler kw_sim_secureboot;
kw_sim_handler kw_sim_selftest;
kw_sim_handler kw_sim_sha;
kw_sim_handler kw_sim_sign;
kw_sim_handler kw_sim_updateextra;
kw_sim_handler kw_sim_verify;
kw_sim_handler kw_sim_write;

#endif
