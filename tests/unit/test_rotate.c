/* Bundles against the emulated chip: every bit flipped, every pair wrong,
 * the power gone at every transfer; real signatures throughout. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/rotate.h"
#include "host/authorization.h"
#include "host/envelope.h"
#include "host/openssl_hash.h"
#include "host/text.h"
#include "sim/atecc608/chip.h"
#include "sim/atecc608/personality.h"

#define SEQUENCE 1

/* --- a chip behind a link that can fail --- */

struct bench {
    struct kw_sim_chip *sim;
    struct kw_chip chip;
    unsigned transfers;
    unsigned lose_answer_at; /* 0: never */
    uint8_t refuse_opcode;   /* such a command is answered 0F ... */
    uint8_t refuse_param1;
    unsigned refuse_skip;  /* ... after so many were let through ... */
    unsigned refuse_count; /* ... so many times */
};

static kw_status wake(void *self) {
    (void)kw_sim_chip_wake(((struct bench *)self)->sim);
    return KW_OK;
}

static kw_status idle(void *self) {
    kw_sim_chip_idle(((struct bench *)self)->sim);
    return KW_OK;
}

static kw_status transfer(void *self, const uint8_t *packet, size_t size,
                          uint8_t *response, size_t capacity,
                          size_t *response_size) {
    static const uint8_t refusal[] = {0x04, 0x0F, 0x23, 0x42};
    struct bench *bench = self;
    (void)capacity;
    bench->transfers++;
    const bool fits =
        packet[1] == bench->refuse_opcode && packet[2] == bench->refuse_param1;
    if (fits && bench->refuse_skip > 0) {
        bench->refuse_skip--;
    } else if (fits && bench->refuse_count > 0) {
        bench->refuse_count--;
        memcpy(response, refusal, sizeof refusal);
        *response_size = sizeof refusal;
        return KW_OK;
    }
    *response_size = kw_sim_chip_execute(bench->sim, packet, size, response);
    return bench->transfers == bench->lose_answer_at ? KW_ABSENT_ANSWER : KW_OK;
}

static const struct kw_link_ops OPS = {wake, idle, idle, transfer, NULL};

static void power(struct bench *bench, const struct kw_sim_eeprom *eeprom) {
    const struct kw_sim_options options = {.crypto = NULL};
    *bench = (struct bench){.sim = kw_sim_chip_new(eeprom, &options)};
    assert_non_null(bench->sim);
    kw_chip_init(&bench->chip, (struct kw_link){&OPS, bench});
}

static void unplug(struct bench *bench) {
    kw_sim_chip_free(bench->sim);
}

/* --- keys, pairs, a bundle --- */

struct key {
    struct kw_key *pair;
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
};

struct world {
    struct kw_sim_eeprom eeprom; /* authority in 13, validated old key in 14 */
    struct key authority;
    struct key old_key;
    struct key new_key;
    struct key stranger;
    uint8_t old_invalidate[KW_PAIR_SIZE];
    uint8_t old_validate[KW_PAIR_SIZE];
    uint8_t new_validate[KW_PAIR_SIZE];
    uint8_t proof[KW_SIGNATURE_SIZE];
    uint8_t serial[KW_SERIAL_SIZE];
    uint8_t configuration[KW_SHA256_SIZE];
    struct kw_bundle content;
    struct kw_envelope envelope;
};

static struct world world;
static struct kw_error error;

static void make_key(struct key *key) {
    assert_int_equal(kw_key_make(&key->pair, &error), KW_OK);
    kw_key_public(key->pair, key->public_key);
}

static void sign_pair(const struct key *signer, const struct key *key,
                      bool invalidate, uint8_t pair[KW_PAIR_SIZE]) {
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t other[KW_OTHER_DATA_SIZE];
    assert_int_equal(kw_random(pair, KW_NONCE_SIZE, &error), KW_OK);
    const struct kw_pair_about about = {
        world.serial, kw_configuration_of(world.eeprom.config), key->public_key,
        pair, invalidate};
    assert_int_equal(kw_pair_digest(&kw_openssl_hash, &about, digest, other),
                     KW_OK);
    assert_int_equal(
        kw_key_sign(signer->pair, digest, pair + KW_NONCE_SIZE, &error), KW_OK);
}

static void sign_proof(const struct key *signer, bool fleet) {
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t serial[KW_SERIAL_SIZE];
    memcpy(serial, world.serial, sizeof serial);
    if (fleet) {
        kw_serial_of_fleet(world.serial, serial);
    }
    const struct kw_proof proof = {!fleet, serial, world.configuration,
                                   world.old_key.public_key,
                                   world.new_key.public_key};
    assert_int_equal(kw_proof_digest(&kw_openssl_hash, &proof, digest), KW_OK);
    assert_int_equal(kw_key_sign(signer->pair, digest, world.proof, &error),
                     KW_OK);
}

/* Signs what the content says now. */
static void seal(const struct key *signer) {
    uint8_t digest[KW_SHA256_SIZE];
    kw_bundle_encode(&world.content, world.envelope.payload);
    world.envelope.payload_size = KW_BUNDLE_SIZE;
    assert_int_equal(
        kw_bundle_digest(&kw_openssl_hash, world.envelope.payload, digest),
        KW_OK);
    assert_int_equal(
        kw_key_sign(signer->pair, digest, world.envelope.signature, &error),
        KW_OK);
}

static void fill_content(void) {
    world.content = (struct kw_bundle){
        .names_serial = true,
        .has_old_key = true,
        .old_validated = true,
        .sequence = SEQUENCE,
        .serial = world.serial,
        .configuration_digest = world.configuration,
        .old_key = world.old_key.public_key,
        .old_invalidate = world.old_invalidate,
        .old_validate = world.old_validate,
        .new_key = world.new_key.public_key,
        .new_validate = world.new_validate,
        .proof = world.proof,
    };
}

static void make_bundle(void) {
    sign_pair(&world.authority, &world.old_key, true, world.old_invalidate);
    sign_pair(&world.authority, &world.old_key, false, world.old_validate);
    sign_pair(&world.authority, &world.new_key, false, world.new_validate);
    sign_proof(&world.new_key, false);
    fill_content();
    seal(&world.authority);
}

static int set_up(void **state) {
    (void)state;
    assert_int_equal(kw_sim_personality(KW_SIM_TRUSTFLEX, KW_SIM_608B,
                                        &kw_sim_crypto_openssl, &world.eeprom),
                     KW_OK);
    make_key(&world.authority);
    make_key(&world.old_key);
    make_key(&world.new_key);
    make_key(&world.stranger);
    kw_stored_key(world.authority.public_key,
                  kw_sim_eeprom_slot(&world.eeprom, KW_AUTHORITY_SLOT));
    uint8_t *slot = kw_sim_eeprom_slot(&world.eeprom, KW_ROTATING_SLOT);
    kw_stored_key(world.old_key.public_key, slot);
    slot[0] = 0x50;
    kw_config_serial(world.eeprom.config, world.serial);
    const struct kw_configuration configuration =
        kw_configuration_of(world.eeprom.config);
    assert_int_equal(kw_configuration_digest(&kw_openssl_hash, &configuration,
                                             world.configuration),
                     KW_OK);
    make_bundle();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    kw_key_free(world.authority.pair);
    kw_key_free(world.old_key.pair);
    kw_key_free(world.new_key.pair);
    kw_key_free(world.stranger.pair);
    return 0;
}

/* --- applying --- */

static kw_status apply_envelope(struct bench *bench,
                                const struct kw_envelope *envelope) {
    struct kw_bundle bundle;
    enum kw_rotate_position position = KW_ROTATE_READY;
    KW_TRY(
        kw_bundle_decode(envelope->payload, envelope->payload_size, &bundle));
    const struct kw_rotate rotate = {.chip = &bench->chip,
                                     .hash = &kw_openssl_hash,
                                     .bundle = &bundle,
                                     .signature = envelope->signature};
    return kw_rotate_run(&rotate, &position);
}

static bool slot_is(const struct bench *bench, const struct key *key,
                    bool valid) {
    struct kw_sim_eeprom now = *kw_sim_chip_eeprom(bench->sim);
    uint8_t found[KW_PUBLIC_KEY_SIZE];
    const uint8_t *slot = kw_sim_eeprom_slot(&now, KW_ROTATING_SLOT);
    return kw_stored_key_read(slot, found) &&
           memcmp(found, key->public_key, sizeof found) == 0 &&
           kw_stored_key_is_valid(slot[0]) == valid;
}

static uint32_t counter_of(const struct bench *bench) {
    return kw_counter_decode(kw_sim_chip_eeprom(bench->sim)->config +
                             KW_CONFIG_COUNTER + 8);
}

/* Nothing in the chip has changed. */
static void assert_untouched(const struct bench *bench) {
    assert_memory_equal(kw_sim_chip_eeprom(bench->sim), &world.eeprom,
                        sizeof world.eeprom);
}

static void refuse(kw_status expected) {
    struct bench bench;
    power(&bench, &world.eeprom);
    assert_int_equal(apply_envelope(&bench, &world.envelope), expected);
    assert_untouched(&bench);
    unplug(&bench);
}

static void applies(void **state) {
    (void)state;
    struct bench bench;
    power(&bench, &world.eeprom);
    assert_int_equal(apply_envelope(&bench, &world.envelope), KW_OK);
    assert_true(slot_is(&bench, &world.new_key, true));
    assert_int_equal(counter_of(&bench), SEQUENCE);
    /* Applied again: already done. */
    assert_int_equal(apply_envelope(&bench, &world.envelope), KW_OK);
    unplug(&bench);
}

static void applies_to_a_fleet(void **state) {
    (void)state;
    struct bench bench;
    world.content.names_serial = false;
    sign_proof(&world.new_key, true);
    seal(&world.authority);
    power(&bench, &world.eeprom);
    assert_int_equal(apply_envelope(&bench, &world.envelope), KW_OK);
    assert_true(slot_is(&bench, &world.new_key, true));
    unplug(&bench);
}

/* --- refusals --- */

/* Every bit of payload and signature. */
static void refuses_every_flipped_bit(void **state) {
    (void)state;
    struct bench bench;
    const size_t bits = 8 * (KW_BUNDLE_SIZE + KW_SIGNATURE_SIZE);
    power(&bench, &world.eeprom);
    for (size_t bit = 0; bit < bits; bit++) {
        struct kw_envelope flipped = world.envelope;
        uint8_t *bytes = bit / 8 < KW_BUNDLE_SIZE
                             ? flipped.payload + bit / 8
                             : flipped.signature + bit / 8 - KW_BUNDLE_SIZE;
        *bytes = (uint8_t)(*bytes ^ (1u << (bit % 8)));
        assert_int_not_equal(apply_envelope(&bench, &flipped), KW_OK);
        assert_untouched(&bench);
    }
    unplug(&bench);
}

/* Every bit of the file as it lies on the disk. */
static void refuses_every_flipped_bit_of_the_file(void **state) {
    (void)state;
    struct bench bench;
    char text[2048];
    char *payload = kw_base64url(world.envelope.payload, KW_BUNDLE_SIZE);
    char *signature = kw_base64url(world.envelope.signature, KW_SIGNATURE_SIZE);
    const int size = snprintf(text, sizeof text,
                              "{\"payload\":\"%s\",\"signature\":\"%s\"}\n",
                              payload, signature);
    power(&bench, &world.eeprom);
    for (size_t bit = 0; bit < 8 * (size_t)size; bit++) {
        struct kw_envelope read;
        char *at = text + bit / 8;
        *at = (char)(*at ^ (1 << (bit % 8)));
        kw_status status =
            kw_envelope_parse(text, (size_t)size, KW_BUNDLE_SIZE, &read);
        status = status == KW_OK ? apply_envelope(&bench, &read) : status;
        assert_int_not_equal(status, KW_OK);
        assert_untouched(&bench);
        *at = (char)(*at ^ (1 << (bit % 8)));
    }
    unplug(&bench);
    free(payload);
    free(signature);
}

static void refuses_another_authority(void **state) {
    (void)state;
    seal(&world.stranger);
    refuse(KW_NO_BUNDLE_SIGNATURE);
}

static void refuses_a_chip_without_authority(void **state) {
    (void)state;
    memset(kw_sim_eeprom_slot(&world.eeprom, KW_AUTHORITY_SLOT), 0xFF, 72);
    refuse(KW_NO_BUNDLE_SIGNATURE);
}

static void refuses_another_serial(void **state) {
    (void)state;
    world.serial[3] ^= 1;
    sign_proof(&world.new_key, false);
    seal(&world.authority);
    refuse(KW_NO_SERIAL);
}

static void refuses_another_configuration(void **state) {
    (void)state;
    world.eeprom.config[KW_CONFIG_SLOT_LOCKED + 1] &= 0xDF; /* slot 13 */
    refuse(KW_NO_CONFIGURATION);
}

static void refuses_another_old_key(void **state) {
    (void)state;
    uint8_t *slot = kw_sim_eeprom_slot(&world.eeprom, KW_ROTATING_SLOT);
    kw_stored_key(world.stranger.public_key, slot);
    slot[0] = 0x50;
    refuse(KW_NO_OLD_KEY);
}

static void refuses_a_replay(void **state) {
    (void)state;
    kw_counter_encode(SEQUENCE, world.eeprom.config + KW_CONFIG_COUNTER + 8);
    refuse(KW_NO_SEQUENCE_REPLAYED);
}

static void refuses_a_sequence_far_ahead(void **state) {
    (void)state;
    world.content.sequence = 17;
    seal(&world.authority);
    refuse(KW_NO_SEQUENCE_AHEAD);
}

static void accepts_a_sequence_16_ahead(void **state) {
    (void)state;
    struct bench bench;
    world.content.sequence = 16;
    seal(&world.authority);
    power(&bench, &world.eeprom);
    assert_int_equal(apply_envelope(&bench, &world.envelope), KW_OK);
    assert_int_equal(counter_of(&bench), 16);
    unplug(&bench);
}

static void refuses_a_wrong_new_pair(void **state) {
    (void)state;
    sign_pair(&world.stranger, &world.new_key, false, world.new_validate);
    seal(&world.authority);
    refuse(KW_NO_NEW_PAIR);
    /* The right authority, the wrong statement. */
    sign_pair(&world.authority, &world.new_key, true, world.new_validate);
    seal(&world.authority);
    refuse(KW_NO_NEW_PAIR);
}

static void refuses_wrong_old_pairs(void **state) {
    (void)state;
    sign_pair(&world.stranger, &world.old_key, true, world.old_invalidate);
    seal(&world.authority);
    refuse(KW_NO_OLD_INVALIDATE_PAIR);
    sign_pair(&world.authority, &world.old_key, true, world.old_invalidate);
    sign_pair(&world.stranger, &world.old_key, false, world.old_validate);
    seal(&world.authority);
    refuse(KW_NO_OLD_VALIDATE_PAIR);
}

static void refuses_a_wrong_proof(void **state) {
    (void)state;
    sign_proof(&world.stranger, false);
    seal(&world.authority);
    refuse(KW_NO_PROOF);
}

static void refuses_a_key_off_the_curve(void **state) {
    (void)state;
    world.new_key.public_key[63] ^= 1;
    sign_pair(&world.authority, &world.new_key, false, world.new_validate);
    seal(&world.authority);
    refuse(KW_NO_PROOF);
}

static void refuses_the_same_key(void **state) {
    (void)state;
    world.content.new_key = world.old_key.public_key;
    seal(&world.authority);
    refuse(KW_NO_SAME_KEY);
}

/* --- failures on the way --- */

/* Verify(Validate) of the new key is refused once: the old key is written
 * back and validated with its own pair. */
static void validates_the_old_key_again(void **state) {
    (void)state;
    struct bench bench;
    power(&bench, &world.eeprom);
    bench.refuse_opcode = KW_OP_VERIFY;
    bench.refuse_param1 = 0x03;
    bench.refuse_count = 1;
    assert_int_equal(apply_envelope(&bench, &world.envelope),
                     KW_CHIP_EXECUTION);
    assert_true(slot_is(&bench, &world.old_key, true));
    assert_int_equal(counter_of(&bench), 0);
    assert_int_equal(apply_envelope(&bench, &world.envelope), KW_OK);
    unplug(&bench);
}

/* The proof is refused twice after 00 to Verify(Validate): reported, counter
 * 1 untouched, nothing undone; the next run proves and counts. */
static void keeps_the_counter_when_the_proof_fails(void **state) {
    (void)state;
    struct bench bench;
    power(&bench, &world.eeprom);
    bench.refuse_opcode = KW_OP_VERIFY;
    bench.refuse_param1 = 0x20; /* Stored: the bundle and three pairs first */
    bench.refuse_skip = 4;
    bench.refuse_count = 2;
    assert_int_equal(apply_envelope(&bench, &world.envelope), KW_CHIP_PROOF);
    assert_int_equal(counter_of(&bench), 0);
    assert_true(slot_is(&bench, &world.new_key, true));
    assert_int_equal(apply_envelope(&bench, &world.envelope), KW_OK);
    assert_int_equal(counter_of(&bench), SEQUENCE);
    unplug(&bench);
}

static void repeats_the_proof_once(void **state) {
    (void)state;
    struct bench bench;
    power(&bench, &world.eeprom);
    bench.refuse_opcode = KW_OP_VERIFY;
    bench.refuse_param1 = 0x20;
    bench.refuse_skip = 4;
    bench.refuse_count = 1;
    assert_int_equal(apply_envelope(&bench, &world.envelope), KW_OK);
    assert_int_equal(counter_of(&bench), SEQUENCE);
    unplug(&bench);
}

/* Any one answer is lost: the old or the new key is whole and valid, and the
 * same bundle finishes. */
static void survives_every_lost_answer(void **state) {
    (void)state;
    struct bench bench;
    power(&bench, &world.eeprom);
    assert_int_equal(apply_envelope(&bench, &world.envelope), KW_OK);
    const unsigned transfers = bench.transfers;
    unplug(&bench);
    for (unsigned at = 1; at <= transfers; at++) {
        power(&bench, &world.eeprom);
        bench.lose_answer_at = at;
        (void)!apply_envelope(&bench, &world.envelope);
        assert_true(slot_is(&bench, &world.old_key, true) ||
                    slot_is(&bench, &world.new_key, true));
        assert_int_equal(apply_envelope(&bench, &world.envelope), KW_OK);
        assert_true(slot_is(&bench, &world.new_key, true));
        assert_int_equal(counter_of(&bench), SEQUENCE);
        unplug(&bench);
    }
}

/* An answer that is lost to Verify(Validate) after the chip took it: the
 * nibble decides, and the run goes on to the end. */
static void lets_the_nibble_decide(void **state) {
    (void)state;
    struct bench bench;
    unsigned finished = 0;
    power(&bench, &world.eeprom);
    assert_int_equal(apply_envelope(&bench, &world.envelope), KW_OK);
    const unsigned transfers = bench.transfers;
    unplug(&bench);
    for (unsigned at = transfers - 6; at <= transfers; at++) {
        power(&bench, &world.eeprom);
        bench.lose_answer_at = at;
        finished += apply_envelope(&bench, &world.envelope) == KW_OK ? 1 : 0;
        unplug(&bench);
    }
    assert_true(finished >= 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(applies),
        TEST(applies_to_a_fleet),
        TEST(refuses_every_flipped_bit),
        TEST(refuses_every_flipped_bit_of_the_file),
        TEST(refuses_another_authority),
        TEST(refuses_a_chip_without_authority),
        TEST(refuses_another_serial),
        TEST(refuses_another_configuration),
        TEST(refuses_another_old_key),
        TEST(refuses_a_replay),
        TEST(refuses_a_sequence_far_ahead),
        TEST(accepts_a_sequence_16_ahead),
        TEST(refuses_a_wrong_new_pair),
        TEST(refuses_wrong_old_pairs),
        TEST(refuses_a_wrong_proof),
        TEST(refuses_a_key_off_the_curve),
        TEST(refuses_the_same_key),
        TEST(validates_the_old_key_again),
        TEST(keeps_the_counter_when_the_proof_fails),
        TEST(repeats_the_proof_once),
        TEST(survives_every_lost_answer),
        TEST(lets_the_nibble_decide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
