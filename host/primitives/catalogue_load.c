/* host/primitives/catalogue_load.c: from files to a catalogue: read, check,
 * then names, words and rules, each only where the one before found nothing
 * wrong. */
#include <stdlib.h>

#include "host/primitives/catalogue.h"
#include "host/primitives/catalogue_parts.h"
#include "host/primitives/shipped.h"

static void check_document(struct kw_document *document,
                           struct kw_problems *problems) {
    const char *schema = kw_text(document->root, "schema");
    const struct kw_member *shape = kw_data_shape(schema);
    if (shape == NULL) {
        kw_problem(problems, document, "schema",
                   "\"%.60s\" is no schema of a data file; one of "
                   "keywright/data-primitives/1, -algorithms, -standard, "
                   "-platform is",
                   schema);
        return;
    }
    (void)kw_shape_check(document, document->root, "", shape, problems);
}

static void read_documents(struct kw_catalogue *catalogue, bool shipped,
                           const char *const *files, size_t count,
                           struct kw_problems *problems) {
    for (size_t i = 0; shipped && i < kw_shipped_file_count; i++) {
        const struct kw_shipped_file *file = &kw_shipped_files[i];
        (void)kw_document_parse(
            &catalogue->documents[catalogue->document_count++], file->name,
            (const char *)file->bytes, file->size, problems);
    }
    for (size_t i = 0; i < count; i++) {
        struct kw_document *document =
            &catalogue->documents[catalogue->document_count++];
        if (kw_document_read(document, files[i], problems)) {
            check_document(document, problems);
        }
    }
}

static kw_status build(struct kw_catalogue *catalogue,
                       struct kw_problems *problems, struct kw_error *error) {
    KW_TRY(kw_problems_status(problems, error));
    kw_catalogue_names(catalogue, problems);
    KW_TRY(kw_problems_status(problems, error));
    kw_catalogue_words(catalogue, problems);
    KW_TRY(kw_problems_status(problems, error));
    if (catalogue->failed) {
        return kw_error(error, KW_SYSTEM_MEMORY, "no memory for the data");
    }
    const enum kw_engine_status status = kw_engine_load(
        &catalogue->data, catalogue->words.word, catalogue->words.count);
    if (status != KW_ENGINE_OK) {
        return kw_error(error, KW_PARSE,
                        "the data set is larger than the engine takes "
                        "(status %d): at most 64 primitives, 31 levels, 16 "
                        "groups",
                        (int)status);
    }
    kw_catalogue_rules(catalogue, problems);
    return kw_problems_status(problems, error);
}

kw_status kw_catalogue_load(struct kw_catalogue *catalogue, bool shipped,
                            const char *const *files, size_t count,
                            struct kw_problems *problems,
                            struct kw_error *error) {
    *catalogue = (struct kw_catalogue){.document_count = 0};
    catalogue->documents =
        calloc(kw_shipped_file_count + count + 1, sizeof(struct kw_document));
    if (catalogue->documents == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "no memory for the data");
    }
    read_documents(catalogue, shipped, files, count, problems);
    const kw_status status = build(catalogue, problems, error);
    if (status != KW_OK) {
        kw_catalogue_free(catalogue);
    }
    return status;
}
