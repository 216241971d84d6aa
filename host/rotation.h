/* host/rotation.h: rotations on the PC: keys, requests, bundles, journal.
 *
 * core/rotate.h holds the protocol; this module finds and keeps the files
 * that it needs and makes a run resumable. The verbs of cli/rotate.c call
 * one function each. Knows host/ modules below it and core/rotate.h. */
#ifndef KW_HOST_ROTATION_H
#define KW_HOST_ROTATION_H

#include "host/authorization.h"
#include "host/rotation_request.h"
#include "host/rotation_view.h"

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
                                         bool *nothing, struct kw_error *error);

enum kw_rollback_outcome {
    KW_ROLLBACK_RESTORED,  /* slot 14 is as before the rotation */
    KW_ROLLBACK_REQUESTED, /* a request for the old key was written */
    KW_ROLLBACK_GAVE_UP,   /* the bundle is lost, or slot 13's authority */
};

struct kw_rollback {
    enum kw_rollback_outcome outcome;
    uint8_t serial[KW_SERIAL_SIZE];
    uint8_t authority[KW_PUBLIC_KEY_SIZE]; /* that the request is for */
    char *request;      /* its file, which the caller frees, or NULL */
    bool was_abandoned; /* the old key, by a rollback before this one */
};

/* Writes the old key back; or, when no rotation is open, writes a request
 * for the key before the present one. KW_NO_ROLLBACK: the new key is
 * validated, and the rotation is still open. */
KW_MUST_USE kw_status kw_rotation_roll_back(const struct kw_rotation *rotation,
                                            struct kw_rollback *rollback,
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

#endif
