#include "host/manifest/json.h"

#include <stdint.h>
#include <string.h>

bool kw_text_is(struct kw_text text, const char *word) {
    return text.size == strlen(word) && memcmp(text.at, word, text.size) == 0;
}

static void skip_space(struct kw_json *json) {
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\n' ||
                                    *json->at == '\r' || *json->at == '\t')) {
        json->at++;
    }
}

/* The next character that is no white space; 0 at the end. */
static char peek(struct kw_json *json) {
    skip_space(json);
    if (json->at == json->end) {
        return '\0';
    }
    return *json->at;
}

static kw_status take(struct kw_json *json, char wanted) {
    KW_ENSURE(json->at < json->end && peek(json) == wanted, KW_PARSE);
    json->at++;
    return KW_OK;
}

/* --- strings --- */

/* Bytes of the UTF-8 sequence at `at`, which begins above 7F; 0: none. The
 * least second byte keeps out overlong forms and surrogates. */
static size_t utf8_length(const uint8_t *at, size_t left) {
    static const struct {
        uint8_t first, last, second, second_last, length;
    } ROWS[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
        {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (at[0] < ROWS[i].first || at[0] > ROWS[i].last) {
            continue;
        }
        const size_t length = ROWS[i].length;
        bool good = left >= length && at[1] >= ROWS[i].second &&
                    at[1] <= ROWS[i].second_last;
        for (size_t j = 2; good && j < length; j++) {
            good = (at[j] & 0xC0) == 0x80;
        }
        return good ? length : 0;
    }
    return 0;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* True when some byte of the eight is less than `bound`, at most 80. */
static bool any_below(uint64_t eight, unsigned bound) {
    return ((eight - EACH(bound)) & ~eight & EACH(0x80)) != 0;
}

/* Eight characters of ASCII, none of them a quote, a backslash or a control
 * character: nearly all that a manifest holds. */
static bool eight_plain(const char *at) {
    uint64_t eight = 0;
    memcpy(&eight, at, sizeof eight);
    return (eight & EACH(0x80)) == 0 && !any_below(eight, 0x20) &&
           !any_below(eight ^ EACH('"'), 1) &&
           !any_below(eight ^ EACH('\\'), 1);
}

/* Up to the quote or the first backslash. */
static kw_status plain_run(struct kw_json *json) {
    while (json->at < json->end) {
        while (json->end - json->at >= 8 && eight_plain(json->at)) {
            json->at += 8;
        }
        if (json->at == json->end) {
            return KW_PARSE;
        }
        const uint8_t byte = (uint8_t)*json->at;
        if (byte == '"' || byte == '\\') {
            return KW_OK;
        }
        size_t length = 1;
        if (byte >= 0x80) {
            length = utf8_length((const uint8_t *)json->at,
                                 (size_t)(json->end - json->at));
        }
        KW_ENSURE(byte >= 0x20 && length > 0, KW_PARSE);
        json->at += length;
    }
    return KW_PARSE;
}

static int hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static kw_status four_digits(struct kw_json *json, uint32_t *value) {
    KW_ENSURE(json->end - json->at >= 4, KW_PARSE);
    *value = 0;
    for (int i = 0; i < 4; i++) {
        const int digit = hex_digit(*json->at++);
        KW_ENSURE(digit >= 0, KW_PARSE);
        *value = *value << 4 | (uint32_t)digit;
    }
    return KW_OK;
}

static kw_status code_point(struct kw_json *json, uint32_t *point) {
    uint32_t low = 0;
    KW_TRY(four_digits(json, point));
    if (*point < 0xD800 || *point > 0xDFFF) {
        return *point == 0 ? KW_PARSE : KW_OK;
    }
    KW_ENSURE(*point <= 0xDBFF && json->end - json->at >= 6 &&
                  json->at[0] == '\\' && json->at[1] == 'u',
              KW_PARSE);
    json->at += 2;
    KW_TRY(four_digits(json, &low));
    KW_ENSURE(low >= 0xDC00 && low <= 0xDFFF, KW_PARSE);
    *point = 0x10000 + ((*point - 0xD800) << 10) + (low - 0xDC00);
    return KW_OK;
}

static size_t utf8_put(uint32_t point, char *to) {
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    const size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    to[0] = (char)(0xF00u >> length | point);
    return length;
}

/* What stands behind a backslash; at most 4 bytes. */
static kw_status unescape(struct kw_json *json, char *to, size_t *length) {
    static const char FROM[] = "\"\\/bfnrt";
    static const char TO[] = "\"\\/\b\f\n\r\t";
    uint32_t point = 0;
    KW_ENSURE(json->at < json->end, KW_PARSE);
    const char kind = *json->at++;
    if (kind == 'u') {
        KW_TRY(code_point(json, &point));
        *length = utf8_put(point, to);
        return KW_OK;
    }
    const char *found = kind == '\0' ? NULL : strchr(FROM, kind);
    KW_ENSURE(found != NULL, KW_PARSE);
    to[0] = TO[found - FROM];
    *length = 1;
    return KW_OK;
}

static kw_status keep(struct kw_json *json, const char *from, size_t size) {
    KW_ENSURE((size_t)(json->room_end - json->room) >= size, KW_PARSE_SIZE);
    if (size > 0) {
        memcpy(json->room, from, size);
        json->room += size;
    }
    return KW_OK;
}

static kw_status escaped_string(struct kw_json *json, const char *start,
                                struct kw_text *text) {
    char *kept = json->room;
    KW_TRY(keep(json, start, (size_t)(json->at - start)));
    while (*json->at == '\\') {
        char point[4];
        size_t length = 0;
        json->at++;
        KW_TRY(unescape(json, point, &length));
        KW_TRY(keep(json, point, length));
        const char *run = json->at;
        KW_TRY(plain_run(json));
        KW_TRY(keep(json, run, (size_t)(json->at - run)));
    }
    json->at++;
    *text = (struct kw_text){kept, (size_t)(json->room - kept)};
    return KW_OK;
}

kw_status kw_json_string(struct kw_json *json, struct kw_text *text) {
    KW_TRY(take(json, '"'));
    const char *start = json->at;
    KW_TRY(plain_run(json));
    if (*json->at == '\\') {
        return escaped_string(json, start, text);
    }
    *text = (struct kw_text){start, (size_t)(json->at - start)};
    json->at++;
    return KW_OK;
}

/* --- objects and arrays --- */

kw_status kw_json_object_begin(struct kw_json *json,
                               struct kw_json_object *object) {
    object->count = 0;
    return take(json, '{');
}

static bool is_there(const struct kw_json_object *object, struct kw_text name) {
    for (size_t i = 0; i < object->count; i++) {
        const struct kw_text other = object->names[i];
        if (other.size == name.size &&
            memcmp(other.at, name.at, name.size) == 0) {
            return true;
        }
    }
    return false;
}

kw_status kw_json_member(struct kw_json *json, struct kw_json_object *object,
                         struct kw_text *name, bool *more) {
    *more = peek(json) != '}';
    if (!*more) {
        return take(json, '}');
    }
    if (object->count > 0) {
        KW_TRY(take(json, ','));
    }
    KW_TRY(kw_json_string(json, name));
    KW_ENSURE(!is_there(object, *name), KW_PARSE_RESERVED);
    KW_ENSURE(object->count < KW_JSON_MEMBERS_MAX, KW_PARSE_SIZE);
    object->names[object->count++] = *name;
    return take(json, ':');
}

kw_status kw_json_array_begin(struct kw_json *json) {
    return take(json, '[');
}

kw_status kw_json_element(struct kw_json *json, bool *first, bool *more) {
    *more = peek(json) != ']';
    if (!*more) {
        return take(json, ']');
    }
    if (!*first) {
        KW_TRY(take(json, ','));
    }
    *first = false;
    return KW_OK;
}

/* --- other values --- */

static size_t digits(struct kw_json *json) {
    const char *start = json->at;
    while (json->at < json->end && *json->at >= '0' && *json->at <= '9') {
        json->at++;
    }
    return (size_t)(json->at - start);
}

static bool take_if(struct kw_json *json, const char *any) {
    const bool there = json->at < json->end && *json->at != '\0' &&
                       strchr(any, *json->at) != NULL;
    json->at += there ? 1 : 0;
    return there;
}

static kw_status integer(struct kw_json *json) {
    const char *start = json->at;
    const size_t count = digits(json);
    KW_ENSURE(count > 0 && (count == 1 || *start != '0'), KW_PARSE);
    return KW_OK;
}

static kw_status skip_number(struct kw_json *json) {
    (void)take_if(json, "-");
    KW_TRY(integer(json));
    if (take_if(json, ".")) {
        KW_ENSURE(digits(json) > 0, KW_PARSE);
    }
    if (take_if(json, "eE")) {
        (void)take_if(json, "+-");
        KW_ENSURE(digits(json) > 0, KW_PARSE);
    }
    return KW_OK;
}

kw_status kw_json_number(struct kw_json *json, unsigned *number) {
    unsigned value = 0;
    (void)peek(json);
    const char *start = json->at;
    KW_TRY(integer(json));
    KW_ENSURE(json->at - start <= 9, KW_PARSE_SIZE);
    for (; start < json->at; start++) {
        value = 10 * value + (unsigned)(*start - '0');
    }
    KW_ENSURE(json->at == json->end || strchr(".eE", *json->at) == NULL ||
                  *json->at == '\0',
              KW_PARSE);
    *number = value;
    return KW_OK;
}

static kw_status skip_word(struct kw_json *json) {
    static const char *const WORDS[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        const size_t size = strlen(WORDS[i]);
        if ((size_t)(json->end - json->at) >= size &&
            memcmp(json->at, WORDS[i], size) == 0) {
            json->at += size;
            return KW_OK;
        }
    }
    return KW_PARSE;
}

static kw_status skip_value(struct kw_json *json, unsigned depth);

static kw_status skip_object(struct kw_json *json, unsigned depth) {
    struct kw_json_object object;
    struct kw_text name;
    bool more = true;
    KW_TRY(kw_json_object_begin(json, &object));
    for (;;) {
        KW_TRY(kw_json_member(json, &object, &name, &more));
        if (!more) {
            return KW_OK;
        }
        KW_TRY(skip_value(json, depth + 1));
    }
}

static kw_status skip_array(struct kw_json *json, unsigned depth) {
    bool first = true;
    bool more = true;
    KW_TRY(kw_json_array_begin(json));
    for (;;) {
        KW_TRY(kw_json_element(json, &first, &more));
        if (!more) {
            return KW_OK;
        }
        KW_TRY(skip_value(json, depth + 1));
    }
}

/* As deep as KW_JSON_DEPTH_MAX, no deeper. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static kw_status skip_value(struct kw_json *json, unsigned depth) {
    struct kw_text text;
    KW_ENSURE(depth < KW_JSON_DEPTH_MAX, KW_PARSE_SIZE);
    switch (peek(json)) {
    case '{':
        return skip_object(json, depth);
    case '[':
        return skip_array(json, depth);
    case '"':
        return kw_json_string(json, &text);
    case 't':
    case 'f':
    case 'n':
        return skip_word(json);
    default:
        return skip_number(json);
    }
}

kw_status kw_json_skip(struct kw_json *json) {
    return skip_value(json, 0);
}

kw_status kw_json_end(struct kw_json *json) {
    skip_space(json);
    return json->at == json->end ? KW_OK : KW_PARSE;
}
