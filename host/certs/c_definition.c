#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/certs/definition.h"
#include "host/certs/export.h"

#define HEAD_SIZE      4  /* of the certificate, before the part signed */
#define SIGNATURE_HEAD 12 /* the algorithm, between that part and the bits */
#define BYTES_IN_A_ROW 12

/* --- text --- */

struct text {
    FILE *file;
    char *data;
    size_t size;
};

static bool open_text(struct text *text) {
    text->data = NULL;
    text->file = open_memstream(&text->data, &text->size);
    return text->file != NULL;
}

static char *close_text(struct text *text) {
    const bool good = ferror(text->file) == 0;
    if (fclose(text->file) != 0 || !good) {
        free(text->data);
        return NULL;
    }
    return text->data;
}

static void put(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(text->file, format, arguments);
    va_end(arguments);
}

static void put_array(struct text *text, const char *name, const uint8_t *bytes,
                      size_t size) {
    put(text, "const uint8_t %s[%zu] = {", name, size);
    for (size_t i = 0; i < size; i++) {
        put(text, "%s0x%02x,", i % BYTES_IN_A_ROW == 0 ? "\n    " : " ",
            bytes[i]);
    }
    put(text, "\n};\n\n");
}

/* --- what is written --- */

/* A certificate's place in the files. */
struct subject {
    const struct kw_pki_bytes *certificate;
    const struct kw_pki_view *view;
    struct kw_cert_definition definition;
    const char *kind;   /* "signer", "device" */
    unsigned number;    /* in the names: 1, 2 */
    unsigned comp_slot; /* of the 72 bytes */
    unsigned key_slot;
    const uint8_t *ca_key; /* NULL: another definition's */
};

static void put_loc(struct text *text, const char *name, size_t offset,
                    size_t count) {
    put(text, "        {%zu, %zu}, /* %s */\n", offset, count, name);
}

/* In the order of the vendor's enumeration STDCERT_. */
static void put_std_elements(struct text *text, const struct subject *subject) {
    static const struct {
        const char *name;
        enum kw_element element;
    } ROWS[] = {
        {"STDCERT_PUBLIC_KEY", KW_ELEMENT_PUBLIC_KEY},
        {"STDCERT_SIGNATURE", KW_ELEMENTS},
        {"STDCERT_ISSUE_DATE", KW_ELEMENT_NOT_BEFORE},
        {"STDCERT_EXPIRE_DATE", KW_ELEMENT_NOT_AFTER},
        {"STDCERT_SIGNER_ID", KW_ELEMENT_SIGNER_ID},
        {"STDCERT_CERT_SN", KW_ELEMENT_SERIAL},
        {"STDCERT_AUTH_KEY_ID", KW_ELEMENT_AUTHORITY_ID},
        {"STDCERT_SUBJ_KEY_ID", KW_ELEMENT_SUBJECT_ID},
    };
    const size_t signature =
        HEAD_SIZE + subject->view->tbs.left + SIGNATURE_HEAD;
    put(text, "    .std_cert_elements = {\n");
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const enum kw_element element = ROWS[i].element;
        if (element == KW_ELEMENTS) {
            put_loc(text, ROWS[i].name, signature,
                    subject->certificate->size - signature);
            continue;
        }
        const size_t size = subject->definition.element[element].size;
        put_loc(text, ROWS[i].name,
                size == 0
                    ? 0
                    : HEAD_SIZE + subject->definition.element[element].offset,
                size);
    }
    put(text, "    },\n");
}

static void put_element(struct text *text, const struct subject *subject,
                        const char *id, enum kw_element element,
                        unsigned offset, unsigned count) {
    const size_t size = subject->definition.element[element].size;
    put(text,
        "    {\n"
        "        .id = \"%s\",\n"
        "        .device_loc = {.zone = DEVZONE_CONFIG, .slot = 0, "
        ".is_genkey = FALSE, .offset = %u, .count = %u},\n"
        "        .cert_loc = {.offset = %zu, .count = %zu},\n"
        "        .transforms = {TF_BIN2HEX_UC, TF_NONE},\n"
        "    },\n",
        id, offset, count,
        HEAD_SIZE + subject->definition.element[element].offset, size);
}

static bool has_elements(const struct subject *subject) {
    return subject->definition.element[KW_ELEMENT_DEVICE_0_3].size > 0;
}

static void put_elements(struct text *text, const struct subject *subject) {
    if (has_elements(subject)) {
        put(text,
            "const atcacert_cert_element_t g_cert_elements_%u_%s[2] = "
            "{\n",
            subject->number, subject->kind);
        put_element(text, subject, "SN03", KW_ELEMENT_DEVICE_0_3, 0, 4);
        put_element(text, subject, "SN48", KW_ELEMENT_DEVICE_4_8, 8, 5);
        put(text, "};\n\n");
    }
}

static void put_head(struct text *text, const struct subject *subject) {
    put(text, "    .type = CERTTYPE_X509,\n");
    put(text, "    .template_id = %u,\n", subject->definition.template_id);
    put(text, "    .chain_id = %u,\n", subject->definition.chain_id);
    put(text, "    .private_key_slot = 0,\n");
    put(text, "    .sn_source = (atcacert_cert_sn_src_t)0x%X,\n",
        subject->definition.serial_source);
    put(text, "    .cert_sn_dev_loc = {.zone = DEVZONE_NONE},\n");
    put(text, "    .issue_date_format = %s,\n",
        subject->view->not_before_text.left == KW_UTC_TIME_SIZE
            ? "DATEFMT_RFC5280_UTC"
            : "DATEFMT_RFC5280_GEN");
    put(text, "    .expire_date_format = %s,\n",
        subject->view->not_after_text.left == KW_UTC_TIME_SIZE
            ? "DATEFMT_RFC5280_UTC"
            : "DATEFMT_RFC5280_GEN");
    put(text, "    .tbs_cert_loc = {.offset = %d, .count = %zu},\n", HEAD_SIZE,
        subject->view->tbs.left);
}

static unsigned years_of(const struct kw_pki_view *view) {
    return kw_moment_order(&view->not_after, &KW_MOMENT_NEVER) == 0
               ? 0
               : (unsigned)(view->not_after.year - view->not_before.year);
}

static void put_definition(struct text *text, const struct subject *subject) {
    const bool from_slot = subject->ca_key != NULL;
    put(text, "const atcacert_def_t g_cert_def_%u_%s = {\n", subject->number,
        subject->kind);
    put_head(text, subject);
    put(text, "    .expire_years = %u,\n", years_of(subject->view));
    put(text,
        "    .public_key_dev_loc = {.zone = DEVZONE_DATA, .slot = %u, "
        ".is_genkey = %s, .offset = 0, .count = %d},\n",
        subject->key_slot, from_slot ? "FALSE" : "TRUE", from_slot ? 72 : 64);
    put(text,
        "    .comp_cert_dev_loc = {.zone = DEVZONE_DATA, .slot = %u, "
        ".is_genkey = FALSE, .offset = 0, .count = %d},\n",
        subject->comp_slot, KW_COMPCERT_SIZE);
    put_std_elements(text, subject);
    if (has_elements(subject)) {
        put(text,
            "    .cert_elements = g_cert_elements_%u_%s,\n"
            "    .cert_elements_count = 2,\n",
            subject->number, subject->kind);
    }
    put(text,
        "    .cert_template = g_template_%u_%s,\n"
        "    .cert_template_size = sizeof(g_template_%u_%s),\n",
        subject->number, subject->kind, subject->number, subject->kind);
    put(text, "    .ca_cert_def = %s,\n};\n",
        from_slot ? "NULL" : "&g_cert_def_1_signer");
}

static char *source_text(const struct subject *subject) {
    struct text text;
    char name[32];
    if (!open_text(&text)) {
        return NULL;
    }
    put(&text, "#include \"cust_def_%u_%s.h\"\n", subject->number,
        subject->kind);
    put(&text, "%s\n",
        subject->ca_key == NULL ? "#include \"cust_def_1_signer.h\"\n" : "");
    (void)snprintf(name, sizeof name, "g_template_%u_%s", subject->number,
                   subject->kind);
    put_array(&text, name, subject->certificate->der,
              subject->certificate->size);
    if (subject->ca_key != NULL) {
        put_array(&text, "g_cert_ca_public_key_1_signer", subject->ca_key,
                  KW_PUBLIC_KEY_SIZE);
    }
    put_elements(&text, subject);
    put_definition(&text, subject);
    return close_text(&text);
}

static char *header_text(const struct subject *subject) {
    struct text text;
    if (!open_text(&text)) {
        return NULL;
    }
    put(&text,
        "#ifndef CUST_DEF_%u_%s_H\n#define CUST_DEF_%u_%s_H\n\n"
        "#include \"atcacert/atcacert_def.h\"\n\n",
        subject->number, subject->kind, subject->number, subject->kind);
    put(&text, "extern const atcacert_def_t g_cert_def_%u_%s;\n",
        subject->number, subject->kind);
    if (subject->ca_key != NULL) {
        put(&text, "extern const uint8_t g_cert_ca_public_key_1_signer[%d];\n",
            KW_PUBLIC_KEY_SIZE);
    }
    put(&text, "\n#endif\n");
    return close_text(&text);
}

/* --- a certificate of the chain --- */

static kw_status describe(const struct kw_chain *chain, int which,
                          const struct kw_chip_certs *certs,
                          struct subject *subject) {
    const bool is_signer = which == KW_CHAIN_SIGNER;
    struct kw_compcert compcert;
    KW_TRY(kw_compcert_decode(certs->slots.slot[is_signer ? 2 : 0], &compcert));
    *subject = (struct subject){
        .certificate = &chain->bytes[which],
        .view = &chain->view[which],
        .kind = kw_chain_names[which],
        .number = is_signer ? 1 : 2,
        .comp_slot = is_signer ? 12 : 10,
        .key_slot = is_signer ? 11 : 0,
        .ca_key = is_signer ? chain->view[KW_CHAIN_ROOT].public_key : NULL,
    };
    kw_cert_definition_derive(subject->view,
                              is_signer ? NULL : certs->about.serial,
                              &subject->definition);
    subject->definition.template_id = compcert.template_id;
    subject->definition.chain_id = compcert.chain_id;
    subject->definition.serial_source = compcert.serial_source;
    return KW_OK;
}

kw_status kw_c_definition(const struct kw_chain *chain, int which,
                          const struct kw_chip_certs *certs,
                          struct kw_c_definition *definition,
                          struct kw_error *error) {
    struct subject subject;
    const kw_status status = describe(chain, which, certs, &subject);
    if (status != KW_OK) {
        return kw_error_core(error, status, "no compressed certificate");
    }
    definition->source = source_text(&subject);
    definition->header = header_text(&subject);
    (void)snprintf(definition->name, sizeof definition->name, "cust_def_%u_%s",
                   subject.number, subject.kind);
    if (definition->source == NULL || definition->header == NULL) {
        free(definition->source);
        free(definition->header);
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    return KW_OK;
}
