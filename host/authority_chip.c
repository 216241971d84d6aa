/* An authority whose private key is in a slot of a chip: chip:LINK#SLOT.
 *
 * The link is open only while the chip is asked: another key of the same
 * chip can be another authority, and nobody is kept out meanwhile. The chip
 * that the process works on is asked through the link that it has. */
#include <stdlib.h>
#include <string.h>

#include "core/chip.h"
#include "host/authority_kind.h"
#include "host/links.h"

#define PREFIX   "chip:"
#define SLOT_MAX 15u

struct chip_key {
    const struct kw_workspace *workspace;
    char *link;
    unsigned slot;
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
};

static kw_status usage(const char *text, struct kw_error *error) {
    kw_error(error, KW_USAGE, "'%s' names no key in a chip", text);
    return kw_error_hint(error, "it is chip:LINK#SLOT, such as "
                                "chip:kit:/dev/ttyACM0#2");
}

/* chip:LINK#SLOT: a link may have any sign in it, the slot comes last. */
static kw_status parse(const char *text, struct chip_key *key,
                       struct kw_error *error) {
    const char *link = text + strlen(PREFIX);
    const char *mark = strrchr(link, '#');
    char *end = NULL;
    if (mark == NULL || mark == link || mark[1] < '0' || mark[1] > '9') {
        return usage(text, error);
    }
    const unsigned long slot = strtoul(mark + 1, &end, 10);
    if (*end != '\0' || slot > SLOT_MAX) {
        return usage(text, error);
    }
    key->slot = (unsigned)slot;
    key->link = strndup(link, (size_t)(mark - link));
    return key->link == NULL
               ? kw_error(error, KW_SYSTEM_MEMORY, "out of memory")
               : KW_OK;
}

/* --- asking the chip --- */

struct asked {
    struct kw_opened_link link; /* not of a chip that is lent */
    struct kw_chip own;
    struct kw_chip *chip;
};

static struct kw_chip *lent(const struct chip_key *key) {
    const struct kw_workspace *workspace = key->workspace;
    return workspace != NULL && workspace->chip != NULL &&
                   strcmp(workspace->chip_link, key->link) == 0
               ? workspace->chip
               : NULL;
}

/* A port of several chips is one process's at a time, and ours already:
 * kit:DEVICE and i2c:DEVICE, whatever the address behind them. */
static bool is_on_open_port(const struct chip_key *key) {
    const struct kw_workspace *workspace = key->workspace;
    const size_t size = strcspn(key->link, "@");
    return workspace != NULL && workspace->chip != NULL &&
           (strncmp(key->link, "kit:", 4) == 0 ||
            strncmp(key->link, "i2c:", 4) == 0) &&
           strcspn(workspace->chip_link, "@") == size &&
           strncmp(workspace->chip_link, key->link, size) == 0;
}

static kw_status port_is_open(const struct chip_key *key,
                              struct kw_error *error) {
    kw_error(error, KW_ABSENT_LOCKED,
             "Can't connect to %s: this command has its port open for %s",
             key->link, key->workspace->chip_link);
    return kw_error_hint(error, "if both are one chip, name it in the same "
                                "words; another chip signs on a port of its "
                                "own");
}

static kw_status ask(const struct chip_key *key, struct asked *asked,
                     struct kw_error *error) {
    *asked = (struct asked){.chip = lent(key)};
    if (asked->chip != NULL) {
        kw_chip_idle(asked->chip); /* the watchdog */
        return KW_OK;
    }
    if (is_on_open_port(key)) {
        return port_is_open(key, error);
    }
    if (key->workspace == NULL && kw_link_needs_workspace(key->link)) {
        return kw_error(error, KW_USAGE,
                        "%s is a chip of a workspace, and this takes keys of "
                        "none",
                        key->link);
    }
    KW_TRY(kw_link_open(key->link, key->workspace, &asked->link, error));
    kw_chip_init(&asked->own, asked->link.link);
    asked->chip = &asked->own;
    return KW_OK;
}

/* Ends the conversation; a refusal is told while the link knows why. */
static kw_status leave(struct asked *asked, kw_status status, const char *doing,
                       struct kw_error *error) {
    kw_chip_idle(asked->chip);
    if (status != KW_OK) {
        status = kw_error_chip(error, status, asked->chip, doing);
    }
    kw_link_close(&asked->link);
    return status;
}

static kw_status read_public(struct chip_key *key, struct kw_error *error) {
    struct asked asked;
    KW_TRY(ask(key, &asked, error));
    return leave(
        &asked, kw_chip_public_key(asked.chip, key->slot, key->public_key),
        "the authority's slot holds no private key that tells its public key",
        error);
}

/* --- the kind --- */

static void chip_close(void *self) {
    struct chip_key *key = self;
    free(key->link);
    free(key);
}

static kw_status chip_open(const struct kw_workspace *workspace,
                           const char *text, void **self,
                           struct kw_error *error) {
    struct chip_key *key = calloc(1, sizeof *key);
    if (key == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    key->workspace = workspace;
    kw_status status = parse(text, key, error);
    if (status == KW_OK) {
        status = read_public(key, error);
    }
    if (status != KW_OK) {
        chip_close(key);
        return status;
    }
    *self = key;
    return KW_OK;
}

static void chip_public_key(const void *self,
                            uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    const struct chip_key *key = self;
    memcpy(public_key, key->public_key, sizeof key->public_key);
}

/* Another chip may have taken the place since: what it signed is checked. */
static kw_status chip_sign(const void *self,
                           const uint8_t digest[KW_SHA256_SIZE],
                           uint8_t signature[KW_SIGNATURE_SIZE],
                           struct kw_error *error) {
    const struct chip_key *key = self;
    struct asked asked;
    KW_TRY(ask(key, &asked, error));
    KW_TRY(leave(&asked, kw_chip_sign(asked.chip, key->slot, digest, signature),
                 "the authority's chip did not sign", error));
    const kw_status status =
        kw_public_key_verify(key->public_key, digest, signature);
    return status == KW_OK
               ? KW_OK
               : kw_error_core(error, status,
                               "the authority's chip signed with another key");
}

const struct kw_authority_kind kw_authority_chip = {
    PREFIX, chip_open, chip_close, chip_public_key, chip_sign};
