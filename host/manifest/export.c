#include "host/manifest/export.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/certs/pki_file.h"
#include "host/files.h"
#include "host/text.h"

#define NAME_MAX_SIZE  128
#define THUMBPRINT_MAX 41 /* SHA-1 in hex and a NUL */

static const char CSV_HEAD[] =
    "uniqueId,model,partNumber,provisioningTimestamp,commonName,thingName,"
    "certificateSerial,sha1Thumbprint\r\n";

const char *kw_manifest_export_head(enum kw_manifest_format format) {
    return format == KW_MANIFEST_CSV ? CSV_HEAD : "";
}

/* What the formats need of an entry. */
struct about {
    const struct kw_manifest_entry *entry;
    struct kw_pki_view device;
    bool is_trustgo;
    char unique_id[KW_UNIQUE_ID_TEXT];
    char upper_id[KW_UNIQUE_ID_TEXT];
    char common_name[NAME_MAX_SIZE];
    char thing_id[2 * KW_KEY_ID_SIZE + 1];
    char thumbprint[THUMBPRINT_MAX];
    char serial[2 * KW_PKI_MAX + 1];
};

static bool ends_with(struct kw_text text, const char *end) {
    const size_t size = strlen(end);
    return text.size >= size &&
           memcmp(text.at + text.size - size, end, size) == 0;
}

static kw_status look(const struct kw_manifest_entry *entry,
                      struct about *about) {
    uint8_t digest[EVP_MAX_MD_SIZE];
    uint8_t id[KW_KEY_ID_SIZE];
    unsigned size = 0;
    about->entry = entry;
    KW_TRY(kw_pki_read(entry->device, &about->device));
    KW_TRY(kw_pki_attribute(about->device.subject, KW_PKI_COMMON_NAME,
                            about->common_name, sizeof about->common_name));
    KW_ENSURE(EVP_Digest(entry->device.at, entry->device.left, digest, &size,
                         EVP_sha1(), NULL) == 1,
              KW_SYSTEM_CRYPTO);
    kw_hex_upper(digest, size, about->thumbprint);
    kw_pki_key_id(about->device.public_key, id);
    kw_hex(id, sizeof id, about->thing_id);
    kw_hex(about->device.serial.at, about->device.serial.left, about->serial);
    kw_hex_upper(entry->unique_id, KW_UNIQUE_ID_SIZE, about->upper_id);
    kw_unique_id_text(entry->unique_id, about->unique_id);
    about->is_trustgo = ends_with(entry->part_number, "-TNGTLS");
    return KW_OK;
}

/* The vendor's tools name a Trust&GO thing by its serial number, another by
 * its subject key identifier. */
static const char *thing_name(const struct about *about) {
    return about->is_trustgo ? about->upper_id : about->thing_id;
}

/* --- the formats --- */

static json_t *aws(const struct about *about) {
    struct kw_pki_bytes bytes = {.size = about->entry->device.left};
    memcpy(bytes.der, about->entry->device.at, bytes.size);
    char *pem = kw_pki_pem(KW_PEM_CERTIFICATE, &bytes);
    json_t *object =
        pem == NULL
            ? NULL
            : json_pack("{s:s, s:s, s:s}", "ThingName", thing_name(about),
                        "SerialNumber", about->upper_id, "CertificatePem", pem);
    free(pem);
    return object;
}

/* A Trust&GO device is known by its certificate, another by who issued
 * it. */
static json_t *azure(const struct about *about) {
    json_t *authentication =
        about->is_trustgo ? json_pack("{s:s, s:{s:s, s:s}}", "type",
                                      "selfSigned", "x509Thumbprint",
                                      "primaryThumbprint", about->thumbprint,
                                      "secondaryThumbprint", about->thumbprint)
                          : json_pack("{s:s}", "type", "certificateAuthority");
    return json_pack("{s:s, s:s, s:s, s:o}", "id", about->common_name,
                     "importMode", "create", "status", "enabled",
                     "authentication", authentication);
}

static char *json_line(json_t *object) {
    char *text = object == NULL
                     ? NULL
                     : json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER |
                                              JSON_ENSURE_ASCII);
    json_decref(object);
    return text;
}

/* RFC 4180: quotes around, and doubled inside. A cell that a spreadsheet
 * would take for a formula gets an apostrophe first. */
static char *cell(const char *text, size_t size) {
    char *made = malloc(2 * size + 4);
    size_t at = 0;
    if (made == NULL) {
        return NULL;
    }
    made[at++] = '"';
    if (size > 0 && strchr("=+-@\t\r", text[0]) != NULL) {
        made[at++] = '\'';
    }
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"') {
            made[at++] = '"';
        }
        made[at++] = text[i];
    }
    made[at++] = '"';
    made[at] = '\0';
    return made;
}

static char *csv(const struct about *about) {
    const struct kw_manifest_entry *entry = about->entry;
    char *model = cell(entry->model.at, entry->model.size);
    char *part = cell(entry->part_number.at, entry->part_number.size);
    char *time = cell(entry->timestamp.at, entry->timestamp.size);
    char *name = cell(about->common_name, strlen(about->common_name));
    char *line = NULL;
    if (model != NULL && part != NULL && time != NULL && name != NULL) {
        line = kw_format("%s,%s,%s,%s,%s,%s,%s,%s", about->unique_id, model,
                         part, time, name, thing_name(about), about->serial,
                         about->thumbprint);
    }
    free(model);
    free(part);
    free(time);
    free(name);
    return line;
}

static char *line_of(enum kw_manifest_format format,
                     const struct about *about) {
    switch (format) {
    case KW_MANIFEST_AWS:
        return json_line(aws(about));
    case KW_MANIFEST_AZURE:
        return json_line(azure(about));
    default:
        return csv(about);
    }
}

kw_status kw_manifest_export_line(enum kw_manifest_format format,
                                  const struct kw_manifest_entry *entry,
                                  char **line, struct kw_error *error) {
    struct about about;
    const kw_status status = look(entry, &about);
    if (status != KW_OK) {
        return kw_error(error, status,
                        "there is no device certificate with a common name");
    }
    *line = line_of(format, &about);
    return *line != NULL ? KW_OK
                         : kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}
