/* cli/primitives_project.c: the project file that a verb of `primitives` works
 * on. */
#include <stdlib.h>

#include "cli/primitives.h"

struct kw_project_options kw_options_of(const struct kw_arguments *arguments) {
    return (struct kw_project_options){
        .model = kw_argument(arguments, "--model"),
        .min_confidence = kw_argument(arguments, "--min-confidence"),
        .sources = kw_argument(arguments, "--source"),
        .reading = kw_argument(arguments, "--reading"),
        .level = kw_argument(arguments, "--level"),
    };
}

kw_status kw_open_project(struct kw_cli *cli, struct kw_primitives *primitives,
                          const char *path,
                          const struct kw_project_options *options,
                          struct kw_project **project) {
    *project = calloc(1, sizeof **project);
    if (*project == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "no memory");
    }
    return kw_project_load(*project, &primitives->catalogue, path, options,
                           &primitives->problems, &cli->error);
}

void kw_project_done(struct kw_project *project) {
    if (project != NULL) {
        kw_project_free(project);
        free(project);
    }
}

kw_status kw_with_project(struct kw_cli *cli,
                          const struct kw_arguments *arguments,
                          kw_project_work *work) {
    struct kw_primitives primitives;
    struct kw_project *project = NULL;
    const struct kw_project_options options = kw_options_of(arguments);
    kw_status status = kw_primitives_open(cli, arguments, &primitives);
    if (status == KW_OK) {
        status = kw_open_project(cli, &primitives, arguments->operand[0],
                                 &options, &project);
    }
    if (status == KW_OK) {
        status = work(cli, arguments, &primitives, project);
    }
    kw_project_done(project);
    kw_primitives_close(&primitives);
    return status;
}
