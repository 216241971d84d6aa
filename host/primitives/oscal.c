/* host/primitives/oscal.c: OSCAL 1.2.1 (pages.nist.gov/OSCAL).
 *
 * Identifiers are UUIDs of version 5 over what they name, and the date is
 * that of the data: the same project gives the same file. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sha1.h"
#include "host/primitives/output.h"

#define DATA_DATE "2026-11-20T00:00:00Z"

/* --- identifiers --- */

static json_t *uuid(const char *kind, const char *name) {
    static const uint8_t NAMESPACE[16] = {0x5b, 0x1e, 0x6c, 0x0a, 0x9d, 0x34,
                                          0x4f, 0x27, 0x8e, 0x51, 0x2c, 0x77,
                                          0xd0, 0x46, 0xb3, 0x98};
    struct kw_sha1 sha;
    uint8_t d[KW_SHA1_SIZE];
    kw_sha1_init(&sha);
    kw_sha1_update(&sha, NAMESPACE, sizeof NAMESPACE);
    kw_sha1_update(&sha, kind, strlen(kind) + 1);
    kw_sha1_update(&sha, name, strlen(name));
    kw_sha1_final(&sha, d);
    d[6] = (uint8_t)((d[6] & 0x0F) | 0x50);
    d[8] = (uint8_t)((d[8] & 0x3F) | 0x80);
    return json_sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
                        "%02x%02x%02x%02x%02x%02x",
                        d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8],
                        d[9], d[10], d[11], d[12], d[13], d[14], d[15]);
}

/* OSCAL's token: letters, digits, ". - _", no digit first. */
static json_t *token(const char *standard, const char *id) {
    char text[200];
    (void)snprintf(text, sizeof text, "%s%.60s%s%.120s",
                   standard[0] >= '0' && standard[0] <= '9' ? "_" : "",
                   standard, id[0] == '\0' ? "" : ".", id);
    for (char *at = text; *at != '\0'; at++) {
        const bool fits = (*at >= 'a' && *at <= 'z') ||
                          (*at >= 'A' && *at <= 'Z') ||
                          (*at >= '0' && *at <= '9') || *at == '.' ||
                          *at == '-' || *at == '_';
        *at = (char)(fits ? *at : '_');
    }
    return json_string(text);
}

static void set(json_t *object, const char *member, json_t *value) {
    (void)json_object_set_new(object, member, value);
}

static void push(json_t *array, json_t *value) {
    (void)json_array_append_new(array, value);
}

/* OSCAL forbids texts that are empty or start with a space. */
static json_t *text_or(const char *text, const char *instead) {
    text += strspn(text, " \t\r\n");
    return json_string(text[0] == '\0' ? instead : text);
}

static const char *title_of(const struct kw_project *project) {
    const char *title =
        kw_text(json_object_get(project->document.root, "use_case"), "title");
    return title[0] == '\0' ? "Keywright project" : title;
}

static json_t *document(const struct kw_project *project, const char *kind) {
    json_t *root = json_object();
    set(root, "uuid", uuid(kind, title_of(project)));
    set(root, "metadata",
        json_pack("{s:o, s:s, s:s, s:s}", "title",
                  text_or(title_of(project), "Keywright project"),
                  "last-modified", DATA_DATE, "version", "1", "oscal-version",
                  "1.2.1"));
    return root;
}

/* --- catalog: primitives, and the requirements in scope --- */

static json_t *control(json_t *id, const char *title, const char *prose) {
    json_t *entry = json_object();
    set(entry, "id", id);
    set(entry, "title", text_or(title, "untitled"));
    if (prose[0] != '\0') {
        set(entry, "parts",
            json_pack("[{s:s, s:s}]", "name", "overview", "prose", prose));
    }
    return entry;
}

static json_t *primitive_group(const struct kw_catalogue *catalogue) {
    json_t *controls = json_array();
    for (uint32_t i = 0; i < catalogue->primitives.count; i++) {
        const json_t *entry = catalogue->primitives.entry[i];
        push(controls,
             control(token(catalogue->primitives.id[i], ""),
                     kw_text(entry, "name"), kw_text(entry, "definition")));
    }
    return json_pack("{s:s, s:s, s:o}", "id", "primitives", "title",
                     "Security primitives", "controls", controls);
}

static json_t *standard_group(const struct kw_project *project,
                              uint32_t standard) {
    const struct kw_catalogue *catalogue = project->catalogue;
    const char *id = catalogue->standards.id[standard];
    json_t *controls = json_array();
    for (uint32_t i = 0; i < project->result.row_count; i++) {
        const uint32_t index = project->result.rows[i].requirement;
        if (catalogue->data.requirements[index].standard == standard) {
            const json_t *entry = catalogue->requirements.entry[index];
            push(controls, control(token(id, catalogue->requirements.id[index]),
                                   kw_text(entry, "title"), ""));
        }
    }
    json_t *group = json_pack(
        "{s:o, s:o}", "id", token("standard", id), "title",
        text_or(kw_text(catalogue->standards.entry[standard], "title"), id));
    if (json_array_size(controls) > 0) {
        set(group, "controls", controls);
    } else {
        json_decref(controls);
    }
    return group;
}

static json_t *catalog(const struct kw_project *project) {
    json_t *root = document(project, "catalog");
    json_t *groups = json_array();
    push(groups, primitive_group(project->catalogue));
    for (uint32_t i = 0; i < project->engine.target_count; i++) {
        push(groups, standard_group(project, project->targets[i].standard));
    }
    set(root, "groups", groups);
    return json_pack("{s:o}", "catalog", root);
}

/* --- component definition: the parts --- */

static json_t *implementation(const struct kw_project *project, uint32_t part) {
    const struct kw_catalogue *catalogue = project->catalogue;
    const struct kw_engine_part *entry = &catalogue->data.parts[part];
    json_t *list = json_array();
    for (uint32_t i = 0; i < entry->feature_count; i++) {
        const uint32_t index = entry->first_feature + i;
        const struct kw_engine_feature *feature =
            &catalogue->data.features[index];
        char name[40];
        if (feature->support == KW_ENGINE_SUPPORT_NONE) {
            continue;
        }
        (void)snprintf(name, sizeof name, "%u %u", part, i);
        const char *text = kw_text(catalogue->features.entry[index], "feature");
        push(list,
             json_pack("{s:o, s:o, s:o}", "uuid", uuid("feature", name),
                       "control-id",
                       token(catalogue->primitives.id[feature->primitive], ""),
                       "description", text_or(text, "feature")));
    }
    return list;
}

static json_t *component_definition(const struct kw_project *project) {
    const struct kw_catalogue *catalogue = project->catalogue;
    json_t *root = document(project, "component-definition");
    json_t *components = json_array();
    for (uint32_t i = 0; i < project->engine.parts.count; i++) {
        const uint32_t part = project->parts[i];
        const char *id = catalogue->parts.id[part];
        const json_t *entry = catalogue->parts.entry[part];
        const bool software = strcmp(kw_text(entry, "type"), "software") == 0;
        json_t *component =
            json_pack("{s:o, s:s, s:o, s:o}", "uuid", uuid("component", id),
                      "type", software ? "software" : "hardware", "title",
                      text_or(kw_text(entry, "name"), id), "description",
                      text_or(kw_text(entry, "name"), id));
        json_t *list = implementation(project, part);
        if (json_array_size(list) > 0) {
            set(component, "control-implementations",
                json_pack("[{s:o, s:s, s:s, s:o}]", "uuid",
                          uuid("implementation", id), "source", "#primitives",
                          "description", "features by security primitive",
                          "implemented-requirements", list));
        } else {
            json_decref(list);
        }
        push(components, component);
    }
    if (json_array_size(components) > 0) {
        set(root, "components", components);
    } else {
        json_decref(components);
    }
    return json_pack("{s:o}", "component-definition", root);
}

/* --- mapping collection --- */

static json_t *map_of(const struct kw_project *project, uint32_t link) {
    const struct kw_catalogue *catalogue = project->catalogue;
    const struct kw_engine_mapping *mapping = &catalogue->data.mappings[link];
    const json_t *entry = catalogue->mappings.entry[link];
    const uint32_t standard =
        catalogue->data.requirements[mapping->requirement].standard;
    char name[24];
    (void)snprintf(name, sizeof name, "%u", link);
    return json_pack("{s:o, s:s, s:[{s:s, s:o}], s:[{s:s, s:o}], s:{s:s}, s:o}",
                     "uuid", uuid("map", name), "relationship",
                     "intersects-with", "sources", "type", "control", "id-ref",
                     token(catalogue->primitives.id[mapping->primitive], ""),
                     "targets", "type", "control", "id-ref",
                     token(catalogue->standards.id[standard],
                           catalogue->requirements.id[mapping->requirement]),
                     "confidence-score", "category",
                     kw_text(entry, "confidence"), "remarks",
                     text_or(kw_text(entry, "rationale"), "-"));
}

static json_t *mapping_of(const struct kw_project *project, uint32_t standard) {
    const struct kw_catalogue *catalogue = project->catalogue;
    const char *id = catalogue->standards.id[standard];
    json_t *maps = json_array();
    json_t *gaps = json_array();
    for (uint32_t i = 0; i < project->result.row_count; i++) {
        const struct kw_engine_row *row = &project->result.rows[i];
        if (catalogue->data.requirements[row->requirement].standard !=
            standard) {
            continue;
        }
        for (uint32_t n = 0; n < row->link_count; n++) {
            push(maps,
                 map_of(project, project->result.links[row->first_link + n]));
        }
        if (row->state == KW_ENGINE_UNCOVERED) {
            push(gaps, token(id, catalogue->requirements.id[row->requirement]));
        }
    }
    json_t *entry =
        json_pack("{s:o, s:{s:s, s:s}, s:{s:s, s:o}, s:o}", "uuid",
                  uuid("mapping", id), "source-resource", "type", "catalog",
                  "href", "#primitives", "target-resource", "type", "catalog",
                  "href", json_sprintf("#standard.%s", id), "maps", maps);
    if (json_array_size(gaps) > 0) {
        set(entry, "target-gap-summary",
            json_pack("{s:o, s:[{s:O}]}", "uuid", uuid("gaps", id),
                      "unmapped-controls", "with-ids", gaps));
    }
    json_decref(gaps);
    return entry;
}

static json_t *mapping_collection(const struct kw_project *project) {
    json_t *root = document(project, "mapping-collection");
    json_t *mappings = json_array();
    for (uint32_t i = 0; i < project->engine.target_count; i++) {
        push(mappings, mapping_of(project, project->targets[i].standard));
    }
    set(root, "provenance",
        json_pack("{s:s, s:s, s:s, s:s}", "method", "hybrid",
                  "matching-rationale", "functional", "status", "not-complete",
                  "mapping-description",
                  "security primitives against requirements of standards"));
    set(root, "mappings", mappings);
    return json_pack("{s:o}", "mapping-collection", root);
}

/* --- evidence --- */

/* A reference as RFC 3986 wants it; percent signs of a URL stay. */
static json_t *reference_of(const json_t *entry) {
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    const char *file = kw_text(entry, "file");
    const char *text = file[0] != '\0' ? file : kw_text(entry, "url");
    char *made = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&made, &size);
    if (out == NULL) {
        return json_string("#evidence");
    }
    for (; *text != '\0'; text++) {
        const bool escape = text[0] == '%' && file[0] == '\0' &&
                            isxdigit((unsigned char)text[1]) &&
                            isxdigit((unsigned char)text[2]);
        const bool url = file[0] == '\0' && strchr(":?#@!$&'()*+,;=", *text);
        if (escape || url || strchr(PLAIN, *text) != NULL) {
            (void)fputc(*text, out);
        } else {
            (void)fprintf(out, "%%%02X", (unsigned)(unsigned char)*text);
        }
    }
    json_t *reference = fclose(out) == 0 ? json_string(made) : NULL;
    free(made);
    return reference;
}

static json_t *observation_id(const json_t *entry, size_t index) {
    char name[24];
    (void)snprintf(name, sizeof name, "%zu", index);
    json_t *place = json_sprintf("%s %s %s", kw_text(entry, "standard"),
                                 kw_text(entry, "requirement"), name);
    json_t *id = uuid("observation", json_string_value(place));
    json_decref(place);
    return id;
}

/* Somebody looked: what is planned is no observation. */
static bool is_observation(const json_t *entry) {
    return strcmp(kw_text(entry, "status"), "planned") != 0;
}

static json_t *observation_of(const json_t *entry, size_t index) {
    const char *hash = kw_text(entry, "sha256");
    return json_pack(
        "{s:o, s:o, s:[s], s:o, s:[{s:o, s:o}]}", "uuid",
        observation_id(entry, index), "description",
        json_sprintf("%s %s: %s", kw_text(entry, "standard"),
                     kw_text(entry, "requirement"), kw_text(entry, "status")),
        "methods", "TEST", "collected",
        json_sprintf("%sT00:00:00Z", kw_text(entry, "date")),
        "relevant-evidence", "href", reference_of(entry), "description",
        hash[0] == '\0' ? json_string("no hash given")
                        : json_sprintf("SHA-256 %s", hash));
}

static json_t *observations(const struct kw_project *project) {
    json_t *list = json_array();
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(project->document.root, "evidence"),
                       index, entry) {
        if (is_observation(entry)) {
            push(list, observation_of(entry, index));
        }
    }
    return list;
}

/* Those of one requirement. */
static json_t *related(const struct kw_project *project, const char *standard,
                       const char *requirement) {
    json_t *list = json_array();
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(project->document.root, "evidence"),
                       index, entry) {
        if (is_observation(entry) &&
            strcmp(kw_text(entry, "standard"), standard) == 0 &&
            strcmp(kw_text(entry, "requirement"), requirement) == 0) {
            push(list, json_pack("{s:o}", "observation-uuid",
                                 observation_id(entry, index)));
        }
    }
    return list;
}

/* OSCAL has no empty lists. */
static void set_list(json_t *object, const char *member, json_t *list) {
    if (json_array_size(list) > 0) {
        set(object, member, list);
    } else {
        json_decref(list);
    }
}

/* --- assessment results --- */

static json_t *finding_of(const struct kw_project *project,
                          const struct kw_engine_row *row) {
    const struct kw_catalogue *catalogue = project->catalogue;
    const uint32_t standard =
        catalogue->data.requirements[row->requirement].standard;
    const char *id = catalogue->requirements.id[row->requirement];
    json_t *target = token(catalogue->standards.id[standard], id);
    const char *argument = kw_project_argument(project, row->requirement);
    const char *title =
        kw_text(catalogue->requirements.entry[row->requirement], "title");
    const bool covered = row->state == KW_ENGINE_COVERED;
    const char *remark =
        argument[0] != '\0' ? argument : kw_row_word(row->state);
    json_t *finding = json_pack(
        "{s:o, s:o, s:o}", "uuid", uuid("finding", json_string_value(target)),
        "title", text_or(title, id), "description", text_or(remark, "-"));
    set(finding, "target",
        json_pack("{s:s, s:o, s:{s:s, s:o}}", "type", "objective-id",
                  "target-id", target, "status", "state",
                  covered ? "satisfied" : "not-satisfied", "remarks",
                  text_or(remark, "-")));
    set_list(finding, "related-observations",
             related(project, catalogue->standards.id[standard], id));
    return finding;
}

static json_t *assessment_results(const struct kw_project *project) {
    json_t *root = document(project, "assessment-results");
    json_t *findings = json_array();
    for (uint32_t i = 0; i < project->result.row_count; i++) {
        push(findings, finding_of(project, &project->result.rows[i]));
    }
    json_t *result = json_pack(
        "{s:o, s:s, s:s, s:s, s:{s:[{s:{}}]}}", "uuid",
        uuid("result", title_of(project)), "title", "Coverage by primitives",
        "description",
        "whether an applicable primitive answers each requirement; what was "
        "tested stands in the observations",
        "start", DATA_DATE, "reviewed-controls", "control-selections",
        "include-all");
    set_list(result, "observations", observations(project));
    set_list(result, "findings", findings);
    set(root, "import-ap", json_pack("{s:s}", "href", "#project"));
    set(root, "results", json_pack("[o]", result));
    return json_pack("{s:o}", "assessment-results", root);
}

json_t *kw_oscal(const struct kw_project *project, const char *kind) {
    static const struct {
        const char *kind;
        json_t *(*make)(const struct kw_project *project);
    } KINDS[] = {
        {"catalog", catalog},
        {"component", component_definition},
        {"mapping", mapping_collection},
        {"results", assessment_results},
    };
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strcmp(KINDS[i].kind, kind) == 0) {
            return KINDS[i].make(project);
        }
    }
    return NULL;
}
