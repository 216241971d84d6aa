#include <string.h>

#include "core/rotate.h"
#include "host/certs/change.h"
#include "host/certs/custom_run.h"

/* Ids of the definitions that expand the chip's 72 bytes. */
#define SIGNER_TEMPLATE 1
#define DEVICE_TEMPLATE 2

static kw_status compress(struct kw_custom_run *run, int which,
                          uint8_t template_id, uint8_t slot[KW_COMPCERT_SIZE]) {
    const struct kw_pki_view *view = &run->view[which];
    const bool never = kw_moment_order(&view->not_after, &KW_MOMENT_NEVER) == 0;
    struct kw_compcert compcert = {
        .dates = {.year = view->not_before.year,
                  .month = view->not_before.month,
                  .day = view->not_before.day,
                  .hour = view->not_before.hour,
                  .years = never ? 0
                                 : (uint8_t)(view->not_after.year -
                                             view->not_before.year)},
        .template_id = template_id,
        .serial_source = KW_COMPCERT_SERIAL_BY_KEY,
    };
    memcpy(compcert.signer_id, run->custom->signer_id, 2);
    memcpy(compcert.signature, view->signature, sizeof compcert.signature);
    return kw_compcert_encode(&compcert, slot);
}

static kw_status fill_slots(struct kw_custom_run *run,
                            struct kw_cert_slots *slots) {
    KW_TRY(compress(run, KW_CHAIN_DEVICE, DEVICE_TEMPLATE, slots->slot[0]));
    kw_stored_key(run->view[KW_CHAIN_SIGNER].public_key, slots->slot[1]);
    return compress(run, KW_CHAIN_SIGNER, SIGNER_TEMPLATE, slots->slot[2]);
}

/* What the chip gives back is exactly what was made. */
static kw_status prove(struct kw_custom_run *run) {
    struct kw_chain *chain = &run->result->chain;
    chain->kind = KW_CHAIN_CUSTOM;
    chain->bytes[KW_CHAIN_ROOT] = run->bytes[KW_CHAIN_ROOT];
    kw_status status = kw_pki_read(kw_pki_cursor(&chain->bytes[KW_CHAIN_ROOT]),
                                   &chain->view[KW_CHAIN_ROOT]);
    if (status == KW_OK) {
        status = kw_chain_rebuild(
            &run->result->certs, kw_pki_cursor(&run->name[KW_CHAIN_SIGNER]),
            kw_pki_cursor(&run->name[KW_CHAIN_DEVICE]), chain);
    }
    for (int i = 0; status == KW_OK && i < KW_CHAIN_COUNT; i++) {
        status = kw_der_is(&chain->view[i].whole, run->bytes[i].der,
                           run->bytes[i].size)
                     ? KW_OK
                     : KW_CHIP_READ_BACK;
    }
    if (status != KW_OK) {
        return kw_error_core(run->error, status,
                             "what the chip holds gives other certificates");
    }
    return kw_chain_check(chain, NULL, run->error);
}

static kw_status back_up(struct kw_custom_run *run) {
    struct kw_cert_backup backup;
    if (kw_cert_slots_are_empty(&run->result->certs.slots)) {
        return KW_OK;
    }
    KW_TRY(kw_certs_backup(run->custom->workspace, &run->result->certs, NULL,
                           &backup, run->error));
    run->result->backup = backup.file;
    kw_custom_say(run, "Slots 10, 11 and 12 are backed up: %s", backup.file);
    return KW_OK;
}

kw_status kw_custom_provision(struct kw_custom_run *run) {
    struct kw_cert_slots slots;
    char thing_id[KW_THING_ID_TEXT];
    KW_TRY(fill_slots(run, &slots));
    KW_TRY(back_up(run));
    const struct kw_certs_change change = {
        run->custom->workspace, run->custom->chip, &run->result->certs};
    KW_TRY(kw_certs_change(&change, &slots, "custom", run->error));
    kw_custom_say(run, "Saving signer certificate to device...OK");
    kw_custom_say(run, "Saving device certificate to device...OK");
    KW_TRY(prove(run));
    kw_chain_thing_id(run->result->certs.public_key, thing_id);
    kw_custom_say(run, "Thing ID %s", thing_id);
    return KW_OK;
}
