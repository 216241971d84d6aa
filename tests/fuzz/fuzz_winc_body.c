/* An HTTP body: a whole certificate or key, or refused; never whole when a
 * byte of DER is missing. */
#include "host/winc/input.h"
#include "tests/fuzz/fuzz.h"

static void try_kind(enum kw_winc_input_kind kind, const uint8_t *data,
                     size_t size) {
    struct kw_winc_input input;
    struct kw_error error;
    const kw_status status =
        kw_winc_input_parse(&input, "body", kind, data, size, &error);
    const bool der = status == KW_OK && data[0] == 0x30;
    if (status == KW_OK && kind == KW_WINC_INPUT_CERT) {
        char name[64];
        kw_winc_input_common_name(&input, name, sizeof name);
        (void)kw_winc_input_issued(&input, &input);
    }
    kw_winc_input_free(&input);
    if (der) {
        FUZZ_DEMAND(kw_winc_input_parse(&input, "body", kind, data, size - 1,
                                        &error) != KW_OK);
        kw_winc_input_free(&input);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 0) {
        try_kind(KW_WINC_INPUT_CERT, data, size);
        try_kind(KW_WINC_INPUT_KEY, data, size);
    }
    return 0;
}
