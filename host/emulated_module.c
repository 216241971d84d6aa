#include "host/emulated_module.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/chip.h"
#include "host/key.h"
#include "host/text.h"
#include "sim/nvm/nvm.h"
#include "sim/winc1500/firmware.h"
#include "sim/winc1500/module.h"

#define KIND       "winc1500"
#define BLOCK      0x8000u
#define BLOCKS_MAX (KW_NOR_8_MBIT / BLOCK)
#define SECTORS    (BLOCK / KW_NOR_SECTOR)
#define IMAGE_SIZE (BLOCK + 4 * SECTORS) /* content, then erase counts */
#define SCHEMA     "keywright/module/1"

struct kw_module {
    char *folder;
    struct kw_module_about about;
    struct kw_nor nor;
    struct kw_sim_module sim;
    struct kw_winc_port port;
    uint8_t *memory;
    uint32_t *erases;
    struct kw_nvm *block[BLOCKS_MAX]; /* NULL: not in a file yet */
};

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

/* --- image files of blocks --- */

static char *block_path(const struct kw_module *module, uint32_t block) {
    return kw_format("%s/block-%02u.image", module->folder, block);
}

static void pack(const struct kw_module *module, uint32_t block,
                 uint8_t *image) {
    memcpy(image, module->memory + block * BLOCK, BLOCK);
    for (uint32_t i = 0; i < SECTORS; i++) {
        kw_store_le32(image + BLOCK + 4 * i,
                      module->erases[block * SECTORS + i]);
    }
}

static void unpack(struct kw_module *module, uint32_t block,
                   const uint8_t *image) {
    memcpy(module->memory + block * BLOCK, image, BLOCK);
    for (uint32_t i = 0; i < SECTORS; i++) {
        module->erases[block * SECTORS + i] =
            kw_load_le32(image + BLOCK + 4 * i);
    }
}

/* The first change of a block makes its file. */
static kw_status create_block(struct kw_module *module, uint32_t block,
                              uint8_t *image) {
    char *path = block_path(module, block);
    KW_ENSURE(path != NULL, KW_SYSTEM_MEMORY);
    kw_status status = kw_nvm_create(path, KIND, image, IMAGE_SIZE);
    if (status == KW_OK) {
        status =
            kw_nvm_open(path, KIND, image, IMAGE_SIZE, &module->block[block]);
    }
    free(path);
    return status;
}

/* An erase of what is erased changes no file. */
static kw_status changed(void *self, const uint8_t *memory, uint32_t address,
                         uint32_t size, bool erase) {
    struct kw_module *module = self;
    const uint32_t block = address / BLOCK;
    uint8_t *image = malloc(IMAGE_SIZE);
    (void)size;
    KW_ENSURE(image != NULL, KW_SYSTEM_MEMORY);
    pack(module, block, image);
    kw_status status = KW_OK;
    if (module->block[block] != NULL) {
        status = kw_nvm_commit(module->block[block], image);
    } else if (!erase || !kw_all_bytes(memory + block * BLOCK, BLOCK, 0xFF)) {
        status = create_block(module, block, image);
    }
    kw_wipe(image, IMAGE_SIZE);
    free(image);
    return status;
}

static kw_status open_block(struct kw_module *module, uint32_t block,
                            uint8_t *image, struct kw_error *error) {
    char *path = block_path(module, block);
    if (path == NULL) {
        return no_memory(error);
    }
    kw_status status = KW_OK;
    if (kw_file_exists(path)) {
        status =
            kw_nvm_open(path, KIND, image, IMAGE_SIZE, &module->block[block]);
        if (status == KW_OK) {
            unpack(module, block, image);
        } else if (status == KW_SYSTEM_FILE) {
            (void)kw_error_system(error, "cannot open %s", path);
        } else {
            (void)kw_error_core(error, status, path);
        }
    }
    free(path);
    return status;
}

static kw_status open_blocks(struct kw_module *module, struct kw_error *error) {
    uint8_t *image = malloc(IMAGE_SIZE);
    kw_status status = image == NULL ? no_memory(error) : KW_OK;
    for (uint32_t i = 0; i < module->about.size / BLOCK && status == KW_OK;
         i++) {
        status = open_block(module, i, image, error);
    }
    if (image != NULL) {
        kw_wipe(image, IMAGE_SIZE);
        free(image);
    }
    return status;
}

/* --- module.json --- */

static kw_status check_name(const char *name, struct kw_error *error) {
    const size_t fine = strspn(name, "abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    if (name[0] == '\0' || name[fine] != '\0' || strlen(name) > 64) {
        return kw_error(error, KW_USAGE, "'%s' is no name of a module", name);
    }
    return KW_OK;
}

static kw_status write_about(const char *path,
                             const struct kw_module_about *about,
                             struct kw_error *error) {
    char mac[2 * KW_MODULE_MAC + 1];
    kw_hex(about->mac, KW_MODULE_MAC, mac);
    json_t *root = json_pack("{s:s, s:s, s:s, s:I}", "schema", SCHEMA,
                             "firmware", about->firmware, "mac", mac, "flash",
                             (json_int_t)about->size);
    if (about->bad_sector != 0) {
        json_object_set_new(root, "bad_sector",
                            json_integer(about->bad_sector));
    }
    if (about->stuck_bit != 0) {
        json_object_set_new(root, "stuck_bit", json_integer(about->stuck_bit));
    }
    char *json = json_dumps(root, JSON_INDENT(2));
    char *text = json == NULL ? NULL : kw_format("%s\n", json);
    free(json);
    json_decref(root);
    if (text == NULL) {
        return no_memory(error);
    }
    const kw_status status =
        kw_file_create(path, KW_PUBLIC_MODE, text, strlen(text), error);
    free(text);
    return status;
}

kw_status kw_module_make(const struct kw_workspace *workspace, const char *name,
                         struct kw_module_about *about,
                         struct kw_error *error) {
    KW_TRY(check_name(name, error));
    KW_TRY(kw_random(about->mac, KW_MODULE_MAC, error));
    about->mac[0] = (uint8_t)((about->mac[0] & 0xFC) | 0x02); /* local */
    char *folder = kw_workspace_path(workspace, "winc/%s", name);
    char *path = kw_workspace_path(workspace, "winc/%s/module.json", name);
    kw_status status =
        folder == NULL || path == NULL ? no_memory(error) : KW_OK;
    if (status == KW_OK && kw_file_exists(path)) {
        status = kw_error(error, KW_NO, "there is a module %s already", name);
        (void)kw_error_hint(error, "give the new one another name");
    }
    if (status == KW_OK) {
        status = kw_folder_make(folder, error);
    }
    if (status == KW_OK) {
        status = write_about(path, about, error);
    }
    free(folder);
    free(path);
    return status;
}

/* An address in the flash, where there is one. */
static bool take_fault(const json_t *root, const char *name, json_int_t size,
                       uint32_t *address) {
    const json_t *value = json_object_get(root, name);
    const json_int_t number = json_integer_value(value);
    *address = (uint32_t)number;
    return value == NULL ||
           (json_is_integer(value) && number > 0 && number < size);
}

static kw_status take_about(const json_t *root, const char *path,
                            struct kw_module_about *about,
                            struct kw_error *error) {
    const char *firmware = json_string_value(json_object_get(root, "firmware"));
    const char *mac = json_string_value(json_object_get(root, "mac"));
    const json_int_t size = json_integer_value(json_object_get(root, "flash"));
    if (firmware == NULL || mac == NULL ||
        strlen(firmware) >= sizeof about->firmware ||
        kw_hex_read(mac, about->mac, KW_MODULE_MAC) != KW_OK ||
        (size != KW_NOR_4_MBIT && size != KW_NOR_8_MBIT) ||
        !take_fault(root, "bad_sector", size, &about->bad_sector) ||
        !take_fault(root, "stuck_bit", size, &about->stuck_bit)) {
        return kw_error(error, KW_PARSE, "%s describes no module", path);
    }
    (void)snprintf(about->firmware, sizeof about->firmware, "%s", firmware);
    about->size = (uint32_t)size;
    return KW_OK;
}

static kw_status read_about(const char *path, struct kw_module_about *about,
                            struct kw_error *error) {
    uint8_t *text = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(path, 4096, &text, &size, error));
    json_t *root = json_loadb((const char *)text, size, 0, NULL);
    free(text);
    const kw_status status = take_about(root, path, about, error);
    json_decref(root);
    return status;
}

/* --- opening --- */

static kw_status allocate(struct kw_module *module, struct kw_error *error) {
    const uint32_t size = module->about.size;
    if (size < KW_NOR_4_MBIT) {
        return kw_error(error, KW_PARSE_SIZE, "a flash without bytes");
    }
    module->memory = malloc(size);
    module->erases = calloc(size / KW_NOR_SECTOR, sizeof *module->erases);
    if (module->memory == NULL || module->erases == NULL) {
        return no_memory(error);
    }
    memset(module->memory, 0xFF, size);
    module->nor = (struct kw_nor){
        .memory = module->memory,
        .size = size,
        .erases = module->erases,
        .store = {changed, module},
        .busy_polls = 2,
        .no_erase = module->about.bad_sector,
        .stuck_at = module->about.stuck_bit,
    };
    return KW_OK;
}

static kw_status open_module(struct kw_module *module, struct kw_error *error) {
    char *path = kw_format("%s/module.json", module->folder);
    if (path == NULL) {
        return no_memory(error);
    }
    kw_status status = KW_OK;
    if (!kw_file_exists(path)) {
        status =
            kw_error(error, KW_ABSENT, "there is no module %s", module->folder);
        (void)kw_error_hint(error, "`keywright winc new` makes one");
    } else {
        status = read_about(path, &module->about, error);
    }
    free(path);
    KW_TRY(status);
    KW_TRY(allocate(module, error));
    KW_TRY(open_blocks(module, error));
    kw_sim_module_power_up(&module->sim, &module->nor);
    kw_sim_module_port(&module->sim, &module->port);
    return KW_OK;
}

kw_status kw_module_open(const struct kw_workspace *workspace, const char *name,
                         struct kw_module **module, struct kw_error *error) {
    KW_TRY(check_name(name, error));
    struct kw_module *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return no_memory(error);
    }
    opened->folder = kw_workspace_path(workspace, "winc/%s", name);
    const kw_status status =
        opened->folder == NULL ? no_memory(error) : open_module(opened, error);
    if (status != KW_OK) {
        kw_module_close(opened);
        return status;
    }
    *module = opened;
    return KW_OK;
}

void kw_module_close(struct kw_module *module) {
    if (module == NULL) {
        return;
    }
    for (size_t i = 0; i < BLOCKS_MAX; i++) {
        kw_nvm_close(module->block[i]);
    }
    if (module->memory != NULL) {
        kw_wipe(module->memory, module->about.size);
    }
    free(module->memory);
    free(module->erases);
    free(module->folder);
    kw_wipe(module, sizeof *module);
    free(module);
}

const struct kw_winc_port *kw_module_port(struct kw_module *module) {
    return &module->port;
}

const struct kw_module_about *kw_module_about(const struct kw_module *module) {
    return &module->about;
}

/* --- the running firmware --- */

static kw_status sign(void *signer, const uint8_t digest[32],
                      uint8_t signature[64]) {
    return kw_chip_sign(signer, 0, digest, signature);
}

static void take(const struct kw_sim_connection *from,
                 struct kw_module_connection *to) {
    memcpy(to->cipher, from->cipher, sizeof to->cipher);
    memcpy(to->subject, from->subject, sizeof to->subject);
    memcpy(to->root, from->root, sizeof to->root);
    memcpy(to->identity, from->identity, sizeof to->identity);
    memcpy(to->reason, from->reason, sizeof to->reason);
}

static kw_status not_connected(const struct kw_module_connect *wanted,
                               const struct kw_module_connection *connection,
                               kw_status status, struct kw_error *error) {
    switch (status) {
    case KW_ABSENT:
        return connection->reason[0] != '\0'
                   ? kw_error(error, status, "cannot resolve %s: %s",
                              wanted->host, connection->reason)
                   : kw_error(error, status, "nobody listens at %s:%s",
                              wanted->host, wanted->port);
    case KW_ABSENT_ANSWER:
        return kw_error(error, status, "%s:%s does not answer in %u s",
                        wanted->host, wanted->port, wanted->timeout_s);
    case KW_INTERRUPTED:
        return kw_error(error, status, "connecting to %s:%s was interrupted",
                        wanted->host, wanted->port);
    case KW_NO:
        return kw_error(error, status,
                        "the module does not connect to %s:%s: "
                        "%s",
                        wanted->host, wanted->port, connection->reason);
    default:
        return kw_error_core(error, status, "the module's TLS store");
    }
}

kw_status kw_flash_connect(const uint8_t *flash, uint32_t size,
                           const struct kw_module_connect *wanted,
                           struct kw_module_connection *connection,
                           struct kw_error *error) {
    const struct kw_sim_firmware firmware = {
        .flash = flash,
        .size = size,
        .sign = wanted->chip == NULL ? NULL : sign,
        .signer = wanted->chip,
    };
    const struct kw_sim_connect how = {wanted->host, wanted->port,
                                       wanted->check_name, wanted->timeout_s,
                                       wanted->stopped};
    struct kw_sim_connection result;
    const kw_status status = kw_sim_firmware_connect(&firmware, &how, &result);
    take(&result, connection);
    return status == KW_OK ? KW_OK
                           : not_connected(wanted, connection, status, error);
}

kw_status kw_module_connect(const struct kw_module *module,
                            const struct kw_module_connect *wanted,
                            struct kw_module_connection *connection,
                            struct kw_error *error) {
    return kw_flash_connect(module->memory, module->about.size, wanted,
                            connection, error);
}
