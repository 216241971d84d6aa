/* cli/certs_compress.c: certificates to 72 bytes and back, without a chip. */
#include <stdlib.h>
#include <string.h>

#include "cli/certs.h"
#include "host/certs/definition.h"
#include "host/certs/pki_file.h"
#include "host/files.h"
#include "host/text.h"

#define DEFINITION_FILE_MAX 65536
#define COMPRESSED_FILE_MAX 1024
#define SIGNER_TEMPLATE     1
#define DEVICE_TEMPLATE     2
#define HEX_TEXT            (2 * KW_COMPCERT_SIZE + 1)

/* --- what both take --- */

static kw_status read_definition(struct kw_cli *cli, const char *path,
                                 struct kw_cert_definition *definition) {
    uint8_t *data = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(path, DEFINITION_FILE_MAX, &data, &size, &cli->error));
    const kw_status status = kw_cert_definition_parse((const char *)data, size,
                                                      definition, &cli->error);
    free(data);
    return status;
}

/* *device stays NULL without the option. */
static kw_status read_device(struct kw_cli *cli,
                             const struct kw_arguments *arguments,
                             uint8_t bytes[KW_SERIAL_SIZE],
                             const uint8_t **device) {
    const char *text = kw_argument(arguments, "--device");
    if (text == NULL) {
        return KW_OK;
    }
    KW_TRY(kw_certs_hex(cli, "--device", text, bytes, KW_SERIAL_SIZE));
    *device = bytes;
    return KW_OK;
}

/* --- compress --- */

static kw_status choose_definition(struct kw_cli *cli,
                                   const struct kw_arguments *arguments,
                                   const struct kw_pki_view *view,
                                   const uint8_t *device,
                                   struct kw_cert_definition *definition) {
    const char *path = kw_argument(arguments, "--definition");
    unsigned template_id = view->is_ca ? SIGNER_TEMPLATE : DEVICE_TEMPLATE;
    unsigned chain_id = 0;
    if (path != NULL) {
        return read_definition(cli, path, definition);
    }
    KW_TRY(kw_certs_number(cli, arguments, "--template-id", 15, &template_id));
    KW_TRY(kw_certs_number(cli, arguments, "--chain-id", 15, &chain_id));
    kw_cert_definition_derive(view, device, definition);
    definition->template_id = (uint8_t)template_id;
    definition->chain_id = (uint8_t)chain_id;
    return KW_OK;
}

/* The chip's serial number where the definition says that it stands. */
static const uint8_t *device_in(const struct kw_cert_definition *definition,
                                const struct kw_pki_view *view,
                                uint8_t device[KW_SERIAL_SIZE]) {
    const size_t first = definition->element[KW_ELEMENT_DEVICE_0_3].offset;
    const size_t second = definition->element[KW_ELEMENT_DEVICE_4_8].offset;
    char digits[2 * KW_SERIAL_SIZE + 1] = "";
    if (definition->element[KW_ELEMENT_DEVICE_0_3].size == 0 ||
        definition->element[KW_ELEMENT_DEVICE_4_8].size == 0 ||
        first + 8 > view->tbs.left || second + 10 > view->tbs.left) {
        return NULL;
    }
    memcpy(digits, view->tbs.at + first, 8);
    memcpy(digits + 8, view->tbs.at + second, 10);
    return kw_hex_read(digits, device, KW_SERIAL_SIZE) == KW_OK ? device : NULL;
}

static kw_status write_definition(struct kw_cli *cli, const char *path,
                                  const struct kw_cert_definition *definition) {
    char *text = kw_cert_definition_text(definition);
    if (text == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const kw_status status =
        kw_file_create(path, KW_PUBLIC_MODE, text, strlen(text), &cli->error);
    free(text);
    return status;
}

static kw_status write_files(struct kw_cli *cli,
                             const struct kw_arguments *arguments,
                             const struct kw_cert_definition *definition,
                             const uint8_t compressed[KW_COMPCERT_SIZE]) {
    const char *output = kw_argument(arguments, "--output");
    const char *path = kw_argument(arguments, "--write-definition");
    if (path != NULL) {
        KW_TRY(write_definition(cli, path, definition));
        kw_print(cli, "Definition: %s\n", path);
    }
    if (output != NULL) {
        KW_TRY(kw_file_create(output, KW_PUBLIC_MODE, compressed,
                              KW_COMPCERT_SIZE, &cli->error));
        kw_print(cli, "72 bytes: %s\n", output);
    }
    return KW_OK;
}

static void show_compressed(struct kw_cli *cli, const struct kw_pki_view *view,
                            const uint8_t compressed[KW_COMPCERT_SIZE]) {
    char hex[HEX_TEXT];
    char serial[2 * KW_CERT_SERIAL_MAX + 1] = "";
    struct kw_compcert compcert;
    if (kw_compcert_decode(compressed, &compcert) != KW_OK ||
        view->serial.left > KW_CERT_SERIAL_MAX) {
        return;
    }
    kw_hex(compressed, KW_COMPCERT_SIZE, hex);
    kw_hex(view->serial.at, view->serial.left, serial);
    kw_print(cli, "%s\n", hex);
    json_t *result = json_pack(
        "{s:s, s:i, s:i, s:i, s:i, s:s, s:i, s:s}", "compressed", hex,
        "template_id", (int)compcert.template_id, "chain_id",
        (int)compcert.chain_id, "serial_source", (int)compcert.serial_source,
        "format", compressed[70] & 15, "serial_number", serial, "years",
        (int)compcert.dates.years, "signer_id", "");
    kw_hex_upper(compcert.signer_id, sizeof compcert.signer_id, serial);
    json_object_set_new(result, "signer_id", json_string(serial));
    json_object_update(cli->result, result);
    json_decref(result);
}

static kw_status compress_view(struct kw_cli *cli,
                               const struct kw_arguments *arguments,
                               const struct kw_pki_view *view) {
    struct kw_cert_definition definition;
    uint8_t given[KW_SERIAL_SIZE];
    uint8_t found[KW_SERIAL_SIZE];
    uint8_t compressed[KW_COMPCERT_SIZE];
    const uint8_t *device = NULL;
    KW_TRY(read_device(cli, arguments, given, &device));
    KW_TRY(choose_definition(cli, arguments, view, device, &definition));
    const struct kw_cert_inputs inputs = {
        .public_key = view->public_key,
        .issuer_id = view->authority_id,
        .device = device != NULL ? device : device_in(&definition, view, found),
        .serial = view->serial.at,
        .serial_size = view->serial.left,
        .eui48 = view->eui48,
    };
    KW_TRY(
        kw_cert_compress(&definition, view, &inputs, compressed, &cli->error));
    show_compressed(cli, view, compressed);
    return write_files(cli, arguments, &definition, compressed);
}

/* Before anything is printed, or one of two files is made. */
static kw_status check_outputs(struct kw_cli *cli,
                               const struct kw_arguments *arguments) {
    static const char *const OPTIONS[] = {"--write-definition", "--output"};
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        const char *path = kw_argument(arguments, OPTIONS[i]);
        if (path != NULL) {
            KW_TRY(kw_file_is_free(path, &cli->error));
        }
    }
    return KW_OK;
}

kw_status kw_certs_compress(struct kw_cli *cli,
                            const struct kw_arguments *arguments) {
    struct kw_pki_bytes bytes;
    struct kw_pki_view view;
    KW_TRY(check_outputs(cli, arguments));
    KW_TRY(kw_pki_read_file(arguments->operand[0], &bytes, &view, &cli->error));
    return compress_view(cli, arguments, &view);
}

const struct kw_option kw_certs_compress_options[] = {
    {"--definition", "FILE", "use this definition, not a derived one"},
    {"--write-definition", "FILE", "write the definition that expands it"},
    {"--template-id", "N", "of a derived definition (1: CA, 2: device)"},
    {"--chain-id", "N", "of a derived definition (0)"},
    {"--device", "SERIAL", "the chip's serial number, 18 hex digits"},
    {"--output", "FILE", "write the 72 bytes"},
    {NULL, NULL, NULL},
};

/* --- expand --- */

/* 144 hex digits with blanks around, or 72 bytes. */
static kw_status parse_compressed(char *data, size_t size,
                                  uint8_t compressed[KW_COMPCERT_SIZE]) {
    if (size == KW_COMPCERT_SIZE) {
        memcpy(compressed, data, size);
        return KW_OK;
    }
    while (size > 0 && strchr(" \t\r\n", data[size - 1]) != NULL) {
        data[--size] = '\0';
    }
    return kw_hex_read(data, compressed, KW_COMPCERT_SIZE);
}

static kw_status read_compressed(struct kw_cli *cli, const char *operand,
                                 uint8_t compressed[KW_COMPCERT_SIZE]) {
    uint8_t *data = NULL;
    size_t size = 0;
    if (kw_hex_read(operand, compressed, KW_COMPCERT_SIZE) == KW_OK) {
        return KW_OK;
    }
    kw_status status =
        kw_file_read(operand, COMPRESSED_FILE_MAX, &data, &size, &cli->error);
    if (status != KW_OK && status != KW_PARSE_SIZE) {
        return status;
    }
    if (status == KW_OK) {
        status = parse_compressed((char *)data, size, compressed);
    }
    free(data);
    return status == KW_OK
               ? KW_OK
               : kw_error(&cli->error, KW_PARSE,
                          "%s holds neither 72 bytes nor 144 hex digits",
                          operand);
}

/* Where the inputs of an expansion are kept. */
struct given {
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    uint8_t issuer_id[KW_KEY_ID_SIZE];
    uint8_t device[KW_SERIAL_SIZE];
    uint8_t serial[KW_CERT_SERIAL_MAX];
    struct kw_cert_inputs inputs;
};

static kw_status read_issuer(struct kw_cli *cli, const char *path,
                             struct given *given) {
    struct kw_pki_bytes bytes;
    struct kw_pki_view view;
    struct kw_error ignored;
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    given->inputs.issuer_id = given->issuer_id;
    if (kw_pki_read_file(path, &bytes, &view, &ignored) == KW_OK &&
        view.subject_id != NULL) {
        memcpy(given->issuer_id, view.subject_id, KW_KEY_ID_SIZE);
        return KW_OK;
    }
    KW_TRY(kw_pki_read_key_file(path, key, &cli->error));
    kw_pki_key_id(key, given->issuer_id);
    return KW_OK;
}

static kw_status read_serial(struct kw_cli *cli, const char *text,
                             struct given *given) {
    const size_t size = strlen(text) / 2;
    if (size == 0 || size > KW_CERT_SERIAL_MAX) {
        return kw_error(&cli->error, KW_USAGE,
                        "--serial-number takes 2 to 64 hex digits");
    }
    KW_TRY(kw_certs_hex(cli, "--serial-number", text, given->serial, size));
    given->inputs.serial = given->serial;
    given->inputs.serial_size = size;
    return KW_OK;
}

static kw_status read_eui48(struct kw_cli *cli, const char *text,
                            struct given *given) {
    uint8_t bytes[KW_EUI48_DIGITS / 2];
    KW_TRY(kw_certs_hex(cli, "--eui48", text, bytes, sizeof bytes));
    given->inputs.eui48 = text;
    return KW_OK;
}

static kw_status read_key(struct kw_cli *cli, const char *path,
                          struct given *given) {
    given->inputs.public_key = given->public_key;
    return kw_pki_read_key_file(path, given->public_key, &cli->error);
}

static kw_status read_given(struct kw_cli *cli,
                            const struct kw_arguments *arguments,
                            struct given *given) {
    static const struct {
        const char *option;
        kw_status (*read)(struct kw_cli *cli, const char *text,
                          struct given *given);
    } ROWS[] = {
        {"--public-key", read_key},
        {"--issuer", read_issuer},
        {"--serial-number", read_serial},
        {"--eui48", read_eui48},
    };
    memset(given, 0, sizeof *given);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const char *text = kw_argument(arguments, ROWS[i].option);
        if (text != NULL) {
            KW_TRY(ROWS[i].read(cli, text, given));
        }
    }
    return read_device(cli, arguments, given->device, &given->inputs.device);
}

static kw_status show_expanded(struct kw_cli *cli,
                               const struct kw_arguments *arguments,
                               const struct kw_pki_bytes *whole) {
    const char *output = kw_argument(arguments, "--output");
    char *pem = kw_pki_pem(KW_PEM_CERTIFICATE, whole);
    if (pem == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    json_object_set_new(cli->result, "pem", json_string(pem));
    json_object_set_new(cli->result, "file",
                        output == NULL ? json_null() : json_string(output));
    if (output == NULL) {
        kw_print(cli, "%s", pem);
    }
    free(pem);
    return output == NULL ? KW_OK
                          : kw_pki_write_file(output, KW_PEM_CERTIFICATE, whole,
                                              &cli->error);
}

/* The first option that the definition has a place for, and that was not
 * given; what is missing beside these is the certificate's serial number. */
static kw_status name_missing(struct kw_cli *cli,
                              const struct kw_cert_definition *definition,
                              const struct kw_cert_inputs *inputs) {
    const struct {
        enum kw_element element;
        bool given;
        const char *option;
    } ROWS[] = {
        {KW_ELEMENT_AUTHORITY_ID, inputs->issuer_id != NULL, "--issuer FILE"},
        {KW_ELEMENT_DEVICE_0_3, inputs->device != NULL, "--device SERIAL"},
        {KW_ELEMENT_DEVICE_4_8, inputs->device != NULL, "--device SERIAL"},
        {KW_ELEMENT_EUI48, inputs->eui48 != NULL, "--eui48 HEX"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (!ROWS[i].given && definition->element[ROWS[i].element].size > 0) {
            return kw_error_hint(&cli->error, "give it with %s",
                                 ROWS[i].option);
        }
    }
    return kw_error_hint(&cli->error, "give it with --serial-number HEX, or "
                                      "the chip's with --device SERIAL");
}

kw_status kw_certs_expand(struct kw_cli *cli,
                          const struct kw_arguments *arguments) {
    const char *path = kw_argument(arguments, "--definition");
    uint8_t compressed[KW_COMPCERT_SIZE];
    struct kw_cert_definition definition;
    struct given given;
    struct kw_pki_bytes whole;
    KW_TRY(read_compressed(cli, arguments->operand[0], compressed));
    KW_TRY(read_definition(cli, path, &definition));
    KW_TRY(read_given(cli, arguments, &given));
    const kw_status status = kw_cert_expand(&definition, compressed,
                                            &given.inputs, &whole, &cli->error);
    if (status == KW_USAGE) {
        return name_missing(cli, &definition, &given.inputs);
    }
    KW_TRY(status);
    return show_expanded(cli, arguments, &whole);
}

const struct kw_option kw_certs_expand_options[] = {
    {"--definition", "FILE", "the certificate's definition", .required = true},
    {"--public-key", "FILE", "the certificate's key: PEM, or 64 bytes",
     .required = true},
    {"--issuer", "FILE", "the issuer's certificate or public key"},
    {"--device", "SERIAL", "the chip's serial number, 18 hex digits"},
    {"--serial-number", "HEX", "the certificate's, where it is stored"},
    {"--eui48", "HEX", "12 digits, where the names have them"},
    {"--output", "FILE", "write PEM"},
    {NULL, NULL, NULL},
};
