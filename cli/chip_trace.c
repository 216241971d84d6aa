/* cli/chip_trace.c: `chip trace`. */
#include <stdlib.h>
#include <string.h>

#include "cli/chip_verbs.h"
#include "host/chip_refusal.h"
#include "host/files.h"
#include "host/frames_file.h"
#include "host/hex_file.h"
#include "host/secret_frames.h"

#define FILE_MAX (1u << 20)

const struct kw_option kw_chip_trace_options[] = {
    {"--config", "FILE", "the chip's configuration, 128 bytes or hex"},
    {NULL, NULL, NULL},
};

/* The reason of a refusal, when the configuration is known. */
static void add_reason(const struct kw_frame_view *view,
                       const struct kw_recorded *frame,
                       char text[KW_FRAME_WORDS]) {
    const uint8_t *data = NULL;
    size_t size = 0;
    char why[KW_WHY_MAX];
    if (!view->has_command || !kw_frame_view_knows(view) ||
        kw_response_decode(frame->bytes, frame->size, &data, &size) != KW_OK ||
        size != 1) {
        return;
    }
    kw_explain_refusal(view->config, &view->command, kw_status_of_chip(data[0]),
                       why);
    const size_t used = strlen(text);
    if (why[0] != '\0') {
        (void)snprintf(text + used, KW_FRAME_WORDS - used, "  %s", why);
    }
}

static void say(struct kw_frame_view *view, const struct kw_recorded *frame,
                char text[KW_FRAME_WORDS]) {
    static const char *const WORDS[] = {
        [KW_RECORDED_WAKE] = "wake",
        [KW_RECORDED_IDLE] = "idle",
        [KW_RECORDED_SLEEP] = "sleep",
    };
    if (frame->kind != KW_RECORDED_FRAME) {
        (void)snprintf(text, KW_FRAME_WORDS, "%s", WORDS[frame->kind]);
    } else if (frame->to_chip) {
        kw_frame_packet(view, frame->bytes, frame->size, text);
    } else {
        kw_frame_response(view, frame->bytes, frame->size, text);
        add_reason(view, frame, text);
    }
}

static kw_status show_frames(struct kw_cli *cli, struct kw_frames_file *file,
                             struct kw_frame_view *view, json_t *array) {
    struct kw_recorded frame;
    char text[KW_FRAME_WORDS];
    kw_status status = KW_OK;
    while ((status = kw_frames_next(file, &frame)) == KW_OK) {
        const char *direction = frame.to_chip ? ">" : "<";
        say(view, &frame, text);
        kw_print(cli, "%s %s\n", direction, text);
        json_array_append_new(array, json_pack("{s:i, s:s, s:s}", "line",
                                               (int)frame.line, "direction",
                                               direction, "text", text));
    }
    return status == KW_NO ? KW_OK : status;
}

/* stdin can be a pipe, which has no size beforehand. */
static kw_status read_stdin(struct kw_cli *cli, uint8_t **data, size_t *size) {
    uint8_t *text = malloc(FILE_MAX + 1);
    if (text == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    *size = fread(text, 1, FILE_MAX + 1, stdin);
    if (ferror(stdin) == 0 && *size <= FILE_MAX) {
        *data = text;
        return KW_OK;
    }
    free(text);
    return ferror(stdin) != 0
               ? kw_error_system(&cli->error, "cannot read stdin")
               : kw_error(&cli->error, KW_PARSE_SIZE,
                          "stdin holds more than 1 MiB");
}

static kw_status read_all(struct kw_cli *cli, const char *name, uint8_t **data,
                          size_t *size) {
    return strcmp(name, "-") == 0
               ? read_stdin(cli, data, size)
               : kw_input_read(name, FILE_MAX, data, size, &cli->error);
}

kw_status kw_chip_trace_verb(struct kw_cli *cli,
                             const struct kw_arguments *arguments) {
    const char *name = arguments->operand[0];
    const char *config_file = kw_argument(arguments, "--config");
    struct kw_frame_view view = {.known_words = 0};
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t *data = NULL;
    size_t size = 0;
    if (config_file != NULL) {
        KW_TRY(kw_bytes_file_read(config_file, config, sizeof config,
                                  &cli->error));
        kw_frame_view_tell(&view, config);
    }
    KW_TRY(read_all(cli, name, &data, &size));
    struct kw_frames_file file = {(const char *)data, size, 0, 0};
    json_t *array = json_array();
    const kw_status status = show_frames(cli, &file, &view, array);
    free(data);
    json_object_set_new(cli->result, "frames", array);
    return status == KW_OK
               ? KW_OK
               : kw_error(&cli->error, status,
                          "%s, line %u: not a frame (docs/formats.md, "
                          "\"Recorded frames\")",
                          name, file.line);
}
