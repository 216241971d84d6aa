/* Envelopes: what parses is written and read again as the same, and a
 * payload that decodes encodes to the same bytes. */
#include <unistd.h>

#include "host/envelope.h"
#include "tests/fuzz/fuzz.h"

static void try_payload(const struct kw_envelope *envelope) {
    struct kw_request request;
    struct kw_bundle bundle;
    uint8_t again[KW_PAYLOAD_MAX];
    const uint8_t *payload = envelope->payload;
    const size_t size = envelope->payload_size;
    if (kw_request_decode(payload, size, &request) == KW_OK) {
        kw_request_encode(&request, again);
        FUZZ_DEMAND(memcmp(again, payload, KW_REQUEST_SIZE) == 0);
    }
    if (kw_bundle_decode(payload, size, &bundle) == KW_OK) {
        kw_bundle_encode(&bundle, again);
        FUZZ_DEMAND(memcmp(again, payload, KW_BUNDLE_SIZE) == 0);
    }
}

static void try_text(const char *text, size_t size, size_t payload_size) {
    struct kw_envelope envelope;
    struct kw_envelope again;
    struct kw_error error;
    if (kw_envelope_parse(text, size, payload_size, &envelope) != KW_OK) {
        return;
    }
    const char *path = fuzz_path("envelope.json");
    FUZZ_DEMAND(envelope.payload_size == payload_size);
    FUZZ_DEMAND(kw_envelope_create(path, &envelope, &error) == KW_OK);
    FUZZ_DEMAND(kw_envelope_read(path, payload_size, &again, &error) == KW_OK);
    FUZZ_DEMAND(unlink(path) == 0);
    FUZZ_DEMAND(memcmp(again.payload, envelope.payload, payload_size) == 0);
    FUZZ_DEMAND(memcmp(again.signature, envelope.signature,
                       sizeof again.signature) == 0);
    try_payload(&envelope);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    try_text(text, size, KW_REQUEST_SIZE);
    try_text(text, size, KW_BUNDLE_SIZE);
    return 0;
}
