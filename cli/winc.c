/* cli/winc.c: the noun `winc`. */
#include "cli/winc.h"

#include <stdlib.h>
#include <string.h>

#include "host/text.h"

#define MBIT (1u << 17) /* bytes */

/* --- new --- */

static const struct kw_option NEW_OPTIONS[] = {
    KW_WINC_OPTION_MODULE,
    {"--firmware", "VERSION", "19.4.4, 19.5.4, 19.6.1 (default) or 19.7.7"},
    {"--size", "4|8", "Mbit: 4 (WINC1500, default) or 8 (WINC1510)"},
    {"--bad-sector", "ADDRESS", "a sector that does not erase, as 0x4000"},
    {"--stuck-bit", "ADDRESS", "a byte whose bit 0 stays 0"},
    {NULL, NULL, NULL},
};

static bool is_known_firmware(const char *text) {
    const char *const known[] = {"19.4.", "19.5.", "19.6.", "19.7."};
    for (size_t i = 0; i < 4; i++) {
        if (strncmp(text, known[i], 5) == 0) {
            return strspn(text + 5, "0123456789") == strlen(text + 5) &&
                   strlen(text) > 5 && strlen(text) < 12;
        }
    }
    return false;
}

/* A fault's address; 0 where none was asked for. */
static kw_status read_fault(struct kw_cli *cli,
                            const struct kw_arguments *arguments,
                            const char *option, uint32_t unit, uint32_t size,
                            uint32_t *address) {
    const char *text = kw_argument(arguments, option);
    char *end = NULL;
    const unsigned long value = text == NULL ? 0 : strtoul(text, &end, 0);
    if (text != NULL && (*text == '-' || *end != '\0' || value == 0 ||
                         value >= size || value % unit != 0)) {
        return kw_error(&cli->error, KW_USAGE,
                        "%s %s: an address in the flash above 0%s", option,
                        text, unit > 1 ? ", a multiple of 0x1000" : "");
    }
    *address = (uint32_t)value;
    return KW_OK;
}

static kw_status read_about(struct kw_cli *cli,
                            const struct kw_arguments *arguments,
                            struct kw_module_about *about) {
    const char *firmware = kw_argument(arguments, "--firmware");
    const char *size = kw_argument(arguments, "--size");
    firmware = firmware != NULL ? firmware : "19.6.1";
    size = size != NULL ? size : "4";
    if (!is_known_firmware(firmware)) {
        return kw_error(&cli->error, KW_USAGE,
                        "'%s' is no known firmware: 19.4.x to 19.7.x",
                        firmware);
    }
    if (strcmp(size, "4") != 0 && strcmp(size, "8") != 0) {
        return kw_error(&cli->error, KW_USAGE, "'%s': a flash has 4 or 8 Mbit",
                        size);
    }
    memcpy(about->firmware, firmware, strlen(firmware) + 1);
    about->size = (size[0] == '4' ? 4 : 8) * MBIT;
    KW_TRY(read_fault(cli, arguments, "--bad-sector", KW_WINC_SECTOR,
                      about->size, &about->bad_sector));
    return read_fault(cli, arguments, "--stuck-bit", 1, about->size,
                      &about->stuck_bit);
}

static void set_about(struct kw_cli *cli, const struct kw_module_about *about) {
    char mac[2 * KW_MODULE_MAC + 1];
    kw_hex(about->mac, KW_MODULE_MAC, mac);
    kw_print(cli, "Firmware %s, MAC %s, flash of %u Mbit\n", about->firmware,
             mac, about->size / MBIT);
    json_object_set_new(cli->result, "firmware", json_string(about->firmware));
    json_object_set_new(cli->result, "mac", json_string(mac));
    json_object_set_new(cli->result, "flash", json_integer(about->size));
}

static kw_status new (struct kw_cli *cli,
                      const struct kw_arguments *arguments) {
    struct kw_workspace *workspace = NULL;
    struct kw_module_about about = {.size = 0};
    const char *name = kw_argument(arguments, "--module");
    name = name != NULL ? name : "winc";
    KW_TRY(read_about(cli, arguments, &about));
    KW_TRY(kw_cli_workspace_locked(cli, &workspace));
    KW_TRY(kw_module_make(workspace, name, &about, &cli->error));
    kw_print(cli, "Made the emulated module %s\n", name);
    json_object_set_new(cli->result, "module", json_string(name));
    set_about(cli, &about);
    return KW_OK;
}

/* --- info, list, reset, verify --- */

static const struct kw_option OPTIONS[] = {
    KW_WINC_OPTION_MODULE,
    {NULL, NULL, NULL},
};

static kw_status info_of(struct kw_cli *cli, struct kw_winc *winc) {
    char id[12];
    bool waits = false;
    KW_TRY(kw_winc_waits(winc, &waits, &cli->error));
    set_about(cli, kw_module_about(winc->module));
    (void)snprintf(id, sizeof id, "%06x", winc->flash.chip_id);
    kw_print(cli, "Chip ID %s, flash ID %06x\n", id, winc->flash.flash_id);
    if (waits) {
        kw_print(cli, "An interrupted update waits: `keywright ota "
                      "resume`\n");
    }
    json_object_set_new(cli->result, "chip_id", json_string(id));
    json_object_set_new(cli->result, "interrupted", json_boolean(waits));
    return KW_OK;
}

static kw_status info(struct kw_cli *cli,
                      const struct kw_arguments *arguments) {
    struct kw_winc winc;
    KW_TRY(kw_winc_begin(cli, arguments, &winc));
    const kw_status status = info_of(cli, &winc);
    kw_winc_close(&winc, true);
    return status;
}

static kw_status list(struct kw_cli *cli,
                      const struct kw_arguments *arguments) {
    struct kw_winc winc;
    KW_TRY(kw_winc_begin(cli, arguments, &winc));
    kw_status status = kw_winc_show_roots(cli, &winc);
    if (status == KW_OK) {
        status = kw_winc_show_files(cli, &winc);
    }
    kw_winc_close(&winc, true);
    return status;
}

static kw_status reset(struct kw_cli *cli,
                       const struct kw_arguments *arguments) {
    struct kw_winc winc;
    KW_TRY(kw_winc_begin(cli, arguments, &winc));
    kw_winc_close(&winc, true);
    kw_print(cli, "The module was reset; its firmware runs\n");
    json_object_set_new(cli->result, "mode", json_string("reset"));
    return KW_OK;
}

/* Each list names files that are there. */
static kw_status verify_lists(struct kw_cli *cli, struct kw_winc *winc,
                              const struct kw_winc_tls *tls) {
    for (uint32_t i = 0; i < tls->count; i++) {
        const struct kw_winc_file *list = &tls->file[i];
        char name[KW_WINC_TLS_NAME + 1] = "";
        if (strstr(list->name, ".lst") == NULL) {
            continue;
        }
        for (uint32_t at = 0; at + KW_WINC_TLS_NAME <= list->size;
             at += KW_WINC_TLS_NAME) {
            bool found = false;
            KW_TRY(kw_winc_read(winc, list->address + at, (uint8_t *)name,
                                KW_WINC_TLS_NAME, &cli->error));
            for (uint32_t j = 0; j < tls->count; j++) {
                found = found || strcmp(tls->file[j].name, name) == 0;
            }
            if (!found) {
                return kw_error(&cli->error, KW_NO_WINC_STORE,
                                "%s names %s, which the store does not hold",
                                list->name, name);
            }
        }
    }
    return KW_OK;
}

static kw_status verify_stores(struct kw_cli *cli, struct kw_winc *winc) {
    uint8_t store[KW_WINC_ROOT_SIZE];
    struct kw_winc_tls tls;
    bool waits = false;
    KW_TRY(kw_winc_waits(winc, &waits, &cli->error));
    if (waits) {
        kw_error(&cli->error, KW_INTERRUPTED,
                 "an update of module %s was interrupted", winc->name);
        return kw_error_hint(&cli->error, "`keywright ota resume --module %s`",
                             winc->name);
    }
    KW_TRY(kw_winc_read_roots(winc, store, &cli->error));
    KW_TRY(kw_winc_read_tls(winc, &tls, &cli->error));
    KW_TRY(verify_lists(cli, winc, &tls));
    kw_print(cli, "Both stores are whole\n");
    return KW_OK;
}

static kw_status verify(struct kw_cli *cli,
                        const struct kw_arguments *arguments) {
    struct kw_winc winc;
    KW_TRY(kw_winc_begin(cli, arguments, &winc));
    kw_status status = verify_stores(cli, &winc);
    json_object_set_new(cli->result, "whole", json_boolean(status == KW_OK));
    kw_winc_close(&winc, true);
    return status;
}

static const struct kw_option ERASE_OPTIONS[] = {
    KW_WINC_OPTION_MODULE,
    KW_WINC_OPTIONS_CHANGE,
    {"--root", NULL, "the root store"},
    {"--tls", NULL, "the TLS store"},
    {NULL, NULL, NULL},
};

static const struct kw_word ROOT_WORDS[] = {
    {"add", KW_OPERANDS_MAX},
    {"remove", KW_OPERANDS_MAX},
    {"list", 0},
    {NULL, 0},
};

static const struct kw_word TLS_WORDS[] = {
    {"add", KW_OPERANDS_MAX},
    {"remove", KW_OPERANDS_MAX},
    {"list", 0},
    {"compact", 0},
    {NULL, 0},
};

static const struct kw_verb VERBS[] = {
    {"new", NULL, "make an emulated module with an erased flash", NEW_OPTIONS,
     0, 0, new, .example = "winc new --module lab --size 8"},
    {"info", NULL, "show who the module is, and whether an update waits",
     OPTIONS, 0, 0, info, .example = "winc info"},
    {"list", NULL, "show what both stores hold", OPTIONS, 0, 0, list,
     .example = "winc list"},
    {"root", "add|remove|list [FILE|FOLDER|HASH]...",
     "change or show the certificates that the module trusts",
     kw_winc_root_options, 1, KW_OPERANDS_MAX, kw_winc_root,
     .example = "winc root add ./roots/ --dry-run", .words = ROOT_WORDS},
    {"tls", "add|remove|list|compact [FILE|NAME]...",
     "change or show the module's own certificates and keys",
     kw_winc_tls_options, 1, KW_OPERANDS_MAX, kw_winc_tls,
     .example = "winc tls add module.cer issuer.cer --key module.key",
     .words = TLS_WORDS},
    {"dump", "FILE", "write the whole flash to a file", OPTIONS, 1, 1,
     kw_winc_dump, .example = "winc dump flash.bin"},
    {"load", "FILE", "replace the whole flash, or a store, by a file", OPTIONS,
     1, 1, kw_winc_load, .asks = "first", .example = "winc load flash.bin"},
    {"erase", NULL, "save and erase a store", ERASE_OPTIONS, 0, 0,
     kw_winc_erase, .asks = "first", .example = "winc erase --root"},
    {"verify", NULL, "check both stores", OPTIONS, 0, 0, verify,
     .example = "winc verify"},
    {"reset", NULL, "leave the download mode", OPTIONS, 0, 0, reset,
     .example = "winc reset"},
    {"connect", "HOST PORT", "let the module's firmware open a TLS connection",
     kw_winc_connect_options, 2, 2, kw_winc_connect_verb,
     .example = "winc connect localhost 8443"},
};

const struct kw_noun kw_noun_winc = {"winc", "a Wi-Fi module's certificates",
                                     VERBS, sizeof VERBS / sizeof *VERBS,
                                     KW_ON_MODULE};
