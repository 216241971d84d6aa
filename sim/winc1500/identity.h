/* sim/winc1500/identity.h: the module's certificate and key, from the TLS
 * store in its flash. For sim/winc1500/firmware.c.
 * Knows core/winc_tls.h, OpenSSL; not host/. */
#ifndef KW_SIM_WINC1500_IDENTITY_H
#define KW_SIM_WINC1500_IDENTITY_H

#include <openssl/ec.h>
#include <openssl/ssl.h>

#include "sim/winc1500/firmware.h"

/* Gives the context what the lists name; the words say what: "none", "RSA",
 * "ECC". The method (may become non-NULL) is freed after the context.
 * KW_NO_WINC_STORE: the store is damaged. */
KW_MUST_USE kw_status kw_sim_identity(struct kw_sim_firmware *firmware,
                                      SSL_CTX *context, EC_KEY_METHOD **method,
                                      char words[8]);
void kw_sim_identity_free(EC_KEY_METHOD *method);

#endif
