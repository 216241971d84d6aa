/* cli/lab.c: the noun `lab`: use cases, played and attacked. */
#include <stdlib.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/show.h"
#include "cli/wrap.h"
#include "host/lab.h"
#include "host/text.h"

#define INDENT 5

/* --- what a lab tells --- */

struct telling {
    struct kw_cli *cli;
    const struct kw_lab *lab;
    json_t *part; /* the present step or attack; owned by the document */
    size_t number;
    size_t refused;
};

/* A text in lines of the terminal's width, behind so many blanks. */
static void print_wrapped(const struct kw_cli *cli, int indent,
                          const char *text) {
    const size_t width = (size_t)(KW_TERMINAL_WIDTH - indent);
    while (*text != '\0') {
        const size_t piece = kw_piece_of(text, width);
        kw_print(cli, "%*s%.*s\n", indent, "", (int)piece, text);
        text = kw_next_piece(text, piece);
    }
}

static void print_head(struct telling *telling, const struct kw_lab_part *part,
                       bool is_attack) {
    kw_print(telling->cli, "\n");
    if (is_attack) {
        kw_print(telling->cli, "Attack %s: %s\n", part->name, part->title);
    } else {
        kw_print(telling->cli, "%zu. %c%s\n", ++telling->number,
                 part->title[0] & ~0x20, part->title + 1);
    }
    print_wrapped(telling->cli, INDENT, part->why);
    kw_print(telling->cli, "\n");
}

static void on_begin(void *self, const struct kw_lab_part *part,
                     bool is_attack) {
    struct telling *telling = self;
    if (telling->part == NULL) {
        kw_print(telling->cli, "Lab: %s\n", telling->lab->title);
    }
    print_head(telling, part, is_attack);
    telling->part =
        json_pack("{s:s, s:s, s:s, s:[], s:[]}", "name", part->name, "title",
                  part->title, "why", part->why, "lines", "values");
    json_array_append_new(
        json_object_get(telling->cli->result, is_attack ? "attacks" : "steps"),
        telling->part);
}

static void on_line(void *self, const char *line) {
    const struct telling *telling = self;
    kw_print(telling->cli, "%s\n", line);
    json_array_append_new(json_object_get(telling->part, "lines"),
                          json_string(line));
}

static void on_value(void *self, const char *name, const uint8_t *bytes,
                     size_t size) {
    const struct telling *telling = self;
    char *text = malloc(2 * size + 1);
    if (text == NULL) {
        return; /* the schema finds a document without it */
    }
    kw_hex(bytes, size, text);
    json_array_append_new(json_object_get(telling->part, "values"),
                          json_pack("{s:s, s:s}", "name", name, "hex", text));
    free(text);
}

static void on_refused(void *self, const char *words) {
    struct telling *telling = self;
    telling->refused++;
    kw_print(telling->cli, "Refused: %s\n", words);
    json_object_set_new(telling->part, "refused", json_string(words));
}

/* --- playing --- */

/* The file that `source` names is enough where there is no workspace. */
static kw_status open_bench(struct kw_cli *cli, struct kw_lab_bench *bench) {
    struct kw_workspace *workspace = NULL;
    const kw_status status = kw_cli_workspace(cli, &workspace);
    if (status != KW_OK && bench->source == NULL) {
        return status;
    }
    bench->workspace = workspace;
    return kw_cli_chip(cli, &bench->chip);
}

static kw_status set_serial(struct kw_cli *cli, struct kw_chip *chip) {
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t serial[KW_SERIAL_SIZE];
    const kw_status status = kw_chip_read_config(chip, config);
    kw_chip_idle(chip);
    if (status != KW_OK) {
        return kw_error_chip(&cli->error, status, chip, "cannot read the chip");
    }
    kw_config_serial(config, serial);
    kw_set_serial(cli->result, serial);
    return KW_OK;
}

static kw_status play(struct kw_cli *cli, const struct kw_arguments *arguments,
                      const struct kw_lab *lab, const char *source) {
    struct telling telling = {.cli = cli, .lab = lab};
    const struct kw_lab_watcher watcher = {on_begin, on_line, on_value,
                                           on_refused, &telling};
    struct kw_lab_bench bench = {
        .source = kw_argument(arguments, source),
        .now = kw_moment_of(time(NULL)),
        .watcher = &watcher,
        .error = &cli->error,
    };
    KW_TRY(open_bench(cli, &bench));
    KW_TRY(set_serial(cli, bench.chip));
    json_object_set_new(cli->result, "steps", json_array());
    json_object_set_new(cli->result, "attacks", json_array());
    KW_TRY(kw_lab_play(lab, kw_argument(arguments, "--attack"), &bench));
    kw_print(cli,
             "\nThe chip proved what it should; %zu of %zu attacks "
             "played, and refused\n",
             telling.refused, lab->attack_count);
    return KW_OK;
}

static kw_status asymmetric(struct kw_cli *cli,
                            const struct kw_arguments *arguments) {
    return play(cli, arguments, &kw_lab_asymmetric, "--root");
}

static kw_status accessory(struct kw_cli *cli,
                           const struct kw_arguments *arguments) {
    return play(cli, arguments, &kw_lab_accessory, "--key-file");
}

/* --- the table --- */

static const struct kw_option ASYMMETRIC_OPTIONS[] = {
    {"--root", "FILE",
     "the root that the host trusts (default: the workspace's)"},
    {"--attack", "clone|foreign-root|expired|replay|none",
     "only this one (default: all)"},
    {NULL, NULL, NULL},
};

static const struct kw_option ACCESSORY_OPTIONS[] = {
    {"--key-file", "FILE",
     "the host's secret (default: what `resources make` put into slot 5)"},
    {"--attack", "wrong-accessory|replay|none", "only this one (default: all)"},
    {NULL, NULL, NULL},
};

static const struct kw_verb VERBS[] = {
    {"asymmetric", NULL,
     "a chip proves that it holds the private key of its certificate",
     ASYMMETRIC_OPTIONS, 0, 0, asymmetric, .example = "lab asymmetric"},
    {"accessory", NULL, "an accessory proves that it holds the host's secret",
     ACCESSORY_OPTIONS, 0, 0, accessory,
     .example = "lab accessory --attack replay"},
};

const struct kw_noun kw_noun_lab = {
    "lab", "use cases, step by step, and attacked", VERBS,
    sizeof VERBS / sizeof *VERBS, KW_ON_CHIP};
