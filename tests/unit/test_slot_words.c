/* Slots in plain words: the policy of each part, and what a slot holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/rotate.h"
#include "host/emulated_chip.h"
#include "host/slot_words.h"
#include "sim/atecc608/chip.h"
#include "sim/atecc608/personality.h"

/* A copy of a TrustFLEX chip whose readable slots a test fills. */
struct bench {
    struct kw_chip_reading reading;
    struct kw_opened_link link;
    struct kw_chip chip;
    struct kw_chip_about about;
    struct kw_slot_words words;
    struct kw_error error;
};

static struct kw_chip_about about_of(enum kw_sim_part part) {
    struct kw_sim_eeprom eeprom;
    struct kw_chip_about about;
    assert_int_equal(
        kw_sim_personality(part, KW_SIM_608B, &kw_sim_crypto_openssl, &eeprom),
        KW_OK);
    memcpy(about.revision, eeprom.revision, sizeof about.revision);
    memcpy(about.config, eeprom.config, KW_CONFIG_SIZE);
    kw_config_serial(about.config, about.serial);
    about.part = kw_part_of(about.config, eeprom.otp);
    about.model = kw_model_of(about.revision);
    return about;
}

static int set_up(void **state) {
    struct bench *bench = calloc(1, sizeof *bench);
    bench->about = about_of(KW_SIM_TRUSTFLEX);
    memcpy(bench->reading.revision, bench->about.revision, 4);
    memcpy(bench->reading.config, bench->about.config, KW_CONFIG_SIZE);
    *state = bench;
    return 0;
}

static int tear_down(void **state) {
    struct bench *bench = *state;
    kw_link_close(&bench->link);
    free(bench);
    return 0;
}

static void fill(struct bench *bench, unsigned slot, const void *bytes,
                 size_t size) {
    bench->reading.readable[slot] = true;
    memcpy(bench->reading.slots[slot], bytes, size);
}

static const struct kw_slot_words *look(struct bench *bench, unsigned slot) {
    if (bench->link.close == NULL) {
        assert_int_equal(
            kw_emulated_copy(&bench->reading, &bench->link, &bench->error),
            KW_OK);
        kw_chip_init(&bench->chip, bench->link.link);
    }
    memcpy(bench->about.config, bench->reading.config, KW_CONFIG_SIZE);
    assert_int_equal(kw_slot_words_read(&bench->chip, &bench->about, slot,
                                        &bench->words, &bench->error),
                     KW_OK);
    return &bench->words;
}

struct row {
    unsigned slot;
    const char *kind;
    const char *read;
    const char *write;
    const char *use;
};

static void check(enum kw_sim_part part, const struct row *rows, size_t count) {
    const struct kw_chip_about about = about_of(part);
    for (size_t i = 0; i < count; i++) {
        struct kw_slot_words words;
        kw_slot_policy_words(&about, rows[i].slot, &words);
        assert_string_equal(words.kind, rows[i].kind);
        assert_string_equal(words.read, rows[i].read);
        assert_string_equal(words.write, rows[i].write);
        assert_string_equal(words.use, rows[i].use);
        assert_false(words.locked);
    }
}

static void trustflex_policy(void **state) {
    static const struct row ROWS[] = {
        {0, "private key", "nobody", "nobody",
         "signs any digest, makes ECDH secrets, random nonce for GenKey "
         "digests"},
        {1, "private key", "nobody", "nobody",
         "signs what the chip itself states, random nonce for GenKey digests"},
        {2, "private key", "nobody", "the chip (GenKey)",
         "signs any digest, makes ECDH secrets, random nonce for GenKey "
         "digests"},
        {5, "AES key", "nobody", "encrypted, key of slot 6",
         "encrypts (AES), makes MACs, derives keys"},
        {6, "secret", "nobody", "anyone",
         "makes MACs, derives keys, encrypts writes of slot 5, protects the "
         "bus (IO protection), random nonce needed"},
        {7, "secret", "nobody", "SecureBoot",
         "remembers the firmware's digest (SecureBoot)"},
        {8, "data", "anyone", "anyone", "keeps bytes"},
        {9, "AES key", "nobody", "anyone",
         "encrypts (AES), makes MACs, derives keys"},
        {13, "public key", "anyone", "anyone",
         "verifies signatures, validates slot 14"},
        {14, "public key", "anyone", "anyone while not validated",
         "verifies once slot 13 has validated it"},
        {15, "public key", "anyone", "anyone",
         "verifies signatures, checks firmware (SecureBoot)"},
    };
    (void)state;
    check(KW_SIM_TRUSTFLEX, ROWS, sizeof ROWS / sizeof *ROWS);
}

static void trustgo_policy(void **state) {
    static const struct row ROWS[] = {
        {10, "data", "anyone", "nobody", "keeps bytes"},
        {11, "public key", "anyone", "nobody", "verifies signatures"},
    };
    (void)state;
    check(KW_SIM_TRUSTGO, ROWS, sizeof ROWS / sizeof *ROWS);
}

static void blank_policy(void **state) {
    const struct kw_chip_about about = about_of(KW_SIM_BLANK);
    struct kw_slot_words words;
    (void)state;
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        kw_slot_policy_words(&about, slot, &words);
        assert_string_equal(words.read, "not before the lock");
        assert_string_equal(words.write, "not before the lock");
        assert_string_equal(words.purpose, "yours to define");
        assert_true(words.use[0] != '\0');
    }
}

static const char *write_of(const struct kw_chip_about *about, unsigned slot) {
    static struct kw_slot_words words;
    kw_slot_policy_words(about, slot, &words);
    return words.write;
}

static const char *use_of(const struct kw_chip_about *about, unsigned slot) {
    static struct kw_slot_words words;
    kw_slot_policy_words(about, slot, &words);
    return words.use;
}

/* WriteConfig Never speaks of Write: DeriveKey, KDF and ECDH go on. */
static void who_else_writes(void **state) {
    struct kw_chip_about about = about_of(KW_SIM_BLANK);
    (void)state;
    about.config[KW_CONFIG_LOCK_VALUE] = 0;
    about.config[KW_CONFIG_LOCK_CONFIG] = 0;
    assert_string_equal(write_of(&about, 4), "nobody");
    about.config[KW_CONFIG_SLOT_CONFIG + 2 * 4 + 1] |= 0x20;
    assert_string_equal(write_of(&about, 4), "the chip (DeriveKey)");
    about.config[KW_CONFIG_KEY_CONFIG + 2 * 5] |= 0x02;
    assert_string_equal(write_of(&about, 5), "anyone (KDF, ECDH)");
    assert_string_equal(write_of(&about, 3), "ECDH of slot 2");
    assert_non_null(strstr(use_of(&about, 2), "also into slot 3"));
    assert_non_null(strstr(use_of(&about, 4), "encrypts reads of slot 3"));
    about.config[KW_CONFIG_SLOT_CONFIG + 2 * 2] = 0x87; /* ReadKey 7 */
    assert_string_equal(write_of(&about, 3), "nobody");
    assert_null(strstr(use_of(&about, 2), "into"));
}

/* A private key without IsSecret: GenKey and PrivWrite are refused too. */
static void a_contradiction_is_written_by_nobody(void **state) {
    struct kw_chip_about about = about_of(KW_SIM_BLANK);
    (void)state;
    about.config[KW_CONFIG_LOCK_CONFIG] = 0;
    assert_string_equal(write_of(&about, 0),
                        "GenKey or PrivWrite until the lock");
    about.config[KW_CONFIG_SLOT_CONFIG] &= 0x7F;
    assert_string_equal(write_of(&about, 0), "nobody");
    about.config[KW_CONFIG_LOCK_VALUE] = 0;
    assert_string_equal(write_of(&about, 0), "nobody");
    about.config[KW_CONFIG_SLOT_CONFIG] |= 0x80;
    assert_string_equal(write_of(&about, 0), "the chip (GenKey)");
    about.config[KW_CONFIG_KEY_CONFIG] = 0x1F; /* KeyType 7 */
    assert_string_equal(write_of(&about, 0), "nobody");
}

/* PrivWrite under slot 4 counts as a Write under it. */
static void a_key_of_private_keys(void **state) {
    struct kw_chip_about about = about_of(KW_SIM_BLANK);
    (void)state;
    assert_null(strstr(use_of(&about, 4), "encrypts writes"));
    about.config[KW_CONFIG_SLOT_CONFIG + 2 * 1 + 1] = 0x44;
    assert_non_null(strstr(use_of(&about, 4), "encrypts writes of slot 1"));
}

/* Every value of both words of a slot leaves phrases that end. */
static void any_configuration(void **state) {
    struct kw_chip_about about = about_of(KW_SIM_TRUSTFLEX);
    uint8_t *slot_config = about.config + KW_CONFIG_SLOT_CONFIG + 2 * 9;
    uint8_t *key_config = about.config + KW_CONFIG_KEY_CONFIG + 2 * 9;
    (void)state;
    for (unsigned value = 0; value < 0x10000; value++) {
        struct kw_slot_words words;
        slot_config[0] = (uint8_t)value;
        slot_config[1] = (uint8_t)(value * 7 >> 4);
        key_config[0] = (uint8_t)(value >> 8);
        key_config[1] = (uint8_t)(value * 13);
        kw_slot_policy_words(&about, 9, &words);
        assert_true(words.read[0] != '\0' && words.write[0] != '\0');
        assert_true(words.use[0] != '\0' &&
                    strlen(words.use) < KW_WORDS_MAX - 1);
    }
}

static void private_keys_have_fingerprints(void **state) {
    const struct kw_slot_words *words = look(*state, 0);
    assert_string_equal(words->state, "private key");
    assert_true(words->has_fingerprint);
    assert_int_equal(strlen(words->fingerprint), 64);
}

static void secrets_are_not_read(void **state) {
    static const unsigned SECRET[] = {5, 6, 7, 9};
    for (size_t i = 0; i < sizeof SECRET / sizeof *SECRET; i++) {
        const struct kw_slot_words *words = look(*state, SECRET[i]);
        assert_string_equal(words->state, "cannot be read");
        assert_false(words->has_fingerprint);
    }
}

static void data_slots(void **state) {
    static const uint8_t SOME[] = {0, 0, 1};
    static const uint8_t ZEROS[72];
    uint8_t ones[72];
    struct bench *bench = *state;
    memset(ones, 0xFF, sizeof ones);
    fill(bench, 8, SOME, sizeof SOME);
    fill(bench, 10, ZEROS, sizeof ZEROS);
    fill(bench, 12, ones, sizeof ones);
    assert_string_equal(look(bench, 8)->state, "written");
    assert_string_equal(look(bench, 10)->state, "zeros");
    assert_string_equal(look(bench, 12)->state, "blank");
}

static void a_certificate_is_dated(void **state) {
    uint8_t compressed[72] = {1};
    static const uint8_t END[] = {0xA3, 0x84, 0xDC, 0xFF,
                                  0xF0, 0x30, 0xA0, 0x00};
    memcpy(compressed + 64, END, sizeof END);
    fill(*state, 10, compressed, sizeof compressed);
    assert_string_equal(look(*state, 10)->state,
                        "certificate issued 2020-07-01");
}

static void make_stored_key(uint8_t stored[KW_STORED_KEY_SIZE],
                            char fingerprint[KW_FINGERPRINT_TEXT]) {
    struct kw_error error;
    struct kw_key *key = NULL;
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    assert_int_equal(kw_key_make(&key, &error), KW_OK);
    kw_key_public(key, public_key);
    kw_stored_key(public_key, stored);
    kw_fingerprint(public_key, fingerprint);
    kw_key_free(key);
}

static void check_public(struct bench *bench, unsigned slot,
                         const char *expected, const char *fingerprint) {
    const struct kw_slot_words *words = look(bench, slot);
    assert_string_equal(words->state, expected);
    assert_int_equal(words->has_fingerprint, fingerprint != NULL);
    if (fingerprint != NULL) {
        assert_string_equal(words->fingerprint, fingerprint);
    }
}

static void public_keys(void **state) {
    struct bench *bench = *state;
    uint8_t stored[KW_STORED_KEY_SIZE];
    uint8_t no_point[KW_STORED_KEY_SIZE] = {0};
    char fingerprint[KW_FINGERPRINT_TEXT];
    make_stored_key(stored, fingerprint);
    no_point[40] = 1;
    fill(bench, 13, stored, sizeof stored);
    fill(bench, 15, no_point, sizeof no_point);
    stored[0] = 0x50;
    fill(bench, 14, stored, sizeof stored);
    check_public(bench, 11, "blank", NULL);
    check_public(bench, 13, "public key", fingerprint);
    check_public(bench, 14, "validated", fingerprint);
    check_public(bench, 15, "written, but no P-256 key", NULL);
}

static void not_validated(void **state) {
    struct bench *bench = *state;
    uint8_t stored[KW_STORED_KEY_SIZE];
    char fingerprint[KW_FINGERPRINT_TEXT];
    make_stored_key(stored, fingerprint);
    stored[0] = 0xA0;
    fill(bench, 14, stored, sizeof stored);
    check_public(bench, 14, "not validated", fingerprint);
}

static void zeroised_key(void **state) {
    uint8_t zeros[KW_STORED_KEY_SIZE] = {0xA0};
    fill(*state, 14, zeros, sizeof zeros);
    check_public(*state, 14, "zeros", NULL);
}

static void locked_slot(void **state) {
    struct bench *bench = *state;
    bench->reading.config[KW_CONFIG_SLOT_LOCKED + 1] = 0xDF; /* slot 13 */
    const struct kw_slot_words *words = look(bench, 13);
    assert_true(words->locked);
    assert_string_equal(words->write, "nobody: locked for ever");
    assert_string_equal(words->read, "anyone");
    assert_false(look(bench, 12)->locked);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trustflex_policy),
        cmocka_unit_test(trustgo_policy),
        cmocka_unit_test(blank_policy),
        cmocka_unit_test(who_else_writes),
        cmocka_unit_test(a_contradiction_is_written_by_nobody),
        cmocka_unit_test(a_key_of_private_keys),
        cmocka_unit_test(any_configuration),
        TEST(private_keys_have_fingerprints),
        TEST(secrets_are_not_read),
        TEST(data_slots),
        TEST(a_certificate_is_dated),
        TEST(public_keys),
        TEST(not_validated),
        TEST(zeroised_key),
        TEST(locked_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
