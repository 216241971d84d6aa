/* host/primitives/project_targets.c: standards, levels, component types. */
#include <stdio.h>
#include <string.h>

#include "host/primitives/project_parts.h"

/* --- levels --- */

/* A level is written as a number or as a word. */
static const char *level_text(const json_t *value, char text[32]) {
    if (json_is_integer(value)) {
        (void)snprintf(text, 32, "%lld", (long long)json_integer_value(value));
        return text;
    }
    return json_string_value(value);
}

static uint32_t level_of(struct kw_reading *reading, const json_t *standard,
                         const json_t *value, const char *field) {
    char buffer[32];
    const char *text = level_text(value, buffer);
    const uint32_t found =
        text == NULL ? KW_ENGINE_NONE : kw_standard_level(standard, text);
    if (found != KW_ENGINE_NONE) {
        return found + 1;
    }
    const json_t *levels =
        json_object_get(json_object_get(standard, "levels"), "values");
    const char *first = json_string_value(json_array_get(levels, 0));
    const char *last =
        json_string_value(json_array_get(levels, json_array_size(levels) - 1));
    if (levels == NULL) {
        kw_problem(reading->problems, reading->document, field,
                   "%s has no levels; leave the level out",
                   kw_text(standard, "id"));
        return 0;
    }
    kw_problem(reading->problems, reading->document, field,
               "%s has no level \"%.40s\"; it has %s to %s",
               kw_text(standard, "id"), text == NULL ? "?" : text, first, last);
    return 0;
}

static void read_vector(struct kw_reading *reading, const json_t *standard,
                        json_t *levels, const char *field,
                        struct kw_engine_target *target) {
    char path[KW_FIELD_SIZE];
    const char *group;
    json_t *value;
    if (json_object_size(levels) == 0) {
        kw_problem(reading->problems, reading->document, field,
                   "names no group, so nothing is asked");
    }
    json_object_foreach(levels, group, value) {
        const uint32_t at = kw_standard_group(standard, group);
        (void)snprintf(path, sizeof path, "%.100s.%.60s", field, group);
        if (at >= KW_ENGINE_GROUPS_MAX) {
            kw_problem(reading->problems, reading->document, path,
                       "%s has no such group", kw_text(standard, "id"));
            continue;
        }
        if (!json_is_integer(value) || json_integer_value(value) != 0) {
            target->levels[at] = level_of(reading, standard, value, path);
        }
    }
}

static void set_levels(struct kw_engine_target *target, uint32_t level) {
    for (size_t i = 0; i < KW_ENGINE_GROUPS_MAX; i++) {
        target->levels[i] = level;
    }
}

/* The level of the options, when it is for this standard and the standard
 * has it. */
static bool take_option(struct kw_reading *reading, const json_t *standard,
                        struct kw_engine_target *target) {
    const char *option = reading->options->level;
    const char *colon = option == NULL ? NULL : strchr(option, ':');
    const char *id = kw_text(standard, "id");
    const bool other =
        colon != NULL && (strlen(id) != (size_t)(colon - option) ||
                          memcmp(id, option, (size_t)(colon - option)) != 0);
    if (option == NULL || other) {
        return false;
    }
    const uint32_t level =
        kw_standard_level(standard, colon == NULL ? option : colon + 1);
    if (level == KW_ENGINE_NONE) {
        return false;
    }
    set_levels(target, level + 1);
    reading->level_used = true;
    return true;
}

static void read_levels(struct kw_reading *reading, const json_t *standard,
                        const json_t *entry, const char *field,
                        struct kw_engine_target *target) {
    json_t *level = json_object_get(entry, "level");
    char path[KW_FIELD_SIZE];
    (void)snprintf(path, sizeof path, "%.100s.level", field);
    if (take_option(reading, standard, target)) {
        return;
    }
    if (json_is_object(level)) {
        read_vector(reading, standard, level, path, target);
        return;
    }
    if (level == NULL && json_object_get(standard, "levels") != NULL) {
        kw_problem(reading->problems, reading->document, field,
                   "%s has levels: the member \"level\" is missing",
                   kw_text(standard, "id"));
    }
    set_levels(target,
               level == NULL ? 1 : level_of(reading, standard, level, path));
}

/* --- standards --- */

static bool is_there(const struct kw_project *project, uint32_t standard) {
    for (uint32_t i = 0; i < project->engine.target_count; i++) {
        if (project->targets[i].standard == standard) {
            return true;
        }
    }
    return false;
}

static uint32_t type_of(struct kw_reading *reading, const json_t *standard,
                        const char *type, const char *field) {
    char path[KW_FIELD_SIZE];
    if (type[0] == '\0') {
        return KW_ENGINE_NONE;
    }
    const uint32_t found = kw_standard_type(standard, type);
    if (found == KW_ENGINE_NONE) {
        (void)snprintf(path, sizeof path, "%.100s.component_type", field);
        kw_problem(reading->problems, reading->document, path,
                   "%s has no component type \"%.40s\"",
                   kw_text(standard, "id"), type);
    }
    return found;
}

static void read_target(struct kw_reading *reading, const json_t *entry,
                        const char *field) {
    struct kw_project *project = reading->project;
    const struct kw_table *standards = &project->catalogue->standards;
    char path[KW_FIELD_SIZE];
    struct kw_engine_target target = {.type = KW_ENGINE_NONE};
    if (!kw_shape_check(reading->document, entry, field, kw_target_shape,
                        reading->problems)) {
        return;
    }
    target.standard = kw_table_find(standards, kw_text(entry, "id"));
    (void)snprintf(path, sizeof path, "%.100s.id", field);
    if (target.standard == KW_ENGINE_NONE) {
        kw_reading_unknown(reading, path, "standard", kw_text(entry, "id"),
                           standards);
        return;
    }
    if (is_there(project, target.standard)) {
        kw_problem(reading->problems, reading->document, path,
                   "the standard is there twice");
        return;
    }
    const json_t *standard = standards->entry[target.standard];
    target.type =
        type_of(reading, standard, kw_text(entry, "component_type"), field);
    read_levels(reading, standard, entry, field, &target);
    if (project->engine.target_count == KW_PROJECT_TARGETS_MAX) {
        kw_problem(reading->problems, reading->document, path,
                   "more than %d standards", KW_PROJECT_TARGETS_MAX);
        return;
    }
    project->targets[project->engine.target_count++] = target;
}

static void read_list(struct kw_reading *reading, const json_t *standards) {
    char field[KW_FIELD_SIZE];
    size_t index;
    json_t *entry;
    if (json_array_size(standards) == 0) {
        kw_problem(reading->problems, reading->document, "standard",
                   "should be an object, or an array of objects");
    }
    json_array_foreach(standards, index, entry) {
        (void)snprintf(field, sizeof field, "standard[%zu]", index);
        if (!json_is_object(entry)) {
            kw_problem(reading->problems, reading->document, field,
                       "should be an object");
            continue;
        }
        read_target(reading, entry, field);
    }
}

void kw_read_standards(struct kw_reading *reading) {
    const json_t *standard = json_object_get(reading->root, "standard");
    const char *level = reading->options->level;
    if (json_is_object(standard)) {
        read_target(reading, standard, "standard");
    } else if (standard != NULL) {
        read_list(reading, standard);
    }
    if (level != NULL && !reading->level_used) {
        reading->status =
            kw_error(reading->error, KW_USAGE,
                     "--level \"%.60s\": no standard of %s has this level",
                     level, reading->document->name);
    }
}
