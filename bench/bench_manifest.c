/* Makes and verifies a manifest beside OpenSSL's raw operations.
 *
 * Entries come from lines in memory, as `manifest make --from` reads them:
 * reading, signing, writing and the commit count. They are verified by
 * `manifest verify` with one job, and with one a processor. The references
 * are EVP_PKEY_sign and EVP_PKEY_verify with one prepared context, on one
 * core: signatures in slices between those of `make`, verifications by a
 * thread that wakes now and then while `verify` runs. An entry needs one
 * signature, and two verifications.
 *
 * bench_manifest [ENTRIES [FILE]]: with FILE the manifest is kept. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench/p256.h"
#include "core/compcert.h"
#include "host/base64.h"
#include "host/key.h"
#include "host/manifest/build.h"
#include "host/manifest/store.h"
#include "host/manifest/verify.h"
#include "host/text.h"

#define ENTRIES    20000u
#define SLICE      2000u /* operations of a reference */
#define SLICES     20u   /* of `make` */
#define BATCH      50u   /* lines that are there at once */
#define RECORD_MAX 8192u

static void fail(const char *what) {
    (void)fprintf(stderr, "bench_manifest: %s\n", what);
    exit(1);
}

static void must(kw_status status, const struct kw_error *error) {
    if (status != KW_OK) {
        fail(error->message[0] == '\0' ? kw_status_text(status)
                                       : error->message);
    }
}

static double clock_of(clockid_t which) {
    struct timespec now;
    (void)clock_gettime(which, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- references, on one core --- */

static double sign_rate(struct p256 *pair) {
    const uint8_t digest[32] = {1};
    uint8_t der[P256_DER_MAX];
    size_t size = 0;
    const double start = clock_of(CLOCK_THREAD_CPUTIME_ID);
    for (unsigned i = 0; i < SLICE; i++) {
        if (!p256_sign_der(pair, digest, der, &size)) {
            fail("OpenSSL");
        }
    }
    return SLICE / (clock_of(CLOCK_THREAD_CPUTIME_ID) - start);
}

/* Verifies a little, now and then, so that whatever else the machine does
 * meanwhile slows the reference too. */
struct reference {
    pthread_t thread;
    struct p256 *pair;
    atomic_bool stop;
    unsigned long done;
    double spent; /* processor seconds */
};

static void *refer(void *self) {
    struct reference *reference = self;
    const uint8_t digest[32] = {1};
    const struct timespec pause = {.tv_nsec = 100000000};
    uint8_t der[P256_DER_MAX];
    size_t size = 0;
    if (!p256_sign_der(reference->pair, digest, der, &size)) {
        fail("OpenSSL");
    }
    while (!atomic_load(&reference->stop)) {
        const double start = clock_of(CLOCK_THREAD_CPUTIME_ID);
        for (unsigned i = 0; i < 100; i++) {
            if (!p256_verify_der(reference->pair, digest, der, size)) {
                fail("OpenSSL");
            }
        }
        reference->spent += clock_of(CLOCK_THREAD_CPUTIME_ID) - start;
        reference->done += 100;
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

/* --- a fleet --- */

struct fleet {
    struct kw_error error;
    char folder[64];
    char key[96];
    char certificate[96];
    struct kw_log_signer log_signer;
    struct kw_pki_bytes name;
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    struct kw_manifest_record record;
    struct kw_manifest_text entry;
    struct kw_manifest_room room;
    char lines[BATCH][RECORD_MAX];
    size_t sizes[BATCH];
};

static void certify(struct fleet *fleet, enum kw_pki_profile profile,
                    const uint8_t *public_key, struct kw_pki_bytes *made) {
    uint8_t id[KW_KEY_ID_SIZE];
    uint8_t serial[KW_PKI_SERIAL_SIZE];
    struct kw_pki_bytes tbs;
    kw_pki_key_id(fleet->public_key, id);
    must(kw_pki_random_serial(serial, &fleet->error), &fleet->error);
    const struct kw_pki_about about = {
        .profile = profile,
        .issuer = kw_pki_cursor(&fleet->name),
        .subject = kw_pki_cursor(&fleet->name),
        .public_key = public_key,
        .issuer_id = id,
        .serial = serial,
        .serial_size = sizeof serial,
        .not_before = kw_moment_of(time(NULL) - 3600),
        .not_after = kw_moment_of(time(NULL) + 864000),
    };
    must(kw_pki_tbs(&about, &tbs), &fleet->error);
    must(kw_pki_sign(&tbs, fleet->log_signer.authority, made, &fleet->error),
         &fleet->error);
}

static void set_up(struct fleet *fleet) {
    struct kw_key *key = NULL;
    memcpy(fleet->folder, "/tmp/keywright-bench-XXXXXX", 28);
    if (mkdtemp(fleet->folder) == NULL) {
        fail("mkdtemp");
    }
    (void)snprintf(fleet->key, sizeof fleet->key, "%s/key.pem", fleet->folder);
    (void)snprintf(fleet->certificate, sizeof fleet->certificate, "%s/ca.crt",
                   fleet->folder);
    must(kw_key_make(&key, &fleet->error), &fleet->error);
    must(kw_key_write(key, fleet->key, &fleet->error), &fleet->error);
    kw_key_public(key, fleet->public_key);
    kw_key_free(key);
    must(kw_log_signer_open(NULL, fleet->key, fleet->certificate, time(NULL),
                            &fleet->log_signer, &fleet->error),
         &fleet->error);
    must(kw_pki_name("Bench", "Bench Signer FFFF", &fleet->name),
         &fleet->error);
    certify(fleet, KW_PKI_SIGNER, fleet->public_key, &fleet->record.signer);
}

static void tear_down(struct fleet *fleet) {
    kw_log_signer_close(&fleet->log_signer);
    (void)unlink(fleet->key);
    (void)unlink(fleet->certificate);
    (void)rmdir(fleet->folder);
}

/* A chip: its keys are one point with other first bytes; only slot 0's has
 * to be on the curve. */
static void next_chip(struct fleet *fleet, uint32_t number) {
    struct kw_manifest_record *record = &fleet->record;
    static const uint8_t SLOTS[] = {0, 1, 2, 3, 4, 13, 14, 15};
    record->part = KW_PART_TRUSTFLEX;
    record->model = KW_MODEL_608B;
    record->key_count = sizeof SLOTS;
    memcpy(record->serial, (const uint8_t[]){1, 0x23, 0, 0, 0, 0, 0, 0, 1},
           KW_SERIAL_SIZE);
    memcpy(record->serial + 2, &number, sizeof number);
    for (size_t i = 0; i < sizeof SLOTS; i++) {
        record->keys[i].kid = SLOTS[i];
        memcpy(record->keys[i].public_key, fleet->public_key,
               KW_PUBLIC_KEY_SIZE);
        must(kw_random(record->keys[i].public_key, 32, &fleet->error),
             &fleet->error);
    }
    certify(fleet, KW_PKI_DEVICE, record->keys[0].public_key, &record->device);
}

/* --- making --- */

static size_t put_certificate(char *to, const char *name,
                              const struct kw_pki_bytes *bytes) {
    const int head = snprintf(to, 32, ", \"%s\": \"", name);
    const size_t size =
        kw_base64_encode(KW_BASE64_PADDED, bytes->der, bytes->size, to + head);
    to[(size_t)head + size] = '"';
    return (size_t)head + size + 1;
}

/* The record as a line of RECORDS.ndjson. */
static size_t put_line(const struct kw_manifest_record *record, char *line) {
    char hex[2 * KW_PUBLIC_KEY_SIZE + 1];
    kw_hex(record->serial, KW_SERIAL_SIZE, hex);
    size_t size = (size_t)snprintf(line, RECORD_MAX,
                                   "{\"part\": \"trustflex\", \"model\": "
                                   "\"608b\", \"serial\": \"%s\", \"keys\": ",
                                   hex);
    for (size_t i = 0; i < record->key_count; i++) {
        kw_hex(record->keys[i].public_key, KW_PUBLIC_KEY_SIZE, hex);
        size += (size_t)snprintf(line + size, RECORD_MAX - size,
                                 "%s\"%u\": \"%s\"", i == 0 ? "{" : ", ",
                                 (unsigned)record->keys[i].kid, hex);
    }
    line[size++] = '}';
    size += put_certificate(line + size, "device", &record->device);
    size += put_certificate(line + size, "signer", &record->signer);
    line[size++] = '}';
    return size;
}

static void add_line(struct fleet *fleet, struct kw_manifest_store *store,
                     unsigned i) {
    const struct kw_verdict verdict = kw_manifest_record_of_line(
        fleet->lines[i], fleet->sizes[i], &fleet->room, &fleet->record);
    must(verdict.status, &fleet->error);
    must(kw_manifest_build(&fleet->record, &fleet->log_signer, &fleet->entry,
                           &fleet->error),
         &fleet->error);
    must(kw_manifest_store_put(store, fleet->record.serial, fleet->entry.text,
                               fleet->entry.size, &fleet->error),
         &fleet->error);
}

/* The processor time of entries first to last; the lines are made up
 * outside of it. */
static double make_slice(struct fleet *fleet, struct kw_manifest_store *store,
                         unsigned first, unsigned last) {
    double spent = 0;
    while (first < last) {
        const unsigned count = last - first < BATCH ? last - first : BATCH;
        for (unsigned i = 0; i < count; i++) {
            next_chip(fleet, first + i);
            fleet->sizes[i] = put_line(&fleet->record, fleet->lines[i]);
        }
        const double start = clock_of(CLOCK_THREAD_CPUTIME_ID);
        for (unsigned i = 0; i < count; i++) {
            add_line(fleet, store, i);
        }
        spent += clock_of(CLOCK_THREAD_CPUTIME_ID) - start;
        first += count;
    }
    return spent;
}

/* Answers entries a second of one core's time, and OpenSSL's signatures. */
static double make(struct fleet *fleet, unsigned entries, const char *path,
                   struct p256 *pair, double *raw) {
    struct kw_manifest_store *store = NULL;
    struct kw_manifest_change change;
    double spent = 0;
    *raw = 0;
    must(kw_manifest_store_open(path, &store, &fleet->error), &fleet->error);
    for (unsigned i = 0; i < SLICES; i++) {
        spent +=
            make_slice(fleet, store, (unsigned)((uint64_t)entries * i / SLICES),
                       (unsigned)((uint64_t)entries * (i + 1) / SLICES));
        *raw += sign_rate(pair) / SLICES;
    }
    const double start = clock_of(CLOCK_THREAD_CPUTIME_ID);
    must(kw_manifest_store_commit(store, &change, &fleet->error),
         &fleet->error);
    spent += clock_of(CLOCK_THREAD_CPUTIME_ID) - start;
    kw_manifest_store_close(store);
    return entries / spent;
}

/* --- verifying --- */

static void found(void *observer, const struct kw_manifest_finding *finding) {
    (void)observer;
    fail(finding->words);
}

struct rates {
    double of_a_core; /* entries a second of processor time, all threads */
    double elapsed;   /* entries a second of the clock on the wall */
    double raw;       /* OpenSSL's verifications */
};

static struct rates verify(struct fleet *fleet, const char *path, unsigned jobs,
                           struct p256 *pair) {
    struct kw_manifest_trust trust = {.log_signer =
                                          fleet->log_signer.certificate,
                                      .at = kw_moment_of(time(NULL))};
    struct kw_manifest_tally tally;
    const struct kw_manifest_verification about = {
        .path = path, .trust = &trust, .jobs = jobs, .found = found};
    struct reference reference = {.pair = pair};
    const double wall = clock_of(CLOCK_MONOTONIC);
    const double start = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    if (pthread_create(&reference.thread, NULL, refer, &reference) != 0) {
        fail("cannot start a thread");
    }
    must(kw_manifest_verify(&about, &tally, &fleet->error), &fleet->error);
    atomic_store(&reference.stop, true);
    (void)pthread_join(reference.thread, NULL);
    const double spent = clock_of(CLOCK_PROCESS_CPUTIME_ID) - start;
    return (struct rates){
        .of_a_core = tally.entries / (spent - reference.spent),
        .elapsed = tally.entries / (clock_of(CLOCK_MONOTONIC) - wall),
        .raw = (double)reference.done / reference.spent,
    };
}

static long peak_memory(void) {
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss; /* KiB */
}

static void measure(struct fleet *fleet, unsigned entries, const char *path) {
    struct p256 pair;
    const unsigned cores = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    if (!p256_make(&pair)) {
        fail("OpenSSL");
    }
    double raw = 0;
    const double made = make(fleet, entries, path, &pair, &raw);
    (void)printf(
        "make    %8.0f entries/s a core   sign   %8.0f/s  ratio %.2f\n", made,
        raw, made / raw);
    for (unsigned jobs = 1; jobs <= cores; jobs += cores > 1 ? cores - 1 : 1) {
        const struct rates rates = verify(fleet, path, jobs, &pair);
        (void)printf("verify  %8.0f entries/s a core   verify %8.0f/s  ratio "
                     "%.2f (%u jobs; on the wall %.0f, ratio %.2f)\n",
                     rates.of_a_core, rates.raw,
                     2 * rates.of_a_core / rates.raw, jobs, rates.elapsed,
                     2 * rates.elapsed / (rates.raw * jobs));
    }
    (void)printf("%u entries, peak memory %ld KiB\n", entries, peak_memory());
    p256_free(&pair);
}

int main(int argc, char **argv) {
    struct fleet *fleet = calloc(1, sizeof *fleet);
    const unsigned entries =
        argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : ENTRIES;
    char *path = NULL;
    if (fleet == NULL) {
        fail("out of memory");
    }
    set_up(fleet);
    path = argc > 2 ? strdup(argv[2])
                    : kw_format("%s/manifest.json", fleet->folder);
    if (path == NULL) {
        fail("out of memory");
    }
    measure(fleet, entries, path);
    if (argc <= 2) {
        (void)unlink(path);
    }
    free(path);
    tear_down(fleet);
    free(fleet);
    return 0;
}
