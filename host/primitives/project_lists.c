/* host/primitives/project_lists.c: exclusions, guidance, evidence. */
#include <stdio.h>
#include <string.h>

#include "host/primitives/project_parts.h"

/* Reads each entry of a list; field names the entry, "guidance[2]". */
static void read_list(struct kw_reading *reading, const char *name,
                      void (*read)(struct kw_reading *reading,
                                   const json_t *entry, const char *field)) {
    char field[KW_FIELD_SIZE];
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(reading->root, name), index, entry) {
        (void)snprintf(field, sizeof field, "%s[%zu]", name, index);
        read(reading, entry, field);
    }
}

/* --- requirements --- */

/* The requirement that an entry names; NONE after a problem was added. */
static uint32_t requirement_of(struct kw_reading *reading, const json_t *entry,
                               const char *field) {
    const struct kw_catalogue *catalogue = reading->project->catalogue;
    const char *standard = kw_text(entry, "standard");
    const char *id = kw_text(entry, "requirement");
    const uint32_t found = kw_table_find(&catalogue->standards, standard);
    char path[KW_FIELD_SIZE];
    if (found == KW_ENGINE_NONE) {
        (void)snprintf(path, sizeof path, "%.100s.standard", field);
        if (standard[0] == '\0') {
            kw_problem(reading->problems, reading->document, path,
                       "is missing");
        } else {
            kw_reading_unknown(reading, path, "standard", standard,
                               &catalogue->standards);
        }
        return KW_ENGINE_NONE;
    }
    const uint32_t requirement =
        kw_catalogue_requirement(catalogue, standard, id);
    if (requirement == KW_ENGINE_NONE) {
        const struct kw_engine_standard *range =
            &catalogue->data.standards[found];
        const struct kw_table own = {.id = catalogue->requirements.id +
                                           range->first_requirement,
                                     .count = range->requirement_count};
        (void)snprintf(path, sizeof path, "%.100s.requirement", field);
        kw_reading_unknown(reading, path, "requirement", id, &own);
    }
    return requirement;
}

/* --- exclusions --- */

static void exclude(struct kw_reading *reading, uint32_t requirement,
                    const char *argument, const char *field) {
    struct kw_project *project = reading->project;
    struct kw_engine_words *excluded = &project->engine.excluded;
    for (uint32_t i = 0; i < excluded->count; i++) {
        if (project->excluded[i] == requirement) {
            if (field != NULL) {
                kw_problem(reading->problems, reading->document, field,
                           "excluded twice: the arguments contradict or "
                           "repeat each other");
            }
            return;
        }
    }
    if (excluded->count < KW_PROJECT_LIST_MAX) {
        project->excluded[excluded->count] = requirement;
        project->argument[excluded->count++] = argument;
    }
}

/* Everything that draws on this primitive and on none that applies. */
static void exclude_primitive(struct kw_reading *reading, uint32_t primitive,
                              const char *argument) {
    const struct kw_project *project = reading->project;
    const struct kw_engine_data *data = &project->catalogue->data;
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_MAPPINGS]; i++) {
        if (kw_engine_excludes(data, &project->engine, primitive, i)) {
            exclude(reading, data->mappings[i].requirement, argument, NULL);
        }
    }
}

static void read_primitive(struct kw_reading *reading, const json_t *entry,
                           const char *field) {
    const struct kw_project *project = reading->project;
    const struct kw_catalogue *catalogue = project->catalogue;
    const char *id = kw_text(entry, "primitive");
    const uint32_t found = kw_table_find(&catalogue->primitives, id);
    if (found == KW_ENGINE_NONE) {
        kw_reading_unknown(reading, field, "primitive", id,
                           &catalogue->primitives);
    } else if (!kw_engine_applies(&catalogue->data, &project->engine, found)) {
        exclude_primitive(reading, found, kw_text(entry, "argument"));
    } else if (project->origin == KW_ENGINE_ORIGIN_USE_CASE) {
        kw_problem(reading->problems, reading->document, field,
                   "contradicts the use case: \"%.60s\" is selected, or "
                   "required by what is selected",
                   id);
    } else {
        kw_problem(reading->problems, reading->document, field,
                   "there is no use case, so \"%.60s\" applies: name a use "
                   "case, or exclude requirements",
                   id);
    }
}

/* At another level the requirement may be asked; under a standard that the
 * project does not name it never is. */
static void warn_of_scope(const struct kw_reading *reading,
                          uint32_t requirement, const char *field) {
    const struct kw_project *project = reading->project;
    const uint32_t standard =
        project->catalogue->data.requirements[requirement].standard;
    for (uint32_t i = 0; i < project->engine.target_count; i++) {
        if (project->targets[i].standard == standard) {
            return;
        }
    }
    kw_warning(reading->problems, reading->document, field,
               "excludes nothing: the project does not name %s",
               project->catalogue->standards.id[standard]);
}

static void read_exclusion(struct kw_reading *reading, const json_t *entry,
                           const char *field) {
    const bool whole = kw_text(entry, "primitive")[0] != '\0';
    if (whole == (kw_text(entry, "requirement")[0] != '\0')) {
        kw_problem(reading->problems, reading->document, field,
                   "names either a primitive or a requirement");
        return;
    }
    if (whole) {
        read_primitive(reading, entry, field);
        return;
    }
    const uint32_t found = requirement_of(reading, entry, field);
    if (found != KW_ENGINE_NONE) {
        exclude(reading, found, kw_text(entry, "argument"), field);
        warn_of_scope(reading, found, field);
    }
}

void kw_read_exclusions(struct kw_reading *reading) {
    read_list(reading, "exclusions", read_exclusion);
}

/* --- guidance --- */

static void guide(struct kw_reading *reading, const json_t *entry,
                  const char *field) {
    struct kw_project *project = reading->project;
    struct kw_engine_project *engine = &project->engine;
    const char *primitive = kw_text(entry, "primitive");
    const char *algorithm = kw_text(entry, "algorithm");
    const bool whole = primitive[0] != '\0';
    const struct kw_table *table = whole ? &project->catalogue->primitives
                                         : &project->catalogue->algorithms;
    const uint32_t found = kw_table_find(table, whole ? primitive : algorithm);
    if (whole == (algorithm[0] != '\0')) {
        kw_problem(reading->problems, reading->document, field,
                   "names either a primitive or an algorithm");
    } else if (found == KW_ENGINE_NONE) {
        kw_reading_unknown(reading, field, whole ? "primitive" : "algorithm",
                           whole ? primitive : algorithm, table);
    } else if (whole) {
        engine->guided_primitives |= (uint64_t)1 << found;
    } else if (engine->guided_algorithms.count < KW_PROJECT_LIST_MAX) {
        project->guided[engine->guided_algorithms.count++] = found;
    }
}

void kw_read_guidance(struct kw_reading *reading) {
    read_list(reading, "guidance", guide);
}

/* --- evidence --- */

static bool is_hash(const char *text) {
    return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static unsigned number_at(const char *text, size_t digits) {
    unsigned number = 0;
    for (size_t i = 0; i < digits; i++) {
        number = number * 10 + (unsigned)(text[i] - '0');
    }
    return number;
}

/* YYYY-MM-DD, a day that there is. */
static bool is_date(const char *text) {
    static const char FORM[] = "dddd-dd-dd";
    static const unsigned DAYS[] = {31, 28, 31, 30, 31, 30,
                                    31, 31, 30, 31, 30, 31};
    for (size_t i = 0; i < sizeof FORM; i++) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (FORM[i] == 'd' ? !digit : text[i] != FORM[i]) {
            return false;
        }
    }
    const unsigned year = number_at(text, 4);
    const unsigned month = number_at(text + 5, 2);
    const unsigned day = number_at(text + 8, 2);
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month >= 1 && month <= 12 && day >= 1 &&
           day <= DAYS[month - 1] + (month == 2 && leap ? 1U : 0U);
}

/* No other scheme: a link of a report is there to be clicked. */
static bool is_url(const char *text) {
    return strncmp(text, "https://", 8) == 0 ||
           strncmp(text, "http://", 7) == 0;
}

static void check_form(struct kw_reading *reading, const json_t *entry,
                       const char *field, const char *member,
                       bool (*test)(const char *text), const char *form) {
    char path[KW_FIELD_SIZE];
    const json_t *value = json_object_get(entry, member);
    if (value != NULL && !test(json_string_value(value))) {
        (void)snprintf(path, sizeof path, "%.100s.%s", field, member);
        kw_problem(reading->problems, reading->document, path, "should be %s",
                   form);
    }
}

static void read_evidence(struct kw_reading *reading, const json_t *entry,
                          const char *field) {
    (void)requirement_of(reading, entry, field);
    check_form(reading, entry, field, "sha256", is_hash,
               "64 digits 0-9 and a-f");
    check_form(reading, entry, field, "date", is_date, "YYYY-MM-DD");
    check_form(reading, entry, field, "url", is_url,
               "a link that starts with https:// or http://");
    if ((json_object_get(entry, "file") == NULL) ==
        (json_object_get(entry, "url") == NULL)) {
        kw_problem(reading->problems, reading->document, field,
                   "names either a file or a URL");
    }
}

void kw_read_evidence(struct kw_reading *reading) {
    read_list(reading, "evidence", read_evidence);
}
