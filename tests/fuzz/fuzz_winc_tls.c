/* The TLS store: any bytes are read without harm; what is read is laid out,
 * rendered and read again as the same, with a new chain in it too: behind the
 * 8192 bytes come the size of a certificate (u16, low byte first), the
 * certificate, and its key if it is RSA. */
#include "core/bytes.h"
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

static void try_out(struct kw_winc_tls *tls) {
    if (kw_winc_tls_lay_out(tls) == KW_OK) {
        render(tls);
        compare(tls);
    }
}

/* The chain of one certificate: whole, or refused. */
static void put(struct kw_winc_tls *tls, const uint8_t *data, size_t size) {
    const size_t first = size < 2 ? 0 : kw_load_le16(data);
    if (size < 2 + first) {
        return;
    }
    const struct kw_source cert_bytes = {.memory = data + 2,
                                         .size = (uint32_t)first};
    const struct kw_source key_bytes = {.memory = data + 2 + first,
                                        .size = (uint32_t)(size - 2 - first)};
    struct kw_winc_cert cert;
    struct kw_winc_rsa_key key;
    const bool has_key = kw_winc_rsa_key_read(&key_bytes, &key) == KW_OK;
    const struct kw_winc_chain chain = {
        .cert = &cert, .count = 1, .key = has_key ? &key : NULL};
    if (kw_winc_cert_read(&cert_bytes, &cert) == KW_OK &&
        kw_winc_tls_put(tls, &chain) == KW_OK) {
        bool listed = false;
        FUZZ_DEMAND(kw_winc_tls_listed(tls, tls->count - 1, &listed) == KW_OK);
        try_out(tls);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct kw_source source = {.memory = old_bytes,
                                     .size = sizeof old_bytes};
    struct kw_winc_tls tls;
    const size_t first = size < sizeof old_bytes ? size : sizeof old_bytes;
    memset(old_bytes, 0xFF, sizeof old_bytes);
    memcpy(old_bytes, data, first);
    if (kw_winc_tls_read(&source, KW_WINC_TLS_HEADER_196, &tls) != KW_OK) {
        return 0;
    }
    try_out(&tls);
    FUZZ_DEMAND(kw_winc_tls_compact(&tls) == KW_OK);
    try_out(&tls);
    put(&tls, data + first, size - first);
    return 0;
}
