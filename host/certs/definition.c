#include "host/certs/definition.h"

#include <string.h>

#include "host/text.h"

#define COMMON_NAME_MAX   65
#define DEVICE_DIGITS     (2 * KW_SERIAL_SIZE)
#define SIGNER_ID_DIGITS  4
#define FIRST_YEAR        2000
#define LAST_YEAR         2127
#define LAST_UTC_YEAR     2049
#define FIRST_HASH_SOURCE 0xA
#define HASH_SERIAL_MIN   8 /* bytes */

/* --- deriving --- */

static void set(struct kw_cert_definition *definition, enum kw_element which,
                const struct kw_pki_view *view, const void *at, size_t size) {
    if (at != NULL) {
        definition->element[which].offset =
            (size_t)((const uint8_t *)at - view->tbs.at);
        definition->element[which].size = size;
    }
}

static bool is_upper_hex(const uint8_t *text, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        const bool is_letter = text[i] >= 'A' && text[i] <= 'F';
        if (!is_digit && !is_letter) {
            return false;
        }
    }
    return true;
}

/* The last four characters of the signer's common name, which ends its
 * Name. */
static void find_signer_id(const struct kw_pki_view *view,
                           struct kw_cert_definition *definition) {
    const struct kw_der name = view->is_ca ? view->subject : view->issuer;
    char text[COMMON_NAME_MAX];
    if (name.left < SIGNER_ID_DIGITS ||
        kw_pki_attribute(name, KW_PKI_COMMON_NAME, text, sizeof text) !=
            KW_OK) {
        return;
    }
    const uint8_t *at = name.at + name.left - SIGNER_ID_DIGITS;
    const size_t length = strlen(text);
    if (length >= SIGNER_ID_DIGITS && is_upper_hex(at, SIGNER_ID_DIGITS) &&
        memcmp(at, text + length - SIGNER_ID_DIGITS, SIGNER_ID_DIGITS) == 0) {
        set(definition, KW_ELEMENT_SIGNER_ID, view, at, SIGNER_ID_DIGITS);
    }
}

static bool is_device_at(const uint8_t *at, const uint8_t *device) {
    char digits[DEVICE_DIGITS + 1];
    if (device == NULL) {
        return is_upper_hex(at, DEVICE_DIGITS) && memcmp(at, "0123", 4) == 0;
    }
    kw_hex_upper(device, KW_SERIAL_SIZE, digits);
    return memcmp(at, digits, DEVICE_DIGITS) == 0;
}

static void find_device(const struct kw_pki_view *view, const uint8_t *device,
                        struct kw_cert_definition *definition) {
    const struct kw_der name = view->subject;
    for (size_t i = 0; i + DEVICE_DIGITS <= name.left; i++) {
        if (is_device_at(name.at + i, device)) {
            set(definition, KW_ELEMENT_DEVICE_0_3, view, name.at + i, 8);
            set(definition, KW_ELEMENT_DEVICE_4_8, view, name.at + i + 8, 10);
            return;
        }
    }
}

/* A number of a byte or two may be that of a hash by chance. */
static bool is_by_chance(uint8_t source, size_t size) {
    return source >= FIRST_HASH_SOURCE && size < HASH_SERIAL_MIN;
}

/* The first source that gives this certificate's serial number; else it is
 * stored. */
static uint8_t find_source(const struct kw_pki_view *view,
                           const struct kw_cert_inputs *inputs,
                           struct kw_compcert *compcert) {
    static const uint8_t SOURCES[] = {0xA, 0xB, 0xC, 0xD, 0xE, 0xF, 0x8, 0x9};
    uint8_t serial[KW_CERT_SERIAL_MAX];
    for (size_t i = 0; i < sizeof SOURCES; i++) {
        compcert->serial_source = SOURCES[i];
        if (!is_by_chance(SOURCES[i], view->serial.left) &&
            kw_cert_serial(inputs, compcert, view->serial.left, serial) ==
                KW_OK &&
            kw_der_is(&view->serial, serial, view->serial.left)) {
            return SOURCES[i];
        }
    }
    return 0;
}

static const uint8_t *device_in(const struct kw_pki_bytes *template,
                                const struct kw_cert_definition *definition,
                                const uint8_t *given,
                                uint8_t device[KW_SERIAL_SIZE]) {
    char digits[DEVICE_DIGITS + 1] = "";
    if (given != NULL || definition->element[KW_ELEMENT_DEVICE_0_3].size == 0) {
        return given;
    }
    memcpy(digits,
           template->der + definition->element[KW_ELEMENT_DEVICE_0_3].offset,
           DEVICE_DIGITS);
    return kw_hex_read(digits, device, KW_SERIAL_SIZE) == KW_OK ? device : NULL;
}

/* --- compressing --- */

static void read_signer_id(const struct kw_cert_definition *definition,
                           const struct kw_pki_view *view,
                           uint8_t signer_id[2]) {
    char digits[SIGNER_ID_DIGITS + 1] = "";
    memset(signer_id, 0, 2);
    if (definition->element[KW_ELEMENT_SIGNER_ID].size == SIGNER_ID_DIGITS &&
        definition->element[KW_ELEMENT_SIGNER_ID].offset + SIGNER_ID_DIGITS <=
            view->tbs.left) {
        memcpy(digits,
               view->tbs.at + definition->element[KW_ELEMENT_SIGNER_ID].offset,
               SIGNER_ID_DIGITS);
        (void)!kw_hex_read(digits, signer_id, 2);
    }
}

/* The end of a certificate that is said never to end, in either text. */
static bool is_never(const struct kw_pki_view *view) {
    struct kw_moment utc = KW_MOMENT_NEVER;
    utc.year = LAST_UTC_YEAR;
    const bool is_utc = view->not_after_text.left == KW_UTC_TIME_SIZE;
    return kw_moment_order(&view->not_after,
                           is_utc ? &utc : &KW_MOMENT_NEVER) == 0;
}

static const char *why_not_begin(const struct kw_moment *begin) {
    if (begin->minute != 0 || begin->second != 0) {
        return "it does not begin at a full hour";
    }
    if (begin->year < FIRST_YEAR || begin->year > LAST_YEAR) {
        return "it begins before 2000 or after 2127";
    }
    return NULL;
}

static const char *why_not_end(const struct kw_moment *begin,
                               const struct kw_moment *end) {
    const bool leap_day = begin->month == 2 && begin->day == 29;
    struct kw_moment same = *begin;
    same.year = end->year;
    if (leap_day && kw_days_in_month(end->year, 2) != 29) {
        return "it begins on 29 February and ends in a year that has none";
    }
    if (kw_moment_order(&same, end) != 0 || end->year <= begin->year) {
        return "it does not end whole years after its begin";
    }
    return end->year - begin->year > 127 ? "it lasts more than 127 years"
                                         : NULL;
}

static const char *read_dates(const struct kw_pki_view *view,
                              struct kw_compcert_dates *dates) {
    const struct kw_moment *begin = &view->not_before;
    const struct kw_moment *end = &view->not_after;
    const char *why = why_not_begin(begin);
    const bool never = is_never(view);
    if (why == NULL && !never) {
        why = why_not_end(begin, end);
    }
    if (why == NULL) {
        *dates = (struct kw_compcert_dates){
            .year = begin->year,
            .month = begin->month,
            .day = begin->day,
            .hour = begin->hour,
            .years = never ? 0 : (uint8_t)(end->year - begin->year)};
    }
    return why;
}

void kw_cert_definition_derive(const struct kw_pki_view *view,
                               const uint8_t *device,
                               struct kw_cert_definition *definition) {
    struct kw_compcert compcert = {.template_id = 0};
    uint8_t found[KW_SERIAL_SIZE];
    memset(definition, 0, sizeof *definition);
    memcpy(definition->template.der, view->tbs.at, view->tbs.left);
    definition->template.size = view->tbs.left;
    set(definition, KW_ELEMENT_SERIAL, view, view->serial.at,
        view->serial.left);
    set(definition, KW_ELEMENT_NOT_BEFORE, view, view->not_before_text.at,
        view->not_before_text.left);
    set(definition, KW_ELEMENT_NOT_AFTER, view, view->not_after_text.at,
        view->not_after_text.left);
    set(definition, KW_ELEMENT_PUBLIC_KEY, view, view->public_key,
        KW_PUBLIC_KEY_SIZE);
    set(definition, KW_ELEMENT_SUBJECT_ID, view, view->subject_id,
        KW_KEY_ID_SIZE);
    set(definition, KW_ELEMENT_AUTHORITY_ID, view, view->authority_id,
        KW_KEY_ID_SIZE);
    set(definition, KW_ELEMENT_EUI48, view, view->eui48, KW_EUI48_DIGITS);
    find_signer_id(view, definition);
    if (!view->is_ca) {
        find_device(view, device, definition);
    }
    if (read_dates(view, &compcert.dates) == NULL) {
        const struct kw_cert_inputs inputs = {
            .public_key = view->public_key,
            .device =
                device_in(&definition->template, definition, device, found)};
        read_signer_id(definition, view, compcert.signer_id);
        definition->serial_source = find_source(view, &inputs, &compcert);
    }
}

static kw_status refuse(struct kw_error *error, const char *why) {
    return kw_error(error, KW_NO, "the certificate cannot be compressed: %s",
                    why);
}

static size_t first_difference(struct kw_der left,
                               const struct kw_pki_bytes *right) {
    size_t i = 0;
    while (i < left.left && i < right->size && left.at[i] == right->der[i]) {
        i++;
    }
    return i;
}

static kw_status compare(const struct kw_cert_definition *definition,
                         const struct kw_pki_view *view,
                         const struct kw_cert_inputs *inputs,
                         const uint8_t *compressed, struct kw_error *error) {
    struct kw_pki_bytes again = {.size = 0};
    KW_TRY(kw_cert_expand(definition, compressed, inputs, &again, error));
    if (kw_der_is(&view->whole, again.der, again.size)) {
        return KW_OK;
    }
    kw_error(error, KW_NO,
             "the certificate cannot be compressed: byte %zu would not come "
             "back",
             first_difference(view->whole, &again));
    return kw_error_hint(error, "the definition is of another kind of "
                                "certificate, or of another issuer or chip");
}

kw_status kw_cert_compress(const struct kw_cert_definition *definition,
                           const struct kw_pki_view *view,
                           const struct kw_cert_inputs *inputs,
                           uint8_t compressed[KW_COMPCERT_SIZE],
                           struct kw_error *error) {
    struct kw_compcert compcert = {
        .template_id = definition->template_id,
        .chain_id = definition->chain_id,
        .serial_source = definition->serial_source,
    };
    const char *why = read_dates(view, &compcert.dates);
    if (why != NULL) {
        return refuse(error, why);
    }
    memcpy(compcert.signature, view->signature, sizeof compcert.signature);
    read_signer_id(definition, view, compcert.signer_id);
    if (kw_compcert_encode(&compcert, compressed) != KW_OK) {
        return refuse(error, "template, chain or source do not fit 4 bits");
    }
    return compare(definition, view, inputs, compressed, error);
}

/* --- expanding --- */

struct expansion {
    const struct kw_cert_definition *definition;
    const struct kw_cert_inputs *inputs;
    struct kw_compcert compcert;
    struct kw_pki_bytes tbs;
    struct kw_error *error;
};

static kw_status missing(struct expansion *expansion, const char *what) {
    return kw_error(expansion->error, KW_USAGE,
                    "the definition needs %s, which was not given", what);
}

/* `bytes` NULL: it was not given, which is an error where the template has
 * that element. */
static kw_status fill(struct expansion *expansion, enum kw_element which,
                      const void *bytes, size_t size, const char *what) {
    const size_t wanted = expansion->definition->element[which].size;
    const size_t offset = expansion->definition->element[which].offset;
    if (wanted == 0) {
        return KW_OK;
    }
    if (bytes == NULL) {
        return missing(expansion, what);
    }
    if (wanted != size || offset > expansion->tbs.size ||
        size > expansion->tbs.size - offset) {
        return kw_error(expansion->error, KW_PARSE,
                        "the definition has no place for %s", what);
    }
    memcpy(expansion->tbs.der + offset, bytes, size);
    return KW_OK;
}

static kw_status fill_time(struct expansion *expansion, enum kw_element which,
                           struct kw_moment moment, const char *what) {
    const size_t size = expansion->definition->element[which].size;
    const bool is_utc = size == KW_UTC_TIME_SIZE;
    char text[KW_GENERALIZED_TIME_SIZE];
    if (is_utc && kw_moment_order(&moment, &KW_MOMENT_NEVER) == 0) {
        moment.year = LAST_UTC_YEAR;
    }
    if (is_utc && moment.year > LAST_UTC_YEAR) {
        return kw_error(expansion->error, KW_PARSE,
                        "the definition has a UTCTime for %s, which ends "
                        "with the year 2049",
                        what);
    }
    kw_moment_write(&moment, !is_utc, text);
    return fill(expansion, which, text,
                is_utc ? KW_UTC_TIME_SIZE : KW_GENERALIZED_TIME_SIZE, what);
}

static kw_status fill_times(struct expansion *expansion) {
    struct kw_moment begin;
    struct kw_moment end;
    kw_moments_of_dates(&expansion->compcert.dates, &begin, &end);
    KW_TRY(
        fill_time(expansion, KW_ELEMENT_NOT_BEFORE, begin, "the first date"));
    return fill_time(expansion, KW_ELEMENT_NOT_AFTER, end, "the last date");
}

static kw_status fill_serial(struct expansion *expansion) {
    const size_t size = expansion->definition->element[KW_ELEMENT_SERIAL].size;
    uint8_t serial[KW_CERT_SERIAL_MAX];
    if (size == 0) {
        return KW_OK;
    }
    const kw_status status =
        kw_cert_serial(expansion->inputs, &expansion->compcert, size, serial);
    if (status == KW_USAGE) {
        return missing(expansion, "the certificate's or the chip's serial "
                                  "number");
    }
    if (status != KW_OK) {
        return kw_error(expansion->error, KW_PARSE,
                        "a serial number of %zu bytes does not come from "
                        "source %X",
                        size, expansion->compcert.serial_source);
    }
    return fill(expansion, KW_ELEMENT_SERIAL, serial, size,
                "the serial number");
}

static kw_status fill_device(struct expansion *expansion) {
    const uint8_t *device = expansion->inputs->device;
    char digits[DEVICE_DIGITS + 1] = "";
    if (device != NULL) {
        kw_hex_upper(device, KW_SERIAL_SIZE, digits);
    }
    KW_TRY(fill(expansion, KW_ELEMENT_DEVICE_0_3,
                device == NULL ? NULL : digits, 8, "the chip's serial number"));
    return fill(expansion, KW_ELEMENT_DEVICE_4_8,
                device == NULL ? NULL : digits + 8, 10,
                "the chip's serial number");
}

static kw_status fill_keys(struct expansion *expansion) {
    const struct kw_cert_inputs *inputs = expansion->inputs;
    uint8_t id[KW_KEY_ID_SIZE];
    if (inputs->public_key != NULL) {
        kw_pki_key_id(inputs->public_key, id);
    }
    KW_TRY(fill(expansion, KW_ELEMENT_PUBLIC_KEY, inputs->public_key,
                KW_PUBLIC_KEY_SIZE, "the public key"));
    KW_TRY(fill(expansion, KW_ELEMENT_SUBJECT_ID,
                inputs->public_key == NULL ? NULL : id, sizeof id,
                "the public key"));
    return fill(expansion, KW_ELEMENT_AUTHORITY_ID, inputs->issuer_id,
                KW_KEY_ID_SIZE, "the issuer's key");
}

static kw_status fill_all(struct expansion *expansion) {
    char signer_id[SIGNER_ID_DIGITS + 1];
    const char *eui48 = expansion->inputs->eui48;
    kw_hex_upper(expansion->compcert.signer_id, 2, signer_id);
    KW_TRY(fill(expansion, KW_ELEMENT_SIGNER_ID, signer_id, SIGNER_ID_DIGITS,
                "the signer id"));
    KW_TRY(fill_times(expansion));
    KW_TRY(fill_keys(expansion));
    KW_TRY(fill_device(expansion));
    KW_TRY(fill(expansion, KW_ELEMENT_EUI48, eui48, KW_EUI48_DIGITS,
                "the EUI-48"));
    return fill_serial(expansion);
}

static kw_status check_kind(struct expansion *expansion) {
    const struct kw_cert_definition *definition = expansion->definition;
    const struct kw_compcert *compcert = &expansion->compcert;
    if (compcert->template_id == definition->template_id &&
        compcert->chain_id == definition->chain_id &&
        compcert->serial_source == definition->serial_source) {
        return KW_OK;
    }
    return kw_error(expansion->error, KW_PARSE_MAGIC,
                    "the compressed certificate is of template %u, chain %u, "
                    "serial number source %X; the definition is of %u, %u, %X",
                    compcert->template_id, compcert->chain_id,
                    compcert->serial_source, definition->template_id,
                    definition->chain_id, definition->serial_source);
}

kw_status kw_cert_expand(const struct kw_cert_definition *definition,
                         const uint8_t compressed[KW_COMPCERT_SIZE],
                         const struct kw_cert_inputs *inputs,
                         struct kw_pki_bytes *whole, struct kw_error *error) {
    struct expansion expansion = {.definition = definition,
                                  .inputs = inputs,
                                  .tbs = definition->template,
                                  .error = error};
    struct kw_pki_view view;
    kw_status status = kw_compcert_decode(compressed, &expansion.compcert);
    if (status != KW_OK) {
        return kw_error_core(error, status,
                             "the 72 bytes are no compressed certificate");
    }
    KW_TRY(check_kind(&expansion));
    KW_TRY(fill_all(&expansion));
    status = kw_pki_join(kw_pki_cursor(&expansion.tbs),
                         expansion.compcert.signature, whole);
    if (status != KW_OK || kw_pki_read(kw_pki_cursor(whole), &view) != KW_OK) {
        return kw_error(error, KW_PARSE,
                        "the definition and the 72 bytes give no certificate");
    }
    return KW_OK;
}
