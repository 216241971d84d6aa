/* core/winc_der.h: one element of DER after another, where it lies.
 *
 * Definite, shortest lengths and one-byte tags only (X.690 sections 8.1 and
 * 10.1). Knows core/winc_source.h. */
#ifndef KW_CORE_WINC_DER_H
#define KW_CORE_WINC_DER_H

#include "core/winc_source.h"

enum {
    KW_WINC_DER_INTEGER = 0x02,
    KW_WINC_DER_BIT_STRING = 0x03,
    KW_WINC_DER_OCTET_STRING = 0x04,
    KW_WINC_DER_OID = 0x06,
    KW_WINC_DER_UTC_TIME = 0x17,
    KW_WINC_DER_GENERALIZED_TIME = 0x18,
    KW_WINC_DER_SEQUENCE = 0x30,
    KW_WINC_DER_SET = 0x31,
    KW_WINC_DER_CONTEXT_0 = 0xA0,
};

/* Offsets into the source. */
struct kw_winc_der {
    uint8_t tag;
    uint32_t start; /* of the tag */
    uint32_t at;    /* of the content */
    uint32_t size;  /* of the content */
    uint32_t end;   /* behind the content */
};

/* The element that begins at offset and ends before limit. KW_PARSE_DER. */
KW_MUST_USE kw_status kw_winc_der_any(const struct kw_source *source,
                                      uint32_t offset, uint32_t limit,
                                      struct kw_winc_der *item);
/* The same, of this tag. */
KW_MUST_USE kw_status kw_winc_der_tagged(const struct kw_source *source,
                                         uint32_t offset, uint32_t limit,
                                         uint8_t tag, struct kw_winc_der *item);
/* An INTEGER that is not negative, without its leading zeros. */
KW_MUST_USE kw_status kw_winc_der_number(const struct kw_source *source,
                                         uint32_t offset, uint32_t limit,
                                         struct kw_winc_der *item);
/* Whether the content is these bytes (at most 16). */
KW_MUST_USE kw_status kw_winc_der_is(const struct kw_source *source,
                                     const struct kw_winc_der *item,
                                     const uint8_t *bytes, size_t size,
                                     bool *is);

#endif
