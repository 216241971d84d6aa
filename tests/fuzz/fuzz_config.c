/* Any 128 bytes as a configuration: the lint, the words and the permissions
 * of each slot; then packets to an emulated chip that has it. What the chip
 * does was not said to be forbidden, every refusal has words, and a counter
 * that is read can be written.
 *
 * Input: 128 bytes, then commands: opcode, param1, param2, size, data. */
#include "core/packet.h"
#include "host/chip_refusal.h"
#include "host/config_lint.h"
#include "host/config_words.h"
#include "sim/atecc608/personality.h"
#include "tests/fuzz/chip_double.h"
#include "tests/fuzz/fuzz.h"

static void demand_words(const char *words, size_t room) {
    FUZZ_DEMAND(memchr(words, '\0', room) != NULL);
}

static void try_slot(const uint8_t config[KW_CONFIG_SIZE], unsigned slot) {
    struct kw_permission permissions[KW_PERMISSIONS_MAX];
    struct kw_slot_lines lines;
    const size_t count = kw_explain_slot(config, slot, permissions);
    FUZZ_DEMAND(count <= KW_PERMISSIONS_MAX);
    for (size_t i = 0; i < count; i++) {
        demand_words(permissions[i].why, sizeof permissions[i].why);
        FUZZ_DEMAND(permissions[i].permitted == KW_PERMITTED_YES ||
                    permissions[i].why[0] != '\0');
    }
    kw_config_slot_lines(config, slot, &lines);
    FUZZ_DEMAND(lines.count < KW_SLOT_LINES);
}

static void try_counter(const uint8_t bytes[8]) {
    uint8_t again[8];
    const uint32_t value = kw_counter_decode(bytes);
    if (value <= KW_COUNTER_MAX) {
        kw_counter_encode(value, again);
        FUZZ_DEMAND(kw_counter_decode(again) == value);
    }
}

static void try_words(const uint8_t config[KW_CONFIG_SIZE]) {
    static struct kw_findings findings;
    struct kw_config_field fields[KW_CONFIG_FIELDS];
    kw_config_lint(config, &findings);
    FUZZ_DEMAND(findings.count < KW_FINDINGS_MAX);
    FUZZ_DEMAND((kw_first_error(&findings)[0] != '\0') ==
                (findings.errors > 0));
    for (size_t i = 0; i < findings.count; i++) {
        demand_words(findings.finding[i].words, KW_FINDING_WORDS);
    }
    const size_t count = kw_config_fields(config, fields);
    FUZZ_DEMAND(count <= KW_CONFIG_FIELDS);
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        try_slot(config, slot);
    }
    try_counter(config + KW_CONFIG_COUNTER);
    try_counter(config + KW_CONFIG_COUNTER + 8);
}

/* --- against the chip --- */

static bool is_refusal(uint8_t status) {
    return status == 0x03 || status == 0x05 || status == 0x07 ||
           status == 0x08 || status == 0x0F;
}

static void compare(const uint8_t config[KW_CONFIG_SIZE],
                    const struct kw_command *command, const uint8_t *data,
                    size_t size) {
    struct kw_permission permission;
    unsigned slot = 0;
    char why[KW_WHY_MAX];
    if (size == 1 && command->opcode != KW_OP_SELFTEST && is_refusal(data[0])) {
        kw_explain_refusal(config, command, kw_status_of_chip(data[0]), why);
        demand_words(why, sizeof why);
        return;
    }
    if (kw_explain_command(config, command, &slot, &permission) &&
        slot < KW_SLOT_COUNT) {
        FUZZ_DEMAND(permission.permitted != KW_PERMITTED_NO);
    }
}

static void try_command(struct kw_sim_chip *chip, struct fuzz_input *input) {
    uint8_t bytes[KW_PACKET_DATA_MAX];
    uint8_t packet[KW_PACKET_MAX];
    uint8_t frame[KW_RESPONSE_MAX];
    uint8_t config[KW_CONFIG_SIZE];
    const uint8_t *data = NULL;
    size_t packet_size = 0;
    size_t size = 0;
    struct kw_command command = {.opcode = fuzz_byte(input),
                                 .param1 = fuzz_byte(input)};
    command.param2 = fuzz_byte(input);
    command.param2 |= (uint16_t)(fuzz_byte(input) << 8);
    command.data_size = fuzz_byte(input) % (KW_PACKET_DATA_MAX + 1);
    command.data = bytes;
    fuzz_bytes(input, bytes, command.data_size);
    memcpy(config, kw_sim_chip_eeprom(chip)->config, sizeof config);
    FUZZ_DEMAND(kw_packet_encode(&command, packet, &packet_size) == KW_OK);
    const size_t frame_size =
        kw_sim_chip_execute(chip, packet, packet_size, frame);
    FUZZ_DEMAND(kw_response_decode(frame, frame_size, &data, &size) == KW_OK);
    compare(config, &command, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = {data, size};
    const struct kw_sim_options options = {.crypto = &fuzz_crypto};
    struct kw_sim_eeprom eeprom;
    fuzz_crypto_reset();
    FUZZ_DEMAND(kw_sim_personality(KW_SIM_TRUSTFLEX, KW_SIM_608B, &fuzz_crypto,
                                   &eeprom) == KW_OK);
    fuzz_bytes(&input, eeprom.config, sizeof eeprom.config);
    try_words(eeprom.config);
    struct kw_sim_chip *chip = kw_sim_chip_new(&eeprom, &options);
    FUZZ_DEMAND(chip != NULL);
    (void)kw_sim_chip_wake(chip);
    while (input.left > 0) {
        try_command(chip, &input);
    }
    kw_sim_chip_free(chip);
    return 0;
}
