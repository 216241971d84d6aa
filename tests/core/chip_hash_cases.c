/* The hash seam by the chip's SHA command, against a chip that knows only
 * that command and hashes with core/sha256.c. That the emulated chip answers
 * the same is tests/unit/test_chip_hash.c. */
#include "core/chip_hash.h"

#include <string.h>

#include "core/bytes.h"
#include "core/sha256.h"
#include "tests/core/cases.h"

#define MESSAGE_SIZE 200u

/* Collects what it is told to hash. */
struct hashing_chip {
    uint8_t message[MESSAGE_SIZE];
    size_t size;
    bool started;
    bool gone;
};

/* --- the hashing chip --- */

static kw_status respond(const uint8_t *data, size_t size, uint8_t *response,
                         size_t *response_size) {
    return kw_response_encode(data, size, response, response_size);
}

static kw_status finish(struct hashing_chip *chip, uint8_t *response,
                        size_t *response_size) {
    uint8_t digest[KW_SHA256_SIZE];
    chip->started = false;
    KW_TRY(kw_hash_bytes(&kw_sha256_hash, chip->message, chip->size, digest));
    return respond(digest, sizeof digest, response, response_size);
}

static kw_status transfer(void *self, const uint8_t *packet, size_t packet_size,
                          uint8_t *response, size_t capacity,
                          size_t *response_size) {
    struct hashing_chip *chip = self;
    struct kw_command command;
    const uint8_t done = 0;
    (void)capacity;
    KW_ENSURE(!chip->gone, KW_ABSENT_ANSWER);
    KW_TRY(kw_packet_decode(packet, packet_size, &command));
    KW_ENSURE(command.opcode == KW_OP_SHA &&
                  command.param2 == command.data_size &&
                  chip->size + command.data_size <= MESSAGE_SIZE,
              KW_CHIP_PARSE);
    if (command.param1 == 0x00) {
        *chip = (struct hashing_chip){.started = true};
        return respond(&done, 1, response, response_size);
    }
    KW_ENSURE(chip->started, KW_CHIP_PARSE);
    memcpy(chip->message + chip->size, command.data, command.data_size);
    chip->size += command.data_size;
    if (command.param1 == 0xC2) {
        return finish(chip, response, response_size);
    }
    /* Between start and end the chip takes whole blocks alone. */
    KW_ENSURE(command.data_size == 64, KW_CHIP_PARSE);
    return respond(&done, 1, response, response_size);
}

static kw_status nothing(void *self) {
    (void)self;
    return KW_OK;
}

static const struct kw_link_ops OPS = {nothing, nothing, nothing, transfer,
                                       NULL};

/* --- the cases --- */

static const char *same_as_sha256(void) {
    struct hashing_chip hashing = {.size = 0};
    struct kw_chip chip;
    uint8_t message[MESSAGE_SIZE];
    kw_chip_init(&chip, (struct kw_link){&OPS, &hashing});
    const struct kw_hash hash = kw_chip_hash(&chip);
    for (unsigned i = 0; i < MESSAGE_SIZE; i++) {
        message[i] = (uint8_t)(i * 7 + 3);
    }
    for (size_t size = 0; size <= MESSAGE_SIZE; size++) {
        const struct kw_span spans[] = {{message, size / 3},
                                        {message + size / 3, size - size / 3}};
        uint8_t expected[KW_SHA256_SIZE];
        uint8_t found[KW_SHA256_SIZE];
        KW_CHECK(kw_hash_spans(&kw_sha256_hash, spans, 2, expected) == KW_OK);
        KW_CHECK(kw_hash_spans(&hash, spans, 2, found) == KW_OK);
        KW_CHECK(memcmp(found, expected, sizeof found) == 0);
    }
    return NULL;
}

static const char *no_digest_without_a_chip(void) {
    static const uint8_t ZERO[KW_SHA256_SIZE];
    struct hashing_chip hashing = {.gone = true};
    struct kw_chip chip;
    uint8_t digest[KW_SHA256_SIZE];
    kw_chip_init(&chip, (struct kw_link){&OPS, &hashing});
    const struct kw_hash hash = kw_chip_hash(&chip);
    memset(digest, 0xA5, sizeof digest);
    KW_CHECK(kw_hash_bytes(&hash, "abc", 3, digest) == KW_ABSENT_ANSWER);
    KW_CHECK(memcmp(digest, ZERO, sizeof digest) == 0);
    return NULL;
}

static const struct kw_case CASES[] = {
    {"same as SHA-256", same_as_sha256},
    {"no digest without a chip", no_digest_without_a_chip},
};

const struct kw_subject kw_chip_hash_subject = KW_SUBJECT("chip_hash", CASES);
