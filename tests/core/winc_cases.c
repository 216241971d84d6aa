/* The Wi-Fi module's stores, made and read again. The known answers are the
 * digests of the stores that tests/winc/golden.py, an encoder of its own,
 * makes of the same certificates. */
#include <string.h>

#include "core/sha256.h"
#include "core/winc_root.h"
#include "core/winc_tls.h"
#include "tests/core/cases.h"
#include "tests/core/manual_certs.h"

/* A root store, then half of a TLS store. */
static uint8_t *const sector = kw_case_sector;

static const uint8_t ROOT_NAME_HASH[KW_SHA1_SIZE] = {
    0x1C, 0x76, 0xB2, 0xF3, 0x42, 0x34, 0x6F, 0xA3, 0x7D, 0xFF,
    0xC5, 0xE0, 0x6D, 0x3C, 0xD7, 0x2B, 0x71, 0x2B, 0x59, 0xC4};
/* root_store([root, signer]), root_store([signer]) */
static const uint8_t STORE_OF_TWO[KW_SHA256_SIZE] = {
    0x01, 0xE5, 0xCE, 0xA4, 0x44, 0x4D, 0xAD, 0x57, 0x46, 0x52, 0xC8,
    0xBA, 0xD4, 0x7F, 0x29, 0xEF, 0x2C, 0xE3, 0x9D, 0x65, 0xCE, 0x9A,
    0x0B, 0xF6, 0xA8, 0x2F, 0x07, 0xB2, 0x24, 0x1D, 0x04, 0xC9};
static const uint8_t STORE_OF_ONE[KW_SHA256_SIZE] = {
    0x7A, 0x33, 0x53, 0x4A, 0x96, 0x7E, 0xCF, 0xAF, 0xFA, 0x14, 0xDA,
    0xA5, 0x54, 0x60, 0xF4, 0xF4, 0x80, 0x9E, 0x3E, 0x6F, 0xE0, 0xA5,
    0x3B, 0x3C, 0x7A, 0x60, 0x1A, 0xB9, 0xED, 0x3B, 0xD9, 0xDB};
/* tls_store(chain_files([device, signer])) */
static const uint8_t STORE_OF_CHAIN[KW_SHA256_SIZE] = {
    0xF6, 0x14, 0xC2, 0x46, 0x73, 0x2B, 0x21, 0xB5, 0x6D, 0x98, 0xF8,
    0x1F, 0xC8, 0x8D, 0x2B, 0x98, 0x58, 0xC1, 0x24, 0x24, 0x75, 0x54,
    0x3D, 0xC3, 0x8A, 0xEA, 0x4A, 0x68, 0x84, 0x3A, 0xF3, 0x32};

static const struct kw_source ROOT = {.memory = MANUAL_ROOT,
                                      .size = sizeof MANUAL_ROOT};
static const struct kw_source SIGNER = {.memory = MANUAL_SIGNER,
                                        .size = sizeof MANUAL_SIGNER};
static const struct kw_source DEVICE = {.memory = MANUAL_DEVICE,
                                        .size = sizeof MANUAL_DEVICE};

static bool has_digest(const uint8_t expected[KW_SHA256_SIZE]) {
    uint8_t digest[KW_SHA256_SIZE];
    return kw_hash_bytes(&kw_sha256_hash, sector, sizeof kw_case_sector,
                         digest) == KW_OK &&
           memcmp(digest, expected, sizeof digest) == 0;
}

static const char *certificate(void) {
    struct kw_winc_cert cert;
    KW_CHECK(kw_winc_cert_read(&ROOT, &cert) == KW_OK);
    KW_CHECK(memcmp(cert.subject_hash, ROOT_NAME_HASH, KW_SHA1_SIZE) == 0);
    KW_CHECK(memcmp(cert.issuer_hash, ROOT_NAME_HASH, KW_SHA1_SIZE) == 0);
    KW_CHECK(cert.key_type == KW_WINC_ECDSA);
    KW_CHECK(kw_winc_date_compare(&cert.not_before, &cert.not_after) < 0);
    return NULL;
}

static const char *cut_certificates(void) {
    struct kw_winc_cert cert;
    for (uint32_t size = 0; size < sizeof MANUAL_ROOT; size++) {
        const struct kw_source cut = {.memory = MANUAL_ROOT, .size = size};
        KW_CHECK(kw_winc_cert_read(&cut, &cert) == KW_PARSE_DER);
    }
    return NULL;
}

static const char *root_store(void) {
    struct kw_winc_cert cert;
    struct kw_winc_root root;
    enum kw_winc_root_put done = KW_WINC_ROOT_SAME;
    uint32_t count = 0;
    uint32_t used = 0;
    memset(sector, 0xFF, sizeof kw_case_sector);
    KW_CHECK(kw_winc_root_kind(sector) == KW_WINC_ROOT_ERASED);
    kw_winc_root_begin(sector, KW_WINC_ROOT_V1);
    KW_CHECK(kw_winc_cert_read(&ROOT, &cert) == KW_OK);
    KW_CHECK(kw_winc_root_put(sector, &cert, false, &done) == KW_OK);
    KW_CHECK(done == KW_WINC_ROOT_ADDED);
    KW_CHECK(kw_winc_cert_read(&SIGNER, &cert) == KW_OK);
    KW_CHECK(kw_winc_root_put(sector, &cert, false, &done) == KW_OK);
    KW_CHECK(has_digest(STORE_OF_TWO));
    KW_CHECK(kw_winc_root_put(sector, &cert, false, &done) == KW_OK);
    KW_CHECK(done == KW_WINC_ROOT_SAME);
    KW_CHECK(kw_winc_root_check(sector, &count, &used) == KW_OK);
    KW_CHECK(count == 2);
    KW_CHECK(kw_winc_root_find(sector, ROOT_NAME_HASH, &root) == KW_OK);
    KW_CHECK(kw_winc_root_remove(sector, ROOT_NAME_HASH) == KW_OK);
    KW_CHECK(has_digest(STORE_OF_ONE));
    KW_CHECK(kw_winc_root_find(sector, ROOT_NAME_HASH, &root) ==
             KW_NO_WINC_ABSENT);
    return NULL;
}

static const char *full_root_store(void) {
    struct kw_winc_cert cert;
    enum kw_winc_root_put done = KW_WINC_ROOT_SAME;
    kw_status status = KW_OK;
    unsigned added = 0;
    memset(sector, 0xFF, sizeof kw_case_sector);
    kw_winc_root_begin(sector, KW_WINC_ROOT_V1);
    KW_CHECK(kw_winc_cert_read(&ROOT, &cert) == KW_OK);
    for (; status == KW_OK && added < 100; added++) {
        cert.subject_hash[0] = (uint8_t)added;
        status = kw_winc_root_put(sector, &cert, false, &done);
    }
    /* A header of 20 bytes, entries of 20 + 16 + 8 + 64. */
    KW_CHECK(status == KW_NO_WINC_FULL);
    KW_CHECK(added - 1 == (KW_WINC_ROOT_SIZE - KW_WINC_ROOT_HEADER) / 108);
    return NULL;
}

static kw_status read_erased(void *self, uint32_t offset, uint8_t *bytes,
                             size_t size) {
    (void)self;
    (void)offset;
    memset(bytes, 0xFF, size);
    return KW_OK;
}

static const char *tls_store(void) {
    const struct kw_source erased = {.read = read_erased,
                                     .size = KW_WINC_TLS_SIZE};
    struct kw_winc_cert certs[2];
    const struct kw_winc_chain chain = {.cert = certs, .count = 2};
    struct kw_winc_tls tls;
    struct kw_sha256 hash;
    uint8_t digest[KW_SHA256_SIZE];
    KW_CHECK(kw_winc_cert_read(&DEVICE, &certs[0]) == KW_OK);
    KW_CHECK(kw_winc_cert_read(&SIGNER, &certs[1]) == KW_OK);
    KW_CHECK(kw_winc_tls_read(&erased, KW_WINC_TLS_HEADER_196, &tls) == KW_OK);
    KW_CHECK(kw_winc_tls_put(&tls, &chain) == KW_OK);
    KW_CHECK(kw_winc_tls_lay_out(&tls) == KW_OK);
    kw_sha256_init(&hash);
    for (unsigned i = 0; i < 2; i++) {
        KW_CHECK(kw_winc_tls_render(&tls, i, sector) == KW_OK);
        kw_sha256_update(&hash, sector, sizeof kw_case_sector);
    }
    kw_sha256_final(&hash, digest);
    KW_CHECK(memcmp(digest, STORE_OF_CHAIN, sizeof digest) == 0);
    return NULL;
}

static const char *chain_out_of_order(void) {
    const struct kw_source erased = {.read = read_erased,
                                     .size = KW_WINC_TLS_SIZE};
    struct kw_winc_cert certs[2];
    const struct kw_winc_chain chain = {.cert = certs, .count = 2};
    struct kw_winc_tls tls;
    KW_CHECK(kw_winc_cert_read(&SIGNER, &certs[0]) == KW_OK);
    KW_CHECK(kw_winc_cert_read(&DEVICE, &certs[1]) == KW_OK);
    KW_CHECK(kw_winc_tls_read(&erased, KW_WINC_TLS_HEADER_196, &tls) == KW_OK);
    KW_CHECK(kw_winc_tls_put(&tls, &chain) == KW_NO_WINC_CHAIN);
    return NULL;
}

static const struct kw_case CASES[] = {
    {"certificate", certificate}, {"cut certificates", cut_certificates},
    {"root store", root_store},   {"full root store", full_root_store},
    {"TLS store", tls_store},     {"chain out of order", chain_out_of_order},
};

const struct kw_subject kw_winc_subject = KW_SUBJECT("winc", CASES);
