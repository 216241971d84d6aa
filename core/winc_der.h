/* core/winc_der.h: one element of DER after another, where it lies.
 *
 * The cursor of core/der.h, by offsets into a source instead of in memory.
 * Knows core/der.h, core/winc_source.h. */
#ifndef KW_CORE_WINC_DER_H
#define KW_CORE_WINC_DER_H

#include "core/der.h"
#include "core/winc_source.h"

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
