/* The emulated chip in any state of its locks: whatever is sent to it, its
 * answers are frames, no secret comes out, a refusal changes nothing, a
 * failure inside is never a success, and what must not change does not.
 *
 * Input: what the chip is (make_eeprom), then steps: a byte that says which,
 * and what it needs (step). */
#include "core/bytes.h"
#include "core/chip.h"
#include "core/message.h"
#include "sim/atecc608/chip.h"
#include "sim/atecc608/personality.h"
#include "tests/fuzz/chip_double.h"
#include "tests/fuzz/chip_rules.h"
#include "tests/fuzz/fuzz.h"

#define STEPS        64
#define OP_SELF_TEST 0x77

struct bench {
    struct kw_sim_chip *chip;
    struct kw_sim_eeprom stored; /* what the store keeps */
    bool store_fails;
    uint64_t time; /* microseconds */
};

static const uint8_t OPCODES[16] = {
    KW_OP_READ,  KW_OP_MAC,    KW_OP_WRITE,     KW_OP_GENDIG,
    KW_OP_NONCE, KW_OP_LOCK,   KW_OP_RANDOM,    KW_OP_COUNTER,
    KW_OP_INFO,  KW_OP_GENKEY, KW_OP_SIGN,      KW_OP_VERIFY,
    KW_OP_NONCE, KW_OP_SHA,    KW_OP_PRIVWRITE, 0,
};

static kw_status commit(void *self, const struct kw_sim_eeprom *eeprom) {
    struct bench *bench = self;
    KW_ENSURE(!bench->store_fails, KW_SYSTEM_FILE);
    bench->stored = *eeprom;
    return KW_OK;
}

static uint64_t now(void *clock) {
    return ((struct bench *)clock)->time;
}

/* --- the chip ------------------------------------------------------------ */

/* A private key, or a secret of any slot that is never read in clear. */
static void fill_slot(struct kw_sim_eeprom *eeprom, unsigned slot) {
    uint8_t *stored = kw_sim_eeprom_slot(eeprom, slot);
    if (kw_config_key(eeprom->config, slot).is_private) {
        memset(stored, 0, 4);
        fuzz_secret(stored + 4);
    } else if (kw_config_slot(eeprom->config, slot).is_secret) {
        fuzz_secret(stored);
    }
}

/* Byte 0: bits 1:0 the part, 2 the model, 3 configuration open, 4 data
 * open, 7:5 how many slots get another configuration; each has 5 bytes:
 * slot, SlotConfig, KeyConfig. Then the two bytes of SlotLocked. Secrets are
 * there only when the configuration is locked, as in a real chip. */
static void make_eeprom(struct fuzz_input *input,
                        struct kw_sim_eeprom *eeprom) {
    const uint8_t bits = fuzz_byte(input);
    const unsigned part = (bits & 3) % 3;
    FUZZ_DEMAND(kw_sim_personality((enum kw_sim_part)part,
                                   (bits & 4) != 0 ? KW_SIM_608B : KW_SIM_608A,
                                   &fuzz_crypto, eeprom) == KW_OK);
    uint8_t *config = eeprom->config;
    for (unsigned i = bits >> 5; i > 0; i--) {
        const unsigned slot = fuzz_byte(input) % KW_SLOT_COUNT;
        fuzz_bytes(input, config + KW_CONFIG_SLOT_CONFIG + 2 * slot, 2);
        fuzz_bytes(input, config + KW_CONFIG_KEY_CONFIG + 2 * slot, 2);
    }
    fuzz_bytes(input, config + KW_CONFIG_SLOT_LOCKED, 2);
    const bool open = (bits & 8) != 0;
    const bool data_open = open || (bits & 16) != 0;
    config[KW_CONFIG_LOCK_CONFIG] = open ? KW_ZONE_UNLOCKED : 0;
    config[KW_CONFIG_LOCK_VALUE] = data_open ? KW_ZONE_UNLOCKED : 0;
    memset(eeprom->data, 0xFF, sizeof eeprom->data);
    for (unsigned slot = 0; slot < KW_SLOT_COUNT && !open; slot++) {
        fill_slot(eeprom, slot);
    }
}

/* --- a command ------------------------------------------------------------ */

/* Encrypts and authenticates what would be written, as only a host that
 * knows TempKey can: nobody finds a MAC by chance. */
static void seal(const struct bench *bench, const struct kw_command *command,
                 uint8_t *data) {
    const uint8_t *mask = kw_sim_chip_volatile(bench->chip)->temp_key;
    const size_t size = command->data_size - 32;
    const struct kw_hash hash = kw_sim_crypto_openssl.hash(NULL);
    uint8_t more[32];
    uint8_t serial[KW_SERIAL_SIZE];
    kw_config_serial(kw_sim_chip_eeprom(bench->chip)->config, serial);
    FUZZ_DEMAND(kw_hash_bytes(&hash, mask, 32, more) == KW_OK);
    FUZZ_DEMAND(
        kw_message_write_mac(
            &hash, mask,
            kw_message_head(command->opcode, command->param1, command->param2),
            serial, data, size, data + size) == KW_OK);
    for (size_t i = 0; i < size; i++) {
        data[i] ^= i < 32 ? mask[i] : more[i - 32];
    }
}

static void check_status(struct bench *bench, uint8_t status) {
    static const uint8_t KNOWN[] = {0x00, 0x01, 0x03, 0x07, 0x0F, 0xEE, 0xFF};
    const char *reason = kw_sim_chip_reason(bench->chip);
    FUZZ_DEMAND(memchr(KNOWN, status, sizeof KNOWN) != NULL);
    FUZZ_DEMAND((status == 0) == (reason[0] == '\0'));
}

/* SelfTest answers which tests failed in the place of a status. */
static void check_frame(struct bench *bench, uint8_t opcode,
                        const uint8_t *frame, size_t size, bool *refused) {
    const bool done = kw_sim_chip_reason(bench->chip)[0] == '\0';
    uint8_t output[KW_RESPONSE_MAX];
    const uint8_t *data;
    size_t data_size;
    FUZZ_DEMAND(kw_response_decode(frame, size, &data, &data_size) == KW_OK);
    FUZZ_DEMAND(kw_sim_chip_output(bench->chip, output) == size);
    FUZZ_DEMAND(memcmp(output, frame, size) == 0);
    FUZZ_DEMAND(!fuzz_holds_secret(frame, size));
    if (!done || opcode != OP_SELF_TEST) {
        check_status(bench, data_size == 1 ? data[0] : 0);
    }
    *refused = !done && data_size == 1 && data[0] > 1;
}

/* GenDig that answers 0F takes TempKey, all that lies before the message
 * digest, with it. */
static void check_refusal(const struct bench *bench,
                          const struct kw_sim_eeprom *eeprom,
                          const struct kw_sim_volatile *buffers,
                          bool loses_temp_key) {
    const struct kw_sim_volatile *now = kw_sim_chip_volatile(bench->chip);
    const size_t lost =
        loses_temp_key ? offsetof(struct kw_sim_volatile, message_digest) : 0;
    FUZZ_DEMAND(
        memcmp(kw_sim_chip_eeprom(bench->chip), eeprom, sizeof *eeprom) == 0);
    FUZZ_DEMAND(kw_all_bytes(now, lost, 0));
    FUZZ_DEMAND(memcmp((const uint8_t *)now + lost,
                       (const uint8_t *)buffers + lost,
                       sizeof *buffers - lost) == 0);
}

static void execute(struct bench *bench, const uint8_t *packet, size_t size) {
    const struct kw_sim_eeprom eeprom = *kw_sim_chip_eeprom(bench->chip);
    struct kw_sim_volatile buffers;
    uint8_t frame[KW_RESPONSE_MAX];
    const uint8_t opcode = size > 1 ? packet[1] : 0;
    bool refused = true;
    const bool awake = kw_sim_chip_is_awake(bench->chip);
    const bool had_failed = fuzz_crypto_has_failed();
    memcpy(&buffers, kw_sim_chip_volatile(bench->chip), sizeof buffers);
    const size_t frame_size =
        kw_sim_chip_execute(bench->chip, packet, size, frame);
    FUZZ_DEMAND(awake == (frame_size > 0));
    if (awake) {
        check_frame(bench, opcode, frame, frame_size, &refused);
    }
    FUZZ_DEMAND(refused || had_failed == fuzz_crypto_has_failed());
    if (refused) {
        const bool failed =
            frame_size > 1 && frame[1] == (uint8_t)KW_CHIP_EXECUTION;
        check_refusal(bench, &eeprom, &buffers,
                      failed && opcode == KW_OP_GENDIG);
    }
    fuzz_check_change(&eeprom, kw_sim_chip_eeprom(bench->chip), opcode);
    FUZZ_DEMAND(memcmp(&bench->stored, kw_sim_chip_eeprom(bench->chip),
                       sizeof bench->stored) == 0);
}

/* Opcode (low half of a byte; 0F: the next byte; bit 4: seal), param1,
 * param2, size of the data, data. */
static void step_command(struct bench *bench, struct fuzz_input *input) {
    uint8_t data[KW_PACKET_DATA_MAX];
    uint8_t packet[KW_PACKET_MAX];
    uint8_t param2[2];
    size_t size;
    const uint8_t first = fuzz_byte(input);
    struct kw_command command = {.opcode = OPCODES[first & 0x0F]};
    if ((first & 0x0F) == 0x0F) {
        command.opcode = fuzz_byte(input);
    }
    command.param1 = fuzz_byte(input);
    fuzz_bytes(input, param2, sizeof param2);
    command.param2 = kw_load_le16(param2);
    command.data_size = fuzz_byte(input) % (KW_PACKET_DATA_MAX + 1u);
    fuzz_bytes(input, data, command.data_size);
    if ((first & 0x10) != 0 &&
        (command.data_size == 64 || command.data_size == 68)) {
        seal(bench, &command, data);
    }
    command.data = data;
    FUZZ_DEMAND(kw_packet_encode(&command, packet, &size) == KW_OK);
    execute(bench, packet, size);
}

static void step_raw(struct bench *bench, struct fuzz_input *input) {
    const size_t size = fuzz_byte(input);
    uint8_t *packet = malloc(size + 1); /* exact but for the empty one */
    FUZZ_DEMAND(packet != NULL);
    fuzz_bytes(input, packet, size);
    execute(bench, packet, size);
    free(packet);
}

static void step(struct bench *bench, struct fuzz_input *input) {
    switch (fuzz_byte(input) & 0x0F) {
    case 0:
        (void)kw_sim_chip_wake(bench->chip);
        FUZZ_DEMAND(kw_sim_chip_is_awake(bench->chip));
        return;
    case 1:
        kw_sim_chip_idle(bench->chip);
        return;
    case 2:
        kw_sim_chip_sleep(bench->chip);
        return;
    case 3:
        kw_sim_chip_power_cycle(bench->chip);
        return;
    case 4:
        bench->time += fuzz_byte(input) * 10000u;
        return;
    case 5:
        bench->store_fails = !bench->store_fails;
        return;
    case 6:
        fuzz_crypto_fail_after(fuzz_byte(input) & 0x0F);
        return;
    case 7:
        step_raw(bench, input);
        return;
    default:
        step_command(bench, input);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = {data, size};
    struct bench bench = {.chip = NULL};
    const struct kw_sim_options options = {
        .crypto = &fuzz_crypto,
        .store = {.commit = commit, .self = &bench},
        .now = now,
        .clock = &bench,
    };
    fuzz_crypto_reset();
    make_eeprom(&input, &bench.stored);
    const struct kw_sim_eeprom eeprom = bench.stored;
    bench.chip = kw_sim_chip_new(&eeprom, &options);
    FUZZ_DEMAND(bench.chip != NULL);
    (void)kw_sim_chip_wake(bench.chip);
    for (unsigned i = 0; i < STEPS && input.left > 0; i++) {
        step(&bench, &input);
    }
    kw_sim_chip_free(bench.chip);
    return 0;
}
