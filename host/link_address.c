#include "host/link_address.h"

#include <string.h>

#include "host/text.h"

static kw_status no_address(struct kw_error *error, const char *text) {
    kw_error(error, KW_USAGE, "'%s' is no address of a chip", text);
    return kw_error_hint(error, "write the 8-bit form of the configuration "
                                "zone, @6C, or the 7-bit form, @0x36/7");
}

static kw_status read_7bit(const char *text, uint8_t *address) {
    char digits[3] = "";
    KW_ENSURE(strlen(text) == 6 && strcmp(text + 4, "/7") == 0, KW_PARSE);
    memcpy(digits, text + 2, 2);
    KW_TRY(kw_hex_read(digits, address, 1));
    KW_ENSURE(*address < 0x80, KW_PARSE);
    *address = (uint8_t)(*address << 1);
    return KW_OK;
}

/* The reserved addresses of I2C are no chip's. */
static bool is_address(uint8_t address) {
    return (address & 1) == 0 && address >= 0x08 << 1 && address < 0x78 << 1;
}

static kw_status read_address(const char *text, uint8_t *address) {
    if (strncmp(text, "0x", 2) == 0) {
        KW_TRY(read_7bit(text, address));
    } else {
        KW_TRY(kw_hex_read(text, address, 1));
    }
    return is_address(*address) ? KW_OK : KW_PARSE;
}

kw_status kw_link_place_read(const char *text, struct kw_link_place *place,
                             struct kw_error *error) {
    const char *at = strrchr(text, '@');
    const size_t size = at == NULL ? strlen(text) : (size_t)(at - text);
    *place = (struct kw_link_place){.address = 0};
    if (size >= sizeof place->device) {
        return kw_error(error, KW_USAGE, "the name of the device is too long");
    }
    memcpy(place->device, text, size);
    if (at != NULL && read_address(at + 1, &place->address) != KW_OK) {
        return no_address(error, at + 1);
    }
    return KW_OK;
}
