/* core/exchange.c: one command to a chip and its answer, of core/chip.h: the
 * wake before it, the frames, and what may be said twice. */
#include <string.h>

#include "core/bytes.h"
#include "core/chip.h"

#define REPEATS 2 /* times a command is sent again */

/* Modes of Counter and GenKey that only read. */
enum { COUNTER_READ = 0x00, GENKEY_PUBLIC = 0x00 };

void kw_chip_init(struct kw_chip *chip, struct kw_link link) {
    *chip = (struct kw_chip){.link = link};
}

void kw_chip_idle(struct kw_chip *chip) {
    if (chip->awake) {
        (void)chip->link.ops->idle(chip->link.self);
        chip->awake = false;
    }
}

void kw_chip_sleep(struct kw_chip *chip) {
    (void)chip->link.ops->sleep(chip->link.self);
    chip->awake = false;
}

const char *kw_chip_reason(const struct kw_chip *chip) {
    return chip->link.ops->reason == NULL
               ? ""
               : chip->link.ops->reason(chip->link.self);
}

static kw_status wake(struct kw_chip *chip) {
    if (!chip->awake) {
        KW_TRY(chip->link.ops->wake(chip->link.self));
        chip->awake = true;
    }
    return KW_OK;
}

/* Sorts an answer: the bytes that were asked for, or a status. */
static kw_status take_answer(const uint8_t *data, size_t size, uint8_t *answer,
                             size_t answer_size) {
    if (size == 1 && answer_size != 1) {
        KW_TRY(kw_status_of_chip(data[0]));
        return answer_size == 0 ? KW_OK : KW_CHIP_ANSWER;
    }
    KW_ENSURE(size == answer_size && answer != NULL, KW_CHIP_ANSWER);
    memcpy(answer, data, size);
    return KW_OK;
}

static kw_status exchange(struct kw_chip *chip, const uint8_t *packet,
                          size_t packet_size, uint8_t *answer,
                          size_t answer_size) {
    uint8_t frame[KW_RESPONSE_MAX];
    size_t frame_size = 0;
    const uint8_t *data = NULL;
    size_t size = 0;

    chip->answered = 0;
    KW_TRY(wake(chip));
    chip->commands++;
    chip->bytes += (uint32_t)packet_size;
    KW_TRY(chip->link.ops->transfer(chip->link.self, packet, packet_size, frame,
                                    sizeof frame, &frame_size));
    chip->bytes += (uint32_t)frame_size;
    KW_TRY(kw_response_decode(frame, frame_size, &data, &size));
    if (frame_size == KW_RESPONSE_MIN) { /* not by way of what was decoded */
        chip->answered = packet[1];
        chip->answer = frame[1];
    }
    return take_answer(data, size, answer, answer_size);
}

/* FF: the chip did nothing. An answer that came damaged, or not at all, may
 * be asked for again only where asking twice is asking once; after silence
 * once, for each silence takes seconds. */
static bool may_repeat(const struct kw_command *command, kw_status status,
                       unsigned repeats) {
    const bool changes_nothing =
        command->opcode == KW_OP_READ || command->opcode == KW_OP_RANDOM ||
        command->opcode == KW_OP_INFO ||
        (command->opcode == KW_OP_COUNTER && command->param1 == COUNTER_READ) ||
        (command->opcode == KW_OP_GENKEY && command->param1 == GENKEY_PUBLIC);
    return status == KW_CHIP_CRC ||
           (changes_nothing && (status == KW_ABSENT_CRC ||
                                (status == KW_ABSENT_ANSWER && repeats == 0)));
}

/* A chip that said nothing may be asleep: its supply failed, or its watchdog
 * ended the sequence. */
static kw_status repeat(struct kw_chip *chip, kw_status before,
                        const uint8_t *packet, size_t packet_size,
                        uint8_t *answer, size_t answer_size) {
    if (before == KW_ABSENT_ANSWER) {
        KW_TRY(chip->link.ops->wake(chip->link.self));
    }
    return exchange(chip, packet, packet_size, answer, answer_size);
}

kw_status kw_chip_execute(struct kw_chip *chip,
                          const struct kw_command *command, uint8_t *answer,
                          size_t answer_size) {
    uint8_t packet[KW_PACKET_MAX];
    size_t packet_size = 0;
    KW_TRY(kw_packet_encode(command, packet, &packet_size));

    kw_status status = exchange(chip, packet, packet_size, answer, answer_size);
    for (unsigned i = 0; i < REPEATS && may_repeat(command, status, i); i++) {
        status = repeat(chip, status, packet, packet_size, answer, answer_size);
    }
    if (status == KW_CHIP_WATCHDOG) {
        kw_chip_idle(chip);
        status = exchange(chip, packet, packet_size, answer, answer_size);
    }
    if (status == KW_ABSENT_ANSWER) {
        kw_chip_idle(chip); /* the sequence is over; the next one wakes it */
    }
    kw_wipe(packet, sizeof packet);
    return status;
}
