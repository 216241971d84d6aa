#include "host/rotation_step.h"

#include "host/openssl_hash.h"

/* The lines of the seeds' log, and of its firmware. */
static const char LINE_INVALIDATED[] =
    "Validated public key is already in slot, invalidated the slot to update "
    "the new public key";
static const char LINE_WRITTEN[] = "Rotating Public Key is written to device";
static const char LINE_VALIDATED[] =
    "Rotating Public Key is validated with authority signed signature";
static const char LINE_PROVEN[] = "The chip verified the new key's proof";
static const char LINE_RESTORED[] =
    "The old rotating public key was written back to device";

void kw_rotation_on_step(void *observer, enum kw_rotate_step step) {
    static const char *const lines[] = {
        [KW_ROTATE_INVALIDATED_OLD] = LINE_INVALIDATED,
        [KW_ROTATE_WRITTEN_NEW] = LINE_WRITTEN,
        [KW_ROTATE_VALIDATED_NEW] = LINE_VALIDATED,
        [KW_ROTATE_PROVEN_NEW] = LINE_PROVEN,
        [KW_ROTATE_COUNTED] = NULL,
        [KW_ROTATE_RESTORED_OLD] = LINE_RESTORED,
    };
    struct kw_rotation_progress *progress = observer;
    progress->touched |= step == KW_ROTATE_INVALIDATED_OLD ||
                         step == KW_ROTATE_WRITTEN_NEW ||
                         step == KW_ROTATE_VALIDATED_NEW;
    progress->restored |= step == KW_ROTATE_RESTORED_OLD;
    if (lines[step] != NULL) {
        kw_rotation_say(progress->rotation, lines[step]);
    }
}

struct advice {
    kw_status status;
    const char *hint;
};

static const struct advice ADVICE[] = {
    {KW_NO_BUNDLE_SIGNATURE,
     "it was changed on its way, or made by another authority than the one "
     "in slot 13 (`keywright rotate status` shows it): authorise a new "
     "request"},
    {KW_NO_SERIAL, "apply it at the chip with the serial that it names"},
    {KW_NO_CONFIGURATION,
     "a lock of slot 13 or 14 since the request also counts: make a new "
     "request"},
    {KW_NO_OLD_KEY, "the key in slot 14 was changed since: make a new request"},
    {KW_NO_OLD_PAIRS,
     "the key was validated after the request was made: make a new request"},
    {KW_NO_SEQUENCE_REPLAYED,
     "a later bundle was applied already; this one is of the past"},
    {KW_NO_SEQUENCE_AHEAD,
     "authorise again with a --sequence at most 16 above counter 1"},
    {KW_CHIP_PROOF,
     "the key stays validated and counter 1 unchanged; run `keywright rotate "
     "resume` to prove it again"},
};

kw_status kw_rotation_failed(const struct kw_rotation *rotation,
                             const struct kw_rotation_progress *progress,
                             kw_status status, struct kw_error *error) {
    kw_error_chip(error, status, rotation->chip, "the rotation failed");
    if (status == KW_INTERRUPTED) {
        kw_error(error, status, "the rotation was interrupted");
    }
    for (size_t i = 0; i < sizeof ADVICE / sizeof *ADVICE; i++) {
        if (ADVICE[i].status == status) {
            return kw_error_hint(error, "%s", ADVICE[i].hint);
        }
    }
    if (progress->restored) {
        return kw_error_hint(error, "slot 14 holds the old key as before; "
                                    "mend the cause and run it again");
    }
    if (progress->touched || kw_status_class(status) == KW_CLASS_ABSENT ||
        kw_status_class(status) == KW_CLASS_INTERRUPTED) {
        return kw_error_hint(error, "`keywright rotate resume` goes on where "
                                    "the chip stands, `rotate rollback` goes "
                                    "back while that is possible");
    }
    return status;
}

kw_status kw_bundle_file_read(const char *path, struct kw_bundle_file *file,
                              struct kw_error *error) {
    KW_TRY(kw_envelope_read(path, KW_BUNDLE_SIZE, &file->envelope, error));
    const kw_status status = kw_bundle_decode(
        file->envelope.payload, file->envelope.payload_size, &file->bundle);
    return status == KW_OK ? KW_OK : kw_error_core(error, status, path);
}

struct kw_rotate kw_rotation_core(const struct kw_rotation *rotation,
                                  const struct kw_bundle_file *file,
                                  struct kw_rotation_progress *progress) {
    return (struct kw_rotate){
        .chip = rotation->chip,
        .hash = &kw_openssl_hash,
        .bundle = &file->bundle,
        .signature = file->envelope.signature,
        .on_step = progress == NULL ? NULL : kw_rotation_on_step,
        .observer = progress,
    };
}
