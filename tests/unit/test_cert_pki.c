/* Certificates to the byte: the manual's chain is read, built again and
 * verified; what is damaged or does not fit is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/certs/pki_file.h"
#include "host/certs/pki_verify.h"

enum { ROOT, SIGNER, DEVICE, COUNT };

static const char *const NAMES[COUNT] = {"root", "signer", "device"};

struct chain {
    struct kw_pki_bytes bytes[COUNT];
    struct kw_pki_view view[COUNT];
};

static void read_chain(struct chain *chain) {
    struct kw_error error;
    for (int i = 0; i < COUNT; i++) {
        char *path = kw_format("%s/manual_%s.pem", KW_TEST_VECTORS, NAMES[i]);
        assert_int_equal(
            kw_pki_read_file(path, &chain->bytes[i], &chain->view[i], &error),
            KW_OK);
        free(path);
    }
}

static void build(const struct kw_pki_view *issuer,
                  const struct kw_pki_view *view, enum kw_pki_profile profile,
                  struct kw_pki_bytes *whole) {
    uint8_t id[KW_KEY_ID_SIZE];
    struct kw_pki_bytes tbs;
    kw_pki_key_id(issuer->public_key, id);
    const struct kw_pki_about about = {
        .profile = profile,
        .issuer = issuer->subject,
        .subject = view->subject,
        .public_key = view->public_key,
        .issuer_id = id,
        .serial = view->serial.at,
        .serial_size = view->serial.left,
        .not_before = view->not_before,
        .not_after = view->not_after,
        .after_is_generalized = profile != KW_PKI_ROOT,
    };
    assert_int_equal(kw_pki_tbs(&about, &tbs), KW_OK);
    assert_int_equal(kw_pki_join(kw_pki_cursor(&tbs), view->signature, whole),
                     KW_OK);
}

static void the_manuals_chain_is_built_again(void **state) {
    static const enum kw_pki_profile PROFILES[COUNT] = {
        KW_PKI_ROOT, KW_PKI_SIGNER, KW_PKI_DEVICE};
    struct chain chain;
    struct kw_pki_bytes built;
    (void)state;
    read_chain(&chain);
    for (int i = 0; i < COUNT; i++) {
        const int issuer = i == ROOT ? ROOT : i - 1;
        build(&chain.view[issuer], &chain.view[i], PROFILES[i], &built);
        assert_int_equal(built.size, chain.bytes[i].size);
        assert_memory_equal(built.der, chain.bytes[i].der, built.size);
    }
}

static void the_manuals_chain_is_checked(void **state) {
    struct chain chain;
    struct kw_error error;
    const struct kw_moment at = {.year = 2021, .month = 1, .day = 1};
    (void)state;
    read_chain(&chain);
    assert_int_equal(kw_pki_check_chain(chain.view, NAMES, COUNT, &at, &error),
                     KW_OK);
    chain.view[SIGNER] = chain.view[ROOT];
    assert_int_equal(kw_pki_check_chain(chain.view, NAMES, COUNT, &at, &error),
                     KW_NO_SIGNATURE);
    assert_non_null(strstr(error.message, "device"));
}

/* The manual's device begins two hours before its signer. */
static void a_certificate_that_predates_is_found(void **state) {
    struct chain chain;
    const char *words = NULL;
    (void)state;
    read_chain(&chain);
    assert_int_equal(
        kw_pki_check_nesting(&chain.view[SIGNER], &chain.view[DEVICE], &words),
        KW_NO);
    assert_non_null(strstr(words, "begins before"));
}

static void times_are_checked(void **state) {
    struct chain chain;
    struct kw_error error;
    const struct kw_moment early = {.year = 2020, .month = 1, .day = 1};
    const struct kw_moment late = {.year = 2041, .month = 1, .day = 1};
    (void)state;
    read_chain(&chain);
    assert_int_equal(kw_pki_check_chain(chain.view, NAMES, 2, &early, &error),
                     KW_NO);
    assert_non_null(strstr(error.message, "not valid yet"));
    assert_int_equal(kw_pki_check_chain(chain.view, NAMES, 2, &late, &error),
                     KW_NO);
    assert_non_null(strstr(error.message, "signer"));
    assert_non_null(strstr(error.message, "expired"));
}

/* Each bit of the part that is signed, flipped. */
static void a_flipped_bit_is_found(void **state) {
    struct chain chain;
    struct kw_verifier *verifier = NULL;
    (void)state;
    read_chain(&chain);
    assert_int_equal(kw_verifier_open(chain.view[SIGNER].public_key, &verifier),
                     KW_OK);
    assert_int_equal(kw_verifier_certificate(verifier, &chain.view[DEVICE]),
                     KW_OK);
    for (size_t bit = 0; bit < 8 * chain.bytes[DEVICE].size; bit += 3) {
        struct kw_pki_bytes damaged = chain.bytes[DEVICE];
        struct kw_pki_view view;
        damaged.der[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(kw_pki_read(kw_pki_cursor(&damaged), &view) == KW_OK &&
                     kw_verifier_certificate(verifier, &view) == KW_OK);
    }
    kw_verifier_close(verifier);
}

static void a_cut_certificate_is_refused(void **state) {
    struct chain chain;
    (void)state;
    read_chain(&chain);
    for (size_t size = 0; size < chain.bytes[DEVICE].size; size++) {
        const struct kw_der cut = {chain.bytes[DEVICE].der, size};
        struct kw_pki_view view;
        assert_int_not_equal(kw_pki_read(cut, &view), KW_OK);
    }
}

static void the_names_are_read(void **state) {
    struct chain chain;
    char text[65];
    (void)state;
    read_chain(&chain);
    assert_int_equal(kw_pki_attribute(chain.view[DEVICE].subject,
                                      KW_PKI_COMMON_NAME, text, sizeof text),
                     KW_OK);
    assert_string_equal(text, "sn01233E8A1491F2A601");
    assert_int_equal(kw_pki_attribute(chain.view[DEVICE].subject,
                                      KW_PKI_ORGANISATION, text, sizeof text),
                     KW_OK);
    assert_string_equal(text, "test");
}

static void minimal_numbers(void **state) {
    static const struct {
        uint8_t content[4];
        size_t size;
        bool good;
    } ROWS[] = {
        {{0x00}, 1, true},        {{0x7F}, 1, true},
        {{0x00, 0x80}, 2, true},  {{0x80}, 1, false},
        {{0x00, 0x7F}, 2, false}, {{0x00}, 0, false},
        {{1, 2, 3}, 3, false},
    };
    uint8_t number[2];
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct kw_der content = {ROWS[i].content, ROWS[i].size};
        assert_int_equal(kw_der_number(content, number, sizeof number) == KW_OK,
                         ROWS[i].good);
    }
}

/* R and S of every length, also with leading zeros, come back. */
static void signatures_with_leading_zeros(void **state) {
    uint8_t signature[KW_SIGNATURE_SIZE];
    uint8_t der[72];
    uint8_t back[KW_SIGNATURE_SIZE];
    struct kw_der_writer writer;
    struct kw_der written;
    (void)state;
    for (size_t zeros = 0; zeros <= 31; zeros++) {
        memset(signature, 0xA5, sizeof signature);
        memset(signature, 0, zeros);
        memset(signature + 32, 0, 31 - zeros);
        kw_der_begin(&writer, der, sizeof der);
        kw_der_put_signature(&writer, signature);
        assert_int_equal(kw_der_finish(&writer, &written), KW_OK);
        assert_int_equal(kw_der_signature(written, back), KW_OK);
        assert_memory_equal(back, signature, sizeof back);
    }
}

/* The offsets that vendor templates have: names of 24, 33 and 20 characters,
 * and an EUI-48 where the newer Trust&GO parts have one. */
static void offsets_as_in_vendor_templates(void **state) {
    struct kw_pki_bytes issuer;
    struct kw_pki_bytes subject;
    struct kw_pki_bytes tbs;
    uint8_t serial[KW_PKI_SERIAL_SIZE];
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    uint8_t id[KW_KEY_ID_SIZE];
    (void)state;
    memset(serial, 0x41, sizeof serial);
    memset(key, 0x42, sizeof key);
    memset(id, 0x43, sizeof id);
    assert_int_equal(kw_pki_name("An organisation of 24 ch",
                                 "Thirty-three characters have FFFF", &issuer),
                     KW_OK);
    assert_int_equal(kw_pki_name("An organisation of 24 ch",
                                 "sn0123AABBCCDDEEFF01", &subject),
                     KW_OK);
    struct kw_pki_about about = {
        .profile = KW_PKI_DEVICE,
        .issuer = kw_pki_cursor(&issuer),
        .subject = kw_pki_cursor(&subject),
        .public_key = key,
        .issuer_id = id,
        .serial = serial,
        .serial_size = sizeof serial,
        .not_before = {.year = 2026, .month = 11, .day = 20},
        .not_after = {.year = 2054, .month = 11, .day = 20},
        .after_is_generalized = true,
    };
    assert_int_equal(kw_pki_tbs(&about, &tbs), KW_OK);
    assert_int_equal(tbs.size, 411);
    /* in a certificate, 4 bytes later */
    assert_memory_equal(tbs.der + 15 - 4, serial, sizeof serial);
    assert_memory_equal(tbs.der + 120 - 4, "FFFF", 4);
    assert_memory_equal(tbs.der + 253 - 4, key, sizeof key);
    assert_memory_equal(tbs.der + 395 - 4, id, sizeof id);
    about.eui48 = "0123456789AB";
    assert_int_equal(kw_pki_tbs(&about, &tbs), KW_OK);
    assert_int_equal(tbs.size, 457);
    assert_memory_equal(tbs.der + 355 - 4, "0123456789AB", 12);
    assert_memory_equal(tbs.der + 441 - 4, id, sizeof id);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manuals_chain_is_built_again),
        cmocka_unit_test(the_manuals_chain_is_checked),
        cmocka_unit_test(a_certificate_that_predates_is_found),
        cmocka_unit_test(times_are_checked),
        cmocka_unit_test(a_flipped_bit_is_found),
        cmocka_unit_test(a_cut_certificate_is_refused),
        cmocka_unit_test(the_names_are_read),
        cmocka_unit_test(minimal_numbers),
        cmocka_unit_test(signatures_with_leading_zeros),
        cmocka_unit_test(offsets_as_in_vendor_templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
