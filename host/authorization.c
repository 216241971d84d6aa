#include "host/authorization.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "core/rotate.h"
#include "host/openssl_hash.h"
#include "host/register.h"

/* --- the request --- */

static kw_status request_proof_digest(const struct kw_checked_request *checked,
                                      uint8_t digest[KW_SHA256_SIZE]) {
    const struct kw_request *request = &checked->request;
    const struct kw_proof proof = {
        .names_serial = request->names_serial,
        .serial = request->serial,
        .configuration_digest = checked->configuration_digest,
        .old_key = request->has_old_key ? request->old_key : NULL,
        .new_key = request->new_key,
    };
    return kw_proof_digest(&kw_openssl_hash, &proof, digest);
}

static kw_status check_request(const struct kw_envelope *envelope,
                               struct kw_checked_request *checked) {
    uint8_t digest[KW_SHA256_SIZE];
    KW_TRY(kw_request_decode(envelope->payload, envelope->payload_size,
                             &checked->request));
    KW_ENSURE(kw_configuration_can_rotate(&checked->request.configuration),
              KW_NO_CHIP_TYPE);
    KW_TRY(kw_configuration_digest(&kw_openssl_hash,
                                   &checked->request.configuration,
                                   checked->configuration_digest));
    checked->proof = envelope->signature;
    KW_ENSURE(!checked->request.has_old_key ||
                  memcmp(checked->request.old_key, checked->request.new_key,
                         KW_PUBLIC_KEY_SIZE) != 0,
              KW_NO_SAME_KEY);
    KW_TRY(request_proof_digest(checked, digest));
    const kw_status status =
        kw_public_key_verify(checked->request.new_key, digest, checked->proof);
    return status == KW_NO_SIGNATURE || status == KW_PARSE_KEY ? KW_NO_PROOF
                                                               : status;
}

kw_status kw_request_check(const struct kw_envelope *envelope,
                           struct kw_checked_request *checked,
                           struct kw_error *error) {
    const kw_status status = check_request(envelope, checked);
    if (status == KW_OK) {
        return KW_OK;
    }
    kw_error_core(error, status, "the request is refused");
    return kw_error_hint(error, "make it again at the device with `keywright "
                                "rotate request`");
}

/* --- what the authority signs --- */

kw_status kw_pair_make(const struct kw_authority *authority,
                       const struct kw_configuration *configuration,
                       const uint8_t *serial, const uint8_t *key,
                       bool invalidate, uint8_t pair[KW_PAIR_SIZE],
                       struct kw_error *error) {
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t other[KW_OTHER_DATA_SIZE];
    KW_TRY(kw_random(pair, KW_NONCE_SIZE, error));
    const struct kw_pair_about about = {
        .serial = serial,
        .configuration = *configuration,
        .key = key,
        .nonce = pair,
        .invalidate = invalidate,
    };
    const kw_status status =
        kw_pair_digest(&kw_openssl_hash, &about, digest, other);
    if (status != KW_OK) {
        return kw_error_core(error, status, "cannot make a pair");
    }
    return kw_authority_sign(authority, digest, pair + KW_NONCE_SIZE, error);
}

struct pairs {
    uint8_t new_validate[KW_PAIR_SIZE];
    uint8_t old_invalidate[KW_PAIR_SIZE];
    uint8_t old_validate[KW_PAIR_SIZE];
};

static kw_status make_pairs(const struct kw_authority *authority,
                            const struct kw_request *request,
                            struct pairs *pairs, struct kw_error *error) {
    const struct kw_configuration *configuration = &request->configuration;
    KW_TRY(kw_pair_make(authority, configuration, request->serial,
                        request->new_key, false, pairs->new_validate, error));
    if (!request->old_validated) {
        return KW_OK;
    }
    KW_TRY(kw_pair_make(authority, configuration, request->serial,
                        request->old_key, true, pairs->old_invalidate, error));
    return kw_pair_make(authority, configuration, request->serial,
                        request->old_key, false, pairs->old_validate, error);
}

static kw_status sign_bundle(const struct kw_authority *authority,
                             struct kw_envelope *bundle,
                             struct kw_error *error) {
    uint8_t digest[KW_SHA256_SIZE];
    const kw_status status =
        kw_bundle_digest(&kw_openssl_hash, bundle->payload, digest);
    if (status != KW_OK) {
        return kw_error_core(error, status, "cannot sign the bundle");
    }
    return kw_authority_sign(authority, digest, bundle->signature, error);
}

/* --- what the authority decides --- */

/* A bundle that no device would take must not be made, and above all not be
 * registered: the next default counts on from it. */
static kw_status check_window(uint32_t sequence, uint32_t counter, bool named,
                              struct kw_error *error) {
    const uint32_t first = counter + 1;
    const uint32_t last = counter + KW_ROTATE_AHEAD < KW_COUNTER_MAX
                              ? counter + KW_ROTATE_AHEAD
                              : KW_COUNTER_MAX;
    if (first > last) {
        kw_error(error, KW_NO_SEQUENCE_AHEAD,
                 "counter 1 of the device is at its end, %" PRIu32
                 ": it takes no bundle any more",
                 counter);
        return kw_error_hint(error, "use another chip");
    }
    if (sequence >= first && sequence <= last) {
        return KW_OK;
    }
    kw_error(error,
             sequence < first ? KW_NO_SEQUENCE_REPLAYED : KW_NO_SEQUENCE_AHEAD,
             "%s %" PRIu32 ", but the request says counter 1 is %" PRIu32
             ": the device takes sequences %" PRIu32 " to %" PRIu32
             ", at most 16 ahead",
             named ? "the sequence is" : "the register's next sequence is",
             sequence, counter, first, last);
    if (named) {
        return kw_error_hint(error,
                             "name one of these with --sequence, or make the "
                             "request again if the counter has moved");
    }
    return kw_error_hint(
        error,
        "apply a bundle that was made before and make a new request, or "
        "`keywright rotate new-key`, `rotate request` and `rotate authorize "
        "--request FILE --sequence N`, N from %" PRIu32 " to %" PRIu32
        ", then `rotate apply`",
        first, last);
}

kw_status kw_authorization_next(const struct kw_workspace *workspace,
                                const uint8_t serial[KW_SERIAL_SIZE],
                                uint32_t counter, uint32_t *sequence,
                                struct kw_error *error) {
    uint32_t last = 0;
    KW_TRY(kw_register_last_sequence(workspace, serial, &last, error));
    *sequence = (counter > last ? counter : last) + 1;
    return check_window(*sequence, counter, false, error);
}

kw_status
kw_authorization_sequence(const struct kw_authorization *authorization,
                          const struct kw_checked_request *checked,
                          uint32_t *sequence, struct kw_error *error) {
    const struct kw_request *request = &checked->request;
    *sequence = authorization->sequence;
    if (request->names_serial) {
        return *sequence == 0
                   ? kw_authorization_next(authorization->workspace,
                                           request->serial, request->counter,
                                           sequence, error)
                   : check_window(*sequence, request->counter, true, error);
    }
    if (*sequence != 0) {
        return KW_OK;
    }
    kw_error(error, KW_USAGE,
             "the request names no serial: a fleet's sequence must be named");
    return kw_error_hint(error, "give --sequence N, above the counter 1 of "
                                "every device and at most 16 above it");
}

static kw_status check_authority(const struct kw_authorization *authorization,
                                 const struct kw_request *request,
                                 struct kw_error *error) {
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    char wanted[KW_FINGERPRINT_TEXT];
    kw_authority_public(authorization->authority, key);
    if (memcmp(key, request->authority, sizeof key) == 0) {
        return KW_OK;
    }
    kw_fingerprint(request->authority, wanted);
    kw_error(error, KW_NO,
             "slot 13 of the device holds another authority (%.16s)", wanted);
    return kw_error_hint(error, "name that authority's key with --authority");
}

/* A validate pair for the old key could bring it back later: the authority
 * gives one only for a key that it has authorised itself, or that the user
 * names. */
kw_status kw_authorization_old_key(const struct kw_authorization *authorization,
                                   const uint8_t old_key[KW_PUBLIC_KEY_SIZE],
                                   struct kw_error *error) {
    uint8_t authority[KW_PUBLIC_KEY_SIZE];
    char text[KW_FINGERPRINT_TEXT];
    bool vouches = false;
    kw_authority_public(authorization->authority, authority);
    KW_TRY(kw_register_vouches(authorization->workspace, authority, old_key,
                               &vouches, error));
    kw_fingerprint(old_key, text);
    const bool accepted = authorization->accept_old_key != NULL &&
                          strcasecmp(authorization->accept_old_key, text) == 0;
    if (vouches || accepted) {
        return KW_OK;
    }
    kw_error(error, KW_NO,
             "the register does not show that this authority validated the "
             "old key %s",
             text);
    return kw_error_hint(error,
                         "check that fingerprint by another way, then give "
                         "--accept-old-key %s",
                         text);
}

static kw_status enter(const struct kw_authorization *authorization,
                       const struct kw_request *request, uint32_t sequence,
                       const struct kw_envelope *bundle,
                       struct kw_error *error) {
    uint8_t authority[KW_PUBLIC_KEY_SIZE];
    kw_authority_public(authorization->authority, authority);
    const struct kw_register_entry entry = {
        .serial = request->names_serial ? request->serial : NULL,
        .sequence = sequence,
        .authority = authority,
        .old_key = request->has_old_key ? request->old_key : NULL,
        .new_key = request->new_key,
        .payload = bundle->payload,
    };
    return kw_register_append(authorization->workspace, &entry, error);
}

kw_status kw_authorize(const struct kw_authorization *authorization,
                       const struct kw_checked_request *checked,
                       struct kw_envelope *bundle, uint32_t *sequence,
                       struct kw_error *error) {
    const struct kw_request *request = &checked->request;
    struct pairs pairs;
    KW_TRY(check_authority(authorization, request, error));
    if (request->old_validated) {
        KW_TRY(
            kw_authorization_old_key(authorization, request->old_key, error));
    }
    KW_TRY(kw_authorization_sequence(authorization, checked, sequence, error));
    KW_TRY(make_pairs(authorization->authority, request, &pairs, error));
    const struct kw_bundle content = {
        .names_serial = request->names_serial,
        .has_old_key = request->has_old_key,
        .old_validated = request->old_validated,
        .sequence = *sequence,
        .serial = request->serial,
        .configuration_digest = checked->configuration_digest,
        .old_key = request->old_key,
        .old_invalidate = pairs.old_invalidate,
        .old_validate = pairs.old_validate,
        .new_key = request->new_key,
        .new_validate = pairs.new_validate,
        .proof = checked->proof,
    };
    bundle->payload_size = KW_BUNDLE_SIZE;
    kw_bundle_encode(&content, bundle->payload);
    KW_TRY(sign_bundle(authorization->authority, bundle, error));
    return enter(authorization, request, *sequence, bundle, error);
}
