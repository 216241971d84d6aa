/* host/link_watch.c: stops at an interruption and shows each frame. */
#include <stdlib.h>

#include "core/bytes.h"
#include "core/chip.h"
#include "host/links.h"

struct watch {
    struct kw_opened_link inner;
    const volatile sig_atomic_t *stop;
    FILE *trace; /* NULL: do not show */
};

struct command_name {
    uint8_t opcode;
    const char *name;
};

static const struct command_name NAMES[] = {
    {KW_OP_READ, "Read"},           {KW_OP_MAC, "MAC"},
    {KW_OP_WRITE, "Write"},         {KW_OP_GENDIG, "GenDig"},
    {KW_OP_NONCE, "Nonce"},         {KW_OP_LOCK, "Lock"},
    {KW_OP_RANDOM, "Random"},       {KW_OP_COUNTER, "Counter"},
    {KW_OP_INFO, "Info"},           {KW_OP_GENKEY, "GenKey"},
    {KW_OP_SIGN, "Sign"},           {KW_OP_VERIFY, "Verify"},
    {KW_OP_PRIVWRITE, "PrivWrite"}, {KW_OP_SHA, "SHA"},
};

static const char *name_of(uint8_t opcode) {
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (NAMES[i].opcode == opcode) {
            return NAMES[i].name;
        }
    }
    return "unknown command";
}

static void show_bytes(FILE *out, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        (void)fprintf(out, "%02X", bytes[i]);
    }
}

/* What is written into a slot may be secret, whatever the slot; so may an
 * answer that was read from one, and what is hashed. */
static bool may_be_secret(const struct kw_command *command) {
    const unsigned zone = command->param1 & 3u;
    return command->opcode == KW_OP_PRIVWRITE || command->opcode == KW_OP_SHA ||
           ((command->opcode == KW_OP_WRITE || command->opcode == KW_OP_READ) &&
            zone == KW_ZONE_DATA);
}

static void show_data(FILE *out, const struct kw_command *command,
                      const uint8_t *data, size_t size) {
    if (size == 0) {
        return;
    }
    (void)fputc(' ', out);
    if (!may_be_secret(command) || size == 1) {
        show_bytes(out, data, size);
    } else if (command->opcode == KW_OP_SHA) {
        (void)fprintf(out, "<%zu bytes>", size);
    } else {
        (void)fprintf(out, "<%zu bytes of slot %u>", size,
                      command->opcode == KW_OP_PRIVWRITE
                          ? command->param2 & 15u
                          : (command->param2 >> 3) & 15u);
    }
}

static void show_answer(const struct watch *watch,
                        const struct kw_command *command, kw_status status,
                        const uint8_t *frame, size_t frame_size) {
    const uint8_t *data = NULL;
    size_t size = 0;
    if (status == KW_OK) {
        status = kw_response_decode(frame, frame_size, &data, &size);
    }
    if (status != KW_OK) {
        (void)fprintf(watch->trace, "< %s\n", kw_status_text(status));
        return;
    }
    (void)fputc('<', watch->trace);
    show_data(watch->trace, command, data, size);
    const struct kw_link *inner = &watch->inner.link;
    const char *reason =
        inner->ops->reason == NULL ? "" : inner->ops->reason(inner->self);
    (void)fprintf(watch->trace, "%s%s\n", reason[0] == '\0' ? "" : "  ",
                  reason);
}

static void show_command(const struct watch *watch,
                         const struct kw_command *command) {
    (void)fprintf(watch->trace, "> %s(%02X) param1 %02X param2 %04X",
                  name_of(command->opcode), command->opcode, command->param1,
                  command->param2);
    show_data(watch->trace, command, command->data, command->data_size);
    (void)fputc('\n', watch->trace);
}

static kw_status transfer(void *self, const uint8_t *packet, size_t packet_size,
                          uint8_t *response, size_t capacity,
                          size_t *response_size) {
    struct watch *watch = self;
    const struct kw_link *inner = &watch->inner.link;
    struct kw_command command = {0};
    KW_ENSURE(*watch->stop == 0, KW_INTERRUPTED);
    const bool show = watch->trace != NULL &&
                      kw_packet_decode(packet, packet_size, &command) == KW_OK;
    if (show) {
        show_command(watch, &command);
    }
    const kw_status status = inner->ops->transfer(
        inner->self, packet, packet_size, response, capacity, response_size);
    if (show) {
        show_answer(watch, &command, status, response, *response_size);
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
    return watch->inner.link.ops->wake(watch->inner.link.self);
}

static kw_status idle(void *self) {
    struct watch *watch = self;
    show_word(watch, "idle");
    return watch->inner.link.ops->idle(watch->inner.link.self);
}

static kw_status put_to_sleep(void *self) {
    struct watch *watch = self;
    show_word(watch, "sleep");
    return watch->inner.link.ops->sleep(watch->inner.link.self);
}

static const char *reason(void *self) {
    const struct kw_link *inner = &((struct watch *)self)->inner.link;
    return inner->ops->reason == NULL ? "" : inner->ops->reason(inner->self);
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
    struct watch *watch = malloc(sizeof *watch);
    if (watch == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    *watch = (struct watch){*opened, stop, trace};
    *opened = (struct kw_opened_link){{&OPS, watch}, close_watch};
    return KW_OK;
}
