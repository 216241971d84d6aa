/* host/kit.h: the host's side of the kit protocol, over any port.
 *
 * link_kit.c puts it on a serial port, link_hid.c on USB HID; a test on
 * recorded lines. The lines: docs/formats.md, "Kit protocol". Knows
 * host/links.h and host/link_address.h. */
#ifndef KW_HOST_KIT_H
#define KW_HOST_KIT_H

#include "host/link_address.h"
#include "host/links.h"

#define KW_KIT_LINE_MAX 640 /* characters with the line feed and a NUL */

struct kw_kit_port {
    /* Sends a line, its line feed included. */
    kw_status (*send)(void *self, const char *line, size_t size);
    /* The next bytes of any number; KW_ABSENT_ANSWER after timeout_ms. */
    kw_status (*receive)(void *self, char *bytes, size_t capacity,
                         int timeout_ms, size_t *size);
    void (*close)(void *self);
    void *self;
};

/* Looks for the chip and opens the link. Takes the port in any case. KW_ABSENT:
 * no chip at that address; the error names kind and place. */
KW_MUST_USE kw_status kw_kit_open(const struct kw_kit_port *port,
                                  const char *kind,
                                  const struct kw_link_place *place,
                                  struct kw_opened_link *opened,
                                  struct kw_error *error);

#endif
