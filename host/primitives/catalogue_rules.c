/* host/primitives/catalogue_rules.c: what only the whole data set shows. */
#include <stdio.h>
#include <string.h>

#include "host/primitives/catalogue_parts.h"

/* Where an entry stands, for the words of a problem. */
struct place {
    const struct kw_document *document;
    char field[KW_FIELD_SIZE];
};

static struct place place_of(const struct kw_catalogue *catalogue,
                             const char *array, const json_t *wanted) {
    struct place place = {.document = &catalogue->documents[0]};
    for (size_t i = 0; i < catalogue->document_count; i++) {
        const struct kw_document *document = &catalogue->documents[i];
        size_t index;
        json_t *entry;
        json_array_foreach(json_object_get(document->root, array), index,
                           entry) {
            if (entry == wanted) {
                place.document = document;
                (void)snprintf(place.field, sizeof place.field, "%s[%zu]",
                               array, index);
                return place;
            }
        }
    }
    return place;
}

/* --- cycles --- */

/* An edge that says of itself that it is one of a mutual pair is no news. */
static bool counts(const struct kw_catalogue *catalogue, uint32_t edge) {
    return (catalogue->data.edges[edge].flags & KW_ENGINE_MANDATORY) != 0 &&
           !json_is_true(
               json_object_get(catalogue->edges.entry[edge], "mutual"));
}

/* Takes away primitives that nothing left depends on; what stays is in a
 * cycle, or depends on one. */
static uint64_t in_cycles(const struct kw_catalogue *catalogue) {
    const struct kw_engine_data *data = &catalogue->data;
    const uint32_t count = catalogue->primitives.count;
    uint64_t left = count >= 64 ? UINT64_MAX : ((uint64_t)1 << count) - 1;
    for (uint64_t before = 0; before != left;) {
        uint64_t depends = 0;
        uint64_t needed = 0;
        before = left;
        for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_EDGES]; i++) {
            const uint64_t from = (uint64_t)1 << data->edges[i].from;
            const uint64_t to = (uint64_t)1 << data->edges[i].to;
            if (counts(catalogue, i) && (left & from) != 0 &&
                (left & to) != 0) {
                depends |= from;
                needed |= to;
            }
        }
        left &= depends & needed;
    }
    return left;
}

static void check_cycles(const struct kw_catalogue *catalogue,
                         struct kw_problems *problems) {
    const uint64_t cycle = in_cycles(catalogue);
    for (uint32_t i = 0; i < catalogue->primitives.count; i++) {
        if ((cycle >> i & 1U) == 0) {
            continue;
        }
        const struct place place =
            place_of(catalogue, "primitives", catalogue->primitives.entry[i]);
        kw_problem(problems, place.document, place.field,
                   "mandatory dependencies form a cycle through \"%s\"; a "
                   "pair that is meant says \"mutual\": true on both sides",
                   catalogue->primitives.id[i]);
    }
}

/* --- requirements --- */

static void check_base(const struct kw_catalogue *catalogue, uint32_t index,
                       struct kw_problems *problems) {
    const struct kw_engine_requirement *entry =
        &catalogue->data.requirements[index];
    if (entry->base == KW_ENGINE_NONE) {
        return;
    }
    const struct kw_engine_requirement *base =
        &catalogue->data.requirements[entry->base];
    if (entry->base == index || (entry->levels & ~base->levels) != 0) {
        const struct place place = place_of(
            catalogue, "requirements", catalogue->requirements.entry[index]);
        kw_problem(problems, place.document, place.field,
                   "\"%s\" is asked at a level where its base \"%s\" is not",
                   catalogue->requirements.id[index],
                   catalogue->requirements.id[entry->base]);
    }
}

static void check_mapped(const struct kw_catalogue *catalogue,
                         struct kw_problems *problems) {
    const struct kw_engine_data *data = &catalogue->data;
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_REQUIREMENTS]; i++) {
        const json_t *levels =
            json_object_get(catalogue->requirements.entry[i], "levels");
        bool mapped = levels != NULL && json_array_size(levels) == 0;
        for (uint32_t m = 0;
             !mapped && m < data->count[KW_ENGINE_SECTION_MAPPINGS]; m++) {
            mapped = data->mappings[m].requirement == i;
        }
        check_base(catalogue, i, problems);
        if (!mapped) {
            const struct place place = place_of(
                catalogue, "requirements", catalogue->requirements.entry[i]);
            kw_warning(problems, place.document, place.field,
                       "\"%s\" is mapped to no primitive",
                       catalogue->requirements.id[i]);
        }
    }
}

void kw_catalogue_rules(struct kw_catalogue *catalogue,
                        struct kw_problems *problems) {
    check_cycles(catalogue, problems);
    check_mapped(catalogue, problems);
}
