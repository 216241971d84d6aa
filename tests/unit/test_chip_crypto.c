/* The mathematics behind the emulated chip, against published values. */
#include "chip_fixture.h"

static const struct kw_sim_crypto *const crypto = &kw_sim_crypto_openssl;

/* The order of P-256 and its generator: SP 800-186 section 3.2.1.3. */
static const char ORDER[] =
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
static const char GENERATOR[] =
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

/* RFC 6979 A.2.5, message "sample", SHA-256. */
static const char RFC_PRIVATE[] =
    "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
static const char RFC_PUBLIC[] =
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
static const char RFC_SIGNATURE[] =
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";

static int open_context(void **state) {
    return crypto->open(state) == KW_OK ? 0 : -1;
}

static int close_context(void **state) {
    crypto->close(*state);
    return 0;
}

static void known_public_keys(void **state) {
    uint8_t scalar[32] = {0};
    uint8_t expected[64];
    uint8_t public_key[64];
    scalar[31] = 1;
    (void)from_hex(GENERATOR, expected, 64);
    assert_int_equal(crypto->key_public(*state, scalar, public_key), KW_OK);
    assert_memory_equal(public_key, expected, 64);
    /* The order less one: the same X. */
    (void)from_hex(ORDER, scalar, 32);
    scalar[31]--;
    assert_int_equal(crypto->key_public(*state, scalar, public_key), KW_OK);
    assert_memory_equal(public_key, expected, 32);
    (void)from_hex(RFC_PRIVATE, scalar, 32);
    (void)from_hex(RFC_PUBLIC, expected, 64);
    assert_int_equal(crypto->key_public(*state, scalar, public_key), KW_OK);
    assert_memory_equal(public_key, expected, 64);
}

static void scalars_out_of_range(void **state) {
    const char *const bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        ORDER,
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    for (size_t i = 0; i < 3; i++) {
        uint8_t scalar[32];
        uint8_t output[64];
        (void)from_hex(bad[i], scalar, 32);
        memset(output, 0xAA, sizeof(output));
        assert_int_equal(crypto->key_public(*state, scalar, output),
                         KW_PARSE_KEY);
        assert_true(kw_all_bytes(output, 64, 0));
        memset(output, 0xAA, sizeof(output));
        assert_int_equal(crypto->sign(*state, scalar, DIGEST, output),
                         KW_PARSE_KEY);
        assert_true(kw_all_bytes(output, 64, 0));
    }
}

static void known_signature(void **state) {
    uint8_t public_key[64];
    uint8_t signature[64];
    uint8_t digest[32];
    (void)from_hex(RFC_PUBLIC, public_key, 64);
    (void)from_hex(RFC_SIGNATURE, signature, 64);
    hash_outside("sample", 6, digest);
    assert_int_equal(crypto->verify(*state, public_key, digest, signature),
                     KW_OK);
    for (size_t byte = 0; byte < 64; byte++) {
        signature[byte] ^= 0x40;
        assert_int_equal(crypto->verify(*state, public_key, digest, signature),
                         KW_NO_SIGNATURE);
        signature[byte] ^= 0x40;
    }
}

static void keys_off_the_curve(void **state) {
    uint8_t public_key[64];
    uint8_t signature[64];
    (void)from_hex(RFC_SIGNATURE, signature, 64);
    (void)from_hex(RFC_PUBLIC, public_key, 64);
    public_key[63] ^= 1;
    assert_int_equal(crypto->verify(*state, public_key, DIGEST, signature),
                     KW_PARSE_KEY);
    memset(public_key, 0, sizeof(public_key));
    assert_int_equal(crypto->verify(*state, public_key, DIGEST, signature),
                     KW_PARSE_KEY);
    /* A point with X = 5, encoded as 5 and as 5 + p. */
    (void)from_hex(
        "0000000000000000000000000000000000000000000000000000000000000005"
        "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc",
        public_key, 64);
    assert_int_equal(crypto->verify(*state, public_key, DIGEST, signature),
                     KW_NO_SIGNATURE);
    (void)from_hex(
        "ffffffff00000001000000000000000000000001000000000000000000000004",
        public_key, 32);
    assert_int_equal(crypto->verify(*state, public_key, DIGEST, signature),
                     KW_PARSE_KEY);
}

/* Many keys through one context: nothing of one stays for the next. */
static void signs_for_many_keys(void **state) {
    for (unsigned i = 0; i < 200; i++) {
        const struct outside_key key = make_key();
        uint8_t signature[64];
        assert_int_equal(
            crypto->sign(*state, key.private_key, DIGEST, signature), KW_OK);
        assert_int_equal(
            crypto->verify(*state, key.public_key, DIGEST, signature), KW_OK);
    }
}

static void ecdh_answers(void **state) {
    uint8_t scalar[32] = {[31] = 2};
    uint8_t generator[64];
    uint8_t doubled[64];
    uint8_t secret[32];
    (void)from_hex(GENERATOR, generator, 64);
    assert_int_equal(crypto->key_public(*state, scalar, doubled), KW_OK);
    assert_int_equal(crypto->ecdh(*state, scalar, generator, secret), KW_OK);
    assert_memory_equal(secret, doubled, 32);
    /* A scalar out of range, and a point that is none, are told apart. */
    memset(scalar, 0, 32);
    assert_int_equal(crypto->ecdh(*state, scalar, generator, secret),
                     KW_PARSE_KEY);
    (void)from_hex(ORDER, scalar, 32);
    assert_int_equal(crypto->ecdh(*state, scalar, generator, secret),
                     KW_PARSE_KEY);
    scalar[31]--;
    assert_int_equal(crypto->ecdh(*state, scalar, generator, secret), KW_OK);
    assert_memory_equal(secret, generator, 32);
    generator[0] ^= 1;
    assert_int_equal(crypto->ecdh(*state, scalar, generator, secret), KW_PARSE);
    assert_true(kw_all_bytes(secret, 32, 0));
}

/* R and S below 1 or not below the order. */
static void signatures_out_of_range(void **state) {
    const char *const bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        ORDER,
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    struct outside_key key = make_key();
    static const uint8_t zero_digest[32];
    uint8_t good[64];
    sign_outside(&key, zero_digest, good);
    assert_int_equal(crypto->verify(*state, key.public_key, zero_digest, good),
                     KW_OK);
    for (size_t i = 0; i < 6; i++) {
        uint8_t signature[64];
        memcpy(signature, good, 64);
        (void)from_hex(bad[i / 2], signature + 32 * (i % 2), 32);
        assert_int_equal(
            crypto->verify(*state, key.public_key, zero_digest, signature),
            KW_NO_SIGNATURE);
    }
    /* R + order is R modulo the order, and still no signature. */
    uint8_t order[32];
    unsigned carry = 0;
    (void)from_hex(ORDER, order, 32);
    for (size_t i = 32; i-- > 0;) {
        carry += (unsigned)good[i] + order[i];
        good[i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(crypto->verify(*state, key.public_key, zero_digest, good),
                     KW_NO_SIGNATURE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_public_keys),
        cmocka_unit_test(scalars_out_of_range),
        cmocka_unit_test(known_signature),
        cmocka_unit_test(keys_off_the_curve),
        cmocka_unit_test(signs_for_many_keys),
        cmocka_unit_test(ecdh_answers),
        cmocka_unit_test(signatures_out_of_range),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
