/* The TLS store: any bytes are read without harm; what is read is laid out,
 * rendered and read again as the same. */
#include "core/winc_tls.h"
#include "tests/fuzz/fuzz.h"

static uint8_t old_bytes[KW_WINC_TLS_SIZE];
static uint8_t new_bytes[KW_WINC_TLS_SIZE];

static void render(const struct kw_winc_tls *tls) {
    for (unsigned sector = 0; sector < 2; sector++) {
        FUZZ_DEMAND(kw_winc_tls_render(
                        tls, sector, new_bytes + sector * KW_WINC_TLS_SECTOR) ==
                    KW_OK);
    }
}

static void compare(const struct kw_winc_tls *tls) {
    const struct kw_source source = {.memory = new_bytes,
                                     .size = sizeof new_bytes};
    struct kw_winc_tls again;
    FUZZ_DEMAND(kw_winc_tls_read(&source, tls->header_size, &again) == KW_OK);
    FUZZ_DEMAND(again.count == tls->count);
    for (uint32_t i = 0; i < tls->count; i++) {
        FUZZ_DEMAND(strcmp(again.file[i].name, tls->file[i].name) == 0);
        FUZZ_DEMAND(again.file[i].size == tls->file[i].size);
        FUZZ_DEMAND(again.file[i].address == tls->file[i].address);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct kw_source source = {.memory = old_bytes,
                                     .size = sizeof old_bytes};
    struct kw_winc_tls tls;
    memset(old_bytes, 0xFF, sizeof old_bytes);
    memcpy(old_bytes, data, size < sizeof old_bytes ? size : sizeof old_bytes);
    if (kw_winc_tls_read(&source, KW_WINC_TLS_HEADER_196, &tls) != KW_OK) {
        return 0;
    }
    if (kw_winc_tls_lay_out(&tls) == KW_OK) {
        render(&tls);
        compare(&tls);
    }
    FUZZ_DEMAND(kw_winc_tls_compact(&tls) == KW_OK);
    if (kw_winc_tls_lay_out(&tls) == KW_OK) {
        render(&tls);
        compare(&tls);
    }
    return 0;
}
