#include "sim/atecc608/chip.h"

#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

#define MILLISECONDS 1000u /* in microseconds */
/* DS40002138A section 9: 0.7 to 1.7 s from wake, typically 1.3; ChipMode
 * bit 2 makes it ten times as long. */
#define WATCHDOG_SHORT  (1300u * MILLISECONDS)
#define WATCHDOG_LONG   (13000u * MILLISECONDS)
#define CHIP_MODE_EXTRA 0x01 /* UserExtraAdd may be the address */
#define CHIP_MODE_LONG  0x04
#define OPTION_POST     0x01 /* of ChipOptions, first byte */
#define COMMAND_COUNT   (sizeof(COMMANDS) / sizeof(*COMMANDS))

enum {
    CLOCK_FAST,
    CLOCK_MIDDLE,
    CLOCK_SLOW,
    CLOCKS,
};

struct command_row {
    uint8_t opcode;
    uint16_t milliseconds[CLOCKS];
    kw_sim_handler *handler;
};

static const struct command_row COMMANDS[] = {
    {KW_OP_READ, {5, 5, 5}, kw_sim_read},
    {KW_OP_MAC, {55, 55, 55}, kw_sim_mac},
    {KW_OP_WRITE, {45, 45, 45}, kw_sim_write},
    {KW_OP_GENDIG, {25, 35, 35}, kw_sim_gendig},
    {KW_OP_NONCE, {20, 20, 20}, kw_sim_nonce},
    {KW_OP_LOCK, {35, 35, 35}, kw_sim_lock},
    {KW_OP_RANDOM, {23, 23, 23}, kw_sim_random},
    {KW_OP_DERIVEKEY, {50, 50, 50}, kw_sim_derivekey},
    {KW_OP_UPDATEEXTRA, {10, 10, 10}, kw_sim_updateextra},
    {KW_OP_COUNTER, {25, 25, 25}, kw_sim_counter},
    {KW_OP_CHECKMAC, {40, 40, 40}, kw_sim_checkmac},
    {KW_OP_INFO, {5, 5, 5}, kw_sim_info},
    {KW_OP_GENKEY, {115, 215, 653}, kw_sim_genkey},
    {KW_OP_SIGN, {115, 220, 665}, kw_sim_sign},
    {KW_OP_ECDH, {75, 172, 531}, kw_sim_ecdh},
    {KW_OP_VERIFY, {105, 295, 1085}, kw_sim_verify},
    {KW_OP_PRIVWRITE, {50, 50, 50}, kw_sim_privwrite},
    {KW_OP_SHA, {36, 42, 75}, kw_sim_sha},
    {KW_OP_AES, {27, 27, 27}, kw_sim_aes},
    {KW_OP_KDF, {165, 165, 165}, kw_sim_kdf},
    {KW_OP_SELFTEST, {250, 625, 2324}, kw_sim_selftest},
    {KW_OP_SECUREBOOT, {80, 160, 480}, kw_sim_secureboot},
};

/* --- time a command --- */

static const struct command_row *find_command(uint8_t opcode) {
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (COMMANDS[i].opcode == opcode) {
            return &COMMANDS[i];
        }
    }
    return NULL;
}

/* ChipMode bits 7:3. The library knows dividers 0, 5 and 13; one between
 * them is taken for the slower (low confidence). */
static size_t clock_of(const struct kw_sim_chip *chip) {
    const unsigned divider = chip->eeprom.config[KW_CONFIG_CHIP_MODE] >> 3;
    if (divider == 0) {
        return CLOCK_FAST;
    }
    return divider <= 5 ? CLOCK_MIDDLE : CLOCK_SLOW;
}

uint32_t kw_sim_chip_duration(const struct kw_sim_chip *chip, uint8_t opcode) {
    const struct command_row *row = find_command(opcode);
    return row == NULL ? 0 : row->milliseconds[clock_of(chip)];
}

/* --- life --- */

static uint8_t address_of(const uint8_t config[KW_CONFIG_SIZE]) {
    const uint8_t extra = config[KW_CONFIG_USER_EXTRA_ADD];
    const bool allowed = (config[KW_CONFIG_CHIP_MODE] & CHIP_MODE_EXTRA) != 0;
    return allowed && extra != 0 ? extra : config[KW_CONFIG_I2C_ADDRESS];
}

uint8_t kw_sim_chip_address(const struct kw_sim_chip *chip) {
    return chip->address;
}

void kw_sim_chip_break(struct kw_sim_chip *chip, uint8_t engines) {
    chip->broken = engines;
}

void kw_sim_chip_cut_supply(struct kw_sim_chip *chip, uint32_t nth,
                            bool after) {
    chip->stores_to_cut = nth;
    chip->cut_after = after;
}

struct kw_sim_scratch *kw_sim_scratch_new(const struct kw_sim_crypto *crypto) {
    struct kw_sim_scratch *scratch = calloc(1, sizeof(*scratch));
    if (scratch == NULL) {
        return NULL;
    }
    scratch->crypto = crypto != NULL ? crypto : &kw_sim_crypto_openssl;
    if (scratch->crypto->open(&scratch->context) != KW_OK) {
        free(scratch);
        return NULL;
    }
    return scratch;
}

void kw_sim_scratch_free(struct kw_sim_scratch *scratch) {
    if (scratch == NULL) {
        return;
    }
    scratch->crypto->close(scratch->context);
    kw_wipe(scratch, sizeof(*scratch));
    free(scratch);
}

void kw_sim_chip_lend(struct kw_sim_chip *chip,
                      struct kw_sim_scratch *scratch) {
    chip->scratch = scratch;
    chip->crypto = scratch->crypto;
    chip->crypto_context = scratch->context;
    chip->hash = scratch->crypto->hash(scratch->context);
}

struct kw_sim_chip *kw_sim_chip_new(const struct kw_sim_eeprom *eeprom,
                                    const struct kw_sim_options *options) {
    struct kw_sim_chip *chip = calloc(1, sizeof(*chip));
    if (chip == NULL) {
        return NULL;
    }
    chip->eeprom = *eeprom;
    chip->address = address_of(chip->eeprom.config);
    chip->store = options->store;
    chip->now = options->now;
    chip->clock = options->clock;
    struct kw_sim_scratch *scratch = options->scratch;
    if (scratch == NULL) {
        scratch = chip->own_scratch = kw_sim_scratch_new(options->crypto);
    }
    if (scratch == NULL) {
        kw_sim_chip_free(chip);
        return NULL;
    }
    kw_sim_chip_lend(chip, scratch);
    return chip;
}

void kw_sim_chip_free(struct kw_sim_chip *chip) {
    if (chip == NULL) {
        return;
    }
    kw_sim_scratch_free(chip->own_scratch);
    kw_wipe(chip, sizeof(*chip));
    free(chip);
}

static void forget_volatile(struct kw_sim_chip *chip) {
    kw_wipe(&chip->sram, sizeof(chip->sram));
    kw_wipe(chip->output, sizeof(chip->output));
    chip->output_size = 0;
    chip->power = KW_SIM_ASLEEP;
    chip->address = address_of(chip->eeprom.config);
    chip->health_failed = false;
}

void kw_sim_chip_power_cycle(struct kw_sim_chip *chip) {
    forget_volatile(chip);
    chip->powered = (struct kw_sim_powered){.latch = false};
    chip->reason[0] = '\0';
}

/* --- time --- */

static uint64_t watchdog_limit(const struct kw_sim_chip *chip) {
    const uint8_t mode = chip->eeprom.config[KW_CONFIG_CHIP_MODE];
    return (mode & CHIP_MODE_LONG) != 0 ? WATCHDOG_LONG : WATCHDOG_SHORT;
}

static uint64_t microseconds_awake(const struct kw_sim_chip *chip) {
    return chip->now == NULL ? 0 : chip->now(chip->clock) - chip->woke_at;
}

/* The watchdog runs from the wake on, whatever the host does, and puts the
 * chip to sleep (DS40002138A 3.4). */
static void heed_watchdog(struct kw_sim_chip *chip) {
    if (chip->power == KW_SIM_AWAKE &&
        microseconds_awake(chip) >= watchdog_limit(chip)) {
        forget_volatile(chip);
    }
}

bool kw_sim_chip_is_awake(struct kw_sim_chip *chip) {
    heed_watchdog(chip);
    return chip->power == KW_SIM_AWAKE;
}

static void answer_status(struct kw_sim_chip *chip, uint8_t status) {
    /* One byte always fits. */
    (void)!kw_response_encode(&status, 1, chip->output, &chip->output_size);
}

/* When the mathematics itself fails, no test has passed. */
static uint8_t power_on_tests(struct kw_sim_chip *chip) {
    const uint8_t options = chip->eeprom.config[KW_CONFIG_CHIP_OPTIONS];
    uint8_t failed = 0;
    if ((options & OPTION_POST) != 0 &&
        kw_sim_self_test(chip, KW_SIM_TEST_ALL, &failed) != KW_OK) {
        return KW_SIM_TEST_ALL;
    }
    return failed;
}

bool kw_sim_chip_wake(struct kw_sim_chip *chip) {
    if (kw_sim_chip_is_awake(chip)) {
        return false;
    }
    const bool slept = chip->power == KW_SIM_ASLEEP;
    chip->power = KW_SIM_AWAKE;
    chip->woke_at = chip->now == NULL ? 0 : chip->now(chip->clock);
    chip->sram.self_test_failed = slept ? power_on_tests(chip) : 0;
    answer_status(chip, chip->sram.self_test_failed == 0
                            ? (uint8_t)KW_CHIP_AWOKE
                            : (uint8_t)KW_CHIP_SELF_TEST);
    return true;
}

/* A chip that sleeps or idles hears nothing but a wake. */
void kw_sim_chip_idle(struct kw_sim_chip *chip) {
    if (kw_sim_chip_is_awake(chip)) {
        chip->power = KW_SIM_IDLE;
    }
}

void kw_sim_chip_sleep(struct kw_sim_chip *chip) {
    if (kw_sim_chip_is_awake(chip)) {
        forget_volatile(chip);
    }
}

/* --- one command --- */

static void begin(struct kw_sim_chip *chip) {
    chip->reason[0] = '\0';
    chip->eeprom_changed = false;
    chip->failure_takes_temp_key = false;
    chip->scratch->sram_before = chip->sram;
    chip->scratch->powered_before = chip->powered;
}

static void undo(struct kw_sim_chip *chip) {
    chip->sram = chip->scratch->sram_before;
    chip->powered = chip->scratch->powered_before;
    if (chip->eeprom_changed) {
        chip->eeprom = chip->scratch->eeprom_before;
    }
    if (chip->failure_takes_temp_key) {
        kw_sim_temp_key_clear(chip);
    }
}

static kw_status commit(struct kw_sim_chip *chip) {
    if (!chip->eeprom_changed) {
        return KW_OK;
    }
    chip->supply_failed = chip->stores_to_cut == 1;
    chip->stores_to_cut -= chip->stores_to_cut > 0;
    KW_ENSURE(!chip->supply_failed || chip->cut_after, KW_SYSTEM_FILE);
    return chip->store.commit == NULL
               ? KW_OK
               : chip->store.commit(chip->store.self, &chip->eeprom);
}

/* A command that is longer than the whole watchdog has to start all the same
 * (SelfTest at the slowest clock; inference). */
static kw_status time_left(struct kw_sim_chip *chip, uint8_t opcode) {
    const uint64_t duration =
        kw_sim_chip_duration(chip, opcode) * (uint64_t)MILLISECONDS;
    const uint64_t limit = watchdog_limit(chip);
    KW_SIM_DEMAND(duration > limit ||
                      microseconds_awake(chip) + duration <= limit,
                  chip, KW_CHIP_WATCHDOG,
                  "the watchdog would expire before the command ends; idle "
                  "or sleep, then wake the chip");
    return KW_OK;
}

static kw_status dispatch(struct kw_sim_chip *chip,
                          const struct kw_command *command,
                          struct kw_sim_answer *answer) {
    const struct command_row *row = find_command(command->opcode);
    KW_SIM_DEMAND(row != NULL, chip, KW_CHIP_PARSE,
                  "the emulated chip has no command %02X", command->opcode);
    KW_TRY(kw_sim_policy_self_test(chip, command));
    KW_TRY(time_left(chip, command->opcode));
    return row->handler(chip, command, answer);
}

/* Runs a command as a transaction: everything happens, or nothing. */
static kw_status run(struct kw_sim_chip *chip, const struct kw_command *command,
                     struct kw_sim_answer *answer) {
    begin(chip);
    kw_status status = dispatch(chip, command, answer);
    if (status == KW_OK || status == KW_CHIP_MISMATCH) {
        if (commit(chip) != KW_OK) {
            status = kw_sim_refuse(chip, KW_CHIP_EXECUTION,
                                   "the EEPROM could not be stored; the "
                                   "command is undone");
        }
    }
    if (status != KW_OK && status != KW_CHIP_MISMATCH) {
        undo(chip);
    }
    struct kw_sim_scratch *scratch = chip->scratch;
    if (chip->eeprom_changed) {
        kw_wipe(&scratch->eeprom_before, sizeof(scratch->eeprom_before));
    }
    kw_wipe(&scratch->sram_before, sizeof(scratch->sram_before));
    return status;
}

/* Never 00 for a failure: what is no status byte of the chip becomes 0F. */
static uint8_t status_byte(struct kw_sim_chip *chip, kw_status status) {
    if (status != KW_OK && chip->reason[0] == '\0') {
        (void)!kw_sim_refuse(chip, status, "the emulator itself failed: %s",
                             kw_status_text(status));
    }
    if (status == KW_OK) {
        return 0;
    }
    return kw_status_is_refusal(status) && (status & 0xFF) != 0
               ? (uint8_t)status
               : (uint8_t)KW_CHIP_EXECUTION;
}

static void answer_command(struct kw_sim_chip *chip,
                           const struct kw_command *command) {
    struct kw_sim_answer answer = {{0}, 0};
    const kw_status status = run(chip, command, &answer);
    if (status != KW_OK || answer.size == 0) {
        answer_status(chip, status_byte(chip, status));
    } else if (kw_response_encode(answer.data, answer.size, chip->output,
                                  &chip->output_size) != KW_OK) {
        answer_status(chip, (uint8_t)KW_CHIP_EXECUTION);
    }
    kw_wipe(&answer, sizeof(answer));
}

/* Bytes beyond the count are ignored (DS40002138A 7.2). */
static size_t counted(const uint8_t *packet, size_t packet_size) {
    return packet_size > 0 && packet[0] < packet_size ? packet[0] : packet_size;
}

/* FF alone does not say what is wrong with a frame. */
static kw_status frame_fault(struct kw_sim_chip *chip, const uint8_t *packet,
                             size_t packet_size) {
    const size_t count = packet_size > 0 ? packet[0] : 0;
    KW_SIM_DEMAND(count >= KW_PACKET_OVERHEAD && count <= KW_PACKET_MAX, chip,
                  KW_CHIP_CRC, "a packet has %d to %d bytes, not %zu",
                  KW_PACKET_OVERHEAD, KW_PACKET_MAX, count);
    KW_SIM_DEMAND(count <= packet_size, chip, KW_CHIP_CRC,
                  "the packet's count says %zu and %zu bytes came", count,
                  packet_size);
    return kw_sim_refuse(chip, KW_CHIP_CRC, "the packet's CRC does not match");
}

static void lose_supply(struct kw_sim_chip *chip) {
    chip->supply_failed = false;
    kw_sim_chip_power_cycle(chip);
    (void)!kw_sim_refuse(chip, KW_ABSENT_ANSWER,
                         "the supply failed while the EEPROM was written");
}

size_t kw_sim_chip_execute(struct kw_sim_chip *chip, const uint8_t *packet,
                           size_t packet_size,
                           uint8_t response[KW_RESPONSE_MAX]) {
    struct kw_command command;
    chip->reason[0] = '\0';
    if (!kw_sim_chip_is_awake(chip)) {
        (void)!kw_sim_refuse(chip, KW_ABSENT_ANSWER,
                             "the chip sleeps or idles and does not answer");
        return 0;
    }
    if (kw_packet_decode(packet, counted(packet, packet_size), &command) ==
        KW_OK) {
        answer_command(chip, &command);
    } else {
        answer_status(chip, (uint8_t)frame_fault(chip, packet, packet_size));
    }
    if (chip->supply_failed) {
        lose_supply(chip);
    }
    return kw_sim_chip_output(chip, response);
}

size_t kw_sim_chip_output(const struct kw_sim_chip *chip,
                          uint8_t response[KW_RESPONSE_MAX]) {
    memcpy(response, chip->output, chip->output_size);
    return chip->output_size;
}

/* --- looking inside --- */

const char *kw_sim_chip_reason(const struct kw_sim_chip *chip) {
    return chip->reason;
}

const struct kw_sim_eeprom *kw_sim_chip_eeprom(const struct kw_sim_chip *chip) {
    return &chip->eeprom;
}

const struct kw_sim_volatile *
kw_sim_chip_volatile(const struct kw_sim_chip *chip) {
    return &chip->sram.buffers;
}
