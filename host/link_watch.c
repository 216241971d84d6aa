/* host/link_watch.c: stops at an interruption, shows each frame without its
 * secret parts, and says why a chip refused where the link cannot: from the
 * configuration, which it reads then if it has not seen it yet. */
#include <stdlib.h>

#include "core/chip.h"
#include "host/chip_refusal.h"
#include "host/links.h"
#include "host/secret_frames.h"

enum power { ASLEEP, IDLE, AWAKE };

struct watch {
    struct kw_opened_link inner;
    const volatile sig_atomic_t *stop;
    FILE *trace; /* NULL: do not show */
    struct kw_frame_view view;
    enum power power;
    kw_status refusal; /* of the last command; KW_OK: it was not refused */
    char why[KW_WHY_MAX];
};

static const char *inner_reason(const struct watch *watch) {
    const struct kw_link *inner = &watch->inner.link;
    return inner->ops->reason == NULL ? "" : inner->ops->reason(inner->self);
}

/* 03 and 0F are what a configuration can explain. A SelfTest answers bits,
 * not a status. */
static kw_status refusal_in(const struct watch *watch, const uint8_t *frame,
                            size_t frame_size) {
    const uint8_t *data = NULL;
    size_t size = 0;
    if (kw_response_decode(frame, frame_size, &data, &size) != KW_OK ||
        size != 1 || !watch->view.has_command ||
        watch->view.command.opcode == KW_OP_SELFTEST) {
        return KW_OK;
    }
    const kw_status status = kw_status_of_chip(data[0]);
    return status == KW_CHIP_EXECUTION || status == KW_CHIP_PARSE ? status
                                                                  : KW_OK;
}

static void show_answer(struct watch *watch, kw_status status,
                        const uint8_t *frame, size_t frame_size) {
    char words[KW_FRAME_WORDS];
    if (status != KW_OK) {
        (void)fprintf(watch->trace, "< %s\n", kw_status_text(status));
        return;
    }
    kw_frame_response(&watch->view, frame, frame_size, words);
    const char *reason = inner_reason(watch);
    (void)fprintf(watch->trace, "< %s%s%s\n", words,
                  reason[0] == '\0' ? "" : "  ", reason);
}

static kw_status pass_on(struct watch *watch, const uint8_t *packet,
                         size_t packet_size, uint8_t *response, size_t capacity,
                         size_t *response_size) {
    const struct kw_link *inner = &watch->inner.link;
    char words[KW_FRAME_WORDS];
    kw_frame_packet(&watch->view, packet, packet_size, words);
    if (watch->trace != NULL) {
        (void)fprintf(watch->trace, "> %s\n", words);
    }
    const kw_status status = inner->ops->transfer(
        inner->self, packet, packet_size, response, capacity, response_size);
    const size_t size = status == KW_OK ? *response_size : 0;
    watch->refusal = refusal_in(watch, response, size);
    if (watch->trace != NULL) {
        show_answer(watch, status, response, size);
    } else if (status == KW_OK) {
        kw_frame_response(&watch->view, response, size, words);
    }
    return status;
}

/* --- reasons --- */

/* What is read here changes neither TempKey nor any other state. */
static void read_config(struct watch *watch) {
    uint8_t packet[KW_PACKET_MAX];
    uint8_t frame[KW_RESPONSE_MAX];
    for (unsigned block = 0; block < KW_CONFIG_SIZE / KW_BLOCK_SIZE; block++) {
        const struct kw_command command = {
            .opcode = KW_OP_READ,
            .param1 = 0x80,
            .param2 = (uint16_t)(block << 3),
        };
        size_t size = 0;
        if (kw_packet_encode(&command, packet, &size) != KW_OK ||
            pass_on(watch, packet, size, frame, sizeof frame, &size) != KW_OK) {
            return;
        }
    }
}

static void learn_config(struct watch *watch) {
    const struct kw_link *inner = &watch->inner.link;
    if (kw_frame_view_knows(&watch->view) ||
        (watch->power != AWAKE && inner->ops->wake(inner->self) != KW_OK)) {
        return;
    }
    read_config(watch);
    if (watch->power == IDLE) {
        (void)inner->ops->idle(inner->self);
    } else if (watch->power == ASLEEP) {
        (void)inner->ops->sleep(inner->self);
    }
}

static const char *reason(void *self) {
    struct watch *watch = self;
    const struct kw_command refused = watch->view.command;
    const kw_status refusal = watch->refusal;
    const char *known = inner_reason(watch);
    if (known[0] != '\0' || refusal == KW_OK || watch->why[0] != '\0') {
        return known[0] != '\0' ? known : watch->why;
    }
    learn_config(watch);
    watch->refusal = refusal;
    watch->view.command = refused;
    if (kw_frame_view_knows(&watch->view)) {
        kw_explain_refusal(watch->view.config, &refused, refusal, watch->why);
    }
    return watch->why;
}

/* --- the link --- */

static kw_status transfer(void *self, const uint8_t *packet, size_t packet_size,
                          uint8_t *response, size_t capacity,
                          size_t *response_size) {
    struct watch *watch = self;
    KW_ENSURE(*watch->stop == 0, KW_INTERRUPTED);
    watch->why[0] = '\0';
    const kw_status status =
        pass_on(watch, packet, packet_size, response, capacity, response_size);
    if (watch->trace != NULL && watch->refusal != KW_OK &&
        inner_reason(watch)[0] == '\0') {
        (void)fprintf(watch->trace, "  %s\n", reason(watch));
    }
    return status;
}

static void show_word(const struct watch *watch, const char *word) {
    if (watch->trace != NULL) {
        (void)fprintf(watch->trace, "> %s\n", word);
    }
}

static kw_status wake(void *self) {
    struct watch *watch = self;
    KW_ENSURE(*watch->stop == 0, KW_INTERRUPTED);
    show_word(watch, "wake");
    watch->power = AWAKE;
    const kw_status status =
        watch->inner.link.ops->wake(watch->inner.link.self);
    return status != KW_OK && *watch->stop != 0 ? KW_INTERRUPTED : status;
}

static kw_status idle(void *self) {
    struct watch *watch = self;
    show_word(watch, "idle");
    watch->power = IDLE;
    return watch->inner.link.ops->idle(watch->inner.link.self);
}

static kw_status put_to_sleep(void *self) {
    struct watch *watch = self;
    show_word(watch, "sleep");
    watch->power = ASLEEP;
    return watch->inner.link.ops->sleep(watch->inner.link.self);
}

static void close_watch(void *self) {
    struct watch *watch = self;
    kw_link_close(&watch->inner);
    free(watch);
}

static const struct kw_link_ops OPS = {wake, idle, put_to_sleep, transfer,
                                       reason};

kw_status kw_link_watch(struct kw_opened_link *opened,
                        const volatile sig_atomic_t *stop, FILE *trace,
                        struct kw_error *error) {
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    watch->inner = *opened;
    watch->stop = stop;
    watch->trace = trace;
    *opened = (struct kw_opened_link){{&OPS, watch}, close_watch};
    return KW_OK;
}
