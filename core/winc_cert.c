#include "core/winc_cert.h"

#include <string.h>

#include "core/bytes.h"
#include "core/sha1.h"

#define RSA_MAX      512u /* bytes of a modulus */
#define EXPONENT_MAX 16u
#define P256_SIZE    32u

static const uint8_t OID_RSA[] = {0x2A, 0x86, 0x48, 0x86, 0xF7,
                                  0x0D, 0x01, 0x01, 0x01};
static const uint8_t OID_EC[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01};
static const uint8_t OID_P256[] = {0x2A, 0x86, 0x48, 0xCE,
                                   0x3D, 0x03, 0x01, 0x07};

/* --- names --- */

static kw_status hash_value(const struct kw_source *source,
                            const struct kw_winc_der *value,
                            struct kw_sha1 *sha) {
    uint8_t chunk[32];
    /* The module's code keeps a length in 8 bits. */
    const uint32_t size = value->size & 0xFF;
    for (uint32_t done = 0; done < size; done += sizeof chunk) {
        const uint32_t left = size - done;
        const uint32_t part = left < sizeof chunk ? left : sizeof chunk;
        KW_TRY(kw_source_read(source, value->at + done, chunk, part));
        kw_sha1_update(sha, chunk, part);
    }
    return KW_OK;
}

/* One relative distinguished name: a SET of exactly one attribute. */
static kw_status hash_part(const struct kw_source *source,
                           const struct kw_winc_der *set, struct kw_sha1 *sha) {
    struct kw_winc_der pair;
    struct kw_winc_der item;
    KW_TRY(
        kw_winc_der_tagged(source, set->at, set->end, KW_DER_SEQUENCE, &pair));
    KW_ENSURE(pair.end == set->end, KW_NO_WINC_NAME);
    KW_TRY(kw_winc_der_tagged(source, pair.at, pair.end, KW_DER_OID, &item));
    KW_TRY(kw_winc_der_any(source, item.end, pair.end, &item));
    KW_ENSURE(item.end == pair.end, KW_PARSE_DER);
    return hash_value(source, &item, sha);
}

static kw_status hash_name(const struct kw_source *source,
                           const struct kw_winc_der *name,
                           uint8_t hash[KW_SHA1_SIZE]) {
    struct kw_sha1 sha;
    kw_sha1_init(&sha);
    for (uint32_t at = name->at; at < name->end;) {
        struct kw_winc_der set;
        KW_TRY(kw_winc_der_tagged(source, at, name->end, KW_DER_SET, &set));
        KW_TRY(hash_part(source, &set, &sha));
        at = set.end;
    }
    kw_sha1_final(&sha, hash);
    return KW_OK;
}

/* --- dates --- */

static bool two_digits(const uint8_t *text, uint8_t *value) {
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') {
        return false;
    }
    *value = (uint8_t)((text[0] - '0') * 10 + text[1] - '0');
    return true;
}

/* RFC 5280 4.1.2.5: yy below 50 is 20yy; seconds and Z are always there. */
static kw_status read_date(const struct kw_source *source,
                           const struct kw_winc_der *item,
                           struct kw_winc_date *date) {
    uint8_t text[15];
    uint8_t part[7] = {0};
    const bool utc = item->tag == KW_DER_UTC_TIME;
    KW_ENSURE(utc || item->tag == KW_DER_GENERALIZED_TIME, KW_PARSE_DER);
    KW_ENSURE(item->size == (utc ? 13u : 15u), KW_PARSE_DER);
    KW_TRY(kw_source_read(source, item->at, text, item->size));
    KW_ENSURE(text[item->size - 1] == 'Z', KW_PARSE_DER);
    for (uint32_t i = 0; i + 1 < item->size; i += 2) {
        KW_ENSURE(two_digits(text + i, &part[i / 2]), KW_PARSE_DER);
    }
    const uint8_t *rest = utc ? part + 1 : part + 2;
    const unsigned century = part[0] < 50 ? 2000 : 1900;
    date->year = (uint16_t)(utc ? century + part[0] : part[0] * 100u + part[1]);
    date->month = rest[0];
    date->day = rest[1];
    date->hour = rest[2];
    date->minute = rest[3];
    date->second = rest[4];
    return KW_OK;
}

static kw_status read_validity(const struct kw_source *source,
                               const struct kw_winc_der *validity,
                               struct kw_winc_cert *cert) {
    struct kw_winc_der item;
    KW_TRY(kw_winc_der_any(source, validity->at, validity->end, &item));
    KW_TRY(read_date(source, &item, &cert->not_before));
    KW_TRY(kw_winc_der_any(source, item.end, validity->end, &item));
    return read_date(source, &item, &cert->not_after);
}

static int compare(unsigned left, unsigned right) {
    return (left > right) - (left < right);
}

int kw_winc_date_compare(const struct kw_winc_date *left,
                         const struct kw_winc_date *right) {
    const int order[] = {
        compare(left->year, right->year),
        compare(left->month, right->month),
        compare(left->day, right->day),
        compare(left->hour, right->hour),
        compare(left->minute, right->minute),
        compare(left->second, right->second),
    };
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (order[i] != 0) {
            return order[i];
        }
    }
    return 0;
}

/* --- keys --- */

static kw_status read_rsa(const struct kw_source *source, uint32_t at,
                          uint32_t end, struct kw_winc_cert *cert) {
    struct kw_winc_der pair;
    KW_TRY(kw_winc_der_tagged(source, at, end, KW_DER_SEQUENCE, &pair));
    KW_TRY(kw_winc_der_number(source, pair.at, pair.end, &cert->key[0]));
    KW_TRY(
        kw_winc_der_number(source, cert->key[0].end, pair.end, &cert->key[1]));
    KW_ENSURE(cert->key[0].size <= RSA_MAX && cert->key[0].size >= 64 &&
                  cert->key[1].size <= EXPONENT_MAX,
              KW_NO_WINC_KEY_TYPE);
    cert->key_type = KW_WINC_RSA;
    return KW_OK;
}

/* An uncompressed point: 04, X, Y. */
static kw_status read_point(const struct kw_source *source, uint32_t at,
                            uint32_t end, struct kw_winc_cert *cert) {
    uint8_t form = 0;
    KW_ENSURE(end - at == 1 + 2 * P256_SIZE, KW_PARSE_DER);
    KW_TRY(kw_source_read(source, at, &form, 1));
    KW_ENSURE(form == 0x04, KW_PARSE_DER);
    cert->key[0] = (struct kw_winc_der){.at = at + 1, .size = P256_SIZE};
    cert->key[1] =
        (struct kw_winc_der){.at = at + 1 + P256_SIZE, .size = P256_SIZE};
    cert->key_type = KW_WINC_ECDSA;
    return KW_OK;
}

static kw_status is_p256(const struct kw_source *source,
                         const struct kw_winc_der *algorithm,
                         const struct kw_winc_der *oid, bool *is) {
    struct kw_winc_der curve;
    KW_TRY(kw_winc_der_is(source, oid, OID_EC, sizeof OID_EC, is));
    if (!*is) {
        return KW_OK;
    }
    KW_TRY(kw_winc_der_any(source, oid->end, algorithm->end, &curve));
    return kw_winc_der_is(source, &curve, OID_P256, sizeof OID_P256, is);
}

static kw_status read_key(const struct kw_source *source,
                          const struct kw_winc_der *info,
                          struct kw_winc_cert *cert) {
    struct kw_winc_der algorithm;
    struct kw_winc_der oid;
    struct kw_winc_der bits;
    uint8_t unused = 0;
    bool is = false;
    KW_TRY(kw_winc_der_tagged(source, info->at, info->end, KW_DER_SEQUENCE,
                              &algorithm));
    KW_TRY(kw_winc_der_tagged(source, algorithm.at, algorithm.end, KW_DER_OID,
                              &oid));
    KW_TRY(kw_winc_der_tagged(source, algorithm.end, info->end,
                              KW_DER_BIT_STRING, &bits));
    KW_TRY(kw_source_read(source, bits.at, &unused, 1));
    KW_ENSURE(bits.size > 1 && unused == 0, KW_PARSE_DER);
    KW_TRY(kw_winc_der_is(source, &oid, OID_RSA, sizeof OID_RSA, &is));
    if (is) {
        return read_rsa(source, bits.at + 1, bits.end, cert);
    }
    KW_TRY(is_p256(source, &algorithm, &oid, &is));
    KW_ENSURE(is, KW_NO_WINC_KEY_TYPE);
    return read_point(source, bits.at + 1, bits.end, cert);
}

/* --- the certificate --- */

static kw_status read_fields(const struct kw_source *source, uint32_t at,
                             uint32_t end, struct kw_winc_cert *cert) {
    struct kw_winc_der item;
    KW_TRY(kw_winc_der_any(source, at, end, &item));
    if (item.tag == KW_DER_EXPLICIT_0) {
        KW_TRY(kw_winc_der_any(source, item.end, end, &item));
    }
    KW_ENSURE(item.tag == KW_DER_INTEGER && item.size > 0, KW_PARSE_DER);
    cert->serial = item;
    KW_TRY(kw_winc_der_tagged(source, item.end, end, KW_DER_SEQUENCE, &item));
    KW_TRY(kw_winc_der_tagged(source, item.end, end, KW_DER_SEQUENCE, &item));
    KW_TRY(hash_name(source, &item, cert->issuer_hash));
    KW_TRY(kw_winc_der_tagged(source, item.end, end, KW_DER_SEQUENCE, &item));
    KW_TRY(read_validity(source, &item, cert));
    KW_TRY(kw_winc_der_tagged(source, item.end, end, KW_DER_SEQUENCE, &item));
    KW_TRY(hash_name(source, &item, cert->subject_hash));
    KW_TRY(kw_winc_der_tagged(source, item.end, end, KW_DER_SEQUENCE, &item));
    return read_key(source, &item, cert);
}

/* Algorithm and signature must be there; the signature is not checked. */
static kw_status check_tail(const struct kw_source *source, uint32_t at,
                            uint32_t end) {
    struct kw_winc_der item;
    KW_TRY(kw_winc_der_tagged(source, at, end, KW_DER_SEQUENCE, &item));
    KW_TRY(kw_winc_der_tagged(source, item.end, end, KW_DER_BIT_STRING, &item));
    KW_ENSURE(item.end == end, KW_PARSE_DER);
    return KW_OK;
}

kw_status kw_winc_cert_read(const struct kw_source *source,
                            struct kw_winc_cert *cert) {
    struct kw_winc_der whole;
    struct kw_winc_der signed_part;
    *cert = (struct kw_winc_cert){.source = source};
    KW_TRY(
        kw_winc_der_tagged(source, 0, source->size, KW_DER_SEQUENCE, &whole));
    KW_ENSURE(whole.end == source->size, KW_PARSE_DER);
    KW_TRY(kw_winc_der_tagged(source, whole.at, whole.end, KW_DER_SEQUENCE,
                              &signed_part));
    KW_TRY(check_tail(source, signed_part.end, whole.end));
    return read_fields(source, signed_part.at, signed_part.end, cert);
}

/* --- private RSA keys --- */

static kw_status read_numbers(const struct kw_source *source,
                              const struct kw_winc_der *whole,
                              struct kw_winc_rsa_key *key) {
    struct kw_winc_der item;
    KW_TRY(kw_winc_der_number(source, whole->at, whole->end, &item));
    for (size_t i = 0; i < 8; i++) {
        KW_TRY(kw_winc_der_number(source, item.end, whole->end, &item));
        KW_ENSURE(item.size <= RSA_MAX, KW_PARSE_RSA_KEY);
        key->number[i] = item;
    }
    return KW_OK;
}

/* PKCS#8 (RFC 5958): version, algorithm, OCTET STRING of PKCS#1. */
static kw_status unwrap(const struct kw_source *source,
                        struct kw_winc_der *whole) {
    struct kw_winc_der item;
    struct kw_winc_der oid;
    bool is = false;
    KW_TRY(kw_winc_der_number(source, whole->at, whole->end, &item));
    KW_TRY(kw_winc_der_any(source, item.end, whole->end, &item));
    if (item.tag == KW_DER_INTEGER) {
        return KW_OK;
    }
    KW_TRY(kw_winc_der_tagged(source, item.at, item.end, KW_DER_OID, &oid));
    KW_TRY(kw_winc_der_is(source, &oid, OID_RSA, sizeof OID_RSA, &is));
    KW_ENSURE(is, KW_PARSE_RSA_KEY);
    KW_TRY(kw_winc_der_tagged(source, item.end, whole->end, KW_DER_OCTET_STRING,
                              &item));
    return kw_winc_der_tagged(source, item.at, item.end, KW_DER_SEQUENCE,
                              whole);
}

static kw_status read_rsa_key(const struct kw_source *source,
                              struct kw_winc_rsa_key *key) {
    struct kw_winc_der whole;
    KW_TRY(
        kw_winc_der_tagged(source, 0, source->size, KW_DER_SEQUENCE, &whole));
    KW_ENSURE(whole.end == source->size, KW_PARSE_DER);
    KW_TRY(unwrap(source, &whole));
    return read_numbers(source, &whole, key);
}

kw_status kw_winc_rsa_key_read(const struct kw_source *source,
                               struct kw_winc_rsa_key *key) {
    *key = (struct kw_winc_rsa_key){.source = source};
    const kw_status status = read_rsa_key(source, key);
    return status == KW_PARSE_DER ? KW_PARSE_RSA_KEY : status;
}

kw_status kw_winc_key_matches(const struct kw_winc_rsa_key *key,
                              const struct kw_winc_cert *cert) {
    bool equal = true;
    KW_ENSURE(cert->key_type == KW_WINC_RSA, KW_NO_WINC_KEY);
    for (size_t i = 0; i < 2 && equal; i++) {
        KW_ENSURE(key->number[i].size == cert->key[i].size, KW_NO_WINC_KEY);
        KW_TRY(kw_source_equal(key->source, key->number[i].at, cert->source,
                               cert->key[i].at, cert->key[i].size, &equal));
    }
    return equal ? KW_OK : KW_NO_WINC_KEY;
}
