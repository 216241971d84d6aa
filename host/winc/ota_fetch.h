/* host/winc/ota_fetch.h: one file over HTTPS.
 *
 * HTTPS alone, no redirects, status 200, a size limit, time limits and a few
 * retries. The server is trusted by a file of certificates: one that equals
 * the server's own pins it, any other must vouch for the server's name.
 * Whether a body is whole is for whoever parses it: an HTTP/1.0 server names
 * no length, and says 200 for a missing file. Knows libcurl and OpenSSL. */
#ifndef KW_HOST_WINC_OTA_FETCH_H
#define KW_HOST_WINC_OTA_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "host/error.h"

struct kw_ota_server {
    const char *url; /* with or without a last '/' */
    const char *ca;  /* PEM file */
    unsigned timeout_s;
    unsigned tries;
    /* Ends the transfer when it answers true; may be NULL. */
    bool (*stopped)(void);
};

struct kw_ota_body {
    uint8_t *bytes;
    size_t size;
};

/* Whether the file holds a certificate. KW_SYSTEM_FILE, KW_PARSE. */
KW_MUST_USE kw_status kw_ota_check_ca(const char *path, struct kw_error *error);

/* KW_ABSENT: no server; KW_NO: not the right one, or not 200; KW_PARSE_SIZE:
 * longer than the limit. */
KW_MUST_USE kw_status kw_ota_fetch(const struct kw_ota_server *server,
                                   const char *name, size_t limit,
                                   struct kw_ota_body *body,
                                   struct kw_error *error);
/* Wipes and frees. */
void kw_ota_body_free(struct kw_ota_body *body);

#endif
