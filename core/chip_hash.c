#include "core/chip_hash.h"

#include <string.h>

#include "core/bytes.h"

#define BLOCK 64

enum {
    SHA_START = 0x00,
    SHA_UPDATE = 0x01,
    SHA_END_OUTPUT_ONLY = 0xC2,
};

/* Bytes on their way to the chip. */
struct stream {
    struct kw_chip *chip;
    uint8_t block[BLOCK];
    size_t used;
};

static kw_status send(struct stream *stream, uint8_t mode, uint8_t *answer,
                      size_t answer_size) {
    const struct kw_command command = {KW_OP_SHA, mode, (uint16_t)stream->used,
                                       stream->block, stream->used};
    stream->used = 0;
    return kw_chip_execute(stream->chip, &command, answer, answer_size);
}

static kw_status absorb(struct stream *stream, const uint8_t *data,
                        size_t size) {
    while (size > 0) {
        const size_t room = BLOCK - stream->used;
        const size_t take = size < room ? size : room;
        memcpy(stream->block + stream->used, data, take);
        stream->used += take;
        data += take;
        size -= take;
        if (stream->used == BLOCK) {
            KW_TRY(send(stream, SHA_UPDATE, NULL, 0));
        }
    }
    return KW_OK;
}

static kw_status hash_spans(struct stream *stream, const struct kw_span *spans,
                            size_t count, uint8_t digest[KW_SHA256_SIZE]) {
    KW_TRY(send(stream, SHA_START, NULL, 0));
    for (size_t i = 0; i < count; i++) {
        KW_TRY(absorb(stream, spans[i].data, spans[i].size));
    }
    return send(stream, SHA_END_OUTPUT_ONLY, digest, KW_SHA256_SIZE);
}

static kw_status sha256(void *self, const struct kw_span *spans, size_t count,
                        uint8_t digest[KW_SHA256_SIZE]) {
    uint8_t answer[KW_SHA256_SIZE] = {0}; /* the digest may be a span too */
    struct stream stream = {.chip = self};
    const kw_status status = hash_spans(&stream, spans, count, answer);
    memcpy(digest, answer, sizeof answer);
    kw_wipe(&stream, sizeof stream);
    kw_wipe(answer, sizeof answer);
    return status;
}

struct kw_hash kw_chip_hash(struct kw_chip *chip) {
    return (struct kw_hash){sha256, chip};
}
