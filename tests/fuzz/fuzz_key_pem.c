/* Files of private keys: what is read signs, its signature holds for its
 * public key, and it is written and read again as the same key. */
#include <unistd.h>

#include "host/key.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t DIGEST[KW_SHA256_SIZE] = {0xD1, 0x6E, 0x57};

static void try_signature(const struct kw_key *key) {
    struct kw_error error;
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    uint8_t signature[KW_SIGNATURE_SIZE];
    kw_key_public(key, public_key);
    FUZZ_DEMAND(kw_key_sign(key, DIGEST, signature, &error) == KW_OK);
    FUZZ_DEMAND(kw_public_key_verify(public_key, DIGEST, signature) == KW_OK);
}

static void try_writing(const struct kw_key *key) {
    const char *path = fuzz_path("again.pem");
    struct kw_error error;
    struct kw_key *again;
    uint8_t before[KW_PUBLIC_KEY_SIZE];
    uint8_t after[KW_PUBLIC_KEY_SIZE];
    FUZZ_DEMAND(kw_key_write(key, path, &error) == KW_OK);
    FUZZ_DEMAND(kw_key_read(path, &again, &error) == KW_OK);
    FUZZ_DEMAND(unlink(path) == 0);
    kw_key_public(key, before);
    kw_key_public(again, after);
    FUZZ_DEMAND(memcmp(before, after, sizeof before) == 0);
    kw_key_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_path("key.pem");
    struct kw_error error;
    struct kw_key *key;
    fuzz_write_file(path, data, size);
    if (kw_key_read(path, &key, &error) == KW_OK) {
        try_signature(key);
        try_writing(key);
        kw_key_free(key);
    } else {
        FUZZ_DEMAND(error.status == KW_PARSE_KEY ||
                    error.status == KW_SYSTEM_FILE);
    }
    return 0;
}
