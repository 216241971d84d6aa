/* cli/primitives_close.c: the verb `close`. */
#include <stdlib.h>

#include "cli/primitives.h"
#include "host/primitives/closing.h"

static kw_status read_sets(struct kw_cli *cli, const char *text,
                           uint32_t *sets) {
    char *end = NULL;
    if (text == NULL) {
        *sets = 3;
        return KW_OK;
    }
    const unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < 1 ||
        value > KW_COVER_SETS_MAX) {
        return kw_error(&cli->error, KW_USAGE, "--sets \"%.20s\": 1 to %d",
                        text, KW_COVER_SETS_MAX);
    }
    *sets = (uint32_t)value;
    return KW_OK;
}

static kw_status closing(struct kw_cli *cli,
                         const struct kw_arguments *arguments,
                         struct kw_primitives *primitives,
                         struct kw_project *project) {
    struct kw_closing_options options = {
        .swap = kw_argument(arguments, "--swap") != NULL,
    };
    KW_TRY(read_sets(cli, kw_argument(arguments, "--sets"), &options.sets));
    if (project->engine.parts.count == 0) {
        return kw_error(&cli->error, KW_PARSE,
                        "%s:1: platforms: names no part to start from",
                        project->document.name);
    }
    KW_TRY(kw_closing(project, &options, &primitives->problems, cli->result,
                      &cli->error));
    kw_show_closing(cli, cli->result);
    return json_array_size(json_object_get(cli->result, "impossible")) > 0
               ? KW_NO
               : KW_OK;
}

kw_status kw_primitives_close_gaps(struct kw_cli *cli,
                                   const struct kw_arguments *arguments) {
    return kw_with_project(cli, arguments, closing);
}
