/* tests/powercut/disk_names.h: names made, moved and removed since the last
 * flush of their directory. Part of disk.h. */
#ifndef KW_TESTS_POWERCUT_DISK_NAMES_H
#define KW_TESTS_POWERCUT_DISK_NAMES_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A name in a directory. */
struct disk_name {
    int directory; /* the layer's own descriptor; -1: not below the root */
    dev_t device;
    ino_t inode; /* of the directory */
    char text[NAME_MAX + 1];
};

#define DISK_NO_STASH 0

/* The root, absolute; makes its stash. */
void disk_names_start(const char *root);

bool disk_is_below_root(int fd);

/* False when the path leads to no directory below the root. */
bool disk_resolve(int at, const char *path, struct disk_name *name);

bool disk_name_exists(const struct disk_name *name);

/* Keeps a file that is about to lose this name; answers its number in the
 * stash, DISK_NO_STASH when there is no such file. */
unsigned disk_stash(const struct disk_name *name);

/* Each remembers an operation that succeeded. */
void disk_name_created(const struct disk_name *name);
void disk_directory_created(const struct disk_name *name);
void disk_name_removed(const struct disk_name *name, unsigned stash);
void disk_name_moved(const struct disk_name *from, const struct disk_name *to,
                     unsigned replaced);

void disk_names_flushed(int directory);

/* Undoes what the disk does not hold, then removes the stash. */
void disk_names_cut(uint64_t seed, uint64_t *random);

#endif
