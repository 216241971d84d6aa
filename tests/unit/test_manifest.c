/* Base64, JSON by a cursor and the sorted spill, beside OpenSSL and
 * jansson. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "host/base64.h"
#include "host/manifest/index.h"
#include "host/manifest/json.h"
#include "host/manifest/spill.h"

/* --- base64 --- */

static void base64_is_openssls(void **state) {
    uint8_t bytes[200];
    uint8_t back[200];
    char text[300];
    uint8_t theirs[300];
    (void)state;
    for (size_t size = 0; size < sizeof bytes; size++) {
        size_t decoded = 0;
        assert_int_equal(RAND_bytes(bytes, sizeof bytes), 1);
        const size_t length =
            kw_base64_encode(KW_BASE64_PADDED, bytes, size, text);
        assert_int_equal(EVP_EncodeBlock(theirs, bytes, (int)size), length);
        assert_memory_equal(text, theirs, length);
        assert_int_equal(length, kw_base64_length(KW_BASE64_PADDED, size));
        assert_int_equal(kw_base64_decode(KW_BASE64_PADDED, text, length, back,
                                          sizeof back, &decoded),
                         KW_OK);
        assert_int_equal(decoded, size);
        assert_memory_equal(back, bytes, size);
    }
}

/* RFC 4648, section 10, in the other alphabet and without padding. */
static void base64url_known(void **state) {
    static const struct {
        const char *plain, *text;
    } ROWS[] = {{"", ""},
                {"f", "Zg"},
                {"fo", "Zm8"},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg"},
                {"fooba", "Zm9vYmE"},
                {"\xff\xfe", "__4"},
                {"\xfb", "-w"}};
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        char text[16];
        uint8_t back[16];
        size_t size = 0;
        const size_t plain = strlen(ROWS[i].plain);
        const size_t length = kw_base64_encode(
            KW_BASE64URL, (const uint8_t *)ROWS[i].plain, plain, text);
        assert_int_equal(length, strlen(ROWS[i].text));
        assert_memory_equal(text, ROWS[i].text, length);
        assert_int_equal(kw_base64_decode(KW_BASE64URL, text, length, back,
                                          sizeof back, &size),
                         KW_OK);
        assert_int_equal(size, plain);
        assert_memory_equal(back, ROWS[i].plain, plain);
    }
}

static void base64_pairs_are_the_same(void **state) {
    static const enum kw_base64 KINDS[] = {KW_BASE64URL, KW_BASE64_PADDED};
    struct kw_base64_pairs pairs;
    uint8_t bytes[3 * 500];
    char plain[4 * 500];
    char paired[4 * 500];
    (void)state;
    assert_int_equal(RAND_bytes(bytes, sizeof bytes), 1);
    for (size_t i = 0; i < 2; i++) {
        kw_base64_pairs_make(KINDS[i], &pairs);
        const size_t length =
            kw_base64_encode(KINDS[i], bytes, sizeof bytes, plain);
        assert_int_equal(
            kw_base64_encode_triples(&pairs, bytes, sizeof bytes, paired),
            length);
        assert_memory_equal(paired, plain, length);
        assert_int_equal(kw_base64_encode_triples(&pairs, bytes, 5, paired), 4);
    }
}

static void base64_refused(void **state) {
    static const struct {
        enum kw_base64 kind;
        const char *text;
    } ROWS[] = {
        {KW_BASE64URL, "Zg=="},     {KW_BASE64URL, "Z"},
        {KW_BASE64URL, "Zh"},       {KW_BASE64URL, "Zm9"},
        {KW_BASE64URL, "Zm+v"},     {KW_BASE64URL, "Zm/v"},
        {KW_BASE64URL, "Zm 9v"},    {KW_BASE64URL, "Zm9v\n"},
        {KW_BASE64URL, "Zm\xc3v"},  {KW_BASE64_PADDED, "Zg"},
        {KW_BASE64_PADDED, "Zg="},  {KW_BASE64_PADDED, "Zh=="},
        {KW_BASE64_PADDED, "Zm-v"}, {KW_BASE64_PADDED, "Z==="},
        {KW_BASE64_PADDED, "===="}, {KW_BASE64_PADDED, "Zg==Zg=="},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        uint8_t back[16];
        size_t size = 0;
        if (kw_base64_decode(ROWS[i].kind, ROWS[i].text, strlen(ROWS[i].text),
                             back, sizeof back, &size) == KW_OK) {
            fail_msg("%s is taken", ROWS[i].text);
        }
    }
    uint8_t small[2];
    size_t size = 0;
    assert_int_equal(
        kw_base64_decode(KW_BASE64URL, "Zm9v", 4, small, sizeof small, &size),
        KW_PARSE_SIZE);
}

/* --- JSON --- */

static bool is_json(const char *text) {
    char room[256];
    struct kw_json json = {text, text + strlen(text), room, room + sizeof room};
    return kw_json_skip(&json) == KW_OK && kw_json_end(&json) == KW_OK;
}

static bool is_janssons(const char *text) {
    json_t *value =
        json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    json_decref(value);
    return value != NULL;
}

static void json_is_janssons(void **state) {
    static const char *const TEXTS[] = {
        "{}",
        "[]",
        " [1, -2, 3.5e-1, 0, -0]",
        "01",
        "1.",
        ".5",
        "1e",
        "-",
        "+1",
        "true",
        "tru",
        "nulls",
        "\"\"",
        "\"a",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\x01\"",
        "\"\n\"",
        "\"\xc3\xa9\"",
        "\"\xc3\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xf0\x9f\x98\x80\"",
        "\"\xe0\x80\x80\"",
        "\"\xff\"",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"a\":{\"b\":[{\"c\":null}]}}",
        "[[[[]]]]",
        "]",
        "",
        " ",
        "{} {}",
        "'a'",
        "\"\\/\\b\\f\\n\\r\\t\\\\\\\"\"",
    };
    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        if (is_json(TEXTS[i]) != is_janssons(TEXTS[i])) {
            fail_msg("jansson thinks otherwise of %s", TEXTS[i]);
        }
    }
}

/* Any byte at any place of a string: characters are taken eight at a time. */
static void json_strings_are_janssons(void **state) {
    (void)state;
    for (unsigned length = 1; length <= 20; length++) {
        for (unsigned at = 0; at < length; at++) {
            for (unsigned byte = 1; byte < 256; byte++) {
                char text[32];
                memset(text, 'a', sizeof text);
                text[0] = '"';
                text[1 + at] = (char)byte;
                memcpy(text + 1 + length, "\"", 2);
                if (is_json(text) != is_janssons(text)) {
                    fail_msg("jansson thinks otherwise of %02x at %u of %u",
                             byte, at, length);
                }
            }
        }
    }
}

static void json_unescapes(void **state) {
    static const char TEXT[] = "\"a\\u00e9\\ud83d\\ude00\\/\\n\\\"z\"";
    static const char PLAIN[] = "a\xc3\xa9\xf0\x9f\x98\x80/\n\"z";
    char room[64];
    struct kw_text text;
    struct kw_json json = {TEXT, TEXT + sizeof TEXT - 1, room,
                           room + sizeof room};
    (void)state;
    assert_int_equal(kw_json_string(&json, &text), KW_OK);
    assert_true(kw_text_is(text, PLAIN));
    struct kw_json small = {TEXT, TEXT + sizeof TEXT - 1, room, room + 4};
    assert_int_equal(kw_json_string(&small, &text), KW_PARSE_SIZE);
}

static void json_has_limits(void **state) {
    char text[2 * KW_JSON_DEPTH_MAX + 4];
    (void)state;
    memset(text, '[', KW_JSON_DEPTH_MAX);
    memset(text + KW_JSON_DEPTH_MAX, ']', KW_JSON_DEPTH_MAX);
    text[2 * KW_JSON_DEPTH_MAX] = '\0';
    assert_true(is_json(text));
    memset(text, '[', KW_JSON_DEPTH_MAX + 1);
    memset(text + KW_JSON_DEPTH_MAX + 1, ']', KW_JSON_DEPTH_MAX + 1);
    text[2 * KW_JSON_DEPTH_MAX + 2] = '\0';
    assert_false(is_json(text));
}

/* --- what is there twice --- */

struct seen {
    unsigned count;
    uint32_t first;
    uint32_t again;
};

static void twice(void *observer, enum kw_spill_kind kind,
                  const uint8_t value[KW_SPILL_VALUE], uint32_t first,
                  uint32_t again) {
    struct seen *seen = observer;
    (void)value;
    assert_int_equal(kind, KW_SPILL_KEY);
    seen->count++;
    seen->first = first;
    seen->again = again;
}

static void add(struct kw_spill *spill, enum kw_spill_kind kind,
                uint32_t number, uint32_t entry) {
    struct kw_error error;
    uint8_t value[32] = {0};
    for (unsigned i = 0; i < 4; i++) {
        value[i] = (uint8_t)(number * 2654435761u >> 8 * i);
    }
    memcpy(value + 4, &number, sizeof number);
    assert_int_equal(
        kw_spill_add(spill, kind, value, sizeof value, entry, &error), KW_OK);
}

/* In memory, and in several runs of a file. */
static void spill_finds(void **state) {
    static const uint32_t COUNTS[] = {0, 1, 1000, 1400000};
    (void)state;
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++) {
        struct kw_error error;
        struct kw_spill *spill = NULL;
        struct seen seen = {.count = 0};
        assert_int_equal(kw_spill_open(&spill, &error), KW_OK);
        for (uint32_t entry = 1; entry <= COUNTS[i]; entry++) {
            add(spill, KW_SPILL_KEY, entry, entry);
        }
        add(spill, KW_SPILL_UNIQUE_ID, 1, COUNTS[i] + 1); /* another kind */
        add(spill, KW_SPILL_KEY, 7, COUNTS[i] + 1);
        assert_int_equal(kw_spill_finish(spill, twice, &seen, &error), KW_OK);
        kw_spill_close(spill);
        assert_int_equal(seen.count, COUNTS[i] >= 7 ? 1 : 0);
        if (seen.count == 1) {
            assert_int_equal(seen.first, 7);
            assert_int_equal(seen.again, COUNTS[i] + 1);
        }
    }
}

/* More rows than memory holds need a file: it says where, and why not. */
static kw_status spill_many(struct kw_error *error) {
    struct kw_spill *spill = NULL;
    struct seen seen = {.count = 0};
    kw_status status = kw_spill_open(&spill, error);
    for (uint32_t entry = 1; status == KW_OK && entry <= 530000; entry++) {
        const uint8_t value[4] = {(uint8_t)entry, (uint8_t)(entry >> 8),
                                  (uint8_t)(entry >> 16), 1};
        status = kw_spill_add(spill, KW_SPILL_KEY, value, sizeof value, entry,
                              error);
    }
    if (status == KW_OK) {
        status = kw_spill_finish(spill, twice, &seen, error);
    }
    kw_spill_close(spill);
    return status;
}

static void spill_has_no_room(void **state) {
    struct kw_error error = {.status = KW_OK};
    struct rlimit before;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {1000000, before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(spill_many(&error), KW_SYSTEM_FILE);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_non_null(strstr(error.message, "a temporary file"));
}

static void spill_has_no_folder(void **state) {
    struct kw_error error = {.status = KW_OK};
    (void)state;
    assert_int_equal(setenv("TMPDIR", "/nowhere", 1), 0);
    assert_int_equal(spill_many(&error), KW_SYSTEM_FILE);
    assert_int_equal(unsetenv("TMPDIR"), 0);
    assert_non_null(strstr(error.message, "/nowhere"));
    assert_non_null(strstr(error.hint, "TMPDIR"));
}

static void index_finds(void **state) {
    struct kw_manifest_index *index = NULL;
    uint32_t before = 1;
    (void)state;
    assert_int_equal(kw_manifest_index_open(&index), KW_OK);
    for (uint32_t entry = 1; entry <= 50000; entry++) {
        uint8_t id[KW_UNIQUE_ID_SIZE] = {1, 0x23, (uint8_t)entry,
                                         (uint8_t)(entry >> 8),
                                         (uint8_t)(entry >> 16)};
        assert_int_equal(kw_manifest_index_find(index, id), 0);
        assert_int_equal(kw_manifest_index_put(index, id, entry, &before),
                         KW_OK);
        assert_int_equal(before, 0);
    }
    const uint8_t id[KW_UNIQUE_ID_SIZE] = {1, 0x23, 5};
    assert_int_equal(kw_manifest_index_find(index, id), 5);
    assert_int_equal(kw_manifest_index_put(index, id, 60000, &before), KW_OK);
    assert_int_equal(before, 5);
    assert_int_equal(kw_manifest_index_find(index, id), 60000);
    assert_int_equal(kw_manifest_index_reserve(index, 200000), KW_OK);
    assert_int_equal(kw_manifest_index_find(index, id), 60000);
    kw_manifest_index_close(index);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_is_openssls),
        cmocka_unit_test(base64url_known),
        cmocka_unit_test(base64_pairs_are_the_same),
        cmocka_unit_test(base64_refused),
        cmocka_unit_test(json_is_janssons),
        cmocka_unit_test(json_strings_are_janssons),
        cmocka_unit_test(json_unescapes),
        cmocka_unit_test(json_has_limits),
        cmocka_unit_test(spill_finds),
        cmocka_unit_test(spill_has_no_room),
        cmocka_unit_test(spill_has_no_folder),
        cmocka_unit_test(index_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
