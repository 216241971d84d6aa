/* host/link_address.h: the @ADDRESS behind a link, and its device.
 * Knows host/error.h and host/text.h alone. */
#ifndef KW_HOST_LINK_ADDRESS_H
#define KW_HOST_LINK_ADDRESS_H

#include <stdint.h>

#include "host/error.h"

struct kw_link_place {
    char device[256];
    uint8_t address; /* 8-bit form; 0: none was named */
};

/* DEVICE[@ADDRESS]: two hex digits in 8-bit form, or 0xHH/7 in 7-bit form.
 * KW_USAGE: neither. */
KW_MUST_USE kw_status kw_link_place_read(const char *text,
                                         struct kw_link_place *place,
                                         struct kw_error *error);

#endif
