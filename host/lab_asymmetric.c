/* Asymmetric authentication: the chip proves that it holds the private key
 * of a certificate that the host trusts. docs/labs.md, "asymmetric". The
 * console lines are those of the vendor's notebook and firmware. */
#include <stdlib.h>
#include <string.h>

#include "host/certs/chain.h"
#include "host/certs/pki_file.h"
#include "host/chip_reading.h"
#include "host/lab.h"
#include "host/lab_chain.h"

#define CHALLENGE_SIZE 32
#define PRIVATE_SLOT   0
#define ENDED_AGO      1  /* years */
#define BEGAN_AGO      3  /* years */
#define ROOT_LASTS     30 /* years */

struct asymmetric {
    struct kw_chip_certs certs;
    struct kw_chain chain;
    uint8_t challenge[CHALLENGE_SIZE];
    uint8_t response[KW_SIGNATURE_SIZE];
};

/* --- what a host does --- */

static kw_status check_chain(const struct kw_lab_bench *bench,
                             const struct kw_pki_view chain[KW_CHAIN_COUNT]) {
    return kw_pki_check_chain(chain, kw_chain_names, KW_CHAIN_COUNT,
                              &bench->now, bench->error);
}

static kw_status make_challenge(const struct kw_lab_bench *bench,
                                uint8_t challenge[CHALLENGE_SIZE]) {
    char text[KW_LAB_HEX];
    KW_TRY(kw_random(challenge, CHALLENGE_SIZE, bench->error));
    kw_lab_say(bench, "host generate challenge...OK(Challenge: %s)",
               kw_lab_hex(challenge, CHALLENGE_SIZE, text));
    kw_lab_value(bench, "challenge", challenge, CHALLENGE_SIZE);
    return KW_OK;
}

/* The key is the certificate's, not one that the node tells. */
static kw_status check_response(const struct kw_lab_bench *bench,
                                const uint8_t challenge[CHALLENGE_SIZE],
                                const uint8_t response[KW_SIGNATURE_SIZE]) {
    const struct asymmetric *lab = bench->state;
    const struct kw_pki_view *device = &lab->chain.view[KW_CHAIN_DEVICE];
    const kw_status status =
        kw_public_key_verify(device->public_key, challenge, response);
    return status == KW_OK
               ? KW_OK
               : kw_error_core(bench->error, status,
                               "the response is not by the key of the "
                               "certificate, or not to this challenge");
}

/* --- what a client does --- */

static kw_status respond(const struct kw_lab_bench *bench, struct kw_chip *chip,
                         const uint8_t challenge[CHALLENGE_SIZE],
                         uint8_t response[KW_SIGNATURE_SIZE]) {
    char text[KW_LAB_HEX];
    const kw_status status =
        kw_chip_sign(chip, PRIVATE_SLOT, challenge, response);
    kw_chip_idle(chip);
    if (status != KW_OK) {
        return kw_error_chip(bench->error, status, chip,
                             "the chip did not sign the challenge");
    }
    kw_lab_say(bench, "client generate response...OK(Response: %s)",
               kw_lab_hex(response, KW_SIGNATURE_SIZE, text));
    kw_lab_value(bench, "response", response, KW_SIGNATURE_SIZE);
    return KW_OK;
}

/* --- the steps --- */

static kw_status say_certificate(const struct kw_lab_bench *bench,
                                 const char *title,
                                 const struct kw_pki_bytes *bytes) {
    char *pem = kw_pki_pem(KW_PEM_CERTIFICATE, bytes);
    char *rest = NULL;
    if (pem == NULL) {
        return kw_error(bench->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    kw_lab_say(bench, "%s", title);
    for (char *line = strtok_r(pem, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        kw_lab_say(bench, "%s", line);
    }
    free(pem);
    return KW_OK;
}

/* For documents: the DER of a chain that is shown to the host. */
static void show_chain(const struct kw_lab_bench *bench,
                       const struct kw_pki_view chain[KW_CHAIN_COUNT]) {
    for (int i = 0; i < KW_CHAIN_COUNT; i++) {
        kw_lab_value(bench, kw_chain_names[i], chain[i].whole.at,
                     chain[i].whole.left);
    }
}

static kw_status rebuild(struct kw_lab_bench *bench) {
    struct asymmetric *lab = bench->state;
    const struct kw_chain_sources sources = {.workspace = bench->workspace,
                                             .root = bench->source};
    KW_TRY(kw_chip_certs_read(bench->chip, &lab->certs, bench->error));
    KW_TRY(kw_chain_find(&sources, &lab->certs, &lab->chain, bench->error));
    kw_lab_say(bench, "client rebuild certificates...OK");
    KW_TRY(say_certificate(bench, "CLIENT: Rebuilt Signer Certificate:",
                           &lab->chain.bytes[KW_CHAIN_SIGNER]));
    return say_certificate(bench, "CLIENT: Rebuilt Device Certificate:",
                           &lab->chain.bytes[KW_CHAIN_DEVICE]);
}

static kw_status verify_chain(struct kw_lab_bench *bench) {
    const struct asymmetric *lab = bench->state;
    show_chain(bench, lab->chain.view);
    KW_TRY(check_chain(bench, lab->chain.view));
    kw_lab_say(bench,
               "HOST: Signer certificate verified against root public key!");
    kw_lab_say(bench,
               "HOST: Device certificate verified against signer public key!");
    kw_lab_say(bench, "host verify cert chain...OK");
    return KW_OK;
}

static kw_status challenge(struct kw_lab_bench *bench) {
    struct asymmetric *lab = bench->state;
    return make_challenge(bench, lab->challenge);
}

static kw_status response(struct kw_lab_bench *bench) {
    struct asymmetric *lab = bench->state;
    return respond(bench, bench->chip, lab->challenge, lab->response);
}

static kw_status verify(struct kw_lab_bench *bench) {
    const struct asymmetric *lab = bench->state;
    const uint8_t *key = lab->chain.view[KW_CHAIN_DEVICE].public_key;
    char text[KW_LAB_HEX];
    kw_lab_say(bench, "HOST: Device public key from certificate:");
    kw_lab_say(bench, "%s", kw_lab_hex(key, KW_PUBLIC_KEY_SIZE, text));
    kw_lab_value(bench, "public_key", key, KW_PUBLIC_KEY_SIZE);
    KW_TRY(check_response(bench, lab->challenge, lab->response));
    kw_lab_say(bench, "HOST: Device response to challenge verified!");
    kw_lab_say(bench, "Node has associated private key!");
    kw_lab_say(bench, "Node authentication completed successfully.");
    return KW_OK;
}

static const struct kw_lab_part STEPS[] = {
    {"rebuild", "the client rebuilds its certificates",
     "The chip holds 72 bytes of each, in slots 12 and 10, the signer's key in "
     "slot 11 and its own private key in slot 0.",
     rebuild},
    {"chain", "the host verifies the chain from its root down",
     "A certificate tells whose key it is; it is public, so it proves nothing "
     "about who shows it.",
     verify_chain},
    {"challenge", "the host makes a challenge",
     "Random bytes that have never been signed before: an old response is of "
     "no use.",
     challenge},
    {"response", "the client signs the challenge",
     "In the chip, with the key in slot 0, which never leaves it.", response},
    {"verify", "the host verifies the response",
     "With the public key of the certificate, not with one that the client "
     "tells.",
     verify},
};

/* --- the attacks --- */

static kw_status ask_clone(const struct kw_lab_bench *bench,
                           struct kw_chip *clone) {
    const struct asymmetric *lab = bench->state;
    uint8_t fresh[CHALLENGE_SIZE];
    uint8_t answer[KW_SIGNATURE_SIZE];
    KW_TRY(check_chain(bench, lab->chain.view));
    kw_lab_say(bench, "host verify cert chain...OK");
    KW_TRY(make_challenge(bench, fresh));
    KW_TRY(respond(bench, clone, fresh, answer));
    return check_response(bench, fresh, answer);
}

static kw_status clone(struct kw_lab_bench *bench) {
    struct kw_rehearsal copy;
    KW_TRY(kw_rehearsal_open(bench->chip, &copy, bench->error));
    const kw_status status = ask_clone(bench, &copy.chip);
    kw_rehearsal_close(&copy);
    return status;
}

/* The day is one that every month has. */
static struct kw_moment years_from(struct kw_moment moment, int years) {
    moment.year = (uint16_t)(moment.year + years);
    moment.day = moment.day > 28 ? 28 : moment.day;
    return moment;
}

static kw_status foreign_root(struct kw_lab_bench *bench) {
    const struct asymmetric *lab = bench->state;
    const struct kw_lab_chain_plan plan = {
        .like = &lab->chain,
        .begin = years_from(bench->now, -ENDED_AGO),
        .end = years_from(bench->now, ENDED_AGO),
        .root_end = years_from(bench->now, ROOT_LASTS),
        .claims_root = true,
    };
    struct kw_lab_chain forged;
    KW_TRY(kw_lab_chain_make(&plan, &forged, bench->error));
    const struct kw_pki_view shown[KW_CHAIN_COUNT] = {
        lab->chain.view[KW_CHAIN_ROOT],
        forged.view[KW_CHAIN_SIGNER],
        forged.view[KW_CHAIN_DEVICE],
    };
    show_chain(bench, shown);
    return check_chain(bench, shown);
}

static kw_status expired(struct kw_lab_bench *bench) {
    const struct asymmetric *lab = bench->state;
    const struct kw_lab_chain_plan plan = {
        .like = &lab->chain,
        .begin = years_from(bench->now, -BEGAN_AGO),
        .end = years_from(bench->now, -ENDED_AGO),
        .root_end = years_from(bench->now, ROOT_LASTS),
    };
    struct kw_lab_chain old;
    KW_TRY(kw_lab_chain_make(&plan, &old, bench->error));
    if (kw_pki_check_chain(old.view, kw_chain_names, KW_CHAIN_COUNT, NULL,
                           bench->error) != KW_OK) {
        return kw_error(bench->error, KW_SYSTEM,
                        "the lab's own chain does not hold together");
    }
    show_chain(bench, old.view);
    kw_lab_say(bench, "The signatures of the chain are good");
    return check_chain(bench, old.view);
}

static kw_status replay(struct kw_lab_bench *bench) {
    const struct asymmetric *lab = bench->state;
    uint8_t fresh[CHALLENGE_SIZE];
    char text[KW_LAB_HEX];
    KW_TRY(make_challenge(bench, fresh));
    kw_lab_say(bench, "client generate response...OK(Response: %s)",
               kw_lab_hex(lab->response, sizeof lab->response, text));
    kw_lab_value(bench, "response", lab->response, sizeof lab->response);
    return check_response(bench, fresh, lab->response);
}

static const struct kw_lab_part ATTACKS[] = {
    {"clone", "the certificates of this chip, on another chip",
     "All that can be read of a chip can be copied; its private key cannot be "
     "read.",
     clone},
    {"foreign-root", "a chain with the same names, below another root",
     "Names and key identifiers are only text: the root's signature decides.",
     foreign_root},
    {"expired", "a chain that ended a year ago",
     "Its signatures stay good for ever; only the host's clock tells. It was "
     "made for this attack, below a root that the host trusts for so long.",
     expired},
    {"replay", "the response of the run before, to a new challenge",
     "Who listens on the wire has it; it answers one challenge, which does not "
     "come again.",
     replay},
};

const struct kw_lab kw_lab_asymmetric = {
    .title = "a chip proves that it holds the private key of its certificate",
    .steps = STEPS,
    .step_count = sizeof STEPS / sizeof *STEPS,
    .attacks = ATTACKS,
    .attack_count = sizeof ATTACKS / sizeof *ATTACKS,
    .state_size = sizeof(struct asymmetric),
};
