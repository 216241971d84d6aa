/* host/text.h: bytes as text: hex, base64url, time.
 * Knows core/status.h and host/base64.h. */
#ifndef KW_HOST_TEXT_H
#define KW_HOST_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* Lower case, 2 * size digits and a NUL. */
void kw_hex(const uint8_t *bytes, size_t size, char *text);
/* Upper case, as the vendor's file names have it. */
void kw_hex_upper(const uint8_t *bytes, size_t size, char *text);
/* Exactly 2 * size digits of either case. KW_PARSE else. */
KW_MUST_USE kw_status kw_hex_read(const char *text, uint8_t *bytes,
                                  size_t size);

/* Without padding (RFC 4648, section 5); the caller frees; NULL without
 * memory. */
char *kw_base64url(const uint8_t *bytes, size_t size);
/* Canonical base64url of exactly this many bytes: no padding, no foreign
 * character, no spare bit set. KW_PARSE or KW_PARSE_SIZE else. */
KW_MUST_USE kw_status kw_base64url_read(const char *text, uint8_t *bytes,
                                        size_t size);

#define KW_TIME_TEXT 21 /* 2026-11-20T09:43:02Z and a NUL */
void kw_time_now(char text[KW_TIME_TEXT]);

#endif
