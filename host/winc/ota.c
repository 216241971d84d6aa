#include "host/winc/ota.h"

#include <string.h>

#include "core/bytes.h"
#include "host/openssl_hash.h"
#include "host/text.h"
#include "host/winc/record.h"

/* --- may this module have this list? --- */

static void last_of(const struct kw_ota_list *list,
                    struct kw_winc_last_list *last) {
    last->sequence = list->sequence;
    kw_hex(list->digest, KW_SHA256_SIZE, last->list);
}

kw_status kw_ota_admit(const struct kw_winc *winc,
                       const struct kw_ota_list *list, struct kw_error *error) {
    struct kw_winc_last_list last;
    struct kw_winc_last_list now;
    if (!list->is_signed) {
        return KW_OK;
    }
    if (list->names_module &&
        memcmp(list->mac, kw_module_about(winc->module)->mac,
               KW_OTA_MAC_SIZE) != 0) {
        return kw_error(error, KW_NO,
                        "the certificate list is for another module; nothing "
                        "was changed");
    }
    KW_TRY(kw_winc_record_last(winc, &last, error));
    last_of(list, &now);
    if (list->sequence < last.sequence ||
        (list->sequence == last.sequence && strcmp(now.list, last.list) != 0)) {
        (void)kw_error(error, KW_NO_SEQUENCE_REPLAYED,
                       "the certificate list has sequence %u, the module's "
                       "last was %u%s",
                       list->sequence, last.sequence,
                       list->sequence == last.sequence ? " and another list"
                                                       : "");
        return kw_error_hint(error, "sign a list with a greater sequence; "
                                    "nothing was changed");
    }
    return KW_OK;
}

kw_status kw_ota_remember(const struct kw_ota *ota, struct kw_error *error) {
    struct kw_winc_last_list last;
    if (!ota->list.is_signed) {
        return KW_OK;
    }
    last_of(&ota->list, &last);
    return kw_winc_record_keep(ota->work.winc, &last, error);
}

/* --- fetching --- */

static kw_status check_body(struct kw_ota *ota, size_t index,
                            const struct kw_ota_body *body,
                            struct kw_error *error) {
    const struct kw_ota_file *file = &ota->list.file[index];
    ota->size[index] = body->size;
    KW_TRY(kw_hash_bytes(&kw_openssl_hash, body->bytes, body->size,
                         ota->digest[index]));
    const kw_status status = kw_winc_input_parse(
        &ota->input[index], file->name,
        file->is_key ? KW_WINC_INPUT_KEY : KW_WINC_INPUT_CERT, body->bytes,
        body->size, error);
    if (kw_status_class(status) == KW_CLASS_PARSE) {
        return kw_error_hint(error, "what the server sent is not the whole "
                                    "file: some servers answer 200 with an "
                                    "error text; nothing was changed");
    }
    KW_TRY(status);
    if (file->has_digest &&
        memcmp(file->digest, ota->digest[index], KW_SHA256_SIZE) != 0) {
        return kw_error(error, KW_NO,
                        "%s is not the file that the list names: its SHA-256 "
                        "differs; nothing was changed",
                        file->name);
    }
    return KW_OK;
}

static void tell(const struct kw_ota *ota, size_t file, bool done) {
    if (ota->told != NULL) {
        ota->told(ota->observer, ota, file, done);
    }
}

kw_status kw_ota_fetch_all(struct kw_ota *ota,
                           const struct kw_ota_server *server,
                           struct kw_error *error) {
    for (size_t i = 0; i < ota->list.count; i++) {
        struct kw_ota_body body;
        tell(ota, i, false);
        KW_TRY(kw_ota_fetch(server, ota->list.file[i].name, KW_WINC_INPUT_MAX,
                            &body, error));
        const kw_status status = check_body(ota, i, &body, error);
        kw_ota_body_free(&body);
        KW_TRY(status);
        tell(ota, i, true);
    }
    return KW_OK;
}

/* --- the work --- */

kw_status kw_ota_enter(struct kw_ota *ota, struct kw_error *error) {
    for (size_t i = 0; i < ota->list.count;) {
        const struct kw_ota_file *file = &ota->list.file[i];
        if (file->type == KW_OTA_ROOT) {
            KW_TRY(kw_winc_work_root(&ota->work, &ota->input[i], error));
            i++;
            continue;
        }
        const size_t first = i + (file->is_key ? 1u : 0u);
        KW_TRY(kw_winc_work_chain(&ota->work,
                                  file->is_key ? &ota->input[i] : NULL,
                                  &ota->input[first], file->chain, error));
        i = first + file->chain;
    }
    return KW_OK;
}

void kw_ota_wipe(struct kw_ota *ota) {
    for (size_t i = 0; i < ota->list.count; i++) {
        kw_winc_input_free(&ota->input[i]);
    }
}
