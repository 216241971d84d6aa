/* tests/fuzz/fuzz.h: what the fuzz targets share.
 *
 * A target is one LLVMFuzzerTestOneInput, called with any bytes. It aborts
 * when a demand does not hold. With clang's libFuzzer it is a fuzzer; else
 * replay.c calls it once for each file of the corpus. */
#ifndef KW_TESTS_FUZZ_FUZZ_H
#define KW_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_DEMAND(condition)                                                 \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__,         \
                    #condition);                                               \
            abort();                                                           \
        }                                                                      \
    } while (0)

/* What of an input has not been used yet. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

/* The next byte; 0 when there is none. */
static inline uint8_t fuzz_byte(struct fuzz_input *input) {
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->at++;
}

/* The next size bytes, with zeros for those that are not there. */
static inline void fuzz_bytes(struct fuzz_input *input, uint8_t *bytes,
                              size_t size) {
    const size_t there = size < input->left ? size : input->left;
    memset(bytes, 0, size);
    if (there > 0) {
        memcpy(bytes, input->at, there);
    }
    input->at += there;
    input->left -= there;
}

/* The path of NAME in a temporary folder of this process, in TMPDIR or else
 * in memory where the system has such a place. The folder goes when the process
 * ends; NAME may have one folder before it. Valid until the next call but
 * seven. */
const char *fuzz_path(const char *name);

/* Writes the whole file. */
void fuzz_write_file(const char *path, const uint8_t *data, size_t size);

#endif
