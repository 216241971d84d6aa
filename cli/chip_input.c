/* cli/chip_input.c: arguments and answers that the chip's verbs share. */
#include <stdlib.h>
#include <string.h>

#include "cli/chip_verbs.h"
#include "host/files.h"
#include "host/openssl_hash.h"
#include "host/text.h"

#define IMAGE_MAX  (64u << 20) /* bytes of a file that is signed */
#define LINE_BYTES 32

/* --- arguments --- */

kw_status kw_read_number(struct kw_cli *cli, const char *what, const char *text,
                         unsigned maximum, unsigned *value) {
    unsigned number = 0;
    for (const char *at = text; *at != '\0'; at++) {
        const bool fits = *at >= '0' && *at <= '9' && number <= maximum;
        number = fits ? number * 10 + (unsigned)(*at - '0') : maximum + 1;
    }
    if (text[0] == '\0' || number > maximum) {
        return kw_error(&cli->error, KW_USAGE, "'%s' is no %s: 0 to %u", text,
                        what, maximum);
    }
    *value = number;
    return KW_OK;
}

kw_status kw_read_slot(struct kw_cli *cli, const char *text, unsigned *slot) {
    return kw_read_number(cli, "slot", text, KW_SLOT_COUNT - 1, slot);
}

kw_status kw_read_place(struct kw_cli *cli, const char *text,
                        struct kw_place *place) {
    if (strcmp(text, "config") == 0) {
        *place = (struct kw_place){KW_ZONE_CONFIG, KW_NO_SLOT, KW_CONFIG_SIZE};
        return KW_OK;
    }
    if (strcmp(text, "otp") == 0) {
        *place = (struct kw_place){KW_ZONE_OTP, KW_NO_SLOT, KW_OTP_SIZE};
        return KW_OK;
    }
    place->zone = KW_ZONE_DATA;
    if (kw_read_slot(cli, text, &place->slot) != KW_OK) {
        return kw_error(&cli->error, KW_USAGE,
                        "'%s' is neither config nor otp nor a slot, 0 to 15",
                        text);
    }
    place->size = kw_slot_size(place->slot);
    return KW_OK;
}

kw_status kw_read_block(struct kw_cli *cli,
                        const struct kw_arguments *arguments,
                        const struct kw_place *place, unsigned *block,
                        bool *given) {
    const char *text = kw_argument(arguments, "--block");
    const size_t blocks = (place->size + KW_BLOCK_SIZE - 1) / KW_BLOCK_SIZE;
    *given = text != NULL;
    *block = 0;
    return text == NULL ? KW_OK
                        : kw_read_number(cli, "block here", text,
                                         (unsigned)blocks - 1, block);
}

kw_status kw_read_hex(struct kw_cli *cli, const char *name, const char *text,
                      uint8_t *bytes, size_t size) {
    return kw_hex_read(text, bytes, size) == KW_OK
               ? KW_OK
               : kw_error(&cli->error, KW_USAGE, "%s takes %zu hex digits",
                          name, 2 * size);
}

static kw_status hash_file(struct kw_cli *cli, const char *path,
                           uint8_t digest[KW_SHA256_SIZE]) {
    uint8_t *data = NULL;
    size_t size = 0;
    KW_TRY(kw_input_read(path, IMAGE_MAX, &data, &size, &cli->error));
    const kw_status status =
        kw_hash_bytes(&kw_openssl_hash, data, size, digest);
    free(data);
    return status == KW_OK ? KW_OK
                           : kw_error_core(&cli->error, status, "SHA-256");
}

kw_status kw_read_digest(struct kw_cli *cli,
                         const struct kw_arguments *arguments,
                         uint8_t digest[KW_SHA256_SIZE]) {
    const char *hex = kw_argument(arguments, "--digest");
    const char *file = kw_argument(arguments, "--file");
    if ((hex == NULL) == (file == NULL)) {
        return kw_error(&cli->error, KW_USAGE,
                        "this needs --file or --digest, one of them");
    }
    return hex != NULL
               ? kw_read_hex(cli, "--digest", hex, digest, KW_SHA256_SIZE)
               : hash_file(cli, file, digest);
}

/* --- answers --- */

void kw_set_bytes(json_t *object, const char *member, const uint8_t *bytes,
                  size_t size) {
    char text[2 * KW_SLOT_MAX + 1];
    kw_hex(bytes, size, text);
    json_object_set_new(object, member, json_string(text));
}

void kw_set_slot(json_t *object, unsigned slot) {
    json_object_set_new(object, "slot",
                        slot == KW_NO_SLOT ? json_null() : json_integer(slot));
}

void kw_set_text(json_t *object, const char *member, const char *text) {
    json_object_set_new(object, member,
                        text == NULL ? json_null() : json_string(text));
}

void kw_print_bytes(const struct kw_cli *cli, const uint8_t *bytes,
                    size_t size) {
    kw_print_bytes_at(cli, 0, bytes, size);
}

void kw_print_bytes_at(const struct kw_cli *cli, size_t offset,
                       const uint8_t *bytes, size_t size) {
    char text[2 * LINE_BYTES + 1];
    for (size_t at = 0; at < size; at += LINE_BYTES) {
        const size_t left = size - at;
        kw_hex(bytes + at, left < LINE_BYTES ? left : LINE_BYTES, text);
        kw_print(cli, "%4zu  %s\n", offset + at, text);
    }
}

void kw_print_file(const struct kw_cli *cli, const char *file) {
    if (file != NULL) {
        kw_print(cli, "Written: %s\n", file);
    }
}

static json_t *finding_object(const struct kw_finding *finding) {
    json_t *object =
        json_pack("{s:s, s:s, s:s}", "id", finding->id, "severity",
                  kw_severity_name(finding->severity), "words", finding->words);
    if (finding->slot != KW_NO_SLOT) {
        json_object_set_new(object, "slot", json_integer(finding->slot));
    }
    return object;
}

json_t *kw_show_findings(const struct kw_cli *cli,
                         const struct kw_findings *findings) {
    json_t *array = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const struct kw_finding *finding = &findings->finding[i];
        char where[16] = "chip";
        if (finding->slot != KW_NO_SLOT) {
            (void)snprintf(where, sizeof where, "slot %u", finding->slot);
        }
        kw_print(cli, "  %-8s %-8s %s (%s)\n",
                 kw_severity_name(finding->severity), where, finding->words,
                 finding->id);
        json_array_append_new(array, finding_object(finding));
    }
    return array;
}
