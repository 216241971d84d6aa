/* The root store: any bytes are read without harm; what is whole stays whole
 * under every change. */
#include "core/winc_root.h"
#include "tests/fuzz/fuzz.h"

static void remove_each(uint8_t *store) {
    struct kw_winc_root root = {.offset = 0};
    uint32_t before = 0;
    uint32_t after = 0;
    uint32_t used = 0;
    while (kw_winc_root_check(store, &before, &used) == KW_OK && before > 0) {
        root.offset = 0;
        FUZZ_DEMAND(kw_winc_root_next(store, &root) == KW_OK);
        FUZZ_DEMAND(used <= KW_WINC_ROOT_SIZE);
        FUZZ_DEMAND(kw_winc_root_remove(store, root.hash) == KW_OK);
        FUZZ_DEMAND(kw_winc_root_check(store, &after, &used) == KW_OK);
        FUZZ_DEMAND(after == before - 1);
    }
}

/* The rest of the input as a certificate. */
static void put(uint8_t *store, const uint8_t *data, size_t size) {
    const struct kw_source source = {.memory = data, .size = (uint32_t)size};
    struct kw_winc_cert cert;
    enum kw_winc_root_put done = KW_WINC_ROOT_SAME;
    uint32_t count = 0;
    uint32_t used = 0;
    if (kw_winc_cert_read(&source, &cert) != KW_OK) {
        return;
    }
    if (kw_winc_root_put(store, &cert, true, &done) == KW_OK) {
        FUZZ_DEMAND(kw_winc_root_check(store, &count, &used) == KW_OK);
        FUZZ_DEMAND(kw_winc_root_put(store, &cert, false, &done) == KW_OK);
        FUZZ_DEMAND(done == KW_WINC_ROOT_SAME);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t store[KW_WINC_ROOT_SIZE];
    const size_t first = size < sizeof store ? size : sizeof store;
    memset(store, 0xFF, sizeof store);
    memcpy(store, data, first);
    put(store, data + first, size - first);
    remove_each(store);
    kw_winc_root_begin(store, KW_WINC_ROOT_V1);
    put(store, data, size);
    return 0;
}
