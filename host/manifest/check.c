#include "host/manifest/check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host/openssl_hash.h"

/* A fleet has few signers: what is known of the last ones is kept. */
#define SIGNERS 16

struct signer {
    struct kw_pki_bytes bytes;
    struct kw_pki_view view;
    struct kw_verifier *verifier;
    struct kw_verdict verdict;
};

struct kw_manifest_checker {
    struct kw_pki_bytes log_signer;
    struct kw_pki_view log_signer_view;
    uint8_t log_signer_digest[KW_SHA256_SIZE];
    struct kw_verifier *log_signer_verifier;
    struct kw_moment at;
    bool has_root;
    struct kw_pki_bytes root;
    struct kw_pki_view root_view;
    struct kw_verifier *root_verifier;
    struct signer signers[SIGNERS];
    size_t signer_count;
    size_t next_signer; /* whose place is taken when all are */
    struct kw_hasher *hasher;
    struct kw_manifest_room room;
    struct kw_manifest_entry entry;
};

static const struct kw_verdict GOOD = {KW_OK, NULL};

static struct kw_verdict wrong(const char *words) {
    return (struct kw_verdict){KW_NO, words};
}

static struct kw_verdict failed(kw_status status) {
    return (struct kw_verdict){status, kw_status_text(status)};
}

/* --- opening --- */

static kw_status read_trusted(const struct kw_pki_bytes *from,
                              struct kw_pki_bytes *bytes,
                              struct kw_pki_view *view,
                              struct kw_verifier **verifier) {
    *bytes = *from;
    KW_TRY(kw_pki_read(kw_pki_cursor(bytes), view));
    return kw_verifier_open(view->public_key, verifier);
}

static kw_status open_all(struct kw_manifest_checker *checker,
                          const struct kw_manifest_trust *trust) {
    KW_TRY(read_trusted(&trust->log_signer, &checker->log_signer,
                        &checker->log_signer_view,
                        &checker->log_signer_verifier));
    KW_ENSURE(checker->log_signer_view.subject_id != NULL, KW_PARSE);
    KW_TRY(kw_hash_bytes(&kw_openssl_hash, checker->log_signer.der,
                         checker->log_signer.size, checker->log_signer_digest));
    checker->at = trust->at;
    checker->has_root = trust->has_root;
    if (trust->has_root) {
        KW_TRY(read_trusted(&trust->root, &checker->root, &checker->root_view,
                            &checker->root_verifier));
    }
    return kw_hasher_open(&checker->hasher);
}

kw_status kw_manifest_checker_open(const struct kw_manifest_trust *trust,
                                   struct kw_manifest_checker **checker,
                                   struct kw_error *error) {
    struct kw_manifest_checker *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const kw_status status = open_all(made, trust);
    if (status != KW_OK) {
        kw_manifest_checker_close(made);
        return kw_error_core(error, status,
                             "cannot use the log signer's or the root's "
                             "certificate");
    }
    *checker = made;
    return KW_OK;
}

void kw_manifest_checker_close(struct kw_manifest_checker *checker) {
    if (checker == NULL) {
        return;
    }
    for (size_t i = 0; i < checker->signer_count; i++) {
        kw_verifier_close(checker->signers[i].verifier);
    }
    kw_verifier_close(checker->log_signer_verifier);
    kw_verifier_close(checker->root_verifier);
    kw_hasher_close(checker->hasher);
    free(checker);
}

/* --- signatures --- */

static kw_status verify_spans(struct kw_manifest_checker *checker,
                              struct kw_verifier *verifier,
                              const struct kw_span *spans, size_t count,
                              const uint8_t signature[KW_SIGNATURE_SIZE]) {
    uint8_t digest[KW_SHA256_SIZE];
    KW_TRY(kw_hasher_spans(checker->hasher, spans, count, digest));
    return kw_verifier_digest(verifier, digest, signature);
}

static struct kw_verdict check_jws(struct kw_manifest_checker *checker) {
    const struct kw_manifest_entry *entry = &checker->entry;
    if (memcmp(entry->signer_id, checker->log_signer_view.subject_id,
               KW_KEY_ID_SIZE) != 0) {
        return wrong("kid does not match the log signer's certificate");
    }
    if (memcmp(entry->signer_digest, checker->log_signer_digest,
               KW_SHA256_SIZE) != 0) {
        return wrong("x5t#S256 does not match the log signer's certificate");
    }
    const struct kw_span spans[] = {
        {entry->protected_text.at, entry->protected_text.size},
        {".", 1},
        {entry->payload_text.at, entry->payload_text.size},
    };
    const kw_status status = verify_spans(checker, checker->log_signer_verifier,
                                          spans, 3, entry->signature);
    return status == KW_NO_SIGNATURE
               ? wrong("the log signer did not sign this entry")
           : status == KW_OK ? GOOD
                             : failed(status);
}

/* --- the signer --- */

static struct kw_verdict judge_signer(struct kw_manifest_checker *checker,
                                      struct signer *signer) {
    const char *words = NULL;
    if (kw_pki_read(kw_pki_cursor(&signer->bytes), &signer->view) != KW_OK ||
        kw_verifier_open(signer->view.public_key, &signer->verifier) != KW_OK) {
        return (struct kw_verdict){KW_PARSE,
                                   "the signer's certificate cannot be read"};
    }
    if (kw_pki_check_time(&signer->view, &checker->at, &words) != KW_OK) {
        return wrong("the signer's certificate is not valid now");
    }
    if (!checker->has_root) {
        return GOOD;
    }
    if (kw_pki_check_time(&checker->root_view, &checker->at, &words) != KW_OK) {
        return wrong("the root is not valid now");
    }
    if (kw_pki_check_link(&checker->root_view, &signer->view, &words) !=
        KW_OK) {
        return wrong("the root is not the issuer of the signer's "
                     "certificate");
    }
    return kw_verifier_certificate(checker->root_verifier, &signer->view) ==
                   KW_OK
               ? GOOD
               : wrong("the root did not sign the signer's certificate");
}

static struct signer *place_for(struct kw_manifest_checker *checker) {
    if (checker->signer_count < SIGNERS) {
        return &checker->signers[checker->signer_count++];
    }
    struct signer *signer = &checker->signers[checker->next_signer];
    checker->next_signer = (checker->next_signer + 1) % SIGNERS;
    kw_verifier_close(signer->verifier);
    return signer;
}

static struct signer *signer_of(struct kw_manifest_checker *checker,
                                struct kw_der der) {
    for (size_t i = 0; i < checker->signer_count; i++) {
        const struct kw_pki_bytes *bytes = &checker->signers[i].bytes;
        if (kw_der_is(&der, bytes->der, bytes->size)) {
            return &checker->signers[i];
        }
    }
    struct signer *signer = place_for(checker);
    signer->verifier = NULL;
    memcpy(signer->bytes.der, der.at, der.left);
    signer->bytes.size = der.left;
    signer->verdict = judge_signer(checker, signer);
    return signer;
}

/* --- the device --- */

static const struct kw_manifest_key *
key_zero(const struct kw_manifest_entry *entry) {
    for (size_t i = 0; i < entry->key_count; i++) {
        if (entry->keys[i].kid == 0) {
            return &entry->keys[i];
        }
    }
    return NULL;
}

#define ID_DIGITS (KW_UNIQUE_ID_TEXT - 1)

/* The serial number in a name of the vendor's forms; NULL: it is none. */
static const char *serial_in(const char *name) {
    static const char END[] = " ATECC";
    const bool has_sn = strncmp(name, "sn", 2) == 0;
    const char *digits = has_sn ? name + 2 : name;
    const bool is_form =
        strspn(digits, "0123456789ABCDEFabcdef") == ID_DIGITS &&
        strcmp(digits + ID_DIGITS, has_sn ? "" : END) == 0;
    return is_form ? digits : NULL;
}

bool kw_manifest_name_fits(const struct kw_pki_view *device,
                           const uint8_t unique_id[KW_UNIQUE_ID_SIZE]) {
    char name[KW_PKI_MAX];
    char id[KW_UNIQUE_ID_TEXT];
    if (kw_pki_attribute(device->subject, KW_PKI_COMMON_NAME, name,
                         sizeof name) != KW_OK) {
        return true;
    }
    const char *digits = serial_in(name);
    kw_unique_id_text(unique_id, id);
    return digits == NULL || strncasecmp(digits, id, ID_DIGITS) == 0;
}

static struct kw_verdict check_device(struct kw_manifest_checker *checker,
                                      const struct kw_manifest_key *key) {
    const struct kw_manifest_entry *entry = &checker->entry;
    struct kw_pki_view device;
    const char *words = NULL;
    if (kw_pki_read(entry->device, &device) != KW_OK) {
        return (struct kw_verdict){KW_PARSE,
                                   "the device's certificate cannot be read"};
    }
    if (memcmp(device.public_key, key->public_key, KW_PUBLIC_KEY_SIZE) != 0) {
        return wrong("kid 0 is not the key of the device's certificate");
    }
    if (!kw_manifest_name_fits(&device, entry->unique_id)) {
        return wrong("the device's certificate names another serial number");
    }
    if (kw_pki_check_time(&device, &checker->at, &words) != KW_OK) {
        return wrong("the device's certificate is not valid now");
    }
    struct signer *signer = signer_of(checker, entry->signer);
    if (signer->verdict.status != KW_OK) {
        return signer->verdict;
    }
    if (kw_pki_check_link(&signer->view, &device, &words) != KW_OK) {
        return wrong(words);
    }
    const struct kw_span tbs = {device.tbs.at, device.tbs.left};
    return verify_spans(checker, signer->verifier, &tbs, 1, device.signature) ==
                   KW_OK
               ? GOOD
               : wrong("the signer did not sign the device's certificate");
}

struct kw_verdict kw_manifest_check(struct kw_manifest_checker *checker,
                                    const struct kw_manifest_piece *piece,
                                    const struct kw_manifest_entry **entry) {
    *entry = &checker->entry;
    struct kw_verdict verdict =
        kw_manifest_entry_read(piece, &checker->room, &checker->entry);
    if (verdict.status == KW_OK) {
        verdict = check_jws(checker);
    }
    if (verdict.status != KW_OK) {
        return verdict;
    }
    const struct kw_manifest_key *key = key_zero(&checker->entry);
    if (key == NULL || checker->entry.device.left == 0) {
        return wrong("there is no key of slot 0 with its certificates");
    }
    return check_device(checker, key);
}

/* --- the log signer --- */

kw_status kw_manifest_check_log_signer(const struct kw_pki_view *view,
                                       const struct kw_moment *at,
                                       const char *path,
                                       struct kw_error *error) {
    const char *words = NULL;
    if (view->subject_id == NULL) {
        return kw_error(error, KW_NO,
                        "%s is no log signer: it has no subject key "
                        "identifier",
                        path);
    }
    if (kw_pki_check_time(view, at, &words) != KW_OK) {
        kw_error(error, KW_NO, "the log signer %s: %s", path, words);
        return kw_error_hint(error, "importers refuse such a manifest; it "
                                    "needs a new log signer");
    }
    return KW_OK;
}
