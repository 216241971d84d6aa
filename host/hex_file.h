/* host/hex_file.h: bytes from a file that people may have written.
 *
 * A file of exactly the wanted size is taken as it is; else it is text: hex
 * digits, with blanks, commas, 0x and # comments as one likes.
 * Knows host/files.h. */
#ifndef KW_HOST_HEX_FILE_H
#define KW_HOST_HEX_FILE_H

#include "host/files.h"

/* Text to at most capacity bytes. KW_PARSE: something is no hex digit, or
 * half a byte; KW_PARSE_SIZE: too many. */
KW_MUST_USE kw_status kw_hex_text_read(const char *text, size_t size,
                                       uint8_t *bytes, size_t capacity,
                                       size_t *count);

/* A file of exactly so many bytes. The bytes are wiped on failure. */
KW_MUST_USE kw_status kw_bytes_file_read(const char *path, uint8_t *bytes,
                                         size_t size, struct kw_error *error);

/* The key of a file: 32 bytes, 64 hex digits, or a SYMMETRIC KEY file
 * (docs/formats.md, "Key files"). */
KW_MUST_USE kw_status kw_key_file_read(const char *path, uint8_t key[32],
                                       struct kw_error *error);

#endif
