#include "host/lab.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "host/text.h"

#define LINE_MAX_SIZE 256

/* --- what labs say --- */

void kw_lab_say(const struct kw_lab_bench *bench, const char *format, ...) {
    char line[LINE_MAX_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    bench->watcher->line(bench->watcher->self, line);
}

void kw_lab_value(const struct kw_lab_bench *bench, const char *name,
                  const uint8_t *bytes, size_t size) {
    bench->watcher->value(bench->watcher->self, name, bytes, size);
}

const char *kw_lab_hex(const uint8_t *bytes, size_t size,
                       char text[KW_LAB_HEX]) {
    kw_hex_upper(bytes, size < KW_LAB_HEX_MAX ? size : KW_LAB_HEX_MAX, text);
    return text;
}

/* --- playing --- */

static bool is_played(const struct kw_lab_part *part, const char *attack) {
    return attack == NULL || strcmp(attack, part->name) == 0;
}

static kw_status check_attack(const struct kw_lab *lab, const char *attack,
                              struct kw_error *error) {
    char names[LINE_MAX_SIZE] = "";
    bool known = attack == NULL || strcmp(attack, KW_LAB_NO_ATTACK) == 0;
    for (size_t i = 0; i < lab->attack_count; i++) {
        const size_t used = strlen(names);
        (void)snprintf(names + used, sizeof names - used, "%s, ",
                       lab->attacks[i].name);
        known = known || strcmp(attack, lab->attacks[i].name) == 0;
    }
    if (!known) {
        kw_error(error, KW_USAGE, "this lab has no attack '%s'", attack);
        return kw_error_hint(error, "its attacks: %s" KW_LAB_NO_ATTACK, names);
    }
    return KW_OK;
}

/* A refusal is what an attack is played for: its words go to the watcher. */
static kw_status play_attack(const struct kw_lab_part *part,
                             struct kw_lab_bench *bench) {
    struct kw_error answer = {.status = KW_OK};
    struct kw_lab_bench attacked = *bench;
    attacked.error = &answer;
    bench->watcher->begin(bench->watcher->self, part, true);
    const kw_status status = part->run(&attacked);
    if (status == KW_OK) {
        return kw_error(bench->error, KW_NO,
                        "the attack '%s' was not refused: the host must not "
                        "be used like this",
                        part->name);
    }
    if (kw_status_class(status) != KW_CLASS_NO) {
        *bench->error = answer;
        return status;
    }
    bench->watcher->refused(bench->watcher->self, answer.message);
    return KW_OK;
}

static kw_status play_all(const struct kw_lab *lab, const char *attack,
                          struct kw_lab_bench *bench) {
    for (size_t i = 0; i < lab->step_count; i++) {
        bench->watcher->begin(bench->watcher->self, &lab->steps[i], false);
        KW_TRY(lab->steps[i].run(bench));
    }
    for (size_t i = 0; i < lab->attack_count; i++) {
        if (is_played(&lab->attacks[i], attack)) {
            KW_TRY(play_attack(&lab->attacks[i], bench));
        }
    }
    return KW_OK;
}

kw_status kw_lab_play(const struct kw_lab *lab, const char *attack,
                      struct kw_lab_bench *bench) {
    KW_TRY(check_attack(lab, attack, bench->error));
    bench->state = calloc(1, lab->state_size);
    if (bench->state == NULL) {
        return kw_error(bench->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const kw_status status = play_all(lab, attack, bench);
    kw_wipe(bench->state, lab->state_size);
    free(bench->state);
    bench->state = NULL;
    return status;
}
