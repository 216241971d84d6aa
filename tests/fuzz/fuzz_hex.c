/* Bytes, keys, signatures and public keys in files, and the lint of
 * whatever 128 bytes they give. What is read back in hex is the same. */
#include "host/config_lint.h"
#include "host/config_words.h"
#include "host/hex_file.h"
#include "host/signature_file.h"
#include "host/text.h"
#include "tests/fuzz/fuzz.h"

static void lint(const uint8_t config[KW_CONFIG_SIZE]) {
    static struct kw_findings findings;
    struct kw_config_field fields[KW_CONFIG_FIELDS];
    struct kw_slot_lines lines;
    kw_config_lint(config, &findings);
    FUZZ_DEMAND(findings.count < KW_FINDINGS_MAX);
    FUZZ_DEMAND((kw_first_error(&findings)[0] != '\0') ==
                (findings.errors > 0));
    (void)kw_config_fields(config, fields);
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        kw_config_slot_lines(config, slot, &lines);
        FUZZ_DEMAND(lines.count < KW_SLOT_LINES);
    }
}

static void try_text(const uint8_t *data, size_t size) {
    uint8_t bytes[256];
    uint8_t again[256];
    char text[2 * sizeof bytes + 1];
    size_t count = 0;
    size_t back = 0;
    if (kw_hex_text_read((const char *)data, size, bytes, sizeof bytes,
                         &count) != KW_OK) {
        return;
    }
    kw_hex(bytes, count, text);
    FUZZ_DEMAND(kw_hex_text_read(text, 2 * count, again, sizeof again, &back) ==
                KW_OK);
    FUZZ_DEMAND(back == count && memcmp(bytes, again, count) == 0);
}

static void try_files(const char *path) {
    struct kw_error error;
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t key[32];
    uint8_t signature[KW_SIGNATURE_SIZE];
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    uint8_t der[KW_SIGNATURE_DER_MAX];
    size_t size = 0;
    if (kw_bytes_file_read(path, config, sizeof config, &error) == KW_OK) {
        lint(config);
    }
    (void)!kw_key_file_read(path, key, &error);
    (void)!kw_public_key_file_read(path, public_key, &error);
    if (kw_signature_file_read(path, signature, &error) == KW_OK) {
        FUZZ_DEMAND(kw_signature_to_der(signature, der, &size) == KW_OK);
        FUZZ_DEMAND(size <= sizeof der);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_path("given");
    fuzz_write_file(path, data, size);
    try_text(data, size);
    try_files(path);
    if (size >= KW_CONFIG_SIZE) {
        lint(data);
    }
    return 0;
}
