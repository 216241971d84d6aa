/* host/manifest/json.h: JSON by a cursor, without a tree.
 *
 * A manifest of a million entries is read once; what an entry needs of JSON
 * is this. Strict as RFC 8259: valid UTF-8, no control characters, no
 * trailing commas, and no member twice in an object. Strings answer as they
 * stand; one with escapes is unescaped into the cursor's room.
 * Knows core/status.h alone. No heap. */
#ifndef KW_HOST_MANIFEST_JSON_H
#define KW_HOST_MANIFEST_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

#define KW_JSON_MEMBERS_MAX 32 /* of one object */
#define KW_JSON_DEPTH_MAX   16

struct kw_text {
    const char *at;
    size_t size;
};

bool kw_text_is(struct kw_text text, const char *word);

/* `room` takes the strings that have escapes; as much as the JSON's own
 * size suffices. */
struct kw_json {
    const char *at;
    const char *end;
    char *room;
    char *room_end;
};

struct kw_json_object {
    struct kw_text names[KW_JSON_MEMBERS_MAX];
    size_t count;
};

/* All answer KW_PARSE when it is not JSON, or not of this kind. */
KW_MUST_USE kw_status kw_json_object_begin(struct kw_json *json,
                                           struct kw_json_object *object);
/* The next member's name; its value must be taken next. `more` false: the
 * object has ended. KW_PARSE_RESERVED: the name is there already. */
KW_MUST_USE kw_status kw_json_member(struct kw_json *json,
                                     struct kw_json_object *object,
                                     struct kw_text *name, bool *more);
KW_MUST_USE kw_status kw_json_array_begin(struct kw_json *json);
/* `first` before the first element; is set to false. */
KW_MUST_USE kw_status kw_json_element(struct kw_json *json, bool *first,
                                      bool *more);
KW_MUST_USE kw_status kw_json_string(struct kw_json *json,
                                     struct kw_text *text);
/* A whole number from 0 to 999999999. */
KW_MUST_USE kw_status kw_json_number(struct kw_json *json, unsigned *number);
/* Any value. */
KW_MUST_USE kw_status kw_json_skip(struct kw_json *json);
/* Nothing but white space is left. */
KW_MUST_USE kw_status kw_json_end(struct kw_json *json);

#endif
