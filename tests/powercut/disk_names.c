#include "tests/powercut/disk_names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/powercut/disk.h"
#include "tests/powercut/disk_data.h"
#include "tests/powercut/random.h"
#include "tests/powercut/real.h"

enum kind { CREATED, DIRECTORY_CREATED, REMOVED, MOVED };

/* One operation that is not flushed; newest first in the list. */
struct operation {
    enum kind kind;
    bool kept;
    struct disk_name name;
    struct disk_name to; /* of MOVED */
    unsigned stash;      /* the file removed or replaced */
    struct operation *older;
};

/* A directory that was seen; its descriptor stays open. */
struct directory {
    struct stat status;
    int fd;
    struct directory *next;
};

static char root_path[PATH_MAX];
static char stash_path[PATH_MAX + 8];
static int stash_fd = -1;
static unsigned stash_count;
static struct operation *newest;
static struct directory *directories;

static bool is_dots(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void remove_tree(int at, const char *name);

static void remove_children(int fd) {
    DIR *const directory = fdopendir(fd);
    if (directory == NULL) {
        disk_give_up("cannot list", "a directory that goes");
    }
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        if (!is_dots(entry->d_name)) {
            remove_tree(dirfd(directory), entry->d_name);
        }
    }
    closedir(directory);
}

static void remove_tree(int at, const char *name) {
    const int fd = __real_openat(
        at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        __real_unlinkat(at, name, 0);
        return;
    }
    remove_children(fd);
    __real_unlinkat(at, name, AT_REMOVEDIR);
}

static void stash_name(const char *root, char *name, size_t size) {
    snprintf(name, size, "%s.stash", root);
}

void disk_names_start(const char *root) {
    if (realpath(root, root_path) == NULL) {
        disk_give_up("no such directory", root);
    }
    stash_name(root_path, stash_path, sizeof stash_path);
    newest = NULL;
    remove_tree(AT_FDCWD, stash_path);
    __real_mkdirat(AT_FDCWD, stash_path, 0700);
    stash_fd = __real_open(stash_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (stash_fd < 0) {
        disk_give_up("cannot make", stash_path);
    }
}

void kw_disk_remove(const char *root) {
    char stash[PATH_MAX + 8];
    stash_name(root, stash, sizeof stash);
    remove_tree(AT_FDCWD, stash);
    remove_tree(AT_FDCWD, root);
}

bool disk_is_below_root(int fd) {
    char link[64];
    char path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    const size_t root = strlen(root_path);
    if (length < (ssize_t)root || memcmp(path, root_path, root) != 0) {
        return false;
    }
    path[length] = '\0';
    return path[root] == '\0' || path[root] == '/';
}

/* Takes the descriptor over: the one kept for this directory comes back. */
static struct directory *keep_directory(int fd) {
    struct stat status;
    fstat(fd, &status);
    for (struct directory *d = directories; d != NULL; d = d->next) {
        if (d->status.st_dev == status.st_dev &&
            d->status.st_ino == status.st_ino) {
            close(fd);
            return d;
        }
    }
    struct directory *const directory = disk_allocate(NULL, sizeof *directory);
    *directory = (struct directory){status, fd, directories};
    directories = directory;
    return directory;
}

/* Splits "a/b/c" into "a/b/" and "c"; "c" into "." and "c". */
static bool split(const char *path, char *parent, size_t size,
                  struct disk_name *name) {
    char copy[PATH_MAX];
    const size_t length = strlen(path);
    if (length == 0 || length >= sizeof copy) {
        return false;
    }
    memcpy(copy, path, length + 1);
    for (size_t end = length; end > 1 && copy[end - 1] == '/'; end--) {
        copy[end - 1] = '\0';
    }
    char *const slash = strrchr(copy, '/');
    const char *const last = slash == NULL ? copy : slash + 1;
    if (*last == '\0' || strlen(last) > NAME_MAX) {
        return false;
    }
    memcpy(name->text, last, strlen(last) + 1);
    const int parent_length = slash == NULL ? 1 : (int)(slash - copy) + 1;
    snprintf(parent, size, "%.*s", parent_length, slash == NULL ? "." : copy);
    return true;
}

bool disk_resolve(int at, const char *path, struct disk_name *name) {
    const int why = errno;
    char parent[PATH_MAX];
    name->directory = -1;
    int fd = -1;
    if (split(path, parent, sizeof parent, name)) {
        fd = __real_openat(at, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd >= 0 && disk_is_below_root(fd)) {
        const struct directory *const directory = keep_directory(fd);
        name->directory = directory->fd;
        name->device = directory->status.st_dev;
        name->inode = directory->status.st_ino;
    } else if (fd >= 0) {
        close(fd);
    }
    errno = why;
    return name->directory >= 0;
}

bool disk_name_exists(const struct disk_name *name) {
    struct stat status;
    return fstatat(name->directory, name->text, &status, AT_SYMLINK_NOFOLLOW) ==
           0;
}

unsigned disk_stash(const struct disk_name *name) {
    struct stat status;
    char number[16];
    if (fstatat(name->directory, name->text, &status, AT_SYMLINK_NOFOLLOW) !=
            0 ||
        S_ISDIR(status.st_mode)) {
        return DISK_NO_STASH;
    }
    snprintf(number, sizeof number, "%u", ++stash_count);
    if (__real_linkat(name->directory, name->text, stash_fd, number, 0) != 0) {
        disk_give_up("cannot keep aside", name->text);
    }
    return stash_count;
}

static void remember(struct operation operation) {
    struct operation *const kept = disk_allocate(NULL, sizeof *kept);
    *kept = operation;
    kept->older = newest;
    newest = kept;
}

void disk_name_created(const struct disk_name *name) {
    remember((struct operation){.kind = CREATED, .name = *name});
}

void disk_directory_created(const struct disk_name *name) {
    remember((struct operation){.kind = DIRECTORY_CREATED, .name = *name});
}

void disk_name_removed(const struct disk_name *name, unsigned stash) {
    remember(
        (struct operation){.kind = REMOVED, .name = *name, .stash = stash});
}

void disk_name_moved(const struct disk_name *from, const struct disk_name *to,
                     unsigned replaced) {
    remember((struct operation){
        .kind = MOVED, .name = *from, .to = *to, .stash = replaced});
}

static bool lies_in(const struct disk_name *name, const struct stat *status) {
    return name->device == status->st_dev && name->inode == status->st_ino;
}

void disk_names_flushed(int directory) {
    struct stat status;
    fstat(directory, &status);
    struct operation **place = &newest;
    while (*place != NULL) {
        struct operation *const operation = *place;
        if (lies_in(&operation->name, &status) ||
            (operation->kind == MOVED && lies_in(&operation->to, &status))) {
            *place = operation->older;
            free(operation);
        } else {
            place = &operation->older;
        }
    }
}

static bool is_same(const struct disk_name *left,
                    const struct disk_name *right) {
    return left->device == right->device && left->inode == right->inode &&
           strcmp(left->text, right->text) == 0;
}

static bool touches(const struct operation *operation,
                    const struct disk_name *name) {
    return is_same(&operation->name, name) ||
           (operation->kind == MOVED && is_same(&operation->to, name));
}

/* A later operation on the same name is on the disk, so this one is. */
static bool is_forced(const struct operation *operation) {
    for (const struct operation *later = newest; later != operation;
         later = later->older) {
        if (later->kept &&
            (touches(later, &operation->name) ||
             (operation->kind == MOVED && touches(later, &operation->to)))) {
            return true;
        }
    }
    return false;
}

static int bring_back(unsigned stash, const struct disk_name *name) {
    char number[16];
    snprintf(number, sizeof number, "%u", stash);
    return __real_linkat(stash_fd, number, name->directory, name->text, 0);
}

static int undo_move(const struct operation *operation) {
    const int result =
        __real_renameat2(operation->to.directory, operation->to.text,
                         operation->name.directory, operation->name.text, 0);
    if (result != 0 || operation->stash == DISK_NO_STASH) {
        return result;
    }
    return bring_back(operation->stash, &operation->to);
}

static int undo(const struct operation *operation) {
    const struct disk_name *const name = &operation->name;
    switch (operation->kind) {
    case CREATED:
        return __real_unlinkat(name->directory, name->text, 0);
    case DIRECTORY_CREATED:
        remove_tree(name->directory, name->text);
        return 0;
    case REMOVED:
        return bring_back(operation->stash, name);
    default:
        return undo_move(operation);
    }
}

static bool decide(uint64_t seed, uint64_t *random) {
    return seed == 1 || (seed > 1 && random_below(random, 2) == 0);
}

/* From the newest on: when an operation is undone, all later ones on its
 * names have been, so the names stand as it left them. */
void disk_names_cut(uint64_t seed, uint64_t *random) {
    for (struct operation *o = newest; o != NULL; o = o->older) {
        const bool chosen = decide(seed, random);
        o->kept = chosen || is_forced(o);
        if (!o->kept && undo(o) != 0) {
            disk_give_up("cannot undo an operation on", o->name.text);
        }
    }
    remove_tree(AT_FDCWD, stash_path);
}
