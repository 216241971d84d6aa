/* Recorded frames and their words. Whatever the text: the reader ends, each
 * frame gets words that end, and a run of secret bytes that is written into
 * a slot whose rules are not known never appears in them. */
#include "host/chip_refusal.h"
#include "host/frames_file.h"
#include "host/secret_frames.h"
#include "tests/fuzz/fuzz.h"

static void explain(const struct kw_frame_view *view,
                    const struct kw_recorded *frame) {
    char why[KW_WHY_MAX];
    if (view->has_command && frame->size > 1) {
        kw_explain_refusal(view->config, &view->command,
                           kw_status_of_chip(frame->bytes[1]), why);
        FUZZ_DEMAND(memchr(why, '\0', sizeof why) != NULL);
    }
}

static void show(struct kw_frame_view *view, const struct kw_recorded *frame) {
    char words[KW_FRAME_WORDS];
    memset(words, 'x', sizeof words);
    if (frame->to_chip) {
        kw_frame_packet(view, frame->bytes, frame->size, words);
    } else {
        kw_frame_response(view, frame->bytes, frame->size, words);
        explain(view, frame);
    }
    FUZZ_DEMAND(memchr(words, '\0', sizeof words) != NULL);
}

/* The same bytes as the data of a write into a slot. */
static void hide(const uint8_t *data, size_t size) {
    struct kw_frame_view view = {.known_words = 0};
    struct kw_command command = {KW_OP_WRITE, 0x82, 0x0030, data,
                                 size < 32 ? size : 32};
    uint8_t packet[KW_PACKET_MAX];
    char words[KW_FRAME_WORDS];
    char hex[9];
    size_t packet_size = 0;
    FUZZ_DEMAND(kw_packet_encode(&command, packet, &packet_size) == KW_OK);
    kw_frame_packet(&view, packet, packet_size, words);
    if (size >= 4) {
        (void)snprintf(hex, sizeof hex, "%02X%02X%02X%02X", data[0], data[1],
                       data[2], data[3]);
        FUZZ_DEMAND(strstr(words, hex) == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct kw_frames_file file = {(const char *)data, size, 0, 0};
    struct kw_frame_view view = {.known_words = 0};
    struct kw_recorded frame;
    kw_status status = KW_OK;
    while ((status = kw_frames_next(&file, &frame)) == KW_OK) {
        FUZZ_DEMAND(frame.line == file.line && file.at <= size);
        if (frame.kind == KW_RECORDED_FRAME) {
            FUZZ_DEMAND(frame.size > 0 && frame.size <= sizeof frame.bytes);
            show(&view, &frame);
        }
    }
    FUZZ_DEMAND(status == KW_NO || status == KW_PARSE ||
                status == KW_PARSE_SIZE);
    hide(data, size);
    return 0;
}
