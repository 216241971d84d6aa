/* cli/winc_show.c: both stores of a module, for people and as documents. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/winc.h"
#include "host/text.h"
#include "host/winc/record.h"

#define DATE_TEXT 32

static const char *date_text(const struct kw_winc_date *date,
                             char text[DATE_TEXT]) {
    (void)snprintf(text, DATE_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ",
                   date->year, date->month, date->day, date->hour, date->minute,
                   date->second);
    return text;
}

/* --- roots --- */

static json_t *show_root(struct kw_cli *cli, const struct kw_winc_root *root,
                         const char *subject) {
    char hash[2 * KW_SHA1_SIZE + 1];
    char from[DATE_TEXT];
    char until[DATE_TEXT];
    const struct kw_winc_date today = kw_winc_today();
    const bool expired = kw_winc_date_compare(&root->not_after, &today) < 0;
    const bool rsa = root->key_type == KW_WINC_RSA;
    const unsigned bits = root->key_size[0] * 8u;
    kw_hex(root->hash, KW_SHA1_SIZE, hash);
    (void)date_text(&root->not_after, until);
    kw_print(cli, "  %.16s  %-3s %4u  %s %.10s  %s\n", hash, rsa ? "RSA" : "EC",
             rsa ? bits : 256, expired ? "EXPIRED" : "until  ", until,
             subject[0] != '\0' ? subject : "(name not recorded)");
    json_t *row = json_pack("{s:s, s:s, s:i, s:s, s:s, s:b, s:i}", "hash", hash,
                            "key_type", rsa ? "RSA" : "ECDSA", "bits",
                            rsa ? (int)bits : 256, "not_before",
                            date_text(&root->not_before, from), "not_after",
                            until, "expired", expired, "size", (int)root->size);
    json_object_set_new(row, "subject",
                        subject[0] != '\0' ? json_string(subject)
                                           : json_null());
    return row;
}

static const char *const KINDS[] = {
    [KW_WINC_ROOT_ERASED] = "erased",
    [KW_WINC_ROOT_V0] = "V0",
    [KW_WINC_ROOT_V1] = "V1",
    [KW_WINC_ROOT_FOREIGN] = "foreign",
};

kw_status kw_winc_show_roots(struct kw_cli *cli, struct kw_winc *winc) {
    uint8_t store[KW_WINC_ROOT_SIZE];
    struct kw_winc_root root = {.offset = 0};
    uint32_t count = 0;
    uint32_t used = 0;
    KW_TRY(kw_winc_read_roots(winc, store, &cli->error));
    (void)!kw_winc_root_check(store, &count, &used);
    const char *kind = KINDS[kw_winc_root_kind(store)];
    kw_print(cli, "Root store: %s, %u root%s, %u of %u bytes\n", kind, count,
             count == 1 ? "" : "s", used, KW_WINC_ROOT_SIZE);
    json_t *rows = json_array();
    kw_status status = KW_OK;
    while (status == KW_OK && used > 0 &&
           kw_winc_root_next(store, &root) == KW_OK) {
        char subject[256];
        status = kw_winc_record_name(winc, root.hash, subject, sizeof subject,
                                     &cli->error);
        json_array_append_new(rows, show_root(cli, &root, subject));
    }
    json_object_set_new(cli->result, "root_kind", json_string(kind));
    json_object_set_new(cli->result, "root_used", json_integer(used));
    json_object_set_new(cli->result, "roots", rows);
    return status;
}

/* --- files --- */

kw_status kw_winc_show_files(struct kw_cli *cli, struct kw_winc *winc) {
    struct kw_winc_tls tls;
    KW_TRY(kw_winc_read_tls(winc, &tls, &cli->error));
    const uint32_t used = tls.erased ? 0 : kw_winc_tls_used(&tls);
    json_t *rows = json_array();
    kw_print(cli, "TLS store: %s, %u of %u files, %u of %u bytes\n",
             tls.erased ? "erased" : "in use", tls.count, KW_WINC_TLS_FILES,
             used, KW_WINC_TLS_SIZE);
    for (uint32_t i = 0; i < tls.count; i++) {
        bool listed = false;
        (void)!kw_winc_tls_listed(&tls, i, &listed);
        kw_print(cli, "  %-47s %4u bytes  0x%05x  %s\n", tls.file[i].name,
                 tls.file[i].size, tls.file[i].address,
                 strstr(tls.file[i].name, ".lst") != NULL ? "list"
                 : listed                                 ? "in use"
                                                          : "not listed");
        json_array_append_new(
            rows, json_pack("{s:s, s:i, s:i, s:b}", "name", tls.file[i].name,
                            "size", (int)tls.file[i].size, "address",
                            (int)tls.file[i].address, "listed", listed));
    }
    json_object_set_new(cli->result, "tls_header",
                        json_integer(tls.header_size));
    json_object_set_new(cli->result, "tls_used", json_integer(used));
    json_object_set_new(cli->result, "files", rows);
    return KW_OK;
}
