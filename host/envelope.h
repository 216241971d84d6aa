/* host/envelope.h: a request or a bundle as a file.
 *
 * {payload, signature} in canonical base64url and nothing else:
 * docs/formats.md, "Envelope of requests and bundles". Knows core/bundle.h
 * and host/files.h. */
#ifndef KW_HOST_ENVELOPE_H
#define KW_HOST_ENVELOPE_H

#include "core/bundle.h"
#include "host/error.h"

#define KW_PAYLOAD_MAX KW_BUNDLE_SIZE

struct kw_envelope {
    uint8_t payload[KW_PAYLOAD_MAX];
    size_t payload_size;
    uint8_t signature[KW_SIGNATURE_SIZE];
};

/* Reads a file whose payload has this size. KW_SYSTEM_FILE: unreadable.
 * Class KW_CLASS_PARSE: no envelope of that kind. */
KW_MUST_USE kw_status kw_envelope_read(const char *path, size_t payload_size,
                                       struct kw_envelope *envelope,
                                       struct kw_error *error);
/* The same from text, for fuzzing and for other carriers. */
KW_MUST_USE kw_status kw_envelope_parse(const char *text, size_t size,
                                        size_t payload_size,
                                        struct kw_envelope *envelope);
/* Writes a new file. */
KW_MUST_USE kw_status kw_envelope_create(const char *path,
                                         const struct kw_envelope *envelope,
                                         struct kw_error *error);

#endif
