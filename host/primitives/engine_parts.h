/* host/primitives/engine_parts.h: what the files of the engine share.
 * Freestanding; knows host/primitives/engine.h alone. */
#ifndef KW_HOST_PRIMITIVES_ENGINE_PARTS_H
#define KW_HOST_PRIMITIVES_ENGINE_PARTS_H

#include "host/primitives/engine.h"

/* Memory that stays until the arena is set back; NULL: the arena is full. */
void *kw_engine_take(struct kw_engine_arena *arena, size_t size);

static inline uint64_t kw_engine_bit(uint32_t index) {
    return (uint64_t)1 << index;
}

/* The phases; each fills its part of the result. */
enum kw_engine_status kw_engine_suggest(const struct kw_engine_data *data,
                                        const struct kw_engine_project *project,
                                        struct kw_engine_arena *arena,
                                        struct kw_engine_result *result);
enum kw_engine_status kw_engine_standards(
    const struct kw_engine_data *data, const struct kw_engine_project *project,
    struct kw_engine_arena *arena, struct kw_engine_result *result);
enum kw_engine_status kw_engine_system(const struct kw_engine_data *data,
                                       const struct kw_engine_project *project,
                                       struct kw_engine_arena *arena,
                                       struct kw_engine_result *result);

#endif
