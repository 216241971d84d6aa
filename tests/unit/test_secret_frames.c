/* Frames in words: what may be shown is, and nothing else. */
#include "host/frames_file.h"
#include "host/secret_frames.h"
#include "tests/unit/chip_fixture.h"

/* A run of bytes that no frame holds by chance. */
static uint8_t secret[148];
#define RUNS (sizeof secret / 4)
static char secret_hex[RUNS][9]; /* four bytes each */

static int make_secret(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof secret; i++) {
        secret[i] = (uint8_t)(0xA5 ^ (37 * i));
    }
    for (size_t i = 0; i < RUNS; i++) {
        const uint8_t *run = secret + 4 * i;
        (void)snprintf(secret_hex[i], sizeof secret_hex[i], "%02X%02X%02X%02X",
                       run[0], run[1], run[2], run[3]);
    }
    return 0;
}

static const char *packet_words(struct kw_frame_view *view, uint8_t opcode,
                                uint8_t mode, uint16_t param2, size_t size) {
    static char words[KW_FRAME_WORDS];
    const struct kw_command command = {opcode, mode, param2, secret, size};
    uint8_t packet[KW_PACKET_MAX];
    size_t packet_size = 0;
    assert_int_equal(kw_packet_encode(&command, packet, &packet_size), KW_OK);
    kw_frame_packet(view, packet, packet_size, words);
    return words;
}

static const char *answer_words(struct kw_frame_view *view, const uint8_t *data,
                                size_t size) {
    static char words[KW_FRAME_WORDS];
    uint8_t frame[KW_RESPONSE_MAX];
    size_t frame_size = 0;
    assert_int_equal(kw_response_encode(data, size, frame, &frame_size), KW_OK);
    kw_frame_response(view, frame, frame_size, words);
    return words;
}

/* Seven bytes in a row of the secret hold one of these runs. */
static bool shows_secret(const char *words) {
    for (size_t i = 0; i < RUNS; i++) {
        if (strstr(words, secret_hex[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static struct kw_frame_view trustflex_view(void) {
    const struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    struct kw_frame_view view = {.known_words = 0};
    kw_frame_view_tell(&view, eeprom.config);
    return view;
}

static void writes_by_slot(void **state) {
    struct kw_frame_view view = trustflex_view();
    struct kw_frame_view unknown = {.known_words = 0};
    (void)state;
    assert_non_null(strstr(packet_words(&view, OP_WRITE, 0x82, 6 << 3, 32),
                           "<32 bytes, secret of slot 6>"));
    assert_non_null(strstr(packet_words(&view, OP_WRITE, 0xC2, 5 << 3, 64),
                           "<32 bytes, secret of slot 5> <32 bytes, MAC>"));
    assert_true(shows_secret(packet_words(&view, OP_WRITE, 0x82, 8 << 3, 32)));
    assert_non_null(strstr(packet_words(&unknown, OP_WRITE, 0x82, 8 << 3, 32),
                           "<32 bytes of slot 8, may be secret>"));
    assert_true(shows_secret(packet_words(&view, OP_WRITE, 0x80, 8, 32)));
}

/* An AES key is a secret even where somebody forgot IsSecret. */
static void an_aes_key_is_never_shown(void **state) {
    struct kw_frame_view view = trustflex_view();
    (void)state;
    view.config[112] = 0x38;
    assert_non_null(strstr(packet_words(&view, OP_WRITE, 0x82, 8 << 3, 32),
                           "<32 bytes, secret of slot 8>"));
}

static void private_keys_never(void **state) {
    struct kw_frame_view view = trustflex_view();
    (void)state;
    assert_non_null(strstr(packet_words(&view, OP_PRIVWRITE, 0x00, 2, 68),
                           "<36 bytes, secret of slot 2> <32 bytes, MAC>"));
    /* Not even for a slot that the configuration calls public. */
    assert_false(shows_secret(packet_words(&view, OP_PRIVWRITE, 0, 8, 68)));
}

static void reads_by_slot(void **state) {
    struct kw_frame_view view = trustflex_view();
    (void)state;
    (void)packet_words(&view, OP_READ, 0x82, 6 << 3, 0);
    assert_string_equal(answer_words(&view, secret, 32),
                        "<32 bytes, secret of slot 6>");
    (void)packet_words(&view, OP_READ, 0x82, 8 << 3, 0);
    assert_true(shows_secret(answer_words(&view, secret, 32)));
    (void)packet_words(&view, OP_READ, 0x82, 8 << 3, 0);
    assert_string_equal(answer_words(&view, (const uint8_t[]){0x0F}, 1), "0F");
}

static void learns_from_reads(void **state) {
    const struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    struct kw_frame_view view = {.known_words = 0};
    (void)state;
    for (unsigned block = 0; block < 4; block++) {
        assert_false(kw_frame_view_knows(&view));
        (void)packet_words(&view, OP_READ, 0x80, (uint16_t)(block << 3), 0);
        (void)answer_words(&view, eeprom.config + 32 * block, 32);
    }
    assert_true(kw_frame_view_knows(&view));
    assert_memory_equal(view.config, eeprom.config, KW_CONFIG_SIZE);
    /* A word that is written is not known again before it is read. */
    (void)packet_words(&view, OP_WRITE, 0x00, 5, 4);
    assert_false(kw_frame_view_knows(&view));
    (void)packet_words(&view, OP_READ, 0x00, 5, 0);
    (void)answer_words(&view, eeprom.config + 20, 4);
    assert_true(kw_frame_view_knows(&view));
    (void)packet_words(&view, OP_LOCK, 0x80, 0, 0);
    (void)answer_words(&view, (const uint8_t[]){0}, 1);
    assert_false(kw_frame_view_knows(&view));
}

/* Opcode, mode mask, mode, direction: what travels in the open by design.
 * Written down here once more; the rest must be left out. */
struct open_row {
    uint8_t opcode;
    uint8_t mask;
    uint8_t mode;
    bool to_chip;
};

static const struct open_row OPEN[] = {
    {OP_READ, 3, 0, false},       {OP_READ, 3, 1, false},
    {OP_WRITE, 3, 0, true},       {OP_WRITE, 3, 1, true},
    {OP_NONCE, 2, 0, true},       {OP_NONCE, 0xC2, 0x42, true},
    {OP_NONCE, 0, 0, false},      {OP_GENDIG, 0, 0, true},
    {OP_GENKEY, 0, 0, true},      {OP_GENKEY, 0, 0, false},
    {OP_SIGN, 0, 0, false},       {OP_VERIFY, 0, 0, true},
    {OP_VERIFY, 0, 0, false},     {OP_MAC, 0, 0, true},
    {OP_MAC, 0, 0, false},        {OP_CHECKMAC, 0, 0, true},
    {OP_DERIVEKEY, 0, 0, true},   {OP_COUNTER, 0, 0, false},
    {OP_INFO, 0, 0, false},       {OP_ECDH, 0, 0, true},
    {OP_KDF, 0, 0, true},         {OP_SECUREBOOT, 0, 0, true},
    {OP_SECUREBOOT, 0, 0, false},
};

static bool is_open(uint8_t opcode, uint8_t mode, bool to_chip) {
    for (size_t i = 0; i < sizeof OPEN / sizeof *OPEN; i++) {
        if (OPEN[i].opcode == opcode && (mode & OPEN[i].mask) == OPEN[i].mode &&
            OPEN[i].to_chip == to_chip) {
            return true;
        }
    }
    return false;
}

static void every_other_frame_is_left_out(void **state) {
    struct kw_frame_view view = {.known_words = 0};
    (void)state;
    for (unsigned i = 0; i < 0x10000; i++) {
        const uint8_t opcode = (uint8_t)(i >> 8);
        const uint8_t mode = (uint8_t)i;
        const char *words = packet_words(&view, opcode, mode, 0, 64);
        if (shows_secret(words) && !is_open(opcode, mode, true)) {
            fail_msg("command %02X mode %02X shows its data", opcode, mode);
        }
        words = answer_words(&view, secret, 64);
        if (shows_secret(words) && !is_open(opcode, mode, false)) {
            fail_msg("command %02X mode %02X shows its answer", opcode, mode);
        }
    }
}

static void parts_of_a_frame(void **state) {
    struct kw_frame_view view = {.known_words = 0};
    (void)state;
    /* KDF: four bytes of details, then the message. */
    const char *words = packet_words(&view, OP_KDF, 0, 0, 36);
    assert_non_null(strstr(words, "<32 bytes, KDF message>"));
    /* GenDig: four bytes of OtherData, and no more. */
    words = packet_words(&view, OP_GENDIG, 0x02, 6, 32);
    assert_non_null(strstr(words, "<28 bytes>"));
    assert_null(strstr(packet_words(&view, OP_GENDIG, 0x03, 4, 32), " A5"));
    /* A Nonce that answers TempKey itself. */
    (void)packet_words(&view, OP_NONCE, 0x00, 0x8000, 20);
    assert_string_equal(answer_words(&view, secret, 32),
                        "<32 bytes, new TempKey>");
    assert_non_null(strstr(packet_words(&view, OP_NONCE, 0x03, 0, 32),
                           "<32 bytes, for TempKey>"));
}

static void damaged_frames(void **state) {
    struct kw_frame_view view = {.known_words = 0};
    char words[KW_FRAME_WORDS];
    (void)state;
    kw_frame_packet(&view, secret, 40, words);
    assert_string_equal(words, "damaged command of 40 bytes");
    kw_frame_response(&view, secret, 40, words);
    assert_string_equal(words, "damaged answer of 40 bytes");
    view.has_command = false;
    assert_non_null(strstr(answer_words(&view, secret, 32), "unknown command"));
}

/* --- recorded frames --- */

static void recorded_frames(void **state) {
    static const char TEXT[] = "# a comment\n\n"
                               "> wake\n"
                               ">07 30 00 00 00 03 5d # the revision\r\n"
                               "  < 0700006003 83BB\n"
                               "> sleep";
    struct kw_frames_file file = {TEXT, sizeof TEXT - 1, 0, 0};
    struct kw_recorded frame;
    (void)state;
    assert_int_equal(kw_frames_next(&file, &frame), KW_OK);
    assert_true(frame.kind == KW_RECORDED_WAKE && frame.line == 3);
    assert_int_equal(kw_frames_next(&file, &frame), KW_OK);
    assert_true(frame.to_chip && frame.size == 7 && frame.bytes[6] == 0x5D);
    assert_int_equal(kw_frames_next(&file, &frame), KW_OK);
    assert_true(!frame.to_chip && frame.size == 7 && frame.line == 5);
    assert_int_equal(kw_frames_next(&file, &frame), KW_OK);
    assert_true(frame.kind == KW_RECORDED_SLEEP);
    assert_int_equal(kw_frames_next(&file, &frame), KW_NO);
}

static void lines_that_are_no_frames(void **state) {
    static const char *const TEXTS[] = {
        "07", ">", "< wake", "> 0", "> 0g", "> 07 3", "frames", "> wake up"};
    char longest[2 * KW_PACKET_MAX + 8];
    struct kw_recorded frame;
    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct kw_frames_file file = {TEXTS[i], strlen(TEXTS[i]), 0, 0};
        assert_int_equal(kw_frames_next(&file, &frame), KW_PARSE);
        assert_int_equal(file.line, 1);
    }
    memset(longest, '0', sizeof longest);
    longest[0] = '>';
    struct kw_frames_file file = {longest, 1 + 2 * KW_PACKET_MAX, 0, 0};
    assert_int_equal(kw_frames_next(&file, &frame), KW_OK);
    file = (struct kw_frames_file){longest, 3 + 2 * KW_PACKET_MAX, 0, 0};
    assert_int_equal(kw_frames_next(&file, &frame), KW_PARSE_SIZE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_by_slot),
        cmocka_unit_test(an_aes_key_is_never_shown),
        cmocka_unit_test(private_keys_never),
        cmocka_unit_test(reads_by_slot),
        cmocka_unit_test(learns_from_reads),
        cmocka_unit_test(every_other_frame_is_left_out),
        cmocka_unit_test(parts_of_a_frame),
        cmocka_unit_test(damaged_frames),
        cmocka_unit_test(recorded_frames),
        cmocka_unit_test(lines_that_are_no_frames),
    };
    return cmocka_run_group_tests(tests, make_secret, NULL);
}
