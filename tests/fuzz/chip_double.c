#include "tests/fuzz/chip_double.h"

#include <string.h>

#include "core/bytes.h"
#include "core/sha256.h"
#include "tests/fuzz/fuzz.h"

#define SECRETS 256

static uint8_t secrets[SECRETS][32];
static size_t secret_count;
static uint32_t generated;
static unsigned calls_until_failure; /* 0: none fails */
static bool has_failed;

void fuzz_crypto_reset(void) {
    secret_count = 0;
    generated = 0;
    calls_until_failure = 0;
    has_failed = false;
}

void fuzz_crypto_fail_after(unsigned calls) {
    calls_until_failure = calls + 1;
    has_failed = false;
}

bool fuzz_crypto_has_failed(void) {
    return has_failed;
}

/* Leaves zeros behind when it fails, as the real one does. */
static kw_status call(void *output, size_t size) {
    if (calls_until_failure == 0 || --calls_until_failure > 0) {
        return KW_OK;
    }
    has_failed = true;
    memset(output, 0, size);
    return KW_SYSTEM_CRYPTO;
}

static void generate(uint8_t bytes[32]) {
    generated++;
    const struct kw_hash hash = kw_sim_crypto_openssl.hash(NULL);
    FUZZ_DEMAND(kw_hash_bytes(&hash, &generated, sizeof generated, bytes) ==
                KW_OK);
}

void fuzz_secret(uint8_t secret[32]) {
    FUZZ_DEMAND(secret_count < SECRETS);
    generate(secret);
    secret[0] &= 0x7F; /* below the group's order */
    memcpy(secrets[secret_count++], secret, 32);
}

/* Not by memcmp: libFuzzer looks over its shoulder and would try the secret
 * as an input. */
bool fuzz_holds_secret(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i + 32 <= size; i++) {
        for (size_t j = 0; j < secret_count; j++) {
            if (bytes[i] == secrets[j][0] &&
                kw_equal_ct(bytes + i, secrets[j], 32)) {
                return true;
            }
        }
    }
    return false;
}

/* --- the table ---------------------------------------------------------- */

static kw_status open_double(void **context) {
    *context = NULL;
    return KW_OK;
}

static void close_double(void *context) {
    (void)context;
}

static kw_status random_double(void *context, uint8_t *bytes, size_t size) {
    uint8_t block[32];
    (void)context;
    KW_TRY(call(bytes, size));
    for (size_t i = 0; i < size; i++) {
        if (i % sizeof block == 0) {
            generate(block);
        }
        bytes[i] = block[i % sizeof block];
    }
    return KW_OK;
}

static kw_status sha256_double(void *self, const struct kw_span *spans,
                               size_t count, uint8_t digest[32]) {
    const struct kw_hash hash = kw_sim_crypto_openssl.hash(self);
    KW_TRY(call(digest, 32));
    return kw_hash_spans(&hash, spans, count, digest);
}

static struct kw_hash hash_double(void *context) {
    return (struct kw_hash){.sha256 = sha256_double, .self = context};
}

static kw_status key_make_double(void *context, uint8_t private_key[32]) {
    (void)context;
    KW_TRY(call(private_key, 32));
    fuzz_secret(private_key);
    return KW_OK;
}

static kw_status key_public_double(void *context, const uint8_t private_key[32],
                                   uint8_t public_key[64]) {
    const struct kw_hash hash = kw_sim_crypto_openssl.hash(context);
    KW_TRY(call(public_key, 64));
    memset(public_key, 0, 64);
    KW_ENSURE(!kw_all_bytes(private_key, 32, 0) &&
                  !kw_all_bytes(private_key, 4, 0xFF),
              KW_PARSE_KEY);
    KW_TRY(kw_hash_bytes(&hash, private_key, 32, public_key));
    return kw_hash_bytes(&hash, public_key, 32, public_key + 32);
}

static kw_status sign_double(void *context, const uint8_t private_key[32],
                             const uint8_t digest[32], uint8_t signature[64]) {
    const struct kw_hash hash = kw_sim_crypto_openssl.hash(context);
    const struct kw_span spans[] = {{private_key, 32}, {digest, 32}};
    KW_TRY(call(signature, 64));
    KW_TRY(key_public_double(context, private_key, signature));
    KW_TRY(kw_hash_spans(&hash, spans, 2, signature));
    signature[0] |= 1;
    return KW_OK;
}

static kw_status verify_double(void *context, const uint8_t public_key[64],
                               const uint8_t digest[32],
                               const uint8_t signature[64]) {
    uint8_t nothing;
    (void)context;
    (void)digest;
    KW_TRY(call(&nothing, sizeof nothing));
    KW_ENSURE(!kw_all_bytes(public_key, 4, 0xFF), KW_PARSE_KEY);
    return (signature[0] & 1) != 0 ? KW_OK : KW_NO_SIGNATURE;
}

/* Known answers are right; what is no point of the curve is hashed, unless
 * it is a blank slot, as such points are this table's public keys. */
static kw_status ecdh_double(void *context, const uint8_t private_key[32],
                             const uint8_t public_key[64], uint8_t secret[32]) {
    const struct kw_hash hash = kw_sim_crypto_openssl.hash(context);
    const struct kw_span spans[] = {{private_key, 32}, {public_key, 64}};
    void *real;
    KW_TRY(call(secret, 32));
    FUZZ_DEMAND(kw_sim_crypto_openssl.open(&real) == KW_OK);
    const kw_status status =
        kw_sim_crypto_openssl.ecdh(real, private_key, public_key, secret);
    kw_sim_crypto_openssl.close(real);
    return status == KW_PARSE && !kw_all_bytes(public_key, 4, 0xFF)
               ? kw_hash_spans(&hash, spans, 2, secret)
               : status;
}

static kw_status aes_double(void *context, const uint8_t key[16], bool decrypt,
                            const uint8_t input[16], uint8_t output[16]) {
    KW_TRY(call(output, 16));
    return kw_sim_crypto_openssl.aes128(context, key, decrypt, input, output);
}

static kw_status block_double(void *context, uint32_t state[8],
                              const uint8_t block[64]) {
    uint8_t nothing; /* the state stays */
    KW_TRY(call(&nothing, sizeof nothing));
    return kw_sim_crypto_openssl.sha256_block(context, state, block);
}

const struct kw_sim_crypto fuzz_crypto = {
    .open = open_double,
    .close = close_double,
    .random = random_double,
    .hash = hash_double,
    .key_make = key_make_double,
    .key_public = key_public_double,
    .sign = sign_double,
    .verify = verify_double,
    .ecdh = ecdh_double,
    .aes128 = aes_double,
    .sha256_block = block_double,
};
