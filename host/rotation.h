/* host/rotation.h: rotations on the PC: keys, requests, bundles, journal.
 *
 * core/rotate.h holds the protocol; this module finds and keeps the files
 * that it needs and makes a run resumable. The verbs of cli/rotate.c call
 * one function each. Knows host/ modules below it and core/rotate.h. */
#ifndef KW_HOST_ROTATION_H
#define KW_HOST_ROTATION_H

#include "core/rotate.h"
#include "host/authorization.h"
#include "host/keyring.h"

struct kw_rotation {
    struct kw_workspace *workspace;
    struct kw_chip *chip;
    const char *authority; /* --authority, or NULL: found in keys/ */
    /* Told the lines of the seeds' log as things happen; may be NULL. */
    void (*say)(void *observer, const char *line);
    void *observer;
};

/* The chip as a rotation sees it. */
struct kw_rotation_view {
    struct kw_rotate_state state;
    bool has_key; /* slot 14 holds one */
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    bool has_authority; /* slot 13 holds a key */
    uint8_t authority[KW_PUBLIC_KEY_SIZE];
    bool authority_locked;
};

/* Reads the chip; checks that it is a TrustFLEX part. */
KW_MUST_USE kw_status kw_rotation_look(const struct kw_rotation *rotation,
                                       struct kw_rotation_view *view,
                                       struct kw_error *error);

/* A new key pair of slot 14 in a generation of its own. */
KW_MUST_USE kw_status kw_rotation_new_key(const struct kw_rotation *rotation,
                                          const uint8_t *serial,
                                          struct kw_key_file *made,
                                          struct kw_error *error);

/* A request for a key file. */
KW_MUST_USE kw_status kw_rotation_request(const struct kw_rotation_view *view,
                                          const struct kw_key_file *key,
                                          bool fleet,
                                          struct kw_envelope *request,
                                          struct kw_error *error);

/* The authority: --authority, else the private key in keys/ that belongs to
 * this public key. */
KW_MUST_USE kw_status
kw_rotation_authority(const struct kw_rotation *rotation,
                      const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                      struct kw_authority **authority,
                      struct kw_error *error);

struct kw_rotation_result {
    uint8_t serial[KW_SERIAL_SIZE];
    uint32_t sequence;
    bool has_old_key;
    uint8_t old_key[KW_PUBLIC_KEY_SIZE];
    uint8_t new_key[KW_PUBLIC_KEY_SIZE];
    enum kw_rotate_position position;
    bool resumed;
    bool restored; /* a failure; the old key was written back */
};

/* Applies a bundle file; journalled. */
KW_MUST_USE kw_status kw_rotation_apply(const struct kw_rotation *rotation,
                                        const char *bundle,
                                        struct kw_rotation_result *result,
                                        struct kw_error *error);

/* new-key, request, authorize, apply, verify; an open journal is finished
 * first, and alone. */
KW_MUST_USE kw_status kw_rotation_run(const struct kw_rotation *rotation,
                                      struct kw_rotation_result *result,
                                      struct kw_error *error);

/* Finishes an open journal. *nothing: there is none. */
KW_MUST_USE kw_status kw_rotation_resume(const struct kw_rotation *rotation,
                                         struct kw_rotation_result *result,
                                         bool *nothing,
                                         struct kw_error *error);

/* Writes the old key back (*request NULL), or, when the new one is
 * validated already, writes a request for the old key: *request is its
 * file, which the caller frees. */
KW_MUST_USE kw_status kw_rotation_roll_back(const struct kw_rotation *rotation,
                                            char **request,
                                            struct kw_error *error);

/* Signs a fresh digest with the private key that belongs to slot 14 and has
 * the chip verify it. */
struct kw_rotation_proof {
    struct kw_rotation_view view;
    unsigned generation;
};
KW_MUST_USE kw_status kw_rotation_verify(const struct kw_rotation *rotation,
                                         struct kw_rotation_proof *proof,
                                         struct kw_error *error);

/* A file below bundles/ that is not there yet; the caller frees. */
char *kw_rotation_new_file(const struct kw_workspace *workspace,
                           const uint8_t *serial, const char *kind);

#endif
