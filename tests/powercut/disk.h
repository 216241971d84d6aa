/* tests/powercut/disk.h: a disk whose power can be cut at any operation.
 *
 * The layer sits under the file functions of the program that is tested:
 * the linker's --wrap option sends them here (the list:
 * tests/powercut/CMakeLists.txt). Everything takes effect at once, as in a
 * page cache, but the layer remembers what the program has not flushed. At
 * the operation asked for it decides, by the seed, what a disk would still
 * hold, makes the files below the root so, and ends the process with
 * KW_DISK_EXIT. The caller runs the program in a child process and looks at
 * the files afterwards.
 *
 * What a cut may do:
 * - Data. A flush is fsync or fdatasync of the file. Of each sector of 512
 *   bytes the disk holds any version since the last flush, independently of
 *   the others; one sector a file may be torn at a byte. The size is any
 *   that the file had since then. A sector that was never written back
 *   holds zeros or stale noise.
 * - Names (create, rename, link, unlink, mkdir). A flush is fsync of the
 *   directory; fsync of the file does not keep its name. Each operation is
 *   kept or dropped; one that is kept keeps the earlier ones on the same
 *   name. A rename is kept or dropped whole, as file systems promise. A
 *   rename between directories counts as flushed with either. A directory
 *   that is dropped takes with it what lies in it.
 * - Not followed: modes, owners, times.
 *
 * Seed 0 drops all that was not flushed, seed 1 keeps all of it, any other
 * draws. Operations are counted from 1: write, pwrite, truncating, create,
 * rename, link, unlink, mkdir, fsync, fdatasync below the root, and marks. A
 * cut at a flush comes before the flush. Flushes do not reach the real
 * disk: they would only cost time.
 *
 * A storage call that the layer cannot follow (fopen for writing, writev,
 * O_TMPFILE..) ends the process with KW_DISK_UNSEEN and says which. Shared
 * libraries (SQLite, jansson, OpenSSL) are not wrapped and go by unseen, and
 * so do shared mappings.
 * Closing a file releases fcntl locks on it as ever, and no earlier: the
 * layer keeps its own descriptors open until the process ends.
 *
 * One process, one thread; a child of the process is not followed. */
#ifndef KW_TESTS_POWERCUT_DISK_H
#define KW_TESTS_POWERCUT_DISK_H

#include <stdbool.h>
#include <stdint.h>

#define KW_DISK_EXIT   137 /* exit status after a cut: 128 + SIGKILL */
#define KW_DISK_UNSEEN 70  /* exit status: a call that is not covered */

/* Follows what happens below this directory, which exists, from now on.
 * cut_at 0: never. Names that are unlinked are kept aside in ROOT.stash
 * until the end, so that a cut can bring them back. */
void kw_disk_start(const char *root, uint64_t seed, unsigned long cut_at);

/* Operations so far. */
unsigned long kw_disk_operations(void);

/* An operation that stores nothing: a cut between two commands to a chip. */
void kw_disk_mark(void);

/* While it lies the disk says that it flushed and did not. Whole runs on it
 * are the runner's own test: what is safe on an honest disk must fail. For
 * a moment it stands for a process that was killed before its flush. */
void kw_disk_lie_about_flushing(bool lies);

/* For the parent: removes a directory and all in it, and its stash. */
void kw_disk_remove(const char *root);

#endif
