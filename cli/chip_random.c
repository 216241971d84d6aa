/* cli/chip_random.c: `chip random` and `chip counter`. */
#include "cli/chip_verbs.h"
#include "core/rotate.h"
#include "host/chip_reading.h"

kw_status kw_chip_random_verb(struct kw_cli *cli,
                              const struct kw_arguments *arguments) {
    struct kw_chip *chip = NULL;
    uint8_t random[32];
    uint8_t config[KW_CONFIG_SIZE];
    (void)arguments;
    KW_TRY(kw_cli_chip(cli, &chip));
    kw_status status = kw_chip_read_config(chip, config);
    if (status == KW_OK) {
        status = kw_chip_random(chip, random);
    }
    kw_chip_idle(chip);
    if (status != KW_OK) {
        return kw_error_chip(&cli->error, status, chip,
                             "cannot get random bytes");
    }
    const bool genuine = kw_config_is_locked(config);
    kw_print_bytes(cli, random, sizeof random);
    if (!genuine) {
        kw_print(cli, "Not random: the configuration is not locked, and the "
                      "generator answers a fixed pattern until it is\n");
    }
    kw_set_bytes(cli->result, "random", random, sizeof random);
    json_object_set_new(cli->result, "genuine", json_boolean(genuine));
    return KW_OK;
}

/* --- counters --- */

const struct kw_option kw_chip_counter_options[] = {
    {"--increment", NULL, "one more, for ever: shown and asked first"},
    {NULL, NULL, NULL},
};

/* docs/cli.md, "rotate": a bundle's sequence is above counter 1. */
static void warn_of_sequence(struct kw_cli *cli,
                             const uint8_t config[KW_CONFIG_SIZE],
                             unsigned number, uint32_t after) {
    if (number == KW_ROTATE_COUNTER &&
        kw_config_keeps_validity(config, KW_ROTATING_SLOT)) {
        kw_print(cli,
                 "Rotations count on counter 1: a bundle with a sequence up to "
                 "%u that is not applied yet is refused from then on\n",
                 after);
    }
}

/* On a copy first: a counter never goes back. */
static kw_status rehearse(struct kw_cli *cli, struct kw_chip *chip,
                          unsigned number) {
    struct kw_rehearsal copy;
    uint8_t config[KW_CONFIG_SIZE] = {0};
    char question[64];
    uint32_t before = 0;
    uint32_t after = 0;
    KW_TRY(kw_rehearsal_open(chip, &copy, &cli->error));
    kw_status status = kw_chip_counter(&copy.chip, number, &before);
    if (status == KW_OK) {
        status = kw_chip_count(&copy.chip, number, &after);
    }
    if (status == KW_OK) {
        status = kw_chip_read_config(&copy.chip, config);
    }
    if (status != KW_OK) {
        kw_error_chip(&cli->error, status, &copy.chip,
                      "the chip would not count");
    }
    kw_rehearsal_close(&copy);
    KW_TRY(status);
    kw_print(cli,
             "Rehearsed on a copy of the chip: counter %u goes from %u to %u "
             "of %u, and never back\n",
             number, before, after, KW_COUNTER_MAX);
    warn_of_sequence(cli, config, number, after);
    (void)snprintf(question, sizeof question, "Increment counter %u?", number);
    return kw_confirm_chip(cli, question);
}

kw_status kw_chip_counter_verb(struct kw_cli *cli,
                               const struct kw_arguments *arguments) {
    const bool increment = kw_argument(arguments, "--increment") != NULL;
    struct kw_chip *chip = NULL;
    unsigned number = 0;
    uint32_t value = 0;
    KW_TRY(kw_read_number(cli, "counter", arguments->operand[0], 1, &number));
    KW_TRY(kw_cli_chip(cli, &chip));
    KW_TRY(increment ? rehearse(cli, chip, number) : KW_OK);
    const kw_status status = increment ? kw_chip_count(chip, number, &value)
                                       : kw_chip_counter(chip, number, &value);
    kw_chip_idle(chip);
    if (status != KW_OK) {
        return kw_error_chip(&cli->error, status, chip,
                             increment ? "cannot increment the counter"
                                       : "cannot read the counter");
    }
    kw_print(cli, "Counter %u: %u\n", number, value);
    json_object_set_new(cli->result, "counter", json_integer(number));
    json_object_set_new(cli->result, "value", json_integer(value));
    json_object_set_new(cli->result, "incremented", json_boolean(increment));
    return KW_OK;
}
