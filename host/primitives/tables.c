/* host/primitives/tables.c: an evaluation as Markdown and as CSV. */
#include <stdlib.h>
#include <string.h>

#include "host/primitives/output.h"

/* What Markdown or the HTML under it might read is escaped. */
static void put(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c < 0x20) {
            (void)fputc(' ', out);
        } else if (c == '<' || c == '>' || c == '&') {
            (void)fprintf(out, "&#%u;", c);
        } else {
            if (strchr("\\`*_[]|!", c) != NULL) {
                (void)fputc('\\', out);
            }
            (void)fputc(c, out);
        }
    }
}

static void cell(FILE *out, const char *text) {
    (void)fputs("| ", out);
    put(out, text);
    (void)fputc(' ', out);
}

static void list_cell(FILE *out, const json_t *list, const char *member) {
    size_t index;
    json_t *entry;
    (void)fputs("| ", out);
    json_array_foreach(list, index, entry) {
        (void)fputs(index == 0 ? "" : ", ", out);
        put(out,
            member == NULL ? json_string_value(entry) : kw_text(entry, member));
    }
    (void)fputc(' ', out);
}

/* "secure-updates (derived, high)" */
static void links_cell(FILE *out, const json_t *links) {
    size_t index;
    json_t *link;
    (void)fputs("| ", out);
    json_array_foreach(links, index, link) {
        (void)fputs(index == 0 ? "" : ", ", out);
        put(out, kw_text(link, "primitive"));
        (void)fprintf(out, " (%s, %s)", kw_text(link, "layer"),
                      kw_text(link, "confidence"));
    }
    (void)fputc(' ', out);
}

static void row_end(FILE *out) {
    (void)fputs("|\n", out);
}

static const json_t *at(const json_t *document, const char *phase,
                        const char *member) {
    return json_object_get(json_object_get(document, phase), member);
}

static void phase_1(FILE *out, const json_t *document) {
    size_t index;
    json_t *entry;
    (void)fputs("\n## Phase 1: primitives\n\n| primitive | origin | required "
                "by |\n|---|---|---|\n",
                out);
    json_array_foreach(at(document, "phase1", "applicable"), index, entry) {
        cell(out, kw_text(entry, "primitive"));
        cell(out, kw_text(entry, "origin"));
        list_cell(out, json_object_get(entry, "required_by"), NULL);
        row_end(out);
    }
}

static void phase_2(FILE *out, const json_t *document) {
    size_t index;
    size_t n;
    json_t *standard;
    json_t *row;
    json_array_foreach(at(document, "phase2", "standards"), index, standard) {
        (void)fputs("\n## Phase 2: ", out);
        put(out, kw_text(standard, "standard"));
        (void)fputs(
            "\n\n| requirement | title | status | primitives | argument "
            "|\n|---|---|---|---|---|\n",
            out);
        json_array_foreach(json_object_get(standard, "rows"), n, row) {
            cell(out, kw_text(row, "requirement"));
            cell(out, kw_text(row, "title"));
            cell(out, kw_text(row, "status"));
            links_cell(out, json_object_get(row, "links"));
            cell(out, kw_text(row, "argument"));
            row_end(out);
        }
    }
}

static void phase_3(FILE *out, const json_t *document) {
    size_t index;
    size_t n;
    json_t *row;
    json_t *want;
    (void)fputs("\n## Phase 3: ", out);
    put(out, kw_text(json_object_get(document, "phase3"), "verdict"));
    (void)fputs("\n\n| primitive | algorithm | status | features | missing "
                "|\n|---|---|---|---|---|\n",
                out);
    json_array_foreach(at(document, "phase3", "rows"), index, row) {
        cell(out, kw_text(row, "primitive"));
        cell(out, "");
        cell(out, kw_text(row, "status"));
        list_cell(out, json_object_get(row, "features"), NULL);
        cell(out, "");
        row_end(out);
        json_array_foreach(json_object_get(row, "algorithms"), n, want) {
            cell(out, kw_text(row, "primitive"));
            cell(out, kw_text(want, "algorithm"));
            cell(out, kw_text(want, "status"));
            cell(out, "");
            list_cell(out, json_object_get(want, "missing"), NULL);
            row_end(out);
        }
    }
}

char *kw_markdown(const json_t *document) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    (void)fputs("# ", out);
    put(out, kw_text(document, "title"));
    (void)fputc('\n', out);
    phase_1(out, document);
    phase_2(out, document);
    phase_3(out, document);
    return fclose(out) == 0 ? text : NULL;
}

/* --- the lists of section 3.3 --- */

static void put_missing(FILE *out, const json_t *missing) {
    size_t index;
    json_t *item;
    json_array_foreach(missing, index, item) {
        (void)fputs(index == 0 ? ", lacks " : ", ", out);
        put(out, json_string_value(item));
    }
}

char *kw_markdown_implementation(const json_t *document) {
    char *text = NULL;
    size_t size = 0;
    size_t index;
    size_t n;
    json_t *row;
    json_t *want;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    (void)fputs("# Implementation requirements: ", out);
    put(out, kw_text(document, "title"));
    (void)fputs("\n\n", out);
    json_array_foreach(at(document, "phase3", "rows"), index, row) {
        (void)fputs("- ", out);
        put(out, kw_text(row, "primitive"));
        (void)fprintf(out, ": %s\n", kw_text(row, "status"));
        json_array_foreach(json_object_get(row, "algorithms"), n, want) {
            (void)fputs("  - ", out);
            put(out, kw_text(want, "algorithm"));
            (void)fprintf(out, ": %s", kw_text(want, "status"));
            put_missing(out, json_object_get(want, "missing"));
            (void)fputc('\n', out);
        }
    }
    json_array_foreach(at(document, "phase2", "standards"), index, row) {
        (void)fputs("\n## ", out);
        put(out, kw_text(row, "standard"));
        (void)fputs("\n\n", out);
        json_array_foreach(json_object_get(row, "rows"), n, want) {
            (void)fputs("- ", out);
            put(out, kw_text(want, "requirement"));
            (void)fputs(" ", out);
            put(out, kw_text(want, "title"));
            (void)fprintf(out, ": %s\n", kw_text(want, "status"));
        }
    }
    return fclose(out) == 0 ? text : NULL;
}

/* What the parts leave open: to be closed, or left to guidance. */
static void put_open_gaps(FILE *out, const struct kw_project *project) {
    const struct kw_engine_result *result = &project->result;
    bool any = false;
    for (uint32_t i = 0; i < result->fit_count; i++) {
        const struct kw_engine_fit *fit = &result->fits[i];
        if (fit->state >= KW_ENGINE_FULL) {
            continue;
        }
        (void)fputs(any ? "" : "\n## Gaps of the parts, open so far\n\n", out);
        (void)fputs("- ", out);
        put(out, project->catalogue->primitives.id[fit->primitive]);
        (void)fprintf(out, ": %s\n", kw_cover_word(fit->state));
        any = true;
    }
    for (uint32_t i = 0; i < result->missing_count; i++) {
        (void)fputs("- ", out);
        put(out, project->catalogue->items.id[result->missing[i]]);
        (void)fputs(": missing\n", out);
    }
}

static void put_guided(FILE *out, const json_t *entry) {
    const char *primitive = kw_text(entry, "primitive");
    (void)fputs("- ", out);
    put(out, primitive[0] != '\0' ? primitive : kw_text(entry, "algorithm"));
    (void)fputs(": ", out);
    put(out, kw_text(entry, "text"));
    (void)fputc('\n', out);
}

char *kw_markdown_guidance(const struct kw_project *project) {
    const json_t *list = json_object_get(project->document.root, "guidance");
    char *text = NULL;
    size_t size = 0;
    size_t index;
    json_t *entry;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    (void)fputs("# What user guidance has to cover\n\n", out);
    json_array_foreach(list, index, entry) {
        put_guided(out, entry);
    }
    if (json_array_size(list) == 0) {
        (void)fputs("The project leaves nothing to user guidance.\n", out);
    }
    put_open_gaps(out, project);
    return fclose(out) == 0 ? text : NULL;
}

/* --- CSV --- */

/* A spreadsheet takes what starts with these, or with their full-width
 * forms, for a formula. */
static bool is_formula(const char *text) {
    static const char *const STARTS[] = {
        "=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20"};
    for (size_t i = 0; i < sizeof STARTS / sizeof *STARTS; i++) {
        if (strncmp(text, STARTS[i], strlen(STARTS[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void field(FILE *out, const char *text, bool last) {
    (void)fputc('"', out);
    if (is_formula(text)) {
        (void)fputc('\'', out);
    }
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            (void)fputc('"', out);
        }
        (void)fputc(*text, out);
    }
    (void)fputs(last ? "\"\r\n" : "\",", out);
}

/* One line; what a phase does not have stays empty. */
struct csv_line {
    const char *phase;
    const char *standard;
    const char *item;
    const char *title;
    const char *status;
    const char *primitive;
    const char *layer;
    const char *confidence;
    const char *note;
};

static void line(FILE *out, const struct csv_line *line) {
    const char *const fields[] = {
        line->phase, line->standard,   line->item,
        line->title, line->status,     line->primitive,
        line->layer, line->confidence, line->note};
    const size_t count = sizeof fields / sizeof *fields;
    for (size_t i = 0; i < count; i++) {
        field(out, fields[i] == NULL ? "" : fields[i], i == count - 1);
    }
}

static void csv_primitives(FILE *out, const json_t *document) {
    size_t index;
    json_t *row;
    json_array_foreach(at(document, "phase1", "applicable"), index, row) {
        const json_t *path = json_object_get(row, "path");
        const size_t size = json_array_size(path);
        const char *by =
            size > 1 ? json_string_value(json_array_get(path, size - 2)) : NULL;
        line(out, &(struct csv_line){.phase = "1",
                                     .item = kw_text(row, "primitive"),
                                     .status = kw_text(row, "origin"),
                                     .primitive = kw_text(row, "primitive"),
                                     .note = by});
    }
}

/* A line for each link of a requirement, one when it has none. */
static void csv_requirement(FILE *out, const char *standard,
                            const json_t *row) {
    const json_t *links = json_object_get(row, "links");
    const size_t count = json_array_size(links);
    for (size_t n = 0; n < (count == 0 ? 1 : count); n++) {
        const json_t *link = json_array_get(links, n);
        line(out, &(struct csv_line){.phase = "2",
                                     .standard = standard,
                                     .item = kw_text(row, "requirement"),
                                     .title = kw_text(row, "title"),
                                     .status = kw_text(row, "status"),
                                     .primitive = kw_text(link, "primitive"),
                                     .layer = kw_text(link, "layer"),
                                     .confidence = kw_text(link, "confidence"),
                                     .note = kw_text(row, "argument")});
    }
}

static void csv_fit(FILE *out, const json_t *row) {
    const char *primitive = kw_text(row, "primitive");
    size_t index;
    json_t *entry;
    line(out, &(struct csv_line){.phase = "3",
                                 .item = primitive,
                                 .status = kw_text(row, "status"),
                                 .primitive = primitive});
    json_array_foreach(json_object_get(row, "feature_details"), index, entry) {
        line(out, &(struct csv_line){.phase = "3",
                                     .item = kw_text(entry, "platform"),
                                     .title = kw_text(entry, "feature"),
                                     .status = kw_text(entry, "support"),
                                     .primitive = primitive,
                                     .confidence = kw_text(entry, "confidence"),
                                     .note = kw_text(entry, "robustness")});
    }
    json_array_foreach(json_object_get(row, "algorithms"), index, entry) {
        line(out, &(struct csv_line){.phase = "3",
                                     .item = kw_text(entry, "algorithm"),
                                     .status = kw_text(entry, "status"),
                                     .primitive = primitive});
    }
}

char *kw_csv(const json_t *document) {
    char *text = NULL;
    size_t size = 0;
    size_t index;
    size_t n;
    json_t *row;
    json_t *entry;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    (void)fputs("phase,standard,item,title,status,primitive,layer,confidence,"
                "note\r\n",
                out);
    csv_primitives(out, document);
    json_array_foreach(at(document, "phase2", "standards"), index, row) {
        json_array_foreach(json_object_get(row, "rows"), n, entry) {
            csv_requirement(out, kw_text(row, "standard"), entry);
        }
    }
    json_array_foreach(at(document, "phase3", "rows"), index, row) {
        csv_fit(out, row);
    }
    return fclose(out) == 0 ? text : NULL;
}
