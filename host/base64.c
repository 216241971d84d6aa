#include "host/base64.h"

#include <string.h>

#define VALUE 0x3Fu
#define BOTH  (KW_BASE64URL | KW_BASE64_PADDED)

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const char URL[] = LETTERS "-_";
static const char PADDED[] = LETTERS "+/";

static const char *alphabet(enum kw_base64 kind) {
    return kind == KW_BASE64_PADDED ? PADDED : URL;
}

/* A character's value, with a bit for each alphabet that has it. */
#define IN_BOTH(value) (BOTH | (value))
static const uint8_t VALUES[256] = {
    ['A'] = IN_BOTH(0),
    ['B'] = IN_BOTH(1),
    ['C'] = IN_BOTH(2),
    ['D'] = IN_BOTH(3),
    ['E'] = IN_BOTH(4),
    ['F'] = IN_BOTH(5),
    ['G'] = IN_BOTH(6),
    ['H'] = IN_BOTH(7),
    ['I'] = IN_BOTH(8),
    ['J'] = IN_BOTH(9),
    ['K'] = IN_BOTH(10),
    ['L'] = IN_BOTH(11),
    ['M'] = IN_BOTH(12),
    ['N'] = IN_BOTH(13),
    ['O'] = IN_BOTH(14),
    ['P'] = IN_BOTH(15),
    ['Q'] = IN_BOTH(16),
    ['R'] = IN_BOTH(17),
    ['S'] = IN_BOTH(18),
    ['T'] = IN_BOTH(19),
    ['U'] = IN_BOTH(20),
    ['V'] = IN_BOTH(21),
    ['W'] = IN_BOTH(22),
    ['X'] = IN_BOTH(23),
    ['Y'] = IN_BOTH(24),
    ['Z'] = IN_BOTH(25),
    ['a'] = IN_BOTH(26),
    ['b'] = IN_BOTH(27),
    ['c'] = IN_BOTH(28),
    ['d'] = IN_BOTH(29),
    ['e'] = IN_BOTH(30),
    ['f'] = IN_BOTH(31),
    ['g'] = IN_BOTH(32),
    ['h'] = IN_BOTH(33),
    ['i'] = IN_BOTH(34),
    ['j'] = IN_BOTH(35),
    ['k'] = IN_BOTH(36),
    ['l'] = IN_BOTH(37),
    ['m'] = IN_BOTH(38),
    ['n'] = IN_BOTH(39),
    ['o'] = IN_BOTH(40),
    ['p'] = IN_BOTH(41),
    ['q'] = IN_BOTH(42),
    ['r'] = IN_BOTH(43),
    ['s'] = IN_BOTH(44),
    ['t'] = IN_BOTH(45),
    ['u'] = IN_BOTH(46),
    ['v'] = IN_BOTH(47),
    ['w'] = IN_BOTH(48),
    ['x'] = IN_BOTH(49),
    ['y'] = IN_BOTH(50),
    ['z'] = IN_BOTH(51),
    ['0'] = IN_BOTH(52),
    ['1'] = IN_BOTH(53),
    ['2'] = IN_BOTH(54),
    ['3'] = IN_BOTH(55),
    ['4'] = IN_BOTH(56),
    ['5'] = IN_BOTH(57),
    ['6'] = IN_BOTH(58),
    ['7'] = IN_BOTH(59),
    ['8'] = IN_BOTH(60),
    ['9'] = IN_BOTH(61),
    ['-'] = KW_BASE64URL | 62,
    ['_'] = KW_BASE64URL | 63,
    ['+'] = KW_BASE64_PADDED | 62,
    ['/'] = KW_BASE64_PADDED | 63,
};

/* --- encoding --- */

size_t kw_base64_length(enum kw_base64 kind, size_t size) {
    const size_t rest = size % 3;
    const size_t end = kind == KW_BASE64_PADDED ? 4 : rest + 1;
    return size / 3 * 4 + (rest == 0 ? 0 : end);
}

static size_t encode_rest(enum kw_base64 kind, const uint8_t *bytes,
                          size_t rest, char *text) {
    const uint32_t bits =
        (uint32_t)bytes[0] << 16 | (rest == 2 ? (uint32_t)bytes[1] << 8 : 0);
    const char *letters = alphabet(kind);
    size_t length = rest + 1;
    text[0] = letters[bits >> 18 & VALUE];
    text[1] = letters[bits >> 12 & VALUE];
    if (rest == 2) {
        text[2] = letters[bits >> 6 & VALUE];
    }
    while (kind == KW_BASE64_PADDED && length < 4) {
        text[length++] = '=';
    }
    return length;
}

size_t kw_base64_encode(enum kw_base64 kind, const uint8_t *bytes, size_t size,
                        char *text) {
    const char *letters = alphabet(kind);
    char *out = text;
    for (; size >= 3; size -= 3, bytes += 3) {
        const uint32_t bits =
            (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
        *out++ = letters[bits >> 18 & VALUE];
        *out++ = letters[bits >> 12 & VALUE];
        *out++ = letters[bits >> 6 & VALUE];
        *out++ = letters[bits & VALUE];
    }
    if (size > 0) {
        out += encode_rest(kind, bytes, size, out);
    }
    return (size_t)(out - text);
}

void kw_base64_pairs_make(enum kw_base64 kind, struct kw_base64_pairs *pairs) {
    const char *letters = alphabet(kind);
    for (size_t bits = 0; bits < sizeof pairs->of / sizeof *pairs->of; bits++) {
        pairs->of[bits][0] = letters[bits >> 6];
        pairs->of[bits][1] = letters[bits & VALUE];
    }
}

size_t kw_base64_encode_triples(const struct kw_base64_pairs *restrict pairs,
                                const uint8_t *restrict bytes, size_t size,
                                char *restrict text) {
    for (size_t i = 0; i < size / 3; i++) {
        const uint32_t bits = (uint32_t)bytes[3 * i] << 16 |
                              (uint32_t)bytes[3 * i + 1] << 8 |
                              bytes[3 * i + 2];
        memcpy(text + 4 * i, pairs->of[bits >> 12], 2);
        memcpy(text + 4 * i + 2, pairs->of[bits & 0xFFF], 2);
    }
    return size / 3 * 4;
}

/* --- decoding --- */

/* Two or three characters: 12 or 18 bits, of which 4 or 2 are spare. */
static kw_status decode_rest(enum kw_base64 kind, const uint8_t *text,
                             size_t rest, uint8_t *bytes) {
    uint32_t bits = 0;
    uint32_t seen = kind;
    for (size_t i = 0; i < rest; i++) {
        seen &= VALUES[text[i]];
        bits = bits << 6 | (VALUES[text[i]] & VALUE);
    }
    const unsigned spare = rest == 2 ? 4 : 2;
    KW_ENSURE((seen & kind) != 0 && (bits & ((1u << spare) - 1)) == 0,
              KW_PARSE);
    bits >>= spare;
    for (size_t i = rest - 1; i > 0; i--) {
        bytes[i - 1] = (uint8_t)bits;
        bits >>= 8;
    }
    return KW_OK;
}

static kw_status decode_whole(enum kw_base64 kind, const uint8_t *text,
                              size_t length, uint8_t *bytes) {
    uint32_t seen = kind;
    for (size_t i = 0; i < length; i += 4, bytes += 3) {
        const uint32_t a = VALUES[text[i]];
        const uint32_t b = VALUES[text[i + 1]];
        const uint32_t c = VALUES[text[i + 2]];
        const uint32_t d = VALUES[text[i + 3]];
        seen &= a & b & c & d;
        const uint32_t bits = (a & VALUE) << 18 | (b & VALUE) << 12 |
                              (c & VALUE) << 6 | (d & VALUE);
        bytes[0] = (uint8_t)(bits >> 16);
        bytes[1] = (uint8_t)(bits >> 8);
        bytes[2] = (uint8_t)bits;
    }
    return (seen & kind) != 0 ? KW_OK : KW_PARSE;
}

static size_t without_padding(const char *text, size_t length) {
    for (int i = 0; i < 2 && length > 0 && text[length - 1] == '='; i++) {
        length--;
    }
    return length;
}

kw_status kw_base64_decode(enum kw_base64 kind, const char *text, size_t length,
                           uint8_t *bytes, size_t room, size_t *size) {
    const uint8_t *from = (const uint8_t *)text;
    if (kind == KW_BASE64_PADDED) {
        KW_ENSURE(length % 4 == 0, KW_PARSE);
        length = without_padding(text, length);
    }
    const size_t rest = length % 4;
    const size_t whole = length - rest;
    KW_ENSURE(rest != 1, KW_PARSE);
    const size_t decoded = whole / 4 * 3 + (rest == 0 ? 0 : rest - 1);
    KW_ENSURE(decoded <= room, KW_PARSE_SIZE);
    KW_TRY(decode_whole(kind, from, whole, bytes));
    if (rest > 0) {
        KW_TRY(decode_rest(kind, from + whole, rest, bytes + whole / 4 * 3));
    }
    *size = decoded;
    return KW_OK;
}
