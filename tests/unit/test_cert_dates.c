/* Certificates on days that are easily wrong: leap days, the ends of formats
 * and of the century, never, and years later. Each chain goes into a chip,
 * comes back from it, and OpenSSL verifies it. */
#include <time.h>

#include <openssl/x509_vfy.h>

#include "host/certs/custom.h"
#include "host/certs/dates.h"
#include "host/emulated_chip.h"
#include "tests/unit/scratch.h"

struct bench {
    struct scratch scratch;
    struct kw_opened_link link;
    struct kw_chip chip;
    struct kw_error error;
    unsigned lines; /* that said "shortened" or "begins with its issuer" */
    struct kw_certs_custom custom;
    struct kw_certs_custom_result result;
};

/* --- the bench --- */

static void use_chip(struct bench *bench, const char *name) {
    struct kw_new_chip *made = NULL;
    kw_link_close(&bench->link);
    assert_int_equal(kw_new_chip_make(KW_PART_TRUSTFLEX, KW_MODEL_608B, &made,
                                      &bench->error),
                     KW_OK);
    assert_int_equal(
        kw_new_chip_save(made, &bench->scratch.workspace, name, &bench->error),
        KW_OK);
    kw_new_chip_free(made);
    assert_int_equal(kw_emulated_chip_open(&bench->scratch.workspace, name,
                                           &bench->link, &bench->error),
                     KW_OK);
    kw_chip_init(&bench->chip, bench->link.link);
}

static void listen(void *observer, const char *line) {
    struct bench *bench = observer;
    bench->lines += strstr(line, "shortened") != NULL ||
                    strstr(line, "begins with its issuer") != NULL;
}

static int set_up(void **state) {
    struct bench *bench = calloc(1, sizeof *bench);
    scratch_make(&bench->scratch);
    use_chip(bench, "one");
    bench->custom = (struct kw_certs_custom){
        .workspace = &bench->scratch.workspace,
        .chip = &bench->chip,
        .organisation = "test",
        .signer_id = {0xFF, 0xFF},
        .say = listen,
        .observer = bench,
    };
    *state = bench;
    return 0;
}

static int tear_down(void **state) {
    struct bench *bench = *state;
    kw_link_close(&bench->link);
    scratch_remove(&bench->scratch);
    free(bench);
    return 0;
}

static time_t time_of(int year, int month, int day, int hour, int minute) {
    struct tm utc = {.tm_year = year - 1900,
                     .tm_mon = month - 1,
                     .tm_mday = day,
                     .tm_hour = hour,
                     .tm_min = minute,
                     .tm_sec = 7};
    return timegm(&utc);
}

static kw_status make_at(struct bench *bench, time_t now) {
    bench->custom.now = now;
    bench->lines = 0;
    return kw_certs_custom_make(&bench->custom, &bench->result, &bench->error);
}

/* --- OpenSSL's opinion --- */

static X509 *parsed(const struct kw_pki_view *view) {
    const uint8_t *at = view->whole.at;
    X509 *certificate = d2i_X509(NULL, &at, (long)view->whole.left);
    assert_non_null(certificate);
    return certificate;
}

static void openssl_verifies(const struct kw_chain *chain, time_t at) {
    X509 *root = parsed(&chain->view[KW_CHAIN_ROOT]);
    X509 *signer = parsed(&chain->view[KW_CHAIN_SIGNER]);
    X509 *device = parsed(&chain->view[KW_CHAIN_DEVICE]);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *others = sk_X509_new_null();
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_true(sk_X509_push(others, signer) > 0);
    assert_int_equal(X509_STORE_CTX_init(context, store, device, others), 1);
    X509_STORE_CTX_set_time(context, 0, at);
    assert_int_equal(X509_verify_cert(context), 1);
    X509_STORE_CTX_free(context);
    sk_X509_free(others);
    X509_STORE_free(store);
    X509_free(root);
    X509_free(signer);
    X509_free(device);
}

/* What a strict verifier finds, all of it: it is told to go on. */
#define FOUND_MAX 8
struct found {
    size_t count;
    struct {
        int error;
        int depth;
    } difference[FOUND_MAX];
};

static int note(int good, X509_STORE_CTX *context) {
    struct found *found = X509_STORE_CTX_get_app_data(context);
    if (good == 0 && found->count < FOUND_MAX) {
        found->difference[found->count].error =
            X509_STORE_CTX_get_error(context);
        found->difference[found->count].depth =
            X509_STORE_CTX_get_error_depth(context);
        found->count++;
    }
    return 1;
}

static void find_differences(const struct kw_chain *chain, time_t at,
                             struct found *found) {
    X509 *root = parsed(&chain->view[KW_CHAIN_ROOT]);
    X509 *signer = parsed(&chain->view[KW_CHAIN_SIGNER]);
    X509 *device = parsed(&chain->view[KW_CHAIN_DEVICE]);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *others = sk_X509_new_null();
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_true(sk_X509_push(others, signer) > 0);
    assert_int_equal(X509_STORE_CTX_init(context, store, device, others), 1);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT |
                                          X509_V_FLAG_CHECK_SS_SIGNATURE);
    X509_STORE_CTX_set_time(context, 0, at);
    X509_STORE_CTX_set_app_data(context, found);
    X509_STORE_CTX_set_verify_cb(context, note);
    found->count = 0;
    (void)X509_verify_cert(context);
    X509_STORE_CTX_free(context);
    sk_X509_free(others);
    X509_STORE_free(store);
    X509_free(root);
    X509_free(signer);
    X509_free(device);
}

/* docs/certs.md, "Strict verifiers": the root has no key usage extension,
 * and nothing else differs. */
static void differs_as_documented(const struct kw_chain *chain, time_t at) {
    struct found found;
    find_differences(chain, at, &found);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.difference[0].error,
                     X509_V_ERR_CA_CERT_MISSING_KEY_USAGE);
    assert_int_equal(found.difference[0].depth, 2);
}

static void nothing_outlives_its_issuer(const struct kw_chain *chain) {
    const char *words = NULL;
    for (int i = 1; i < KW_CHAIN_COUNT; i++) {
        assert_int_equal(
            kw_pki_check_nesting(&chain->view[i - 1], &chain->view[i], &words),
            KW_OK);
    }
}

static void assert_moment(const struct kw_moment *moment, const char *text) {
    char shown[KW_MOMENT_TEXT];
    kw_moment_text(moment, shown);
    assert_string_equal(shown, text);
}

/* --- days --- */

struct day {
    int year, month, day, hour;
    const char *begin;
    const char *device_end;
    unsigned format;
    size_t begin_size; /* of its text: 13 or 15 */
};

static void a_day(const struct day *day) {
    struct bench *bench = NULL;
    const time_t now = time_of(day->year, day->month, day->day, day->hour, 34);
    assert_int_equal(set_up((void **)&bench), 0);
    assert_int_equal(make_at(bench, now), KW_OK);
    const struct kw_chain *chain = &bench->result.chain;
    for (int i = 0; i < KW_CHAIN_COUNT; i++) {
        assert_moment(&chain->view[i].not_before, day->begin);
        assert_int_equal(chain->view[i].not_before_text.left, day->begin_size);
    }
    const struct kw_pki_view *device = &chain->view[KW_CHAIN_DEVICE];
    assert_moment(&device->not_after, day->device_end);
    assert_int_equal(device->not_after_text.left, 15);
    assert_int_equal(bench->result.certs.slots.slot[0][70] & 15, day->format);
    nothing_outlives_its_issuer(chain);
    openssl_verifies(chain, now);
    differs_as_documented(chain, now);
    assert_int_equal(bench->lines, 0);
    kw_certs_custom_free(&bench->result);
    (void)tear_down((void **)&bench);
}

static void days_that_are_easily_wrong(void **state) {
    static const struct day DAYS[] = {
        {2024, 2, 29, 12, "2024-02-28T23:00:00Z", "2052-02-28T23:00:00Z", 0,
         13},
        {2024, 2, 28, 23, "2024-02-28T23:00:00Z", "2052-02-28T23:00:00Z", 0,
         13},
        {2024, 3, 1, 0, "2024-03-01T00:00:00Z", "2052-03-01T00:00:00Z", 0, 13},
        {2000, 1, 1, 0, "2000-01-01T00:00:00Z", "2028-01-01T00:00:00Z", 0, 13},
        {2031, 12, 31, 23, "2031-12-31T23:00:00Z", "2059-12-31T23:00:00Z", 0,
         13},
        {2032, 1, 1, 0, "2032-01-01T00:00:00Z", "2060-01-01T00:00:00Z", 1, 13},
        {2049, 12, 31, 23, "2049-12-31T23:00:00Z", "2077-12-31T23:00:00Z", 1,
         13},
        {2050, 1, 1, 0, "2050-01-01T00:00:00Z", "2078-01-01T00:00:00Z", 1, 15},
        {2072, 2, 28, 1, "2072-02-28T01:00:00Z", "2100-02-28T01:00:00Z", 1, 15},
        {2127, 12, 31, 23, "2127-12-31T23:00:00Z", "2155-12-31T23:00:00Z", 1,
         15},
    };
    (void)state;
    for (size_t i = 0; i < sizeof DAYS / sizeof *DAYS; i++) {
        a_day(&DAYS[i]);
    }
}

static void no_format_holds_the_year_2128(void **state) {
    struct bench *bench = *state;
    assert_int_equal(make_at(bench, time_of(2128, 1, 1, 0, 0)), KW_NO);
    assert_non_null(strstr(bench->error.message, "2127"));
    kw_certs_custom_free(&bench->result);
}

/* Which format the years take, not only the begin. */
static void more_than_31_years_take_format_1(void **state) {
    static const unsigned YEARS[] = {60, 50, 32};
    struct bench *bench = *state;
    bench->custom.years = YEARS;
    assert_int_equal(make_at(bench, time_of(2026, 11, 20, 9, 0)), KW_OK);
    assert_int_equal(bench->result.certs.slots.slot[0][70] & 15, 1);
    assert_moment(&bench->result.chain.view[KW_CHAIN_DEVICE].not_after,
                  "2058-11-20T09:00:00Z");
    kw_certs_custom_free(&bench->result);
}

/* The root's end is UTCTime up to 2049, as its begin; the others' never. */
static void a_root_that_ends_before_2050(void **state) {
    static const struct {
        unsigned years[KW_CHAIN_COUNT];
        size_t root_end_size;
    } ROWS[] = {{{23, 10, 5}, 13}, {{24, 10, 5}, 15}};
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct kw_chain *chain = &bench->result.chain;
        bench->custom.years = ROWS[i].years;
        assert_int_equal(make_at(bench, time_of(2026, 11, 20, 9, 0)), KW_OK);
        assert_int_equal(chain->view[KW_CHAIN_ROOT].not_after_text.left,
                         ROWS[i].root_end_size);
        assert_int_equal(chain->view[KW_CHAIN_SIGNER].not_after_text.left, 15);
        assert_int_equal(chain->view[KW_CHAIN_DEVICE].not_after_text.left, 15);
        openssl_verifies(chain, time_of(2031, 1, 1, 0, 0));
        kw_certs_custom_free(&bench->result);
    }
}

static void never_is_the_year_9999(void **state) {
    static const unsigned NEVER[] = {0, 0, 0};
    struct bench *bench = *state;
    bench->custom.years = NEVER;
    assert_int_equal(make_at(bench, time_of(2026, 11, 20, 9, 0)), KW_OK);
    for (int i = 0; i < KW_CHAIN_COUNT; i++) {
        assert_moment(&bench->result.chain.view[i].not_after,
                      "9999-12-31T23:59:59Z");
    }
    assert_int_equal(bench->result.certs.slots.slot[0][66] & 31, 0);
    openssl_verifies(&bench->result.chain, time_of(9999, 12, 31, 23, 0));
    differs_as_documented(&bench->result.chain, time_of(9999, 12, 31, 23, 0));
    kw_certs_custom_free(&bench->result);
}

/* A device that never expires below a signer that does. */
static void never_below_an_end_is_shortened(void **state) {
    static const unsigned YEARS[] = {40, 31, 0};
    static const unsigned LESS[] = {40, 30, 0};
    struct bench *bench = *state;
    bench->custom.years = YEARS;
    assert_int_equal(make_at(bench, time_of(2026, 11, 20, 9, 0)), KW_OK);
    assert_moment(&bench->result.chain.view[KW_CHAIN_DEVICE].not_after,
                  "2057-11-20T09:00:00Z");
    assert_int_equal(bench->lines, 1);
    kw_certs_custom_free(&bench->result);

    /* The same is wanted again: what was shortened fits. */
    assert_int_equal(make_at(bench, time_of(2026, 11, 20, 9, 0)), KW_OK);
    assert_int_equal(bench->result.generation, 1);
    assert_true(bench->result.reused[KW_CHAIN_DEVICE]);
    kw_certs_custom_free(&bench->result);

    /* Less is wanted, and more is there: another generation. */
    bench->custom.years = LESS;
    assert_int_equal(make_at(bench, time_of(2026, 11, 20, 9, 0)), KW_OK);
    assert_int_equal(bench->result.generation, 2);
    kw_certs_custom_free(&bench->result);
}

/* --- years later --- */

static void a_signer_is_used_again_years_later(void **state) {
    struct bench *bench = *state;
    assert_int_equal(make_at(bench, time_of(2026, 11, 20, 9, 0)), KW_OK);
    kw_certs_custom_free(&bench->result);

    use_chip(bench, "two");
    assert_int_equal(make_at(bench, time_of(2050, 3, 4, 5, 6)), KW_OK);
    assert_true(bench->result.reused[KW_CHAIN_SIGNER]);
    assert_false(bench->result.reused[KW_CHAIN_DEVICE]);
    assert_int_equal(bench->lines, 1);
    assert_moment(&bench->result.chain.view[KW_CHAIN_DEVICE].not_before,
                  "2050-03-04T05:00:00Z");
    assert_moment(&bench->result.chain.view[KW_CHAIN_DEVICE].not_after,
                  "2057-03-04T05:00:00Z");
    nothing_outlives_its_issuer(&bench->result.chain);
    openssl_verifies(&bench->result.chain, time_of(2056, 1, 1, 0, 0));
    kw_certs_custom_free(&bench->result);

    use_chip(bench, "three");
    assert_int_equal(make_at(bench, time_of(2057, 3, 4, 5, 6)), KW_NO);
    assert_non_null(strstr(bench->error.message, "less than a year"));
    kw_certs_custom_free(&bench->result);

    bench->custom.renew = true;
    assert_int_equal(make_at(bench, time_of(2057, 3, 4, 5, 6)), KW_OK);
    assert_int_equal(bench->result.generation, 2);
    openssl_verifies(&bench->result.chain, time_of(2057, 3, 4, 5, 6));
    kw_certs_custom_free(&bench->result);
}

/* What is used again must not have ended. */
static void a_device_that_has_expired_is_not_used_again(void **state) {
    struct bench *bench = *state;
    assert_int_equal(make_at(bench, time_of(2026, 11, 20, 9, 0)), KW_OK);
    kw_certs_custom_free(&bench->result);
    assert_int_equal(make_at(bench, time_of(2054, 11, 20, 8, 59)), KW_OK);
    assert_true(bench->result.reused[KW_CHAIN_DEVICE]);
    kw_certs_custom_free(&bench->result);
    assert_int_equal(make_at(bench, time_of(2054, 11, 20, 9, 1)), KW_NO);
    assert_non_null(strstr(bench->error.message, "device certificate"));
    assert_non_null(strstr(bench->error.message, "expired"));
    assert_non_null(strstr(bench->error.hint, "--renew"));
    kw_certs_custom_free(&bench->result);
    bench->custom.renew = true;
    assert_int_equal(make_at(bench, time_of(2054, 11, 20, 9, 1)), KW_OK);
    openssl_verifies(&bench->result.chain, time_of(2054, 11, 20, 9, 1));
    kw_certs_custom_free(&bench->result);
}

/* The clock went back, or is set to the past: nothing predates. */
static void a_clock_that_went_back_is_refused(void **state) {
    struct bench *bench = *state;
    assert_int_equal(make_at(bench, time_of(2026, 11, 20, 9, 0)), KW_OK);
    kw_certs_custom_free(&bench->result);
    use_chip(bench, "two");
    assert_int_equal(make_at(bench, time_of(2026, 11, 19, 9, 0)), KW_NO);
    assert_non_null(strstr(bench->error.message, "not valid yet"));
    kw_certs_custom_free(&bench->result);
}

/* --- Trust&GO --- */

/* Signs a device certificate with an EUI-48 in place of the one in slot 10,
 * as newer Trust&GO parts have one. */
static void sign_with_eui48(struct bench *bench, const char *eui48,
                            struct kw_chip_certs *certs) {
    const struct kw_pki_view *device =
        &bench->result.chain.view[KW_CHAIN_DEVICE];
    char *path = kw_format("%s/keys/custom-0001/signer_FFFF.key",
                           bench->scratch.workspace.folder);
    struct kw_authority *signer = NULL;
    struct kw_pki_bytes tbs;
    struct kw_pki_bytes whole;
    struct kw_pki_view view;
    const struct kw_pki_about about = {
        .profile = KW_PKI_DEVICE,
        .issuer = device->issuer,
        .subject = device->subject,
        .public_key = device->public_key,
        .issuer_id = device->authority_id,
        .serial = device->serial.at,
        .serial_size = device->serial.left,
        .not_before = device->not_before,
        .not_after = device->not_after,
        .after_is_generalized = true,
        .eui48 = eui48,
    };
    assert_int_equal(kw_authority_open(path, &signer, &bench->error), KW_OK);
    assert_int_equal(kw_pki_tbs(&about, &tbs), KW_OK);
    assert_int_equal(kw_pki_sign(&tbs, signer, &whole, &bench->error), KW_OK);
    assert_int_equal(kw_pki_read(kw_pki_cursor(&whole), &view), KW_OK);
    *certs = bench->result.certs;
    memcpy(certs->slots.slot[0], view.signature, KW_SIGNATURE_SIZE);
    kw_authority_close(signer);
    free(path);
}

static void an_eui48_is_part_of_the_certificate(void **state) {
    struct bench *bench = *state;
    struct kw_chip_certs certs;
    assert_int_equal(make_at(bench, time_of(2026, 11, 20, 9, 0)), KW_OK);
    struct kw_chain *chain = &bench->result.chain;
    const struct kw_pki_bytes names[] = {chain->bytes[KW_CHAIN_SIGNER],
                                         chain->bytes[KW_CHAIN_DEVICE]};
    struct kw_pki_view signer;
    struct kw_pki_view device;
    assert_int_equal(kw_pki_read(kw_pki_cursor(&names[0]), &signer), KW_OK);
    assert_int_equal(kw_pki_read(kw_pki_cursor(&names[1]), &device), KW_OK);
    sign_with_eui48(bench, "0123456789AB", &certs);
    chain->kind = KW_CHAIN_VENDOR;
    assert_int_equal(
        kw_chain_rebuild(&certs, signer.subject, device.subject, chain),
        KW_NO_SIGNATURE);
    memcpy(certs.eui48, "0123456789AB", KW_EUI48_DIGITS);
    assert_int_equal(
        kw_chain_rebuild(&certs, signer.subject, device.subject, chain), KW_OK);
    assert_memory_equal(chain->view[KW_CHAIN_DEVICE].eui48, "0123456789AB",
                        KW_EUI48_DIGITS);
    openssl_verifies(chain, time_of(2027, 1, 1, 0, 0));
    differs_as_documented(chain, time_of(2027, 1, 1, 0, 0));
    kw_certs_custom_free(&bench->result);
}

/* --- the rules alone --- */

static struct kw_pki_view issuer_of(struct kw_moment begin, uint16_t end) {
    struct kw_moment after = begin;
    after.year = end;
    return (struct kw_pki_view){.not_before = begin, .not_after = after};
}

static void an_issuer_of_this_hour(void **state) {
    static const struct {
        struct kw_moment issuer;
        struct kw_moment now;
        const char *begin;
        bool later;
    } ROWS[] = {
        {{2026, 11, 20, 9, 12, 1},
         {2026, 11, 20, 9, 40, 0},
         "2026-11-20T10:00:00Z",
         true},
        {{2026, 11, 20, 9, 0, 0},
         {2026, 11, 20, 9, 40, 0},
         "2026-11-20T09:00:00Z",
         false},
        {{2026, 12, 31, 23, 5, 0},
         {2026, 12, 31, 23, 59, 0},
         "2027-01-01T00:00:00Z",
         true},
        {{2028, 2, 29, 5, 10, 0},
         {2028, 2, 29, 5, 40, 0},
         "2028-03-01T00:00:00Z",
         true},
        {{2028, 2, 28, 23, 10, 0},
         {2028, 2, 28, 23, 40, 0},
         "2028-03-01T00:00:00Z",
         true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct kw_pki_view issuer = issuer_of(ROWS[i].issuer, 2100);
        struct kw_cert_plan plan;
        struct kw_error error;
        struct kw_moment begin;
        struct kw_moment end;
        assert_int_equal(kw_cert_plan(&ROWS[i].now, &issuer, 28, &plan, &error),
                         KW_OK);
        kw_moments_of_dates(&plan.dates, &begin, &end);
        assert_moment(&begin, ROWS[i].begin);
        assert_int_equal(plan.later, ROWS[i].later);
        assert_true(kw_moment_order(&begin, &issuer.not_before) >= 0);
    }
}

/* The end of an existing CA with minutes: whole years that fit below it. */
static void an_end_is_shortened_by_whole_years(void **state) {
    const struct kw_moment now = {2026, 11, 20, 9, 40, 0};
    struct kw_pki_view issuer =
        issuer_of((struct kw_moment){2020, 11, 20, 9, 39, 59}, 2036);
    struct kw_cert_plan plan;
    struct kw_error error;
    (void)state;
    assert_int_equal(kw_cert_plan(&now, &issuer, 31, &plan, &error), KW_OK);
    assert_true(plan.shortened);
    assert_int_equal(plan.dates.years, 10);
    issuer.not_after.hour = 8;
    assert_int_equal(kw_cert_plan(&now, &issuer, 31, &plan, &error), KW_OK);
    assert_int_equal(plan.dates.years, 9);
    issuer.not_after.year = 2027;
    assert_int_equal(kw_cert_plan(&now, &issuer, 31, &plan, &error), KW_NO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_that_are_easily_wrong),
        cmocka_unit_test_setup_teardown(no_format_holds_the_year_2128, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(more_than_31_years_take_format_1,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_root_that_ends_before_2050, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(never_is_the_year_9999, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(never_below_an_end_is_shortened, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_signer_is_used_again_years_later,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_device_that_has_expired_is_not_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_went_back_is_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_eui48_is_part_of_the_certificate,
                                        set_up, tear_down),
        cmocka_unit_test(an_issuer_of_this_hour),
        cmocka_unit_test(an_end_is_shortened_by_whole_years),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
