#include <string.h>

#include "host/certs/pki.h"

#define EXTENSIONS_TAG (KW_DER_EXPLICIT_0 + 3)
#define POINT_SIZE     65

/* --- times --- */

static bool read_digits(const uint8_t *text, size_t count, unsigned *value) {
    *value = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *value = *value * 10 + (unsigned)(text[i] - '0');
    }
    return true;
}

/* RFC 5280, 4.1.2.5: seconds are there, the zone is Z, no fractions. */
static kw_status read_time(struct kw_der *cursor, struct kw_der *text,
                           struct kw_moment *moment) {
    struct kw_der_item item;
    unsigned part[6]; /* year, month, day, hour, minute, second */
    KW_TRY(kw_der_next(cursor, &item));
    const bool is_utc = item.tag == KW_DER_UTC_TIME;
    const size_t year_size = is_utc ? 2 : 4;
    KW_ENSURE(is_utc || item.tag == KW_DER_GENERALIZED_TIME, KW_PARSE);
    *text = item.content;
    KW_ENSURE(text->left == year_size + 11 && text->at[text->left - 1] == 'Z' &&
                  read_digits(text->at, year_size, &part[0]),
              KW_PARSE);
    for (size_t i = 1; i < 6; i++) {
        KW_ENSURE(read_digits(text->at + year_size + 2 * (i - 1), 2, &part[i]),
                  KW_PARSE);
    }
    const unsigned century = part[0] < 50 ? 2000 : 1900;
    part[0] += is_utc ? century : 0;
    KW_ENSURE(part[2] >= 1 && part[2] <= kw_days_in_month(part[0], part[1]) &&
                  part[3] < 24 && part[4] < 60 && part[5] < 60,
              KW_PARSE);
    *moment = (struct kw_moment){(uint16_t)part[0], (uint8_t)part[1],
                                 (uint8_t)part[2],  (uint8_t)part[3],
                                 (uint8_t)part[4],  (uint8_t)part[5]};
    return KW_OK;
}

static kw_status read_validity(struct kw_der *cursor,
                               struct kw_pki_view *view) {
    struct kw_der validity;
    KW_TRY(kw_der_take(cursor, KW_DER_SEQUENCE, &validity));
    KW_TRY(read_time(&validity, &view->not_before_text, &view->not_before));
    KW_TRY(read_time(&validity, &view->not_after_text, &view->not_after));
    return kw_der_end(&validity);
}

/* --- key and algorithm --- */

static kw_status read_algorithm(struct kw_der *cursor) {
    static const uint8_t ECDSA_SHA256[] = {0x06, 0x08, 0x2A, 0x86, 0x48,
                                           0xCE, 0x3D, 0x04, 0x03, 0x02};
    struct kw_der algorithm;
    KW_TRY(kw_der_take(cursor, KW_DER_SEQUENCE, &algorithm));
    return kw_der_is(&algorithm, ECDSA_SHA256, sizeof ECDSA_SHA256)
               ? KW_OK
               : KW_PARSE_KEY;
}

static kw_status read_key(struct kw_der *cursor, struct kw_pki_view *view) {
    static const uint8_t P256[] = {0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D,
                                   0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
                                   0xCE, 0x3D, 0x03, 0x01, 0x07};
    struct kw_der info;
    struct kw_der algorithm;
    struct kw_der bits;
    KW_TRY(kw_der_take(cursor, KW_DER_SEQUENCE, &info));
    KW_TRY(kw_der_take(&info, KW_DER_SEQUENCE, &algorithm));
    KW_ENSURE(kw_der_is(&algorithm, P256, sizeof P256), KW_PARSE_KEY);
    KW_TRY(kw_der_take(&info, KW_DER_BIT_STRING, &bits));
    KW_TRY(kw_der_end(&info));
    KW_ENSURE(bits.left == 1 + POINT_SIZE && bits.at[0] == 0 && bits.at[1] == 4,
              KW_PARSE_KEY);
    view->public_key = bits.at + 2;
    return KW_OK;
}

/* --- extensions --- */

static kw_status read_subject_id(struct kw_der value,
                                 struct kw_pki_view *view) {
    struct kw_der id;
    KW_TRY(kw_der_take(&value, KW_DER_OCTET_STRING, &id));
    KW_TRY(kw_der_end(&value));
    view->subject_id = id.left == KW_KEY_ID_SIZE ? id.at : NULL;
    return KW_OK;
}

static kw_status read_authority_id(struct kw_der value,
                                   struct kw_pki_view *view) {
    struct kw_der fields;
    struct kw_der id;
    KW_TRY(kw_der_take(&value, KW_DER_SEQUENCE, &fields));
    KW_TRY(kw_der_end(&value));
    if (kw_der_has(&fields, KW_DER_CONTEXT_0)) {
        KW_TRY(kw_der_take(&fields, KW_DER_CONTEXT_0, &id));
        view->authority_id = id.left == KW_KEY_ID_SIZE ? id.at : NULL;
    }
    return KW_OK;
}

static kw_status read_constraints(struct kw_der value,
                                  struct kw_pki_view *view) {
    struct kw_der fields;
    struct kw_der flag;
    struct kw_der length;
    KW_TRY(kw_der_take(&value, KW_DER_SEQUENCE, &fields));
    KW_TRY(kw_der_end(&value));
    if (kw_der_has(&fields, KW_DER_BOOLEAN)) {
        KW_TRY(kw_der_take(&fields, KW_DER_BOOLEAN, &flag));
        KW_ENSURE(flag.left == 1 && flag.at[0] == 0xFF, KW_PARSE);
        view->is_ca = true;
    }
    if (kw_der_has(&fields, KW_DER_INTEGER)) {
        KW_TRY(kw_der_take(&fields, KW_DER_INTEGER, &length));
        KW_TRY(kw_der_number(length, &view->path_length, 1));
        view->has_path_length = true;
    }
    return kw_der_end(&fields);
}

static kw_status read_usage(struct kw_der value, struct kw_pki_view *view) {
    struct kw_der bits;
    KW_TRY(kw_der_take(&value, KW_DER_BIT_STRING, &bits));
    KW_TRY(kw_der_end(&value));
    KW_ENSURE(bits.left >= 2 && bits.at[0] < 8, KW_PARSE);
    view->has_key_usage = true;
    view->may_sign_certificates = (bits.at[1] & 0x04) != 0;
    return KW_OK;
}

/* Only the name that vendor chips have is understood. */
static kw_status read_other_name(struct kw_der value,
                                 struct kw_pki_view *view) {
    static const uint8_t TEXT[] = {'e', 'u', 'i', '4', '8', '_'};
    const size_t size = sizeof TEXT + KW_EUI48_DIGITS;
    if (value.left >= size) {
        const uint8_t *at = value.at + value.left - size;
        view->eui48 = memcmp(at, TEXT, sizeof TEXT) == 0
                          ? (const char *)at + sizeof TEXT
                          : NULL;
    }
    return KW_OK;
}

static const struct extension {
    uint8_t number; /* 2.5.29.N */
    kw_status (*read)(struct kw_der value, struct kw_pki_view *view);
} EXTENSIONS[] = {
    {14, read_subject_id}, {35, read_authority_id}, {19, read_constraints},
    {15, read_usage},      {17, read_other_name},
};

static kw_status read_value(const struct kw_der *type, struct kw_der value,
                            struct kw_pki_view *view) {
    for (size_t i = 0; i < sizeof EXTENSIONS / sizeof *EXTENSIONS; i++) {
        const uint8_t oid[] = {0x55, 0x1D, EXTENSIONS[i].number};
        if (kw_der_is(type, oid, sizeof oid)) {
            return EXTENSIONS[i].read(value, view);
        }
    }
    return KW_OK;
}

static kw_status read_extension(struct kw_der *list, struct kw_pki_view *view) {
    struct kw_der extension;
    struct kw_der type;
    struct kw_der ignored;
    struct kw_der value;
    KW_TRY(kw_der_take(list, KW_DER_SEQUENCE, &extension));
    KW_TRY(kw_der_take(&extension, KW_DER_OID, &type));
    if (kw_der_has(&extension, KW_DER_BOOLEAN)) {
        KW_TRY(kw_der_take(&extension, KW_DER_BOOLEAN, &ignored));
    }
    KW_TRY(kw_der_take(&extension, KW_DER_OCTET_STRING, &value));
    KW_TRY(kw_der_end(&extension));
    return read_value(&type, value, view);
}

static kw_status read_extensions(struct kw_der *tbs, struct kw_pki_view *view) {
    struct kw_der wrapped;
    struct kw_der list;
    KW_TRY(kw_der_take(tbs, EXTENSIONS_TAG, &wrapped));
    KW_TRY(kw_der_take(&wrapped, KW_DER_SEQUENCE, &list));
    KW_TRY(kw_der_end(&wrapped));
    while (list.left > 0) {
        KW_TRY(read_extension(&list, view));
    }
    return KW_OK;
}

/* --- the certificate --- */

static kw_status read_name(struct kw_der *cursor, struct kw_der *name) {
    struct kw_der_item item;
    KW_TRY(kw_der_next(cursor, &item));
    KW_ENSURE(item.tag == KW_DER_SEQUENCE, KW_PARSE);
    *name = item.whole;
    return KW_OK;
}

static kw_status read_tbs(struct kw_der tbs, struct kw_pki_view *view) {
    static const uint8_t VERSION_3[] = {0x02, 0x01, 0x02};
    struct kw_der version;
    KW_TRY(kw_der_take(&tbs, KW_DER_EXPLICIT_0, &version));
    KW_ENSURE(kw_der_is(&version, VERSION_3, sizeof VERSION_3), KW_PARSE);
    KW_TRY(kw_der_take(&tbs, KW_DER_INTEGER, &view->serial));
    KW_ENSURE(view->serial.left > 0, KW_PARSE);
    KW_TRY(read_algorithm(&tbs));
    KW_TRY(read_name(&tbs, &view->issuer));
    KW_TRY(read_validity(&tbs, view));
    KW_TRY(read_name(&tbs, &view->subject));
    KW_TRY(read_key(&tbs, view));
    if (tbs.left > 0) {
        KW_TRY(read_extensions(&tbs, view));
    }
    return kw_der_end(&tbs);
}

static kw_status read_signature(struct kw_der *cursor,
                                struct kw_pki_view *view) {
    struct kw_der bits;
    KW_TRY(kw_der_take(cursor, KW_DER_BIT_STRING, &bits));
    KW_TRY(kw_der_end(cursor));
    KW_ENSURE(bits.left > 0 && bits.at[0] == 0, KW_PARSE);
    const struct kw_der signature = {bits.at + 1, bits.left - 1};
    return kw_der_signature(signature, view->signature);
}

kw_status kw_pki_read(struct kw_der der, struct kw_pki_view *view) {
    struct kw_pki_view read = {.whole = der};
    struct kw_der fields;
    struct kw_der_item tbs;
    KW_TRY(kw_der_take(&der, KW_DER_SEQUENCE, &fields));
    KW_TRY(kw_der_end(&der));
    KW_TRY(kw_der_next(&fields, &tbs));
    KW_ENSURE(tbs.tag == KW_DER_SEQUENCE, KW_PARSE);
    read.tbs = tbs.whole;
    KW_TRY(read_tbs(tbs.content, &read));
    KW_TRY(read_algorithm(&fields));
    KW_TRY(read_signature(&fields, &read));
    *view = read;
    return KW_OK;
}

/* --- names --- */

static kw_status read_attribute(struct kw_der *set, const struct kw_der *wanted,
                                struct kw_der_item *text) {
    struct kw_der pair;
    struct kw_der type;
    KW_TRY(kw_der_take(set, KW_DER_SEQUENCE, &pair));
    KW_TRY(kw_der_take(&pair, KW_DER_OID, &type));
    KW_TRY(kw_der_next(&pair, text));
    return kw_der_is(&type, wanted->at, wanted->left) ? KW_OK : KW_NO;
}

kw_status kw_pki_attribute(struct kw_der name, enum kw_pki_attribute attribute,
                           char *text, size_t size) {
    const uint8_t oid[] = {0x55, 0x04, (uint8_t)attribute};
    const struct kw_der wanted = {oid, sizeof oid};
    struct kw_der list;
    struct kw_der set;
    struct kw_der_item item;
    kw_status status = KW_NO;
    KW_TRY(kw_der_take(&name, KW_DER_SEQUENCE, &list));
    while (status == KW_NO && list.left > 0) {
        KW_TRY(kw_der_take(&list, KW_DER_SET, &set));
        status = read_attribute(&set, &wanted, &item);
    }
    KW_ENSURE(status == KW_OK && item.content.left < size &&
                  memchr(item.content.at, 0, item.content.left) == NULL,
              KW_PARSE);
    memcpy(text, item.content.at, item.content.left);
    text[item.content.left] = '\0';
    return KW_OK;
}
