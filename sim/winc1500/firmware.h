/* sim/winc1500/firmware.h: what of the module's running firmware is needed
 * to show that the stores work: one TLS 1.2 connection as a client.
 *
 * Its trust comes from the root store in the flash alone: name hash, key and
 * dates. Its identity comes from the TLS store: an RSA key that lies there,
 * or the key in slot 0 of a secure element, which signs for it. Suites and
 * limits are those of the module's design guide; a multi-valued name is
 * trusted by nobody.
 * Knows core/winc_root.h, core/winc_tls.h and OpenSSL. */
#ifndef KW_SIM_WINC1500_FIRMWARE_H
#define KW_SIM_WINC1500_FIRMWARE_H

#include <signal.h>

#include "core/winc_root.h"

struct kw_sim_firmware {
    const uint8_t *flash; /* the whole of it */
    uint32_t size;
    /* The secure element, or NULL. */
    kw_status (*sign)(void *signer, const uint8_t digest[32],
                      uint8_t signature[64]);
    void *signer;
};

struct kw_sim_connect {
    const char *host;
    const char *port;
    bool check_name;    /* as the module's "check SNI" flag */
    unsigned timeout_s; /* for the connection, and for each of its steps */
    const volatile sig_atomic_t *stopped; /* may be NULL */
};

struct kw_sim_connection {
    char cipher[64];
    char subject[256];          /* of the server */
    uint8_t root[KW_SHA1_SIZE]; /* the name hash that vouched */
    char identity[8];           /* "none", "RSA" or "ECC" */
    char reason[256];           /* why it failed */
};

/* KW_ABSENT: nobody listens there, or the reason says why the host has no
 * address. KW_ABSENT_ANSWER: the time passed. KW_INTERRUPTED: stopped. KW_NO:
 * the handshake failed; the reason says why. */
KW_MUST_USE kw_status kw_sim_firmware_connect(
    const struct kw_sim_firmware *firmware, const struct kw_sim_connect *wanted,
    struct kw_sim_connection *connection);

#endif
