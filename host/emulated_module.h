/* host/emulated_module.h: the workspace's emulated Wi-Fi modules.
 *
 * One of the three files of host that know sim. A module is a folder
 * winc/NAME: module.json, and an image file for each 32 KiB block of its
 * flash that is not all FF (docs/formats.md, "A module's flash"). Whoever
 * opens a module holds the workspace's lock.
 * Knows sim/winc1500, sim/nvm. */
#ifndef KW_HOST_EMULATED_MODULE_H
#define KW_HOST_EMULATED_MODULE_H

#include <signal.h>

#include "core/winc_flash.h"
#include "host/workspace.h"

#define KW_MODULE_MAC 6

struct kw_module_about {
    char firmware[16]; /* "19.6.1" */
    uint8_t mac[KW_MODULE_MAC];
    uint32_t size; /* of the flash, bytes */
    /* Faults of the flash; 0: none. */
    uint32_t bad_sector; /* does not erase */
    uint32_t stuck_bit;  /* a byte whose bit 0 stays 0 */
};

/* A new module with an erased flash and a random MAC. KW_NO: there is one of
 * this name. */
KW_MUST_USE kw_status kw_module_make(const struct kw_workspace *workspace,
                                     const char *name,
                                     struct kw_module_about *about,
                                     struct kw_error *error);

struct kw_module;
/* KW_ABSENT: there is no such module. */
KW_MUST_USE kw_status kw_module_open(const struct kw_workspace *workspace,
                                     const char *name,
                                     struct kw_module **module,
                                     struct kw_error *error);
void kw_module_close(struct kw_module *module);

const struct kw_winc_port *kw_module_port(struct kw_module *module);
const struct kw_module_about *kw_module_about(const struct kw_module *module);

/* One connection of the running firmware. */
struct kw_module_connect {
    const char *host;
    const char *port;
    bool check_name;
    unsigned timeout_s;
    const volatile sig_atomic_t *stopped; /* may be NULL */
    /* The secure element that signs with slot 0, or NULL. */
    struct kw_chip *chip;
};
struct kw_module_connection {
    char cipher[64];
    char subject[256];
    uint8_t root[20];
    char identity[8];
    char reason[256];
};
/* KW_ABSENT: nobody there, or no such host. KW_ABSENT_ANSWER: silence for
 * timeout_s. KW_INTERRUPTED: stopped. KW_NO: not trusted; the error says why.
 */
KW_MUST_USE kw_status kw_module_connect(const struct kw_module *module,
                                        const struct kw_module_connect *wanted,
                                        struct kw_module_connection *connection,
                                        struct kw_error *error);
/* The same with nothing but a raw image of a flash. */
KW_MUST_USE kw_status kw_flash_connect(const uint8_t *flash, uint32_t size,
                                       const struct kw_module_connect *wanted,
                                       struct kw_module_connection *connection,
                                       struct kw_error *error);

#endif
