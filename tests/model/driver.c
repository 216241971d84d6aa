/* tests/model/driver.c: many emulated chips for a program on a pipe.
 *
 * One line in, one line out, bytes in hex:
 *   new <struct kw_sim_eeprom>   "ok"; the chip before it is freed
 *   seed <number>                "ok"; random numbers follow from it
 *   cmd <packet>                 <response> | <volatile state> | <reason>
 *   wake, idle, sleep, cycle     "ok" | <volatile state> |
 *   eeprom                       <struct kw_sim_eeprom>
 * The end of the input ends the program; a line that is none of these ends
 * it with exit code 2.
 *
 * After "seed", draw N of 32 bytes is SHA-256(seed[8] N[8]), numbers
 * little-endian; a private key is a draw whose top bit is cleared. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/packet.h"
#include "sim/atecc608/chip.h"

enum {
    LINE_MAX_SIZE = 4096,
    DRAW_SIZE = 32,
};

/* The crypto table has no place for a test's context: one chip at a time,
 * one generator. */
static struct {
    bool seeded;
    uint64_t seed;
    uint64_t draws;
} generator;

static kw_status draw(void *context, uint8_t block[DRAW_SIZE]) {
    uint8_t message[16];
    for (unsigned i = 0; i < 8; i++) {
        message[i] = (uint8_t)(generator.seed >> (8 * i));
        message[8 + i] = (uint8_t)(generator.draws >> (8 * i));
    }
    generator.draws++;
    const struct kw_hash hash = kw_sim_crypto_openssl.hash(context);
    return kw_hash_bytes(&hash, message, sizeof message, block);
}

static kw_status seeded_random(void *context, uint8_t *bytes, size_t size) {
    if (!generator.seeded) {
        return kw_sim_crypto_openssl.random(context, bytes, size);
    }
    for (size_t at = 0; at < size; at += DRAW_SIZE) {
        const size_t left = size - at;
        uint8_t block[DRAW_SIZE];
        KW_TRY(draw(context, block));
        memcpy(bytes + at, block, left < DRAW_SIZE ? left : DRAW_SIZE);
    }
    return KW_OK;
}

static kw_status seeded_key_make(void *context, uint8_t private_key[32]) {
    if (!generator.seeded) {
        return kw_sim_crypto_openssl.key_make(context, private_key);
    }
    KW_TRY(draw(context, private_key));
    private_key[0] &= 0x7F;
    return KW_OK;
}

static void die(const char *why) {
    fprintf(stderr, "model driver: %s\n", why);
    exit(2);
}

static void print_hex(const uint8_t *bytes, size_t size) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        putchar(digits[bytes[i] >> 4]);
        putchar(digits[bytes[i] & 15]);
    }
}

static int digit(char character) {
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    if (character >= 'a' && character <= 'f') {
        return character - 'a' + 10;
    }
    return -1;
}

static size_t read_hex(const char *text, uint8_t *bytes, size_t capacity) {
    size_t size = 0;
    while (text[0] != '\0') {
        const int high = digit(text[0]);
        const int low = high < 0 ? -1 : digit(text[1]);
        if (low < 0 || size == capacity) {
            die("bad or too much hex");
        }
        bytes[size++] = (uint8_t)(16 * high + low);
        text += 2;
    }
    return size;
}

/* CRC-32 as zlib has it: one number stands for the whole EEPROM. */
static uint32_t crc32_of(const void *data, size_t size) {
    static uint32_t table[256];
    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t entry = i;
            for (unsigned bit = 0; bit < 8; bit++) {
                entry = entry >> 1 ^ (0xEDB88320u & (0u - (entry & 1u)));
            }
            table[i] = entry;
        }
    }
    const uint8_t *bytes = data;
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xFFu];
    }
    return ~crc;
}

static void print_state(const struct kw_sim_chip *chip) {
    const struct kw_sim_volatile *state = kw_sim_chip_volatile(chip);
    printf(" | valid=%d is_64=%d key_id=%d source_fixed=%d gen_dig=%d "
           "gen_key=%d no_mac=%d private=%d temp_key=",
           state->temp_key_valid, state->temp_key_is_64, state->temp_key_id,
           state->source_fixed, state->gen_dig_data, state->gen_key_data,
           state->no_mac, state->temp_key_private);
    print_hex(state->temp_key, sizeof state->temp_key);
    printf(" message=");
    print_hex(state->message_digest, state->message_digest_size);
    printf(" alternate=");
    print_hex(state->alternate_key,
              state->alternate_key_valid ? sizeof state->alternate_key : 0);
    printf(" eeprom=%08" PRIx32 " draws=%" PRIu64,
           crc32_of(kw_sim_chip_eeprom(chip), sizeof(struct kw_sim_eeprom)),
           generator.draws);
}

static struct kw_sim_chip *make_chip(const char *hex) {
    static struct kw_sim_crypto crypto;
    crypto = kw_sim_crypto_openssl;
    crypto.random = seeded_random;
    crypto.key_make = seeded_key_make;
    const struct kw_sim_options options = {.crypto = &crypto};
    struct kw_sim_eeprom eeprom;
    if (read_hex(hex, (uint8_t *)&eeprom, sizeof eeprom) != sizeof eeprom) {
        die("the EEPROM has the wrong size");
    }
    struct kw_sim_chip *chip = kw_sim_chip_new(&eeprom, &options);
    if (chip == NULL) {
        die("no chip");
    }
    return chip;
}

static void execute(struct kw_sim_chip *chip, const char *hex) {
    uint8_t packet[LINE_MAX_SIZE / 2];
    const size_t size = read_hex(hex, packet, sizeof packet);
    uint8_t response[KW_RESPONSE_MAX];
    print_hex(response, kw_sim_chip_execute(chip, packet, size, response));
    print_state(chip);
    printf(" | %s\n", kw_sim_chip_reason(chip));
}

static bool change_power(struct kw_sim_chip *chip, const char *word) {
    if (strcmp(word, "wake") == 0) {
        kw_sim_chip_wake(chip);
    } else if (strcmp(word, "idle") == 0) {
        kw_sim_chip_idle(chip);
    } else if (strcmp(word, "sleep") == 0) {
        kw_sim_chip_sleep(chip);
    } else if (strcmp(word, "cycle") == 0) {
        kw_sim_chip_power_cycle(chip);
    } else {
        return false;
    }
    return true;
}

static struct kw_sim_chip *obey(struct kw_sim_chip *chip, const char *word,
                                const char *argument) {
    if (strcmp(word, "new") == 0) {
        kw_sim_chip_free(chip);
        chip = make_chip(argument);
        puts("ok");
        return chip;
    }
    if (strcmp(word, "seed") == 0) {
        generator.seeded = true;
        generator.seed = strtoull(argument, NULL, 10);
        generator.draws = 0;
        puts("ok");
        return chip;
    }
    if (chip == NULL) {
        die("no chip yet");
    }
    if (strcmp(word, "cmd") == 0) {
        execute(chip, argument);
    } else if (strcmp(word, "eeprom") == 0) {
        print_hex((const uint8_t *)kw_sim_chip_eeprom(chip),
                  sizeof(struct kw_sim_eeprom));
        putchar('\n');
    } else if (change_power(chip, word)) {
        printf("ok");
        print_state(chip);
        puts(" | ");
    } else {
        die("unknown word");
    }
    return chip;
}

int main(void) {
    static char line[LINE_MAX_SIZE];
    struct kw_sim_chip *chip = NULL;
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *argument = line + strcspn(line, " ");
        if (*argument != '\0') {
            *argument++ = '\0';
        }
        chip = obey(chip, line, argument);
        fflush(stdout);
    }
    kw_sim_chip_free(chip);
    return 0;
}
