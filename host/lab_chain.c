#include "host/lab_chain.h"

#include <string.h>

#include "host/openssl_hash.h"

struct making {
    const struct kw_lab_chain_plan *plan;
    struct kw_lab_chain *chain;
    struct kw_error *error;
    struct kw_key *key[KW_CHAIN_COUNT];
    uint8_t public_key[KW_CHAIN_COUNT][KW_PUBLIC_KEY_SIZE];
};

static kw_status make_keys(struct making *making) {
    for (int i = 0; i < KW_CHAIN_COUNT; i++) {
        KW_TRY(kw_key_make(&making->key[i], making->error));
        kw_key_public(making->key[i], making->public_key[i]);
    }
    return KW_OK;
}

static void issuer_id(const struct making *making, int issuer,
                      bool of_true_root, uint8_t id[KW_KEY_ID_SIZE]) {
    const struct kw_pki_view *root = &making->plan->like->view[KW_CHAIN_ROOT];
    kw_pki_key_id(making->public_key[issuer], id);
    if (of_true_root && root->subject_id != NULL) {
        memcpy(id, root->subject_id, KW_KEY_ID_SIZE);
    }
}

static kw_status sign(const struct kw_key *key, const struct kw_pki_bytes *tbs,
                      struct kw_pki_bytes *whole, struct kw_error *error) {
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t signature[KW_SIGNATURE_SIZE];
    KW_TRY(kw_hash_bytes(&kw_openssl_hash, tbs->der, tbs->size, digest));
    KW_TRY(kw_key_sign(key, digest, signature, error));
    return kw_pki_join(kw_pki_cursor(tbs), signature, whole);
}

static kw_status issue(struct making *making, int which) {
    static const enum kw_pki_profile PROFILES[KW_CHAIN_COUNT] = {
        KW_PKI_ROOT, KW_PKI_SIGNER, KW_PKI_DEVICE};
    const struct kw_lab_chain_plan *plan = making->plan;
    const bool is_root = which == KW_CHAIN_ROOT;
    const int issuer = is_root ? KW_CHAIN_ROOT : which - 1;
    struct kw_pki_bytes *bytes = &making->chain->bytes[which];
    struct kw_pki_bytes tbs;
    uint8_t serial[KW_PKI_SERIAL_SIZE];
    uint8_t id[KW_KEY_ID_SIZE];
    KW_TRY(kw_pki_random_serial(serial, making->error));
    issuer_id(making, issuer, which == KW_CHAIN_SIGNER && plan->claims_root,
              id);
    const struct kw_pki_about about = {
        .profile = PROFILES[which],
        .issuer = plan->like->view[issuer].subject,
        .subject = plan->like->view[which].subject,
        .public_key = making->public_key[which],
        .issuer_id = id,
        .serial = serial,
        .serial_size = sizeof serial,
        .not_before = plan->begin,
        .not_after = is_root ? plan->root_end : plan->end,
        .after_is_generalized = !is_root,
    };
    KW_TRY(kw_pki_tbs(&about, &tbs));
    KW_TRY(sign(making->key[issuer], &tbs, bytes, making->error));
    return kw_pki_read(kw_pki_cursor(bytes), &making->chain->view[which]);
}

kw_status kw_lab_chain_make(const struct kw_lab_chain_plan *plan,
                            struct kw_lab_chain *chain,
                            struct kw_error *error) {
    struct making making = {.plan = plan, .chain = chain, .error = error};
    error->message[0] = '\0';
    kw_status status = make_keys(&making);
    for (int i = 0; status == KW_OK && i < KW_CHAIN_COUNT; i++) {
        status = issue(&making, i);
    }
    for (int i = 0; i < KW_CHAIN_COUNT; i++) {
        kw_key_free(making.key[i]);
    }
    return status == KW_OK || error->message[0] != '\0'
               ? status
               : kw_error_core(error, status, "cannot make a chain");
}
