/* The simulated vendor's chain: checked by OpenSSL, field by field against
 * the vendor's templates, rebuilt from 72 bytes, on a leap day. */
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "core/rotate.h"
#include "host/certs/certificate.h"
#include "host/certs/simulated_vendor.h"
#include "host/key.h"
#include "host/openssl_hash.h"
#include "tests/unit/scratch.h"

/* 2026-11-20 10:17:30 UTC, and a leap day at noon. */
#define NOW           1795169850
#define LEAP_DAY_2028 1835438400
#define HOUR          3600

#define ROOT   "certs/simulated-vendor/root.crt"
#define SIGNER "certs/simulated-vendor/signer.crt"
#define DEVICE "certs/simulated-vendor/0123A1B2C3D4E5F601.crt"

struct bench {
    struct scratch scratch;
    struct kw_error error;
    struct kw_simulated_vendor *vendor;
    struct kw_vendor_device device;
    struct kw_vendor_slots slots;
};

static struct kw_vendor_device some_device(enum kw_model model) {
    struct kw_vendor_device device = {
        .model = model,
        .serial = {0x01, 0x23, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x01},
    };
    struct kw_error error;
    struct kw_key *key = NULL;
    assert_int_equal(kw_key_make(&key, &error), KW_OK);
    kw_key_public(key, device.public_key);
    kw_key_free(key);
    return device;
}

static int set_up(void **state) {
    struct bench *bench = calloc(1, sizeof *bench);
    scratch_make(&bench->scratch);
    bench->device = some_device(KW_MODEL_608B);
    *state = bench;
    return 0;
}

static int tear_down(void **state) {
    struct bench *bench = *state;
    kw_simulated_vendor_close(bench->vendor);
    scratch_remove(&bench->scratch);
    free(bench);
    return 0;
}

static void open_vendor(struct bench *bench, time_t now) {
    kw_simulated_vendor_close(bench->vendor);
    bench->vendor = NULL;
    assert_int_equal(kw_simulated_vendor_open(&bench->scratch.workspace, now,
                                              &bench->vendor, &bench->error),
                     KW_OK);
}

/* The whole chain, as init makes it. */
static void make_chain(struct bench *bench, time_t now) {
    open_vendor(bench, now);
    assert_int_equal(kw_simulated_vendor_issue(bench->vendor, &bench->device,
                                               &bench->slots, &bench->error),
                     KW_OK);
    assert_int_equal(kw_simulated_vendor_keep(bench->vendor, &bench->device,
                                              bench->slots.slot_10,
                                              &bench->error),
                     KW_OK);
}

static X509 *load(struct bench *bench, const char *name) {
    X509 *certificate = NULL;
    char *path = kw_workspace_path(&bench->scratch.workspace, "%s", name);
    assert_int_equal(kw_certificate_read(path, &certificate, &bench->error),
                     KW_OK);
    free(path);
    return certificate;
}

static mode_t mode_of(struct bench *bench, const char *name) {
    struct stat about;
    char *path = kw_workspace_path(&bench->scratch.workspace, "%s", name);
    assert_int_equal(stat(path, &about), 0);
    free(path);
    return about.st_mode & 0777;
}

static void delete_file(struct bench *bench, const char *name) {
    char *path = kw_workspace_path(&bench->scratch.workspace, "%s", name);
    assert_int_equal(unlink(path), 0);
    free(path);
}

static void check_time(const ASN1_TIME *time, int type, const char *text) {
    assert_int_equal(ASN1_STRING_type(time), type);
    assert_string_equal((const char *)ASN1_STRING_get0_data(time), text);
}

static void openssl_verifies(void **state) {
    struct bench *bench = *state;
    make_chain(bench, NOW);
    X509 *root = load(bench, ROOT);
    X509 *signer = load(bench, SIGNER);
    X509 *device = load(bench, DEVICE);
    assert_int_equal(X509_verify(root, X509_get0_pubkey(root)), 1);
    assert_int_equal(X509_verify(signer, X509_get0_pubkey(root)), 1);
    assert_int_equal(X509_verify(device, X509_get0_pubkey(signer)), 1);
    assert_int_not_equal(X509_verify(device, X509_get0_pubkey(root)), 1);

    /* Names, extensions and path lengths too, at the time of issue. */
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *between = sk_X509_new_null();
    assert_true(sk_X509_push(between, signer) > 0);
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, device, between), 1);
    X509_STORE_CTX_set_time(context, 0, NOW);
    assert_int_equal(X509_verify_cert(context), 1);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    sk_X509_free(between);
    X509_free(root);
    X509_free(signer);
    X509_free(device);
}

static void check_name(X509_NAME *name, const char *common_name) {
    static const int NIDS[] = {NID_organizationName, NID_commonName};
    const char *texts[] = {"Simulated Vendor (no CA)", common_name};
    assert_int_equal(X509_NAME_entry_count(name), 2);
    for (int i = 0; i < 2; i++) {
        X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
        assert_int_equal(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)),
                         NIDS[i]);
        assert_int_equal(ASN1_STRING_type(value), V_ASN1_UTF8STRING);
        assert_int_equal(ASN1_STRING_length(value), strlen(texts[i]));
        assert_memory_equal(ASN1_STRING_get0_data(value), texts[i],
                            strlen(texts[i]));
    }
}

static void each_name_says_simulated(void **state) {
    struct bench *bench = *state;
    make_chain(bench, NOW);
    X509 *root = load(bench, ROOT);
    X509 *signer = load(bench, SIGNER);
    X509 *device = load(bench, DEVICE);
    check_name(X509_get_subject_name(root),
               "Simulated Certificate Root CA 002");
    check_name(X509_get_issuer_name(signer),
               "Simulated Certificate Root CA 002");
    check_name(X509_get_subject_name(signer),
               "Simulated Certificate Signer FFF0");
    check_name(X509_get_issuer_name(device),
               "Simulated Certificate Signer FFF0");
    check_name(X509_get_subject_name(device), "sn0123A1B2C3D4E5F601");
    X509_free(root);
    X509_free(signer);
    X509_free(device);
}

static void dates_as_the_vendor_has_them(void **state) {
    struct bench *bench = *state;
    make_chain(bench, NOW);
    X509 *root = load(bench, ROOT);
    X509 *signer = load(bench, SIGNER);
    X509 *device = load(bench, DEVICE);
    check_time(X509_get0_notBefore(root), V_ASN1_UTCTIME, "261120100000Z");
    check_time(X509_get0_notBefore(signer), V_ASN1_UTCTIME, "261120100000Z");
    check_time(X509_get0_notBefore(device), V_ASN1_UTCTIME, "261120100000Z");
    check_time(X509_get0_notAfter(root), V_ASN1_GENERALIZEDTIME,
               "20661120100000Z");
    check_time(X509_get0_notAfter(signer), V_ASN1_GENERALIZEDTIME,
               "20571120100000Z");
    check_time(X509_get0_notAfter(device), V_ASN1_GENERALIZEDTIME,
               "20541120100000Z");
    X509_free(root);
    X509_free(signer);
    X509_free(device);
}

static void check_extension(const X509 *certificate, int at, int nid,
                            bool critical, const char *der, int size) {
    X509_EXTENSION *extension = X509_get_ext(certificate, at);
    assert_non_null(extension);
    assert_int_equal(OBJ_obj2nid(X509_EXTENSION_get_object(extension)), nid);
    assert_int_equal(X509_EXTENSION_get_critical(extension), critical);
    if (der != NULL) {
        const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(extension);
        assert_int_equal(ASN1_STRING_length(data), size);
        assert_memory_equal(ASN1_STRING_get0_data(data), der, (size_t)size);
    }
}

static void extensions_in_the_vendors_order(void **state) {
    struct bench *bench = *state;
    make_chain(bench, NOW);
    X509 *root = load(bench, ROOT);
    assert_int_equal(X509_get_ext_count(root), 3);
    check_extension(root, 0, NID_subject_key_identifier, false, NULL, 0);
    check_extension(root, 1, NID_authority_key_identifier, false, NULL, 0);
    check_extension(root, 2, NID_basic_constraints, true,
                    "\x30\x03\x01\x01\xFF", 5);
    X509_free(root);

    X509 *signer = load(bench, SIGNER);
    assert_int_equal(X509_get_ext_count(signer), 4);
    check_extension(signer, 0, NID_key_usage, true, "\x03\x02\x01\x86", 4);
    check_extension(signer, 1, NID_basic_constraints, true,
                    "\x30\x06\x01\x01\xFF\x02\x01\x00", 8);
    check_extension(signer, 2, NID_subject_key_identifier, false, NULL, 0);
    check_extension(signer, 3, NID_authority_key_identifier, false, NULL, 0);
    X509_free(signer);

    X509 *device = load(bench, DEVICE);
    assert_int_equal(X509_get_ext_count(device), 4);
    check_extension(device, 0, NID_basic_constraints, true, "\x30\x00", 2);
    check_extension(device, 1, NID_key_usage, true, "\x03\x02\x03\x88", 4);
    check_extension(device, 2, NID_subject_key_identifier, false, NULL, 0);
    check_extension(device, 3, NID_authority_key_identifier, false, NULL, 0);
    X509_free(device);
}

struct field {
    size_t offset;
    size_t size;
    const void *bytes;
};

static void check_fields(const X509 *certificate, const struct field *fields,
                         size_t count) {
    uint8_t *der = NULL;
    const int size = i2d_X509(certificate, &der);
    assert_true(size > 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(fields[i].offset + fields[i].size <= (size_t)size);
        assert_memory_equal(der + fields[i].offset, fields[i].bytes,
                            fields[i].size);
    }
    OPENSSL_free(der);
}

/* Where the vendor's templates have each field: what firmware and the
 * vendor's libraries rely on. */
static void offsets_of_template_3(void **state) {
    struct bench *bench = *state;
    make_chain(bench, NOW);
    const struct field fields[] = {
        {4, 4, "\x30\x82\x01\x97"}, /* TBS, 4 + 407 bytes */
        {120, 4, "FFF0"},
        {128, 13, "261120100000Z"},
        {143, 15, "20541120100000Z"},
        {208, 8, "0123A1B2"},
        {216, 10, "C3D4E5F601"},
        {253, KW_PUBLIC_KEY_SIZE, bench->device.public_key},
        {415, 12, "\x30\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02"},
        {427, 1, "\x03"},
    };
    X509 *device = load(bench, DEVICE);
    check_fields(device, fields, sizeof fields / sizeof *fields);
    X509_free(device);
}

static void offsets_of_template_2(void **state) {
    struct bench *bench = *state;
    bench->device.model = KW_MODEL_608A;
    make_chain(bench, NOW);
    assert_int_equal(bench->slots.slot_10[69], 0x20);
    const struct field fields[] = {
        {120, 4, "FFF0"},
        {206, 8, "0123A1B2"},
        {214, 16, "C3D4E5F601 ATECC"},
        {257, KW_PUBLIC_KEY_SIZE, bench->device.public_key},
        {431, 1, "\x03"},
    };
    X509 *device = load(bench, DEVICE);
    check_fields(device, fields, sizeof fields / sizeof *fields);
    X509_free(device);
}

static void offsets_of_the_signer(void **state) {
    struct bench *bench = *state;
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    make_chain(bench, NOW);
    assert_true(kw_stored_key_read(bench->slots.slot_11, key));
    const struct field fields[] = {
        {56, 24, "Simulated Vendor (no CA)"},
        {91, 33, "Simulated Certificate Root CA 002"},
        {128, 13, "261120100000Z"},
        {143, 15, "20571120100000Z"},
        {235, 4, "FFF0"},
        {266, sizeof key, key},
        {446, 1, "\x03"},
    };
    X509 *signer = load(bench, SIGNER);
    check_fields(signer, fields, sizeof fields / sizeof *fields);
    X509_free(signer);
}

static void serial_numbers_by_hash(void **state) {
    struct bench *bench = *state;
    uint8_t serial[KW_COMPCERT_SERIAL_SIZE];
    make_chain(bench, NOW);
    assert_int_equal(kw_compcert_serial(&kw_openssl_hash,
                                        bench->device.public_key,
                                        bench->slots.slot_10 + 64, serial),
                     KW_OK);
    const struct field field = {15, sizeof serial, serial};
    X509 *device = load(bench, DEVICE);
    check_fields(device, &field, 1);
    X509_free(device);

    X509 *root = load(bench, ROOT);
    const ASN1_INTEGER *number = X509_get0_serialNumber(root);
    assert_int_equal(ASN1_STRING_length(number), KW_COMPCERT_SERIAL_SIZE);
    assert_int_equal(ASN1_STRING_get0_data(number)[0] & 0xC0, 0x40);
    X509_free(root);
}

static void what_the_slots_hold(void **state) {
    struct bench *bench = *state;
    struct kw_compcert compcert;
    make_chain(bench, NOW);
    assert_int_equal(kw_compcert_decode(bench->slots.slot_10, &compcert),
                     KW_OK);
    assert_int_equal(compcert.template_id, 3);
    assert_int_equal(compcert.chain_id, 0);
    assert_int_equal(compcert.serial_source, 0xA);
    assert_memory_equal(compcert.signer_id, "\xFF\xF0", 2);
    assert_int_equal(compcert.dates.years, 28);
    assert_int_equal(kw_compcert_decode(bench->slots.slot_12, &compcert),
                     KW_OK);
    assert_int_equal(compcert.template_id, 1);
    assert_int_equal(compcert.dates.years, 31);
    assert_int_equal(bench->slots.slot_12[70], 0xA0); /* format 0 */
}

static void a_lost_certificate_comes_back(void **state) {
    struct bench *bench = *state;
    uint8_t *before = NULL;
    uint8_t *after = NULL;
    make_chain(bench, NOW);
    X509 *device = load(bench, DEVICE);
    const int size = i2d_X509(device, &before);
    X509_free(device);
    delete_file(bench, DEVICE);
    open_vendor(bench, NOW + 700 * HOUR);
    assert_int_equal(kw_simulated_vendor_keep(bench->vendor, &bench->device,
                                              bench->slots.slot_10,
                                              &bench->error),
                     KW_OK);
    device = load(bench, DEVICE);
    assert_int_equal(i2d_X509(device, &after), size);
    assert_memory_equal(after, before, (size_t)size);
    X509_free(device);
    OPENSSL_free(before);
    OPENSSL_free(after);
}

static void another_slot_is_refused(void **state) {
    struct bench *bench = *state;
    make_chain(bench, NOW);
    delete_file(bench, DEVICE);
    bench->slots.slot_10[20] ^= 1;
    assert_int_equal(kw_simulated_vendor_keep(bench->vendor, &bench->device,
                                              bench->slots.slot_10,
                                              &bench->error),
                     KW_NO_SIGNATURE);
    memset(bench->slots.slot_10, 0xFF, KW_COMPCERT_SIZE);
    assert_int_equal(kw_status_class(kw_simulated_vendor_keep(
                         bench->vendor, &bench->device, bench->slots.slot_10,
                         &bench->error)),
                     KW_CLASS_PARSE);
}

static void files_are_used_again(void **state) {
    struct bench *bench = *state;
    uint8_t first[KW_COMPCERT_SIZE];
    make_chain(bench, NOW);
    memcpy(first, bench->slots.slot_12, sizeof first);
    open_vendor(bench, NOW + 48 * HOUR);
    assert_int_equal(kw_simulated_vendor_issue(bench->vendor, &bench->device,
                                               &bench->slots, &bench->error),
                     KW_OK);
    assert_memory_equal(bench->slots.slot_12, first, sizeof first);
    assert_memory_not_equal(bench->slots.slot_10 + 64, first + 64, 3);
}

static void each_file_may_be_missing(void **state) {
    static const char *const NAMES[] = {"keys/simulated-vendor/root.pem",
                                        "keys/simulated-vendor/signer.pem",
                                        ROOT, SIGNER};
    struct bench *bench = *state;
    make_chain(bench, NOW);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char *path =
            kw_workspace_path(&bench->scratch.workspace, "%s", NAMES[i]);
        char *aside = kw_format("%s.aside", path);
        assert_int_equal(rename(path, aside), 0);
        open_vendor(bench, NOW + HOUR);
        (void)unlink(path);
        assert_int_equal(rename(aside, path), 0);
        free(path);
        free(aside);
    }
}

static void without_the_signers_key(void **state) {
    struct bench *bench = *state;
    make_chain(bench, NOW);
    delete_file(bench, "keys/simulated-vendor/signer.pem");
    open_vendor(bench, NOW);
    assert_int_equal(kw_simulated_vendor_issue(bench->vendor, &bench->device,
                                               &bench->slots, &bench->error),
                     KW_NO);
    assert_non_null(strstr(bench->error.message, "signer.pem"));
}

static void a_foreign_certificate(void **state) {
    struct bench *bench = *state;
    make_chain(bench, NOW);
    char *signer = kw_workspace_path(&bench->scratch.workspace, SIGNER);
    char *device = kw_workspace_path(&bench->scratch.workspace, DEVICE);
    assert_int_equal(rename(device, signer), 0);
    kw_simulated_vendor_close(bench->vendor);
    bench->vendor = NULL;
    assert_int_equal(kw_simulated_vendor_open(&bench->scratch.workspace, NOW,
                                              &bench->vendor, &bench->error),
                     KW_PARSE);
    assert_non_null(strstr(bench->error.message, "signer.crt"));
    free(signer);
    free(device);
}

static void modes(void **state) {
    struct bench *bench = *state;
    make_chain(bench, NOW);
    assert_int_equal(mode_of(bench, "keys/simulated-vendor"), 0700);
    assert_int_equal(mode_of(bench, "keys/simulated-vendor/root.pem"), 0600);
    assert_int_equal(mode_of(bench, "keys/simulated-vendor/signer.pem"), 0600);
    assert_int_equal(mode_of(bench, ROOT), 0644);
    assert_int_equal(mode_of(bench, DEVICE), 0644);
}

/* Whoever rebuilds adds 31 to the year and keeps day and month: nothing may
 * begin on a day that the last year does not have. */
static void leap_day(void **state) {
    struct bench *bench = *state;
    make_chain(bench, LEAP_DAY_2028);
    X509 *root = load(bench, ROOT);
    X509 *signer = load(bench, SIGNER);
    X509 *device = load(bench, DEVICE);
    check_time(X509_get0_notBefore(root), V_ASN1_UTCTIME, "280228230000Z");
    check_time(X509_get0_notBefore(signer), V_ASN1_UTCTIME, "280228230000Z");
    check_time(X509_get0_notAfter(signer), V_ASN1_GENERALIZEDTIME,
               "20590228230000Z");
    check_time(X509_get0_notAfter(device), V_ASN1_GENERALIZEDTIME,
               "20560228230000Z");
    X509_free(root);
    X509_free(signer);
    X509_free(device);
}

static void no_earlier_than_the_issuer(void **state) {
    struct bench *bench = *state;
    open_vendor(bench, NOW);
    make_chain(bench, NOW - 1000 * HOUR); /* the clock went back */
    X509 *device = load(bench, DEVICE);
    check_time(X509_get0_notBefore(device), V_ASN1_UTCTIME, "261120100000Z");
    X509_free(device);
}

static void after_2031_format_1(void **state) {
    struct bench *bench = *state;
    make_chain(bench, 1960000000); /* 2032-02-10 */
    assert_int_equal(bench->slots.slot_10[70], 0xA1);
    X509 *signer = load(bench, SIGNER);
    X509 *device = load(bench, DEVICE);
    assert_int_equal(X509_verify(device, X509_get0_pubkey(signer)), 1);
    X509_free(signer);
    X509_free(device);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(openssl_verifies),
        TEST(each_name_says_simulated),
        TEST(dates_as_the_vendor_has_them),
        TEST(extensions_in_the_vendors_order),
        TEST(offsets_of_template_3),
        TEST(offsets_of_template_2),
        TEST(offsets_of_the_signer),
        TEST(serial_numbers_by_hash),
        TEST(what_the_slots_hold),
        TEST(a_lost_certificate_comes_back),
        TEST(another_slot_is_refused),
        TEST(files_are_used_again),
        TEST(each_file_may_be_missing),
        TEST(without_the_signers_key),
        TEST(a_foreign_certificate),
        TEST(modes),
        TEST(leap_day),
        TEST(no_earlier_than_the_issuer),
        TEST(after_2031_format_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
