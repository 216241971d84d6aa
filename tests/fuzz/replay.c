/* Calls a fuzz target once for each file named, or in a folder named: the
 * corpus as a test, with any compiler. */
#include "tests/fuzz/fuzz.h"

#include <ftw.h>
#include <sys/stat.h>

#define INPUT_MAX (1u << 20)

static unsigned replayed;

static int replay(const char *path, const struct stat *about, int kind,
                  struct FTW *level) {
    (void)level;
    if (kind != FTW_F) {
        return 0;
    }
    const size_t size = (size_t)about->st_size;
    /* Of exactly this size, so that a sanitizer sees every byte beyond. */
    uint8_t *data = malloc(size > 0 ? size : 1);
    FILE *file = fopen(path, "rb");
    FUZZ_DEMAND(size <= INPUT_MAX && data != NULL && file != NULL);
    FUZZ_DEMAND(fread(data, 1, size, file) == size);
    (void)fclose(file);
    (void)fprintf(stderr, "%s\n", path);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    replayed++;
    return 0;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        FUZZ_DEMAND(nftw(argv[i], replay, 8, FTW_PHYS) == 0);
    }
    (void)printf("%u inputs\n", replayed);
    return replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
