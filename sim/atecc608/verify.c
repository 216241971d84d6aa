/* Verify (45): checks a signature with a key from outside or from a slot,
 * and changes the validity of a stored public key. DS40002138A 5.2.5, tables
 * 5-63 to 5-71 (A2 and 82 are swapped in 5-63: 20 is the message digest
 * buffer, 80 the MAC). */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

enum {
    MODE_STORED = 0,
    MODE_VALIDATE_EXTERNAL = 1,
    MODE_EXTERNAL = 2,
    MODE_VALIDATE = 3,
    MODE_INVALIDATE = 7,
};

#define MODE_MASK    0x07
#define MODE_MESSAGE 0x20
#define MODE_MAC     0x80
#define TYPE_P256    4u /* param2 of an external key */
#define OTHER_FLAG   17 /* OtherData byte: for invalidation */

/* Message and nonce of one call, taken out of the buffers. */
struct inputs {
    uint8_t message[32];
    uint8_t nonce[32]; /* of the MAC */
};

static bool from_buffer(const struct kw_command *command) {
    return (command->param1 & MODE_MESSAGE) != 0;
}

static bool wants_mac(const struct kw_command *command) {
    return (command->param1 & MODE_MAC) != 0;
}

/* With the message in the buffer's first half, the nonce is its second. */
static kw_status take_inputs(struct kw_sim_chip *chip,
                             const struct kw_command *command,
                             struct inputs *inputs) {
    const struct kw_sim_volatile *buffers = &chip->sram.buffers;
    const size_t message_size = from_buffer(command) ? 32 : 0;
    const size_t nonce_size = wants_mac(command) ? 32 : 0;
    KW_TRY(kw_sim_policy_message(chip, message_size + nonce_size));
    if (!from_buffer(command)) {
        KW_TRY(kw_sim_policy_temp_key(chip));
    }
    memcpy(inputs->message,
           from_buffer(command) ? buffers->message_digest : buffers->temp_key,
           32);
    memcpy(inputs->nonce, buffers->message_digest + message_size, 32);
    if (!from_buffer(command)) {
        kw_sim_temp_key_clear(chip);
    }
    if (message_size + nonce_size > 0) {
        kw_sim_message_clear(chip);
    }
    return KW_OK;
}

static kw_status check(struct kw_sim_chip *chip, const uint8_t *public_key,
                       const uint8_t message[32], const uint8_t *signature) {
    const kw_status status = chip->crypto->verify(
        chip->crypto_context, public_key, message, signature);
    KW_SIM_DEMAND(status != KW_PARSE_KEY, chip, KW_CHIP_EXECUTION,
                  "the public key is not a point of the curve");
    KW_SIM_DEMAND(status != KW_NO_SIGNATURE, chip, KW_CHIP_MISMATCH,
                  "the signature does not match the message and the public "
                  "key");
    return status;
}

static kw_status mac(struct kw_sim_chip *chip, const struct kw_command *command,
                     const struct inputs *inputs,
                     struct kw_sim_answer *answer) {
    const struct kw_message_head head = kw_sim_head(command);
    const struct kw_span spans[] = {
        {kw_sim_io_key(chip), KW_SIM_KEY_SIZE},
        {inputs->message, sizeof(inputs->message)},
        {inputs->nonce, sizeof(inputs->nonce)},
        {command->data, KW_SIGNATURE_SIZE},
        {head.bytes, sizeof(head.bytes)},
    };
    answer->size = 32;
    return kw_hash_spans(&chip->hash, spans, sizeof(spans) / sizeof(*spans),
                         answer->data);
}

static kw_status check_and_answer(struct kw_sim_chip *chip,
                                  const struct kw_command *command,
                                  const uint8_t *public_key,
                                  struct kw_sim_answer *answer) {
    struct inputs inputs;
    if (wants_mac(command)) {
        KW_TRY(kw_sim_policy_io_key(chip));
    }
    KW_TRY(take_inputs(chip, command, &inputs));
    kw_status status = check(chip, public_key, inputs.message, command->data);
    if (status == KW_OK && wants_mac(command)) {
        status = mac(chip, command, &inputs, answer);
    }
    kw_wipe(&inputs, sizeof(inputs));
    return status;
}

static kw_status stored(struct kw_sim_chip *chip,
                        const struct kw_command *command,
                        struct kw_sim_answer *answer) {
    const unsigned slot = command->param2;
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_MESSAGE | MODE_MAC));
    KW_TRY(kw_sim_policy_slot_number(chip, slot));
    KW_TRY(kw_sim_policy_size(chip, command, KW_SIGNATURE_SIZE));
    KW_TRY(kw_sim_policy_verify_stored(chip, slot, from_buffer(command)));
    kw_sim_public_key(chip, slot, public_key);
    return check_and_answer(chip, command, public_key, answer);
}

static kw_status external(struct kw_sim_chip *chip,
                          const struct kw_command *command,
                          struct kw_sim_answer *answer) {
    KW_TRY(kw_sim_policy_mode(chip, command,
                              MODE_EXTERNAL | MODE_MESSAGE | MODE_MAC));
    KW_TRY(kw_sim_policy_param2(chip, command, TYPE_P256));
    KW_TRY(kw_sim_policy_size(chip, command,
                              KW_SIGNATURE_SIZE + KW_PUBLIC_KEY_SIZE));
    return check_and_answer(chip, command, command->data + KW_SIGNATURE_SIZE,
                            answer);
}

/* OtherData is taken verbatim: the chip compares nothing in it with its own
 * configuration, bit 0 of byte 17 aside. */
static kw_status change_validity(struct kw_sim_chip *chip,
                                 const struct kw_command *command) {
    const unsigned slot = command->param2;
    const bool invalidate = command->param1 == MODE_INVALIDATE;
    const uint8_t *other = command->data + KW_SIGNATURE_SIZE;
    const struct kw_sim_serial serial = kw_sim_serial(chip);
    uint8_t parent_key[KW_PUBLIC_KEY_SIZE];
    uint8_t message[KW_SIGN_MESSAGE_SIZE];
    uint8_t digest[32];

    KW_TRY(kw_sim_policy_slot_number(chip, slot));
    KW_TRY(kw_sim_policy_size(chip, command,
                              KW_SIGNATURE_SIZE + KW_OTHER_DATA_SIZE));
    KW_TRY(kw_sim_policy_validate(chip, slot, invalidate, other[OTHER_FLAG]));
    kw_message_from_other_data(chip->sram.buffers.temp_key, other, serial.bytes,
                               message);
    const kw_status hashed =
        kw_hash_bytes(&chip->hash, message, sizeof(message), digest);
    kw_wipe(message, sizeof(message)); /* TempKey is in it */
    KW_TRY(hashed);
    kw_sim_temp_key_clear(chip);
    kw_sim_public_key(chip, kw_sim_slot_config(chip, slot).read_key,
                      parent_key);
    KW_TRY(check(chip, parent_key, digest, command->data));
    kw_sim_slot_set_valid(chip, slot, !invalidate);
    return KW_OK;
}

kw_status kw_sim_verify(struct kw_sim_chip *chip,
                        const struct kw_command *command,
                        struct kw_sim_answer *answer) {
    switch (command->param1 & MODE_MASK) {
    case MODE_STORED:
        return stored(chip, command, answer);
    case MODE_EXTERNAL:
        return external(chip, command, answer);
    case MODE_VALIDATE:
    case MODE_INVALIDATE:
        KW_TRY(kw_sim_policy_mode(chip, command, MODE_MASK));
        return change_validity(chip, command);
    case MODE_VALIDATE_EXTERNAL:
        KW_TRY(kw_sim_policy_mode(chip, command, MODE_VALIDATE_EXTERNAL));
        /* How the SHA command notes where in a certificate the public key
         * stood is published nowhere. */
        return kw_sim_refuse(chip, KW_CHIP_EXECUTION,
                             "Verify(ValidateExternal) is not emulated: its "
                             "certificate formats are not published");
    default:
        return kw_sim_refuse(chip, KW_CHIP_PARSE, "Verify has no mode %02X",
                             command->param1);
    }
}
