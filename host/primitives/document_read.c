/* host/primitives/document_read.c: a document from a file of somebody's. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/files.h"
#include "host/primitives/document.h"

bool kw_document_read(struct kw_document *document, const char *path,
                      struct kw_problems *problems) {
    struct kw_error error;
    uint8_t *data = NULL;
    size_t size = 0;
    if (kw_file_read(path, KW_DOCUMENT_LIMIT, &data, &size, &error) != KW_OK) {
        *document = (struct kw_document){.name = strdup(path)};
        kw_problem(problems, document, NULL, "%s", error.message);
        return false;
    }
    const bool ok =
        kw_document_parse(document, path, (const char *)data, size, problems);
    free(data);
    return ok && kw_document_texts(document, problems);
}
