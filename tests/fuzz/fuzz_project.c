/* Project and data files of `primitives`: whatever is read is refused with a
 * problem that names a line of the file, or evaluates and prints. */
#include <unistd.h>

#include "host/primitives/closing.h"
#include "host/primitives/output.h"
#include "tests/fuzz/fuzz.h"

static const struct kw_catalogue *catalogue(void) {
    static struct kw_catalogue shipped;
    static struct kw_problems problems;
    struct kw_error error;
    if (shipped.document_count == 0) {
        kw_problems_init(&problems);
        FUZZ_DEMAND(kw_catalogue_load(&shipped, true, NULL, 0, &problems,
                                      &error) == KW_OK);
    }
    return &shipped;
}

static void print_all(struct kw_project *project) {
    static const char *const KINDS[] = {"catalog", "component", "mapping",
                                        "results"};
    json_t *document = kw_project_document(project);
    char *const texts[] = {kw_markdown(document), kw_csv(document),
                           kw_markdown_implementation(document),
                           kw_markdown_guidance(project)};
    for (size_t i = 0; i < 4; i++) {
        FUZZ_DEMAND(texts[i] != NULL);
        free(texts[i]);
        json_t *oscal = kw_oscal(project, KINDS[i]);
        FUZZ_DEMAND(oscal != NULL);
        json_decref(oscal);
    }
    json_decref(document);
}

static void close_gaps(struct kw_project *project,
                       struct kw_problems *problems) {
    const struct kw_closing_options options = {.sets = 2, .swap = true};
    struct kw_error error;
    json_t *document = json_object();
    (void)!kw_closing(project, &options, problems, document, &error);
    json_decref(document);
}

static void check_problems(const struct kw_problems *problems, size_t size) {
    size_t index;
    json_t *entry;
    json_array_foreach(problems->list, index, entry) {
        const json_int_t line =
            json_integer_value(json_object_get(entry, "line"));
        FUZZ_DEMAND(line >= 1 && line <= (json_int_t)size + 1);
        FUZZ_DEMAND(json_is_string(json_object_get(entry, "message")));
    }
}

static void try_project(const char *path, size_t size) {
    static struct kw_project project;
    const struct kw_project_options options = {.model = NULL};
    struct kw_problems problems;
    struct kw_error error;
    kw_problems_init(&problems);
    const kw_status status = kw_project_load(&project, catalogue(), path,
                                             &options, &problems, &error);
    FUZZ_DEMAND(status == KW_OK || error.message[0] != '\0');
    if (status == KW_OK) {
        print_all(&project);
        close_gaps(&project, &problems);
    }
    check_problems(&problems, size);
    kw_project_free(&project);
    kw_problems_free(&problems);
}

static void try_data(const char *path, size_t size) {
    struct kw_catalogue own;
    struct kw_problems problems;
    struct kw_error error;
    kw_problems_init(&problems);
    if (kw_catalogue_load(&own, false, &path, 1, &problems, &error) == KW_OK) {
        char *svg = kw_graph_svg(&own, 0, 0);
        FUZZ_DEMAND(svg != NULL);
        free(svg);
        kw_catalogue_free(&own);
    }
    check_problems(&problems, size);
    kw_problems_free(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_path("project.json");
    FILE *file = fopen(path, "wb");
    FUZZ_DEMAND(file != NULL);
    FUZZ_DEMAND(fwrite(data, 1, size, file) == size);
    FUZZ_DEMAND(fclose(file) == 0);
    try_project(path, size);
    try_data(path, size);
    FUZZ_DEMAND(unlink(path) == 0);
    return 0;
}
