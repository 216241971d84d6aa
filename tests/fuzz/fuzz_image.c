/* Image files: whatever opens can be committed to, twice, and opens again
 * with what was committed.
 *
 * Input: byte 0 (bits 0 and 1: put the checksum of copy 0, of copy 1
 * right), then the two copies, of which the padding is left out, then what
 * stands after them. The file ends where the input ends. */
#include "core/sha256.h"
#include "sim/nvm/nvm.h"
#include "tests/fuzz/fuzz.h"

#define KIND        "fuzz"
#define IMAGE_SIZE  40
#define HEADER_SIZE 64
#define COPY_SIZE   (HEADER_SIZE + IMAGE_SIZE)
#define STRIDE      4096
#define AT_CHECKSUM 32

static void put_checksum(uint8_t copy[COPY_SIZE]) {
    struct kw_sha256 sha;
    kw_sha256_init(&sha);
    kw_sha256_update(&sha, copy, AT_CHECKSUM);
    kw_sha256_update(&sha, copy + HEADER_SIZE, IMAGE_SIZE);
    kw_sha256_final(&sha, copy + AT_CHECKSUM);
}

static void write_file(const char *path, struct fuzz_input input) {
    uint8_t file[2 * STRIDE] = {0};
    size_t size = 0;
    const uint8_t bits = fuzz_byte(&input);
    for (unsigned i = 0; i < 2 && input.left > 0; i++) {
        const size_t left = input.left;
        uint8_t *copy = file + (size_t)i * STRIDE;
        fuzz_bytes(&input, copy, COPY_SIZE);
        if ((bits >> i & 1) != 0 && left >= COPY_SIZE) {
            put_checksum(copy);
        }
        size = left < COPY_SIZE ? (size_t)i * STRIDE + left : (i + 1) * STRIDE;
    }
    fuzz_write_file(path, file, size);
}

static void commit_and_reopen(const char *path, uint8_t mark) {
    uint8_t image[IMAGE_SIZE];
    uint8_t wanted[IMAGE_SIZE];
    struct kw_nvm *nvm;
    memset(wanted, mark, sizeof wanted);
    FUZZ_DEMAND(kw_nvm_open(path, KIND, image, IMAGE_SIZE, &nvm) == KW_OK);
    FUZZ_DEMAND(kw_nvm_commit(nvm, wanted) == KW_OK);
    kw_nvm_close(nvm);
    FUZZ_DEMAND(kw_nvm_open(path, KIND, image, IMAGE_SIZE, &nvm) == KW_OK);
    kw_nvm_close(nvm);
    FUZZ_DEMAND(memcmp(image, wanted, IMAGE_SIZE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_path("image");
    uint8_t image[IMAGE_SIZE];
    struct kw_nvm *nvm;
    write_file(path, (struct fuzz_input){data, size});
    if (kw_nvm_open(path, KIND, image, IMAGE_SIZE, &nvm) == KW_OK) {
        kw_nvm_close(nvm);
        commit_and_reopen(path, 0xA5);
        commit_and_reopen(path, 0x3C);
    }
    return 0;
}
