#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "host/certs/definition.h"
#include "host/text.h"

#define SCHEMA "keywright/cert-definition/1"

static const char *const ELEMENT_NAMES[KW_ELEMENTS] = {
    [KW_ELEMENT_SERIAL] = "serial_number",
    [KW_ELEMENT_SIGNER_ID] = "signer_id",
    [KW_ELEMENT_NOT_BEFORE] = "not_before",
    [KW_ELEMENT_NOT_AFTER] = "not_after",
    [KW_ELEMENT_PUBLIC_KEY] = "public_key",
    [KW_ELEMENT_SUBJECT_ID] = "subject_key_id",
    [KW_ELEMENT_AUTHORITY_ID] = "authority_key_id",
    [KW_ELEMENT_DEVICE_0_3] = "device_0_3",
    [KW_ELEMENT_DEVICE_4_8] = "device_4_8",
    [KW_ELEMENT_EUI48] = "eui48",
};

static kw_status bad(struct kw_error *error, const char *what) {
    return kw_error(error, KW_PARSE, "no certificate definition: %s", what);
}

/* --- elements --- */

/* The sizes that an element may have; the last one again where there is one
 * less. */
static const struct {
    size_t least;
    size_t other;
} SIZES[KW_ELEMENTS] = {
    [KW_ELEMENT_SERIAL] = {1, KW_CERT_SERIAL_MAX},
    [KW_ELEMENT_SIGNER_ID] = {4, 4},
    [KW_ELEMENT_NOT_BEFORE] = {KW_UTC_TIME_SIZE, KW_GENERALIZED_TIME_SIZE},
    [KW_ELEMENT_NOT_AFTER] = {KW_UTC_TIME_SIZE, KW_GENERALIZED_TIME_SIZE},
    [KW_ELEMENT_PUBLIC_KEY] = {KW_PUBLIC_KEY_SIZE, KW_PUBLIC_KEY_SIZE},
    [KW_ELEMENT_SUBJECT_ID] = {KW_KEY_ID_SIZE, KW_KEY_ID_SIZE},
    [KW_ELEMENT_AUTHORITY_ID] = {KW_KEY_ID_SIZE, KW_KEY_ID_SIZE},
    [KW_ELEMENT_DEVICE_0_3] = {8, 8},
    [KW_ELEMENT_DEVICE_4_8] = {10, 10},
    [KW_ELEMENT_EUI48] = {KW_EUI48_DIGITS, KW_EUI48_DIGITS},
};

static bool size_fits(enum kw_element which, size_t size) {
    const bool any = which == KW_ELEMENT_SERIAL;
    return size == SIZES[which].least || size == SIZES[which].other ||
           (any && size > SIZES[which].least && size < SIZES[which].other);
}

static int find_element(const char *name) {
    for (int i = 0; i < KW_ELEMENTS; i++) {
        if (strcmp(ELEMENT_NAMES[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static kw_status read_element(const char *name, json_t *value,
                              struct kw_cert_definition *definition,
                              struct kw_error *error) {
    const int which = find_element(name);
    json_int_t offset = -1;
    json_int_t size = -1;
    const json_int_t limit = (json_int_t)definition->template.size;
    if (which < 0) {
        return bad(error, "an element of unknown name");
    }
    if (json_unpack(value, "[I, I!]", &offset, &size) != 0 || offset < 0 ||
        size < 0 || offset > limit || size > limit - offset ||
        !size_fits((enum kw_element)which, (size_t)size)) {
        return bad(error, "an element that is outside the template, or has "
                          "another size");
    }
    definition->element[which].offset = (size_t)offset;
    definition->element[which].size = (size_t)size;
    return KW_OK;
}

static kw_status read_elements(json_t *elements,
                               struct kw_cert_definition *definition,
                               struct kw_error *error) {
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(elements, name, value) {
        KW_TRY(read_element(name, value, definition, error));
    }
    return KW_OK;
}

/* --- the file --- */

static kw_status read_template(const char *text, struct kw_pki_bytes *template,
                               struct kw_error *error) {
    const size_t size = strlen(text) / 2;
    if (size > sizeof template->der ||
        kw_hex_read(text, template->der, size) != KW_OK) {
        return bad(error, "the template is no hex, or too long");
    }
    template->size = size;
    return KW_OK;
}

static kw_status read_object(json_t *object,
                             struct kw_cert_definition *definition,
                             struct kw_error *error) {
    const char *schema = NULL;
    const char *template = NULL;
    json_t *elements = NULL;
    int template_id = -1;
    int chain_id = -1;
    int source = -1;
    json_error_t why;
    if (json_unpack_ex(object, &why, 0, "{s:s, s:s, s:i, s:i, s:i, s:o !}",
                       "schema", &schema, "template", &template, "template_id",
                       &template_id, "chain_id", &chain_id, "serial_source",
                       &source, "elements", &elements) != 0) {
        return bad(error, why.text);
    }
    if (strcmp(schema, SCHEMA) != 0 || !json_is_object(elements)) {
        return bad(error, "its schema is not " SCHEMA);
    }
    if (((template_id | chain_id | source) & ~15) != 0) {
        return bad(error, "an identifier is not 0 to 15");
    }
    memset(definition, 0, sizeof *definition);
    definition->template_id = (uint8_t)template_id;
    definition->chain_id = (uint8_t)chain_id;
    definition->serial_source = (uint8_t)source;
    KW_TRY(read_template(template, &definition->template, error));
    return read_elements(elements, definition, error);
}

kw_status kw_cert_definition_parse(const char *text, size_t size,
                                   struct kw_cert_definition *definition,
                                   struct kw_error *error) {
    json_error_t why;
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (object == NULL) {
        return bad(error, why.text);
    }
    const kw_status status = read_object(object, definition, error);
    json_decref(object);
    return status;
}

static json_t *elements_object(const struct kw_cert_definition *definition) {
    json_t *elements = json_object();
    for (int i = 0; i < KW_ELEMENTS; i++) {
        if (definition->element[i].size > 0) {
            json_object_set_new(
                elements, ELEMENT_NAMES[i],
                json_pack("[I, I]", (json_int_t)definition->element[i].offset,
                          (json_int_t)definition->element[i].size));
        }
    }
    return elements;
}

char *kw_cert_definition_text(const struct kw_cert_definition *definition) {
    char template[2 * KW_PKI_MAX + 1];
    kw_hex(definition->template.der, definition->template.size, template);
    json_t *object = json_pack("{s:s, s:s, s:i, s:i, s:i, s:o}", "schema",
                               SCHEMA, "template", template, "template_id",
                               (int)definition->template_id, "chain_id",
                               (int)definition->chain_id, "serial_source",
                               (int)definition->serial_source, "elements",
                               elements_object(definition));
    char *text = object == NULL ? NULL : json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    return text;
}
