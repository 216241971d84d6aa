#include "host/board_fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SCALE     1000000.0 /* a rate of 1 */
#define CUT_MAX   1000000u
#define CUT_DRAWN 16 /* without a list the seed chooses one of so many */

/* Where a seed alone is given. */
static const struct kw_board_faults USUAL = {
    .garble = 20000,
    .lose = 10000,
    .nak = 20000,
    .stick = 1000,
};

static kw_status wrong(struct kw_error *error, const char *text) {
    kw_error(error, KW_USAGE, "'%s' is no SEED nor SEED:KIND=VALUE,..", text);
    return kw_error_hint(error,
                         "SEED is a number; KIND is garble, lose, nak or "
                         "stick with a rate from 0 to 1, or cut with the "
                         "number of a write: --fault 7:garble=0.05,cut=3");
}

static bool read_seed(const char *text, uint64_t *seed, const char **end) {
    char *after = NULL;
    errno = 0;
    *seed = strtoull(text, &after, 10);
    *end = after;
    return text[0] >= '0' && text[0] <= '9' && errno == 0;
}

static bool read_rate(const char *text, const char *end, uint32_t *rate) {
    char *after = NULL;
    const double value = strtod(text, &after);
    if (after != end || text == end || !(value >= 0 && value <= 1)) {
        return false;
    }
    *rate = (uint32_t)(value * SCALE + 0.5);
    return true;
}

static bool read_count(const char *text, const char *end, uint32_t *count) {
    char *after = NULL;
    const unsigned long value = strtoul(text, &after, 10);
    if (after != end || text[0] < '0' || text[0] > '9' || value > CUT_MAX) {
        return false;
    }
    *count = (uint32_t)value;
    return true;
}

/* KIND=VALUE, up to end. */
static bool read_kind(const char *text, const char *end,
                      struct kw_board_faults *faults) {
    const struct {
        const char *name;
        uint32_t *value;
        bool (*read)(const char *text, const char *end, uint32_t *value);
    } kinds[] = {
        {"garble=", &faults->garble, read_rate},
        {"lose=", &faults->lose, read_rate},
        {"nak=", &faults->nak, read_rate},
        {"stick=", &faults->stick, read_rate},
        {"cut=", &faults->cut, read_count},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const size_t size = strlen(kinds[i].name);
        if (strncmp(text, kinds[i].name, size) == 0) {
            return kinds[i].read(text + size, end, kinds[i].value);
        }
    }
    return false;
}

static bool read_list(const char *text, struct kw_board_faults *faults) {
    for (;;) {
        const char *end = text + strcspn(text, ",");
        if (!read_kind(text, end, faults)) {
            return false;
        }
        if (*end == '\0') {
            return true;
        }
        text = end + 1;
    }
}

kw_status kw_board_faults_read(const char *text, struct kw_board_faults *faults,
                               struct kw_error *error) {
    const char *end = NULL;
    uint64_t seed = 0;
    if (!read_seed(text, &seed, &end)) {
        return wrong(error, text);
    }
    struct kw_board_faults found = {.cut = 0};
    if (*end == '\0') {
        found = USUAL;
        found.cut = 1 + (uint32_t)(seed % CUT_DRAWN);
    } else if (*end != ':' || !read_list(end + 1, &found)) {
        return wrong(error, text);
    }
    found.on = true;
    found.seed = seed;
    *faults = found;
    return KW_OK;
}
