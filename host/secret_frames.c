#include "host/secret_frames.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"

static const struct {
    uint8_t opcode;
    const char *name;
} NAMES[] = {
    {KW_OP_READ, "Read"},
    {KW_OP_MAC, "MAC"},
    {KW_OP_WRITE, "Write"},
    {KW_OP_GENDIG, "GenDig"},
    {KW_OP_NONCE, "Nonce"},
    {KW_OP_LOCK, "Lock"},
    {KW_OP_RANDOM, "Random"},
    {KW_OP_DERIVEKEY, "DeriveKey"},
    {KW_OP_UPDATEEXTRA, "UpdateExtra"},
    {KW_OP_COUNTER, "Counter"},
    {KW_OP_CHECKMAC, "CheckMac"},
    {KW_OP_INFO, "Info"},
    {KW_OP_GENKEY, "GenKey"},
    {KW_OP_SIGN, "Sign"},
    {KW_OP_ECDH, "ECDH"},
    {KW_OP_VERIFY, "Verify"},
    {KW_OP_PRIVWRITE, "PrivWrite"},
    {KW_OP_SHA, "SHA"},
    {KW_OP_AES, "AES"},
    {KW_OP_KDF, "KDF"},
    {KW_OP_SELFTEST, "SelfTest"},
    {KW_OP_SECUREBOOT, "SecureBoot"},
};

static const char *name_of(uint8_t opcode) {
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (NAMES[i].opcode == opcode) {
            return NAMES[i].name;
        }
    }
    return "unknown command";
}

/* --- the policy --- */

enum secrecy {
    SHOWN,   /* travels in the open by design */
    SLOT,    /* as secret as the slot that it is read from or written to */
    SECRET,  /* a key of the slot, whatever the configuration */
    LEFT_OUT /* may be secret, whatever the slot */
};

enum direction { TO_CHIP, FROM_CHIP };

#define REST 0xFF

/* The first row that fits decides; bytes beyond its size go on with the
 * next. */
static const struct row {
    uint8_t opcode;
    uint8_t mask; /* of param1 */
    uint8_t mode;
    uint16_t param2; /* bits that must be set */
    enum direction direction;
    uint8_t offset;
    uint8_t size; /* or REST */
    enum secrecy secrecy;
    const char *what;
} ROWS[] = {
    {KW_OP_READ, 0x03, 0x00, 0, FROM_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_READ, 0x03, 0x01, 0, FROM_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_READ, 0x03, 0x02, 0, FROM_CHIP, 0, REST, SLOT, ""},
    {KW_OP_WRITE, 0x03, 0x00, 0, TO_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_WRITE, 0x03, 0x01, 0, TO_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_WRITE, 0x03, 0x02, 0, TO_CHIP, 0, 32, SLOT, ""},
    {KW_OP_WRITE, 0x03, 0x02, 0, TO_CHIP, 32, REST, LEFT_OUT, "MAC"},
    {KW_OP_PRIVWRITE, 0, 0, 0, TO_CHIP, 0, 36, SECRET, ""},
    {KW_OP_PRIVWRITE, 0, 0, 0, TO_CHIP, 36, REST, LEFT_OUT, "MAC"},
    /* A random nonce is made of two public halves; what is passed in may be
     * a key for AES, HMAC or KDF, except in the message digest buffer. */
    {KW_OP_NONCE, 0x02, 0x00, 0, TO_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_NONCE, 0xC2, 0x42, 0, TO_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_NONCE, 0xC2, 0x02, 0, TO_CHIP, 0, REST, LEFT_OUT, "for TempKey"},
    {KW_OP_NONCE, 0xC2, 0x82, 0, TO_CHIP, 0, REST, LEFT_OUT,
     "for the alternate key buffer"},
    {KW_OP_NONCE, 0, 0, 0x8000, FROM_CHIP, 0, REST, LEFT_OUT, "new TempKey"},
    {KW_OP_NONCE, 0, 0, 0, FROM_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_GENDIG, 0xFF, 0x03, 0, TO_CHIP, 0, REST, LEFT_OUT, "shared nonce"},
    {KW_OP_GENDIG, 0, 0, 0, TO_CHIP, 0, 4, SHOWN, ""},
    {KW_OP_RANDOM, 0, 0, 0, FROM_CHIP, 0, REST, LEFT_OUT, "random"},
    {KW_OP_GENKEY, 0, 0, 0, TO_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_GENKEY, 0, 0, 0, FROM_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_SIGN, 0, 0, 0, FROM_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_VERIFY, 0, 0, 0, TO_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_VERIFY, 0, 0, 0, FROM_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_MAC, 0, 0, 0, TO_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_MAC, 0, 0, 0, FROM_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_CHECKMAC, 0, 0, 0, TO_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_DERIVEKEY, 0, 0, 0, TO_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_COUNTER, 0, 0, 0, FROM_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_INFO, 0, 0, 0, FROM_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_SHA, 0, 0, 0, TO_CHIP, 0, REST, LEFT_OUT, "hashed"},
    {KW_OP_SHA, 0, 0, 0, FROM_CHIP, 0, REST, LEFT_OUT, "digest or context"},
    {KW_OP_ECDH, 0, 0, 0, TO_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_ECDH, 0, 0, 0, FROM_CHIP, 0, REST, LEFT_OUT, "ECDH secret"},
    {KW_OP_AES, 0, 0, 0, TO_CHIP, 0, REST, LEFT_OUT, "AES input"},
    {KW_OP_AES, 0, 0, 0, FROM_CHIP, 0, REST, LEFT_OUT, "AES output"},
    {KW_OP_KDF, 0, 0, 0, TO_CHIP, 0, 4, SHOWN, ""},
    {KW_OP_KDF, 0, 0, 0, TO_CHIP, 4, REST, LEFT_OUT, "KDF message"},
    {KW_OP_KDF, 0, 0, 0, FROM_CHIP, 0, REST, LEFT_OUT, "derived key"},
    {KW_OP_SECUREBOOT, 0, 0, 0, TO_CHIP, 0, REST, SHOWN, ""},
    {KW_OP_SECUREBOOT, 0, 0, 0, FROM_CHIP, 0, REST, SHOWN, ""},
};

static const struct row *find_row(const struct kw_command *command,
                                  enum direction direction, size_t offset) {
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct row *row = &ROWS[i];
        if (row->opcode == command->opcode && row->direction == direction &&
            (command->param1 & row->mask) == row->mode &&
            (command->param2 & row->param2) == row->param2 &&
            row->offset == offset) {
            return row;
        }
    }
    return NULL;
}

/* --- what the frames tell about the configuration --- */

bool kw_frame_view_knows(const struct kw_frame_view *view) {
    return view->known_words == UINT32_MAX;
}

void kw_frame_view_tell(struct kw_frame_view *view,
                        const uint8_t config[KW_CONFIG_SIZE]) {
    memcpy(view->config, config, KW_CONFIG_SIZE);
    view->known_words = UINT32_MAX;
}

static void learn(struct kw_frame_view *view, unsigned word,
                  const uint8_t *bytes, size_t size) {
    const size_t at = (size_t)word * KW_WORD_SIZE;
    if (at + size > KW_CONFIG_SIZE || size % KW_WORD_SIZE != 0) {
        return;
    }
    memcpy(view->config + at, bytes, size);
    for (size_t i = 0; i < size / KW_WORD_SIZE; i++) {
        view->known_words |= 1u << (word + i);
    }
}

static unsigned word_of(const struct kw_command *command) {
    const unsigned word = command->param2 & 31u;
    return (command->param1 & 0x80u) != 0 ? word & ~7u : word;
}

static void learn_from_answer(struct kw_frame_view *view, const uint8_t *data,
                              size_t size) {
    const struct kw_command *command = &view->command;
    const bool reads = command->opcode == KW_OP_READ &&
                       (command->param1 & 3u) == KW_ZONE_CONFIG;
    if (reads && (size == KW_WORD_SIZE || size == KW_BLOCK_SIZE)) {
        learn(view, word_of(command), data, size);
    }
    /* Lock and UpdateExtra change what was read: ask again. */
    if ((command->opcode == KW_OP_LOCK ||
         command->opcode == KW_OP_UPDATEEXTRA) &&
        size == 1 && data[0] == 0) {
        view->known_words &= ~(3u << (KW_CONFIG_USER_EXTRA / KW_WORD_SIZE));
    }
}

static void learn_from_command(struct kw_frame_view *view,
                               const struct kw_command *command) {
    /* Whether it succeeds is not known yet: what it touches is forgotten. */
    if (command->opcode == KW_OP_WRITE &&
        (command->param1 & 3u) == KW_ZONE_CONFIG) {
        const uint32_t words = (command->param1 & 0x80u) != 0 ? 0xFFu : 1u;
        view->known_words &= ~(words << word_of(command));
    }
}

/* --- words --- */

struct text {
    char *words;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text,
                                                      const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(text->words + text->used,
                               KW_FRAME_WORDS - text->used, format, arguments);
    va_end(arguments);
    if (size > 0) {
        const size_t end = text->used + (size_t)size;
        text->used = end < KW_FRAME_WORDS ? end : KW_FRAME_WORDS - 1;
    }
}

static void put_bytes(struct text *text, const uint8_t *bytes, size_t size) {
    put(text, " ");
    for (size_t i = 0; i < size; i++) {
        put(text, "%02X", bytes[i]);
    }
}

static unsigned slot_of(const struct kw_command *command) {
    return command->opcode == KW_OP_PRIVWRITE ? command->param2 & 15u
                                              : (command->param2 >> 3) & 15u;
}

/* A key that only lacks IsSecret is treated as one all the same. */
static bool slot_is_open(const struct kw_frame_view *view, unsigned slot) {
    const struct kw_key_config key = kw_config_key(view->config, slot);
    return !kw_config_slot(view->config, slot).is_secret && !key.is_private &&
           key.key_type != KW_KEY_TYPE_AES;
}

static void put_slot(const struct kw_frame_view *view, struct text *text,
                     const struct kw_command *command, const uint8_t *bytes,
                     size_t size) {
    const unsigned slot = slot_of(command);
    if (!kw_frame_view_knows(view)) {
        put(text, " <%zu bytes of slot %u, may be secret>", size, slot);
    } else if (slot_is_open(view, slot)) {
        put_bytes(text, bytes, size);
    } else {
        put(text, " <%zu bytes, secret of slot %u>", size, slot);
    }
}

static void put_part(const struct kw_frame_view *view, struct text *text,
                     const struct row *row, const struct kw_command *command,
                     const uint8_t *bytes, size_t size) {
    switch (row->secrecy) {
    case SHOWN:
        put_bytes(text, bytes, size);
        break;
    case SLOT:
        put_slot(view, text, command, bytes, size);
        break;
    case SECRET:
        put(text, " <%zu bytes, secret of slot %u>", size, slot_of(command));
        break;
    case LEFT_OUT:
        put(text, " <%zu bytes, %s>", size, row->what);
        break;
    }
}

static void put_data(const struct kw_frame_view *view, struct text *text,
                     const struct kw_command *command, enum direction direction,
                     const uint8_t *data, size_t size) {
    for (size_t at = 0; at < size;) {
        const struct row *row = find_row(command, direction, at);
        const size_t left = size - at;
        if (row == NULL) {
            put(text, " <%zu bytes>", left);
            return;
        }
        const size_t part =
            row->size == REST || row->size > left ? left : row->size;
        put_part(view, text, row, command, data + at, part);
        at += part;
    }
}

void kw_frame_packet(struct kw_frame_view *view, const uint8_t *packet,
                     size_t size, char words[KW_FRAME_WORDS]) {
    struct text text = {words, 0};
    struct kw_command command;
    words[0] = '\0';
    view->has_command = kw_packet_decode(packet, size, &command) == KW_OK;
    if (!view->has_command) {
        put(&text, "damaged command of %zu bytes", size);
        return;
    }
    learn_from_command(view, &command);
    put(&text, "%s(%02X) param1 %02X param2 %04X", name_of(command.opcode),
        command.opcode, command.param1, command.param2);
    put_data(view, &text, &command, TO_CHIP, command.data, command.data_size);
    view->command = command;
    view->command.data = NULL;
}

void kw_frame_response(struct kw_frame_view *view, const uint8_t *frame,
                       size_t size, char words[KW_FRAME_WORDS]) {
    struct text text = {words, 0};
    const uint8_t *data = NULL;
    size_t data_size = 0;
    words[0] = '\0';
    if (kw_response_decode(frame, size, &data, &data_size) != KW_OK) {
        put(&text, "damaged answer of %zu bytes", size);
        return;
    }
    if (data_size == 1) {
        put(&text, "%02X", data[0]);
    } else if (!view->has_command) {
        put(&text, "<%zu bytes of an unknown command>", data_size);
    } else {
        put_data(view, &text, &view->command, FROM_CHIP, data, data_size);
    }
    if (view->has_command) {
        learn_from_answer(view, data, data_size);
    }
    if (words[0] == ' ') {
        memmove(words, words + 1, strlen(words));
    }
}
