#include "host/emulated_chip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"
#include "host/chip_lock.h"
#include "host/files.h"
#include "host/phrase.h"
#include "host/text.h"
#include "sim/atecc608/chip.h"
#include "sim/atecc608/personality.h"
#include "sim/nvm/nvm.h"

#define IMAGE_KIND "atecc608"

_Static_assert(sizeof(struct kw_sim_eeprom) ==
                   4 + KW_CONFIG_SIZE + KW_OTP_SIZE + KW_SIM_DATA_SIZE,
               "an image file holds the structure byte for byte");

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

static kw_status check_name(const char *name, struct kw_error *error) {
    const bool fine = name[0] != '\0' && name[0] != '.' &&
                      strchr(name, '/') == NULL && strlen(name) <= 64;
    return fine ? KW_OK
                : kw_error(error, KW_USAGE, "'%s' is no name of a chip", name);
}

/* --- new chips --- */

struct kw_new_chip {
    struct kw_sim_eeprom eeprom;
};

static const enum kw_sim_part PARTS[] = {
    [KW_PART_TRUSTFLEX] = KW_SIM_TRUSTFLEX,
    [KW_PART_TRUSTGO] = KW_SIM_TRUSTGO,
    [KW_PART_BLANK] = KW_SIM_BLANK,
};

static const enum kw_sim_model MODELS[] = {
    [KW_MODEL_608A] = KW_SIM_608A,
    [KW_MODEL_608B] = KW_SIM_608B,
};

kw_status kw_new_chip_make(enum kw_part part, enum kw_model model,
                           struct kw_new_chip **chip, struct kw_error *error) {
    struct kw_new_chip *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return no_memory(error);
    }
    const kw_status status = kw_sim_personality(
        PARTS[part], MODELS[model], &kw_sim_crypto_openssl, &made->eeprom);
    if (status != KW_OK) {
        kw_new_chip_free(made);
        return kw_error_core(error, status, "cannot make a chip");
    }
    *chip = made;
    return KW_OK;
}

void kw_new_chip_serial(const struct kw_new_chip *chip,
                        uint8_t serial[KW_SERIAL_SIZE]) {
    kw_config_serial(chip->eeprom.config, serial);
}

/* Asks the chip itself, as a host would: GenKey of slot 0. */
static kw_status ask_public_key(struct kw_sim_chip *chip,
                                uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    const struct kw_command command = {.opcode = 0x40};
    uint8_t packet[KW_PACKET_MAX];
    uint8_t frame[KW_RESPONSE_MAX];
    const uint8_t *data = NULL;
    size_t size = 0;
    KW_TRY(kw_packet_encode(&command, packet, &size));
    (void)kw_sim_chip_wake(chip);
    const size_t frame_size = kw_sim_chip_execute(chip, packet, size, frame);
    KW_TRY(kw_response_decode(frame, frame_size, &data, &size));
    KW_ENSURE(size == KW_PUBLIC_KEY_SIZE, KW_NO);
    memcpy(public_key, data, size);
    return KW_OK;
}

kw_status kw_new_chip_public_key(const struct kw_new_chip *chip,
                                 uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    const struct kw_sim_options options = {.crypto = NULL};
    struct kw_sim_chip *sim = kw_sim_chip_new(&chip->eeprom, &options);
    KW_ENSURE(sim != NULL, KW_SYSTEM_MEMORY);
    const kw_status status = ask_public_key(sim, public_key);
    kw_sim_chip_free(sim);
    return status;
}

static void put_slot(struct kw_sim_eeprom *eeprom, unsigned slot,
                     const uint8_t *bytes) {
    if (bytes != NULL) {
        memcpy(kw_sim_eeprom_slot(eeprom, slot), bytes, kw_slot_size(slot));
    }
}

void kw_new_chip_provision(struct kw_new_chip *chip,
                           const struct kw_provisioning *provisioning) {
    put_slot(&chip->eeprom, 10, provisioning->slot_10);
    put_slot(&chip->eeprom, 11, provisioning->slot_11);
    put_slot(&chip->eeprom, 12, provisioning->slot_12);
}

static char *image_path(const struct kw_workspace *workspace,
                        const char *name) {
    return kw_workspace_path(workspace, "chips/%s.chip", name);
}

kw_status kw_new_chip_save(const struct kw_new_chip *chip,
                           const struct kw_workspace *workspace,
                           const char *name, struct kw_error *error) {
    KW_TRY(check_name(name, error));
    char *path = image_path(workspace, name);
    if (path == NULL) {
        return no_memory(error);
    }
    kw_status status = kw_nvm_create(
        path, IMAGE_KIND, (const uint8_t *)&chip->eeprom, sizeof chip->eeprom);
    if (status == KW_SYSTEM_FILE) {
        status = kw_error_system(error, "cannot create %s", path);
    } else if (status != KW_OK) {
        status = kw_error_core(error, status, path);
    }
    free(path);
    return status;
}

void kw_new_chip_free(struct kw_new_chip *chip) {
    if (chip != NULL) {
        kw_wipe(chip, sizeof *chip);
        free(chip);
    }
}

bool kw_emulated_chip_exists(const struct kw_workspace *workspace,
                             const char *name) {
    char *path = image_path(workspace, name);
    const bool exists = path != NULL && kw_file_exists(path);
    free(path);
    return exists;
}

/* --- a chip in this process ------------------------------------------------
 */

struct kw_emulated {
    struct kw_sim_chip *sim;
    struct kw_nvm *nvm; /* NULL: a copy in memory */
    int lock;           /* -1: none, or held by the caller */
    struct kw_emulated_options options;
};

static kw_status commit(void *self, const struct kw_sim_eeprom *eeprom) {
    struct kw_emulated *emulated = self;
    if (emulated->options.changed != NULL) {
        emulated->options.changed(emulated->options.self);
        return KW_OK;
    }
    return kw_nvm_commit(emulated->nvm, (const uint8_t *)eeprom);
}

void kw_emulated_power_down(struct kw_emulated *emulated) {
    if (emulated == NULL) {
        return;
    }
    kw_sim_chip_free(emulated->sim);
    kw_nvm_close(emulated->nvm);
    if (emulated->lock >= 0) {
        (void)close(emulated->lock);
    }
    free(emulated);
}

struct kw_sim_chip *kw_emulated_sim(struct kw_emulated *emulated) {
    return emulated->sim;
}

struct kw_emulated_content {
    struct kw_sim_eeprom eeprom;
};

struct kw_emulated_content *
kw_emulated_content(const struct kw_emulated *emulated) {
    struct kw_emulated_content *content = malloc(sizeof *content);
    if (content != NULL) {
        content->eeprom = *kw_sim_chip_eeprom(emulated->sim);
    }
    return content;
}

void kw_emulated_content_free(struct kw_emulated_content *content) {
    if (content != NULL) {
        kw_wipe(content, sizeof *content);
        free(content);
    }
}

kw_status kw_emulated_store(struct kw_emulated *emulated,
                            struct kw_emulated_content *content) {
    KW_ENSURE(content != NULL, KW_SYSTEM_MEMORY);
    const kw_status status =
        kw_nvm_commit(emulated->nvm, (const uint8_t *)&content->eeprom);
    const int cause = errno;
    kw_emulated_content_free(content);
    errno = cause;
    return status;
}

void kw_emulated_park(struct kw_emulated *emulated) {
    kw_nvm_park(emulated->nvm);
}

static kw_status open_image(struct kw_emulated *emulated, const char *path,
                            bool durable, struct kw_sim_eeprom *eeprom,
                            struct kw_error *error) {
    const kw_status status = (durable ? kw_nvm_open_durable : kw_nvm_open)(
        path, IMAGE_KIND, (uint8_t *)eeprom, sizeof *eeprom, &emulated->nvm);
    if (status == KW_SYSTEM_FILE) {
        return kw_error_system(error, "cannot open %s", path);
    }
    if (status == KW_OK) {
        return KW_OK;
    }
    kw_error_core(error, status, path);
    return kw_error_hint(error, "this image of a chip is damaged or none: put "
                                "a copy back, such as a snapshot of backups/ "
                                "(`cp`), or make another workspace");
}

static kw_status power_up(struct kw_emulated *emulated, const char *path,
                          bool durable, struct kw_error *error) {
    struct kw_sim_eeprom eeprom;
    KW_TRY(open_image(emulated, path, durable, &eeprom, error));
    const struct kw_sim_options options = {
        .scratch = emulated->options.scratch,
        .store = {commit, emulated},
        .now = emulated->options.clock,
    };
    emulated->sim = kw_sim_chip_new(&eeprom, &options);
    kw_wipe(&eeprom, sizeof eeprom);
    if (emulated->options.changed != NULL) {
        kw_emulated_park(emulated);
    }
    return emulated->sim == NULL ? no_memory(error) : KW_OK;
}

/* With a lock where a workspace has the chip (else NULL). */
static kw_status lock_and_power_up(const struct kw_workspace *workspace,
                                   const char *name, const char *path,
                                   const struct kw_emulated_options *options,
                                   struct kw_emulated **emulated,
                                   struct kw_error *error) {
    struct kw_emulated *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return no_memory(error);
    }
    made->lock = -1;
    if (options != NULL) {
        made->options = *options;
    }
    kw_status status = workspace == NULL
                           ? KW_OK
                           : kw_chip_lock(workspace, name, &made->lock, error);
    if (status == KW_OK) {
        status = power_up(made, path, workspace == NULL, error);
    }
    if (status != KW_OK) {
        kw_emulated_power_down(made);
        return status;
    }
    *emulated = made;
    return KW_OK;
}

/* "sim:blank, sim:trustflex": the chips whose images are there. */
static void list_chips(const struct kw_workspace *workspace, char *text,
                       size_t size) {
    struct kw_error ignored;
    struct kw_names names = {NULL, 0};
    char *folder = kw_workspace_path(workspace, "chips");
    if (folder != NULL && kw_folder_list(folder, &names, &ignored) != KW_OK) {
        names = (struct kw_names){NULL, 0};
    }
    for (size_t i = 0; i < names.count; i++) {
        const char *dot = strrchr(names.name[i], '.');
        if (dot != NULL && strcmp(dot, ".chip") == 0) {
            kw_phrase_add(text, size, "sim:%.*s", (int)(dot - names.name[i]),
                          names.name[i]);
        }
    }
    kw_names_free(&names);
    free(folder);
}

/* A lost image is a lost chip: init would make another one, and does not. */
static kw_status no_such_chip(const struct kw_workspace *workspace,
                              const char *name, struct kw_error *error) {
    char chips[256] = "";
    list_chips(workspace, chips, sizeof chips);
    kw_error(error, KW_ABSENT,
             "Can't connect to sim:%s: there is no such chip in %s", name,
             workspace->folder);
    return kw_error_hint(error,
                         "there is %s; a lost one comes back with a copy of "
                         "its image as chips/%s.chip, new ones are in a new "
                         "workspace: `keywright init --workspace DIR`",
                         chips[0] == '\0' ? "none" : chips, name);
}

kw_status kw_emulated_power_up(const struct kw_workspace *workspace,
                               const char *name,
                               const struct kw_emulated_options *options,
                               struct kw_emulated **emulated,
                               struct kw_error *error) {
    KW_TRY(check_name(name, error));
    if (!kw_emulated_chip_exists(workspace, name)) {
        return no_such_chip(workspace, name, error);
    }
    char *path = image_path(workspace, name);
    if (path == NULL) {
        return no_memory(error);
    }
    const kw_status status =
        lock_and_power_up(workspace, name, path, options, emulated, error);
    free(path);
    return status;
}

kw_status kw_emulated_image_power_up(const char *path,
                                     const struct kw_emulated_options *options,
                                     struct kw_emulated **emulated,
                                     struct kw_error *error) {
    return lock_and_power_up(NULL, NULL, path, options, emulated, error);
}

/* --- its link ----------------------------------------------------------------
 */

static kw_status wake(void *self) {
    (void)kw_sim_chip_wake(kw_emulated_sim(self));
    return KW_OK;
}

static kw_status idle(void *self) {
    kw_sim_chip_idle(kw_emulated_sim(self));
    return KW_OK;
}

static kw_status put_to_sleep(void *self) {
    kw_sim_chip_sleep(kw_emulated_sim(self));
    return KW_OK;
}

static kw_status transfer(void *self, const uint8_t *packet, size_t packet_size,
                          uint8_t *response, size_t capacity,
                          size_t *response_size) {
    KW_ENSURE(capacity >= KW_RESPONSE_MAX, KW_PARSE_SIZE);
    *response_size = kw_sim_chip_execute(kw_emulated_sim(self), packet,
                                         packet_size, response);
    return *response_size == 0 ? KW_ABSENT_ANSWER : KW_OK;
}

static const char *reason(void *self) {
    return kw_sim_chip_reason(kw_emulated_sim(self));
}

static void close_link(void *self) {
    kw_emulated_power_down(self);
}

static const struct kw_link_ops OPS = {wake, idle, put_to_sleep, transfer,
                                       reason};

static kw_status open_by_board(const struct kw_workspace *workspace,
                               const char *name, struct kw_opened_link *opened,
                               struct kw_error *error) {
    char *path = kw_workspace_path(workspace, "run/%s.sock", name);
    const kw_status status = path == NULL ? no_memory(error)
                             : kw_file_exists(path)
                                 ? kw_link_open_unix(path, opened, error)
                                 : KW_ABSENT;
    free(path);
    return status;
}

kw_status kw_emulated_chip_open(const struct kw_workspace *workspace,
                                const char *name, struct kw_opened_link *opened,
                                struct kw_error *error) {
    struct kw_emulated *emulated = NULL;
    KW_TRY(check_name(name, error));
    if (open_by_board(workspace, name, opened, error) == KW_OK) {
        return KW_OK;
    }
    const kw_status status =
        kw_emulated_power_up(workspace, name, NULL, &emulated, error);
    if (status == KW_ABSENT_LOCKED) {
        /* A board that was just starting may have its socket by now. */
        struct kw_error ignored;
        return open_by_board(workspace, name, opened, &ignored) == KW_OK
                   ? KW_OK
                   : status;
    }
    KW_TRY(status);
    *opened = (struct kw_opened_link){{&OPS, emulated}, close_link};
    return KW_OK;
}

/* --- snapshots --- */

/* An image file by itself; the chip of a workspace is opened with its lock.
 */
static kw_status read_image(const char *path, struct kw_sim_eeprom *eeprom,
                            struct kw_error *error) {
    struct kw_emulated file = {.lock = -1};
    const kw_status status = open_image(&file, path, false, eeprom, error);
    kw_nvm_close(file.nvm);
    return status;
}

static kw_status take_chip(const struct kw_workspace *workspace,
                           const char *name, struct kw_emulated **emulated,
                           struct kw_error *error) {
    *emulated = NULL;
    KW_TRY(kw_emulated_power_up(workspace, name, NULL, emulated, error));
    KW_ENSURE(*emulated != NULL, KW_SYSTEM_MEMORY);
    return KW_OK;
}

kw_status kw_emulated_image_save(const struct kw_workspace *workspace,
                                 const char *name, const char *path,
                                 uint8_t serial[KW_SERIAL_SIZE],
                                 struct kw_error *error) {
    struct kw_emulated *emulated = NULL;
    KW_TRY(take_chip(workspace, name, &emulated, error));
    const struct kw_sim_eeprom *eeprom = kw_sim_chip_eeprom(emulated->sim);
    kw_config_serial(eeprom->config, serial);
    const kw_status status = kw_nvm_create(
        path, IMAGE_KIND, (const uint8_t *)eeprom, sizeof *eeprom);
    if (status != KW_OK) {
        kw_error_system(error, "cannot create %s", path);
    }
    kw_emulated_power_down(emulated);
    return status;
}

kw_status kw_emulated_image_serial(const char *path,
                                   uint8_t serial[KW_SERIAL_SIZE],
                                   struct kw_error *error) {
    struct kw_sim_eeprom eeprom;
    KW_TRY(read_image(path, &eeprom, error));
    kw_config_serial(eeprom.config, serial);
    kw_wipe(&eeprom, sizeof eeprom);
    return KW_OK;
}

kw_status kw_emulated_serial(const struct kw_workspace *workspace,
                             const char *name, uint8_t serial[KW_SERIAL_SIZE],
                             struct kw_error *error) {
    struct kw_emulated *emulated = NULL;
    KW_TRY(take_chip(workspace, name, &emulated, error));
    kw_config_serial(kw_sim_chip_eeprom(emulated->sim)->config, serial);
    kw_emulated_power_down(emulated);
    return KW_OK;
}

kw_status kw_emulated_image_load(const struct kw_workspace *workspace,
                                 const char *name, const char *path,
                                 struct kw_error *error) {
    struct kw_emulated *emulated = NULL;
    struct kw_sim_eeprom eeprom;
    KW_TRY(read_image(path, &eeprom, error));
    kw_status status = take_chip(workspace, name, &emulated, error);
    if (status == KW_OK) {
        status = commit(emulated, &eeprom);
        if (status != KW_OK) {
            kw_error_system(error, "cannot write chips/%s.chip", name);
        }
        kw_emulated_power_down(emulated);
    }
    kw_wipe(&eeprom, sizeof eeprom);
    return status;
}

/* --- a copy for rehearsals --- */

static kw_status fill_copy(const struct kw_chip_reading *reading,
                           struct kw_sim_eeprom *eeprom) {
    KW_TRY(kw_sim_personality(KW_SIM_TRUSTFLEX, KW_SIM_608B,
                              &kw_sim_crypto_openssl, eeprom));
    memcpy(eeprom->revision, reading->revision, sizeof reading->revision);
    memcpy(eeprom->config, reading->config, KW_CONFIG_SIZE);
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        if (reading->readable[slot]) {
            memcpy(kw_sim_eeprom_slot(eeprom, slot), reading->slots[slot],
                   kw_slot_size(slot));
        }
    }
    return KW_OK;
}

/* Wipes the EEPROM. */
static kw_status power_up_copy(struct kw_sim_eeprom *eeprom,
                               struct kw_opened_link *opened,
                               struct kw_error *error) {
    const struct kw_sim_options options = {.crypto = NULL};
    struct kw_emulated *copy = calloc(1, sizeof *copy);
    struct kw_sim_chip *sim =
        copy == NULL ? NULL : kw_sim_chip_new(eeprom, &options);
    kw_wipe(eeprom, sizeof *eeprom);
    if (sim == NULL) {
        free(copy);
        return no_memory(error);
    }
    *copy = (struct kw_emulated){.sim = sim, .lock = -1};
    *opened = (struct kw_opened_link){{&OPS, copy}, close_link};
    return KW_OK;
}

kw_status kw_emulated_copy(const struct kw_chip_reading *reading,
                           struct kw_opened_link *opened,
                           struct kw_error *error) {
    struct kw_sim_eeprom eeprom;
    const kw_status status = fill_copy(reading, &eeprom);
    if (status != KW_OK) {
        return kw_error_core(error, status, "cannot copy the chip");
    }
    return power_up_copy(&eeprom, opened, error);
}

kw_status kw_emulated_copy_whole(const struct kw_workspace *workspace,
                                 const char *name,
                                 struct kw_opened_link *opened,
                                 struct kw_error *error) {
    struct kw_sim_eeprom eeprom;
    KW_TRY(check_name(name, error));
    char *path = image_path(workspace, name);
    const kw_status status =
        path == NULL ? no_memory(error) : read_image(path, &eeprom, error);
    free(path);
    KW_TRY(status);
    return power_up_copy(&eeprom, opened, error);
}
