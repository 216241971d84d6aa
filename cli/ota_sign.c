/* cli/ota_sign.c: `ota sign`: an authority signs a certificate list. */
#include <stdlib.h>
#include <string.h>

#include "cli/ota.h"
#include "core/bytes.h"
#include "host/authority.h"
#include "host/openssl_hash.h"
#include "host/text.h"

const struct kw_option kw_ota_sign_options[] = {
    {"--files", "FOLDER", "where the files of the list lie", .required = true},
    {"--authority", "FILE", "the authority's private key: PEM or a pkcs11: URI",
     .required = true},
    {"--sequence", "N", "greater than that of the list before",
     .required = true},
    {"--mac", "HEX", "the one module that it is for; else the fleet"},
    {"--output", "FILE", "the signed list (default: LIST.signed)"},
    {NULL, NULL, NULL},
};

static kw_status hash_files(struct kw_cli *cli, const char *folder,
                            struct kw_ota_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        uint8_t *bytes = NULL;
        size_t size = 0;
        char *path = kw_format("%s/%s", folder, list->file[i].name);
        kw_status status =
            path == NULL
                ? kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory")
                : kw_file_read(path, KW_WINC_INPUT_MAX, &bytes, &size,
                               &cli->error);
        free(path);
        KW_TRY(status);
        status =
            kw_hash_bytes(&kw_openssl_hash, bytes, size, list->file[i].digest);
        kw_wipe(bytes, size);
        free(bytes);
        KW_TRY(status);
    }
    return KW_OK;
}

static kw_status read_module(struct kw_cli *cli,
                             const struct kw_arguments *arguments,
                             struct kw_ota_list *list) {
    const char *sequence = kw_argument(arguments, "--sequence");
    const char *mac = kw_argument(arguments, "--mac");
    char *end = NULL;
    const unsigned long number = strtoul(sequence, &end, 10);
    if (sequence[0] < '0' || sequence[0] > '9' || *end != '\0' || number == 0 ||
        number > UINT32_MAX) {
        return kw_error(&cli->error, KW_USAGE, "'%s' is no sequence", sequence);
    }
    list->sequence = (uint32_t)number;
    list->names_module = mac != NULL;
    if (mac != NULL && kw_hex_read(mac, list->mac, sizeof list->mac) != KW_OK) {
        return kw_error(&cli->error, KW_USAGE, "'%s' is no MAC address", mac);
    }
    return KW_OK;
}

static kw_status write_signed(struct kw_cli *cli,
                              const struct kw_arguments *arguments,
                              const struct kw_ota_list *list,
                              const char *authority_file) {
    struct kw_authority *authority = NULL;
    char *text = NULL;
    const char *output = kw_argument(arguments, "--output");
    char *path = output != NULL ? strdup(output)
                                : kw_format("%s.signed", arguments->operand[0]);
    kw_status status =
        kw_authority_open(authority_file, &authority, &cli->error);
    if (status == KW_OK) {
        status = kw_ota_list_sign(list, authority, &text, &cli->error);
        kw_authority_close(authority);
    }
    if (status == KW_OK) {
        status = path == NULL || text == NULL
                     ? kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory")
                     : kw_file_create(path, KW_PUBLIC_MODE, text, strlen(text),
                                      &cli->error);
    }
    if (status == KW_OK) {
        kw_print(cli, "Signed %zu %s with sequence %u: %s\n", list->count,
                 kw_counted(list->count, "file", "files"), list->sequence,
                 path);
        json_object_set_new(cli->result, "file", json_string(path));
    }
    free(path);
    free(text);
    return status;
}

kw_status kw_ota_sign_verb(struct kw_cli *cli,
                           const struct kw_arguments *arguments) {
    struct kw_ota_list list;
    const char *folder = kw_argument(arguments, "--files");
    const char *authority = kw_argument(arguments, "--authority");
    KW_TRY(kw_ota_list_read(arguments->operand[0], NULL, &list, &cli->error));
    KW_TRY(read_module(cli, arguments, &list));
    KW_TRY(hash_files(cli, folder, &list));
    json_object_set_new(cli->result, "sequence", json_integer(list.sequence));
    json_object_set_new(cli->result, "files",
                        json_integer((json_int_t)list.count));
    return write_signed(cli, arguments, &list, authority);
}
