#include "host/primitives/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sha256.h"
#include "host/base64.h"
#include "host/primitives/shipped.h"

#define FOLDER "web/primitives/"

/* In the order of the one script that they become. */
static const char *const SCRIPTS[] = {
    "dom.js",      "engine.js", "catalogue.js", "reading.js",   "project.js",
    "document.js", "graph.js",  "usecase.js",   "standards.js", "parts.js",
    "closing.js",  "report.js", "welcome.js",   "page.js",
};

static const char *const STYLES[] = {"base.css", "sections.css", "screens.css"};

/* --- the embedded files --- */

static const struct kw_shipped_file *find(const char *name) {
    for (size_t i = 0; i < kw_page_file_count; i++) {
        if (strcmp(kw_page_files[i].name, name) == 0) {
            return &kw_page_files[i];
        }
    }
    return NULL;
}

static void put_file(FILE *out, const char *name) {
    char path[96];
    (void)snprintf(path, sizeof path, FOLDER "%s", name);
    const struct kw_shipped_file *file = find(path);
    if (file != NULL) {
        (void)fwrite(file->bytes, 1, file->size, out);
    }
}

/* One function around all, so that the page has one name in it and the
 * pieces share theirs. */
static void put_script(FILE *out) {
    (void)fputs("(() => {\n\"use strict\";\n", out);
    for (size_t i = 0; i < sizeof SCRIPTS / sizeof *SCRIPTS; i++) {
        put_file(out, SCRIPTS[i]);
    }
    (void)fputs("})();\n", out);
}

static void put_style(FILE *out) {
    for (size_t i = 0; i < sizeof STYLES / sizeof *STYLES; i++) {
        put_file(out, STYLES[i]);
    }
}

/* --- what the page knows --- */

static void put_base64(json_t *object, const char *member, const void *bytes,
                       size_t size) {
    char *text = malloc(kw_base64_length(KW_BASE64_PADDED, size) + 1);
    if (text != NULL) {
        const size_t length =
            kw_base64_encode(KW_BASE64_PADDED, bytes, size, text);
        json_object_set_new(object, member, json_stringn(text, length));
    }
    free(text);
}

/* The entry without what the words hold already. */
static json_t *slim(json_t *entry, const char *const *without) {
    json_t *copy = entry == NULL ? json_object() : json_copy(entry);
    for (size_t i = 0; without[i] != NULL; i++) {
        json_object_del(copy, without[i]);
    }
    return copy;
}

static void put_table(json_t *names, const char *member,
                      const struct kw_table *table,
                      const char *const *without) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < table->count; i++) {
        json_t *entry = slim(table->entry[i], without);
        if (table->id[i][0] != '\0') {
            json_object_set_new(entry, "id", json_string(table->id[i]));
        }
        json_array_append_new(list, entry);
    }
    json_object_set_new(names, member, list);
}

static json_t *read_file(const struct kw_shipped_file *file) {
    return json_loadb((const char *)file->bytes, file->size, 0, NULL);
}

static json_t *examples(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < kw_page_file_count; i++) {
        if (strncmp(kw_page_files[i].name, "examples/", 9) == 0) {
            json_array_append_new(list, read_file(&kw_page_files[i]));
        }
    }
    return list;
}

static json_t *names_of(const struct kw_catalogue *catalogue) {
    static const char *const PRIMITIVE[] = {"mandatory", "optional", NULL};
    static const char *const STANDARD[] = {"requirements", "mappings",
                                           "sources", NULL};
    static const char *const REQUIREMENT[] = {"levels", "types", "group",
                                              "base", NULL};
    static const char *const MAPPING[] = {"primitive", "requirement", NULL};
    static const char *const PART[] = {"features", "sources", NULL};
    static const char *const FEATURE[] = {"algorithms", "primitive", NULL};
    static const char *const NOTHING[] = {NULL};
    const struct kw_shipped_file *schema =
        find("data/primitives/schemas/project.json");
    json_t *names = json_object();
    put_table(names, "primitives", &catalogue->primitives, PRIMITIVE);
    put_table(names, "edges", &catalogue->edges, NOTHING);
    put_table(names, "items", &catalogue->items, NOTHING);
    put_table(names, "algorithms", &catalogue->algorithms, NOTHING);
    put_table(names, "standards", &catalogue->standards, STANDARD);
    put_table(names, "requirements", &catalogue->requirements, REQUIREMENT);
    put_table(names, "mappings", &catalogue->mappings, MAPPING);
    put_table(names, "parts", &catalogue->parts, PART);
    put_table(names, "features", &catalogue->features, FEATURE);
    json_object_set_new(names, "examples", examples());
    json_object_set_new(names, "project",
                        schema == NULL ? json_null() : read_file(schema));
    put_base64(names, "words", catalogue->words.word,
               catalogue->words.count * sizeof(uint32_t));
    return names;
}

/* JSON inside HTML: no "<" may stand in it, or a text could end the element
 * that holds it. */
static void put_json(FILE *out, const json_t *value) {
    char *text = json_dumps(value, JSON_COMPACT);
    for (const char *at = text; at != NULL && *at != '\0'; at++) {
        if (*at == '<') {
            (void)fputs("\\u003c", out);
        } else {
            (void)fputc(*at, out);
        }
    }
    free(text);
}

static void put_data(FILE *out, const struct kw_catalogue *catalogue) {
    const struct kw_shipped_file *engine = find("engine.wasm");
    json_t *names = names_of(catalogue);
    put_base64(names, "engine", engine->bytes, engine->size);
    put_json(out, names);
    json_decref(names);
}

/* --- the page --- */

/* What a put_ function writes, as base64 of its SHA-256. */
static void put_hash(FILE *out, void (*put)(FILE *out)) {
    char *text = NULL;
    size_t size = 0;
    uint8_t digest[KW_SHA256_SIZE];
    char base64[48] = "";
    FILE *memory = open_memstream(&text, &size);
    if (memory == NULL) {
        return;
    }
    put(memory);
    if (fclose(memory) == 0) {
        kw_sha256_of(text, size, digest);
        base64[kw_base64_encode(KW_BASE64_PADDED, digest, sizeof digest,
                                base64)] = '\0';
    }
    (void)fprintf(out, "'sha256-%s'", base64);
    free(text);
}

static void put_part(FILE *out, const struct kw_catalogue *catalogue,
                     const char *name, size_t size) {
    const struct {
        const char *name;
        void (*put)(FILE *out);
        bool hash;
    } parts[] = {
        {"script", put_script, false},
        {"style", put_style, false},
        {"script-hash", put_script, true},
        {"style-hash", put_style, true},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strlen(parts[i].name) != size ||
            memcmp(parts[i].name, name, size) != 0) {
            continue;
        }
        if (parts[i].hash) {
            put_hash(out, parts[i].put);
        } else {
            parts[i].put(out);
        }
        return;
    }
    put_data(out, catalogue);
}

/* The template with each {{name}} replaced. */
static void put_page(FILE *out, const struct kw_catalogue *catalogue) {
    const struct kw_shipped_file *file = find(FOLDER "page.html");
    const char *at = (const char *)file->bytes;
    const char *const end = at + file->size;
    while (at < end) {
        const char *open = memmem(at, (size_t)(end - at), "{{", 2);
        const char *close =
            open == NULL ? NULL : memmem(open, (size_t)(end - open), "}}", 2);
        if (close == NULL) {
            (void)fwrite(at, 1, (size_t)(end - at), out);
            return;
        }
        (void)fwrite(at, 1, (size_t)(open - at), out);
        put_part(out, catalogue, open + 2, (size_t)(close - open - 2));
        at = close + 2;
    }
}

kw_status kw_page(const struct kw_catalogue *catalogue, char **html,
                  struct kw_error *error) {
    size_t size = 0;
    if (find("engine.wasm") == NULL) {
        kw_error(error, KW_NO,
                 "this build cannot write the page: clang or wasm-ld was not "
                 "there when it was built");
        return kw_error_hint(error, "install the packages clang and lld, then "
                                    "build again");
    }
    FILE *out = open_memstream(html, &size);
    if (out == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "no memory for the page");
    }
    put_page(out, catalogue);
    return fclose(out) == 0
               ? KW_OK
               : kw_error(error, KW_SYSTEM_MEMORY, "no memory for the page");
}
