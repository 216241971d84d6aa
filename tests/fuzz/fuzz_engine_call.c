/* The door of the engine: any words for a project and a wish are refused, or
 * answered within the room that was given. The first byte says how many
 * words the project has. */
#include "host/primitives/catalogue.h"
#include "host/primitives/engine_call.h"
#include "tests/fuzz/fuzz.h"

enum { MEMORY = 1 << 20, ANSWER = 1 << 16, WORDS = 512 };

static const struct kw_catalogue *catalogue(void) {
    static struct kw_catalogue shipped;
    static struct kw_problems problems;
    struct kw_error error;
    if (shipped.document_count == 0) {
        kw_problems_init(&problems);
        FUZZ_DEMAND(kw_catalogue_load(&shipped, true, NULL, 0, &problems,
                                      &error) == KW_OK);
    }
    return &shipped;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t memory[MEMORY] __attribute__((aligned(8)));
    static uint32_t answer[ANSWER + 1];
    static uint32_t words[WORDS];
    struct fuzz_input input = {data, size};
    const uint32_t first = fuzz_byte(&input);
    const uint32_t room = fuzz_byte(&input) == 0 ? 100 : ANSWER;
    const uint32_t count =
        (uint32_t)(input.left / 4 < WORDS ? input.left / 4 : WORDS);
    const uint32_t project = first < count ? first : count;
    fuzz_bytes(&input, (uint8_t *)words, (size_t)count * 4);
    const struct kw_engine_call call = {
        .data = catalogue()->words.word,
        .data_count = catalogue()->words.count,
        .project = words,
        .project_count = project,
        .wish = words + project,
        .wish_count = count - project,
        .memory = memory,
        .memory_size = MEMORY,
        .answer = answer,
        .answer_room = room,
    };
    answer[room] = 0x5eed;
    FUZZ_DEMAND(kw_engine_call_evaluate(&call) != 0 || answer[0] <= room);
    FUZZ_DEMAND(kw_engine_call_close(&call) != 0 || answer[0] <= room);
    FUZZ_DEMAND(kw_engine_call_exclude(&call, first) != 0 || answer[0] <= room);
    FUZZ_DEMAND(answer[room] == 0x5eed);
    return 0;
}
