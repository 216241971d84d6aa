/* sim/nvm/nvm.h: a non-volatile image that survives a power cut anywhere.
 *
 * An image is a run of bytes of fixed size in one file. A commit replaces
 * it whole: after a cut the next open finds the old image or the new one,
 * never a third. The file keeps two copies, each with a sequence number and
 * a checksum; a commit writes the older copy and flushes (bytes:
 * docs/formats.md, "Image files"). All file access is in sim/nvm/nvm.c
 * through plain POSIX calls, so a test can put itself under them.
 *
 * Knows core/status.h and core/sha256.h, and no chip. */
#ifndef KW_SIM_NVM_H
#define KW_SIM_NVM_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct kw_nvm;

/* Creates the file with this content, mode 0600, and fails when it is there
 * (KW_SYSTEM_FILE, errno EEXIST). After a cut inside, the file is there
 * whole or not at all. The kind (up to 8 characters, such as "atecc608")
 * is written into the file. */
KW_MUST_USE kw_status kw_nvm_create(const char *path, const char *kind,
                                    const uint8_t *image, size_t size);

/* Opens an image of this kind and size and copies the newest whole copy to
 * image. KW_SYSTEM_FILE: cannot be opened or read (errno). KW_PARSE_MAGIC:
 * another kind of file. KW_PARSE_SIZE: another size. KW_PARSE: neither copy
 * is whole. */
KW_MUST_USE kw_status kw_nvm_open(const char *path, const char *kind,
                                  uint8_t *image, size_t size,
                                  struct kw_nvm **nvm);

/* The same for a file that is durable as it is, since nobody could write it
 * after the caller flushed its whole file system: reads it alone. */
KW_MUST_USE kw_status kw_nvm_open_durable(const char *path, const char *kind,
                                          uint8_t *image, size_t size,
                                          struct kw_nvm **nvm);

/* Makes this image the content; durable when it returns KW_OK. On failure
 * (KW_SYSTEM_FILE, errno) the content is the old or the new image. */
KW_MUST_USE kw_status kw_nvm_commit(struct kw_nvm *nvm, const uint8_t *image);

/* Lets go of the descriptor and the buffer until the next commit, which opens
 * the path again: for many images in one process. Whoever opened the image
 * keeps others away from the file meanwhile; when the path stands for another
 * image by then the commit fails (errno ESTALE). */
void kw_nvm_park(struct kw_nvm *nvm);

/* Closes and frees; NULL is fine. */
void kw_nvm_close(struct kw_nvm *nvm);

#endif
