/* cli/primitives_text.c: an evaluation and a closing, as people read them. */
#include <stdlib.h>
#include <string.h>

#include "cli/primitives.h"
#include "cli/wrap.h"
#include "host/text.h"

#define WORD_COLUMN   12 /* behind a status word */
#define DETAIL_COLUMN 28
#define ID_COLUMN     38 /* behind the longest primitive of the shipped data */

/* --- lines of a terminal's width --- */

void kw_print_column(const struct kw_cli *cli, int column, const char *left,
                     const char *text) {
    const size_t width = (size_t)(KW_TERMINAL_WIDTH - column);
    bool first = (int)strlen(left) < column;
    if (!first || text[0] == '\0') {
        kw_print(cli, "%s\n", left);
    } else {
        kw_print(cli, "%-*s", column, left);
    }
    while (text[0] != '\0') {
        const size_t piece = kw_piece_of(text, width);
        kw_print(cli, "%*s%.*s\n", first ? 0 : column, "", (int)piece, text);
        text = kw_next_piece(text, piece);
        first = false;
    }
}

/* The same; frees the text, and says so when there was no memory for it. */
static void print_made(const struct kw_cli *cli, int column, const char *left,
                       char *text) {
    kw_print_column(cli, column, left, text == NULL ? "(no memory)" : text);
    free(text);
}

char *kw_joined(const json_t *list, const char *member) {
    char *text = kw_format("%s", "");
    size_t index;
    json_t *entry;
    json_array_foreach(list, index, entry) {
        char *longer = kw_format(
            "%s%s%s", text == NULL ? "" : text, index == 0 ? "" : ", ",
            member == NULL ? json_string_value(entry) : kw_text(entry, member));
        free(text);
        text = longer;
    }
    return text;
}

/* --- phase 1 --- */

static void show_applicable(struct kw_cli *cli, const json_t *entry) {
    const json_t *path = json_object_get(entry, "path");
    const size_t size = json_array_size(path);
    char *left = kw_format("  %s", kw_text(entry, "primitive"));
    const char *by =
        size > 1 ? json_string_value(json_array_get(path, size - 2)) : NULL;
    print_made(cli, ID_COLUMN, left == NULL ? "" : left,
               by == NULL ? kw_format("%s", kw_text(entry, "origin"))
                          : kw_format("%s, required by %s",
                                      kw_text(entry, "origin"), by));
    free(left);
}

static void show_phase_1(struct kw_cli *cli, const json_t *phase) {
    const json_t *suggested = json_object_get(phase, "optional_suggestions");
    const json_t *list = json_object_get(phase, "applicable");
    size_t index;
    json_t *entry;
    kw_print(cli, "Phase 1: %zu primitives apply\n", json_array_size(list));
    json_array_foreach(list, index, entry) {
        show_applicable(cli, entry);
    }
    if (json_array_size(suggested) > 0) {
        kw_print(cli, "\n  Optional, and worth a look:\n");
    }
    json_array_foreach(suggested, index, entry) {
        char *left = kw_format("  %s", kw_text(entry, "primitive"));
        print_made(cli, ID_COLUMN, left == NULL ? "" : left,
                   kw_format("%s: %s", kw_text(entry, "suggested_by"),
                             kw_text(entry, "rationale")));
        free(left);
    }
}

/* --- phase 2 --- */

/* "3", or "IAC 3, SI 2" where the groups differ. */
static char *levels_of(const json_t *levels) {
    const json_t *first = json_array_get(levels, 0);
    bool same = true;
    size_t index;
    json_t *entry;
    char *text = kw_format("%s", "");
    json_array_foreach(levels, index, entry) {
        same = same &&
               strcmp(kw_text(entry, "level"), kw_text(first, "level")) == 0;
    }
    json_array_foreach(levels, index, entry) {
        const char *level = kw_text(entry, "level");
        if (same ? index > 0 : strcmp(level, "-") == 0) {
            continue;
        }
        const char *before = text == NULL ? "" : text;
        char *longer =
            kw_format("%s%s%s%s%s", before, before[0] == '\0' ? "" : ", ",
                      same ? "level" : kw_text(entry, "group"), " ", level);
        free(text);
        text = longer;
    }
    return text;
}

/* What a row says of its links: those that answer it, or that would. */
static char *links_of(const json_t *row, bool covered) {
    char *text = kw_format("%s", "");
    size_t index;
    json_t *link;
    json_array_foreach(json_object_get(row, "links"), index, link) {
        if (json_is_true(json_object_get(link, "applicable")) != covered) {
            continue;
        }
        const char *before = text == NULL ? "" : text;
        char *longer =
            kw_format("%s%s%s (%s, %s)", before,
                      before[0] != '\0' ? (covered ? ", " : ", or ")
                      : covered         ? "by "
                                        : "needs ",
                      kw_text(link, "primitive"), kw_text(link, "layer"),
                      kw_text(link, "confidence"));
        free(text);
        text = longer;
    }
    return text;
}

static void show_row(struct kw_cli *cli, const json_t *row) {
    const char *status = kw_text(row, "status");
    const char *argument = kw_text(row, "argument");
    char *left = kw_format("  %-9s %s", status, kw_text(row, "requirement"));
    kw_print_column(cli, DETAIL_COLUMN, left == NULL ? "" : left,
                    kw_text(row, "title"));
    free(left);
    if (argument[0] != '\0') {
        print_made(cli, DETAIL_COLUMN, "", kw_format("because %s", argument));
        return;
    }
    char *links = links_of(row, strcmp(status, "covered") == 0);
    const bool none = links == NULL || links[0] == '\0';
    kw_print_column(cli, DETAIL_COLUMN, "",
                    none ? "no primitive answers it under this filter" : links);
    free(links);
}

static void show_standard(struct kw_cli *cli, const json_t *standard) {
    const char *type = kw_text(standard, "component_type");
    char *levels = levels_of(json_object_get(standard, "levels"));
    size_t index;
    json_t *row;
    char *head = kw_format(
        "%s%s%s%s%s: %d covered, %d uncovered, %zu excluded",
        kw_text(standard, "standard"),
        levels == NULL || levels[0] == '\0' ? "" : ", ",
        levels == NULL ? "" : levels, type[0] == '\0' ? "" : ", ", type,
        (int)json_integer_value(json_object_get(standard, "count_unique")),
        (int)json_integer_value(json_object_get(standard, "count_uncovered")),
        json_array_size(json_object_get(standard, "excluded")));
    kw_print(cli, "\n");
    print_made(cli, 9, "Phase 2:", head);
    free(levels);
    json_array_foreach(json_object_get(standard, "rows"), index, row) {
        show_row(cli, row);
    }
}

static void show_phase_2(struct kw_cli *cli, const json_t *phase) {
    const json_t *standards = json_object_get(phase, "standards");
    size_t index;
    json_t *standard;
    if (json_array_size(standards) == 0) {
        kw_print(cli, "\nPhase 2: not evaluated, no standard is named\n");
    }
    json_array_foreach(standards, index, standard) {
        show_standard(cli, standard);
    }
}

/* --- phase 3 --- */

static void show_want(struct kw_cli *cli, const json_t *want) {
    char *missing = kw_joined(json_object_get(want, "missing"), NULL);
    char *blocks = kw_joined(json_object_get(want, "present_blocks"), NULL);
    char *left = kw_format("%*s%-8s %s", WORD_COLUMN, "",
                           kw_text(want, "status"), kw_text(want, "algorithm"));
    const char *lacks = missing == NULL ? "" : missing;
    const char *has = blocks == NULL ? "" : blocks;
    char *text =
        kw_format("%s%s%s%s", lacks[0] == '\0' ? "" : "lacks ", lacks,
                  has[0] == '\0' ? "" : "; has the building block ", has);
    kw_print_column(cli, ID_COLUMN, left == NULL ? "" : left,
                    text == NULL ? "" : text);
    free(text);
    free(left);
    free(missing);
    free(blocks);
}

static void show_fit(struct kw_cli *cli, const json_t *row) {
    size_t index;
    json_t *want;
    kw_print(cli, "  %-9s %s\n", kw_text(row, "status"),
             kw_text(row, "primitive"));
    json_array_foreach(json_object_get(row, "features"), index, want) {
        kw_print_column(cli, WORD_COLUMN, "", json_string_value(want));
    }
    json_array_foreach(json_object_get(row, "algorithms"), index, want) {
        show_want(cli, want);
    }
}

static void show_phase_3(struct kw_cli *cli, const json_t *phase) {
    const json_t *platforms = json_object_get(phase, "platforms");
    size_t index;
    json_t *row;
    if (json_array_size(platforms) == 0) {
        kw_print(cli, "\nPhase 3: not evaluated, no platform is named\n");
        return;
    }
    char *names = kw_joined(platforms, NULL);
    kw_print(cli, "\n");
    print_made(cli, 9, "Phase 3:",
               kw_format("%s, with %s", kw_text(phase, "verdict"),
                         names == NULL ? "" : names));
    free(names);
    json_array_foreach(json_object_get(phase, "rows"), index, row) {
        show_fit(cli, row);
    }
    json_array_foreach(json_object_get(phase, "interoperable"), index, row) {
        kw_print(cli, "  %s with one algorithm of each kind: %s\n",
                 kw_text(row, "protocol"),
                 json_is_true(json_object_get(row, "possible"))
                     ? "possible"
                     : "not possible");
    }
}

static void show_next(struct kw_cli *cli, const json_t *document,
                      const char *path) {
    const json_t *phase = json_object_get(document, "phase3");
    const char *verdict = kw_text(phase, "verdict");
    if (strcmp(verdict, "gap") == 0 || strcmp(verdict, "partial") == 0) {
        kw_print(cli,
                 "\nThe cheapest parts that close the gaps:\n"
                 "  keywright primitives close %s\n",
                 path);
    }
}

void kw_show_evaluation(struct kw_cli *cli, const json_t *document,
                        const char *path) {
    if (cli->text == NULL && (cli->json || cli->quiet)) {
        return;
    }
    kw_print(cli, "%s\n\n", kw_text(document, "title"));
    show_phase_1(cli, json_object_get(document, "phase1"));
    show_phase_2(cli, json_object_get(document, "phase2"));
    show_phase_3(cli, json_object_get(document, "phase3"));
    show_next(cli, document, path);
}

/* --- close --- */

static void show_gaps(struct kw_cli *cli, const json_t *gaps,
                      const char *heading) {
    size_t index;
    json_t *gap;
    if (json_array_size(gaps) > 0) {
        kw_print(cli, "%s\n", heading);
    }
    json_array_foreach(gaps, index, gap) {
        kw_print(cli, "  %-10s %s\n", kw_text(gap, "kind"), kw_text(gap, "id"));
    }
}

static char *set_text(const json_t *set) {
    const long cents = (long)json_integer_value(json_object_get(set, "cents"));
    const json_t *parts = json_object_get(set, "parts");
    char *names = kw_joined(parts, NULL);
    char *text = kw_format("%ld.%02ld  %s", cents / 100, cents % 100,
                           json_array_size(parts) == 0 ? "nothing to add"
                           : names == NULL             ? ""
                                                       : names);
    free(names);
    return text;
}

static void show_swap(struct kw_cli *cli, const json_t *swap) {
    const size_t left = json_array_size(json_object_get(swap, "impossible"));
    char *set = set_text(json_object_get(swap, "set"));
    kw_print(cli, "%s instead of %s\n", kw_text(swap, "main"),
             kw_text(swap, "instead_of"));
    print_made(cli, 4, "",
               left == 0 ? kw_format("%s", set == NULL ? "" : set)
                         : kw_format("%s; %zu gap%s", set == NULL ? "" : set,
                                     left, left == 1 ? " stays" : "s stay"));
    free(set);
}

static void show_sets(struct kw_cli *cli, const json_t *document) {
    const json_t *sets = json_object_get(document, "sets");
    size_t index;
    json_t *entry;
    json_array_foreach(sets, index, entry) {
        print_made(cli, 13, index == 0 ? "Cheapest" : "Alternative",
                   set_text(entry));
    }
}

/* The data names no currency, nor does a project. */
static void show_unit(struct kw_cli *cli) {
    kw_print(cli, "Prices: the estimates of the data, or the \"costs\" of the "
                  "project; no currency\n");
}

void kw_show_closing(struct kw_cli *cli, const json_t *document) {
    const json_t *swaps = json_object_get(document, "swaps");
    const json_t *gaps = json_object_get(document, "gaps");
    const json_t *impossible = json_object_get(document, "impossible");
    size_t index;
    json_t *entry;
    if (json_array_size(gaps) == 0) {
        kw_print(cli, "No gap: the parts do all that is asked of them\n");
    } else if (json_array_size(gaps) == json_array_size(impossible)) {
        show_gaps(cli, gaps, "Gaps, and no candidate closes one of them");
    } else {
        show_gaps(cli, gaps, "Gaps");
        show_gaps(cli, impossible, "No candidate closes");
        show_sets(cli, document);
    }
    if (json_array_size(swaps) > 0) {
        kw_print(cli, "With another main part (its own cost included)\n");
    }
    json_array_foreach(swaps, index, entry) {
        show_swap(cli, entry);
    }
    if (json_array_size(swaps) > 0 ||
        json_array_size(gaps) > json_array_size(impossible)) {
        show_unit(cli);
    }
}
