#include "host/manifest/index.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_PLACES 1024u /* a power of 2 */

struct place {
    uint8_t unique_id[KW_UNIQUE_ID_SIZE];
    uint32_t entry; /* 0: free */
};

struct kw_manifest_index {
    struct place *places;
    size_t size; /* a power of 2 */
    size_t count;
};

kw_status kw_manifest_index_open(struct kw_manifest_index **index) {
    struct kw_manifest_index *made = calloc(1, sizeof *made);
    KW_ENSURE(made != NULL, KW_SYSTEM_MEMORY);
    made->size = FIRST_PLACES;
    made->places = calloc(made->size, sizeof *made->places);
    if (made->places == NULL) {
        free(made);
        return KW_SYSTEM_MEMORY;
    }
    *index = made;
    return KW_OK;
}

void kw_manifest_index_close(struct kw_manifest_index *index) {
    if (index != NULL) {
        free(index->places);
        free(index);
    }
}

/* The place of the id, or the free one where it belongs. */
static struct place *place_of(struct place *places, size_t size,
                              const uint8_t unique_id[KW_UNIQUE_ID_SIZE]) {
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < KW_UNIQUE_ID_SIZE; i++) {
        hash = (hash ^ unique_id[i]) * 0x100000001B3u;
    }
    size_t at = (size_t)(hash ^ hash >> 32) & (size - 1);
    while (places[at].entry != 0 &&
           memcmp(places[at].unique_id, unique_id, KW_UNIQUE_ID_SIZE) != 0) {
        at = (at + 1) & (size - 1);
    }
    return &places[at];
}

static kw_status grow_to(struct kw_manifest_index *index, size_t size) {
    struct place *places = calloc(size, sizeof *places);
    KW_ENSURE(places != NULL, KW_SYSTEM_MEMORY);
    for (size_t i = 0; i < index->size; i++) {
        if (index->places[i].entry != 0) {
            *place_of(places, size, index->places[i].unique_id) =
                index->places[i];
        }
    }
    free(index->places);
    index->places = places;
    index->size = size;
    return KW_OK;
}

static bool is_full(size_t size, size_t count) {
    return 4 * (count + 1) > 3 * size;
}

kw_status kw_manifest_index_reserve(struct kw_manifest_index *index,
                                    size_t count) {
    size_t size = index->size;
    while (is_full(size, count)) {
        size *= 2;
    }
    return size == index->size ? KW_OK : grow_to(index, size);
}

kw_status kw_manifest_index_put(struct kw_manifest_index *index,
                                const uint8_t unique_id[KW_UNIQUE_ID_SIZE],
                                uint32_t entry, uint32_t *before) {
    if (is_full(index->size, index->count)) {
        KW_TRY(grow_to(index, 2 * index->size));
    }
    struct place *place = place_of(index->places, index->size, unique_id);
    *before = place->entry;
    index->count += place->entry == 0 ? 1 : 0;
    memcpy(place->unique_id, unique_id, KW_UNIQUE_ID_SIZE);
    place->entry = entry;
    return KW_OK;
}

uint32_t kw_manifest_index_find(const struct kw_manifest_index *index,
                                const uint8_t unique_id[KW_UNIQUE_ID_SIZE]) {
    return place_of(index->places, index->size, unique_id)->entry;
}
