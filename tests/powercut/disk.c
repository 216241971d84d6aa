#include "tests/powercut/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/powercut/disk_data.h"
#include "tests/powercut/disk_names.h"
#include "tests/powercut/real.h"

/* The functions of the program have no place to carry a context, so the
 * disk is the one of the process. */
static struct {
    pid_t process; /* 0: not started */
    uint64_t seed;
    uint64_t random;
    unsigned long cut_at;
    unsigned long operations;
    bool lies;
} disk;

void kw_disk_start(const char *root, uint64_t seed, unsigned long cut_at) {
    disk_data_start();
    disk_names_start(root);
    disk.seed = seed;
    disk.random = seed * 0x2545F4914F6CDD1Du + cut_at;
    disk.cut_at = cut_at;
    disk.operations = 0;
    disk.lies = false;
    disk.process = getpid();
}

unsigned long kw_disk_operations(void) {
    return disk.operations;
}

void kw_disk_lie_about_flushing(bool lies) {
    disk.lies = lies;
}

static _Noreturn void cut_power(void) {
    disk_data_cut(disk.seed, &disk.random);
    disk_names_cut(disk.seed, &disk.random);
    _exit(KW_DISK_EXIT);
}

/* Counts an operation that has taken effect, in the cache. */
static void step(void) {
    disk.operations++;
    if (disk.operations == disk.cut_at) {
        cut_power();
    }
}

static bool is_on(void) {
    return disk.process != 0 && disk.process == getpid();
}

void kw_disk_mark(void) {
    if (is_on()) {
        step();
    }
}

static bool has_type(int fd, mode_t type) {
    struct stat status;
    return fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == type;
}

/* Pipes, sockets and files elsewhere are none of the layer's business. */
static bool is_followed(int fd, mode_t type) {
    const int why = errno;
    const bool followed =
        is_on() && has_type(fd, type) && disk_is_below_root(fd);
    errno = why;
    return followed;
}

static bool resolve(int at, const char *path, struct disk_name *name) {
    return is_on() && disk_resolve(at, path, name);
}

/* ---- open ---- */

/* Truncation is taken out of open and done here, for the old content must
 * be seen first. */
static void truncate_opened(int fd) {
    if (!has_type(fd, S_IFREG) || lseek(fd, 0, SEEK_END) == 0) {
        return;
    }
    lseek(fd, 0, SEEK_SET);
    disk_data_before(fd);
    if (__real_ftruncate(fd, 0) != 0) {
        disk_give_up("cannot truncate", "a file opened with O_TRUNC");
    }
    disk_data_truncated(fd, 0);
    step();
}

static int open_followed(const struct disk_name *name, int at, const char *path,
                         int flags, mode_t mode) {
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        disk_give_up("O_TMPFILE is not covered", path);
    }
    const bool existed = disk_name_exists(name);
    const int fd = __real_openat(at, path, flags & ~O_TRUNC, mode);
    if (fd < 0) {
        return fd;
    }
    if (!existed && (flags & O_CREAT) != 0) {
        disk_name_created(name);
        step();
    } else if ((flags & O_TRUNC) != 0) {
        truncate_opened(fd);
    }
    return fd;
}

static int open_any(int at, const char *path, int flags, mode_t mode) {
    struct disk_name name;
    const bool stores =
        (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    if (stores && resolve(at, path, &name)) {
        return open_followed(&name, at, path, flags, mode);
    }
    return __real_openat(at, path, flags, mode);
}

static mode_t mode_of(int flags, va_list list) {
    const bool given =
        (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    return given ? va_arg(list, mode_t) : 0;
}

/* The same function under the names that glibc's headers may give it. */
#define WRAP_OPEN(name)                                                        \
    int __wrap_##name(const char *path, int flags, ...);                       \
    int __wrap_##name(const char *path, int flags, ...) {                      \
        va_list list;                                                          \
        va_start(list, flags);                                                 \
        const mode_t mode = mode_of(flags, list);                              \
        va_end(list);                                                          \
        return open_any(AT_FDCWD, path, flags, mode);                          \
    }
WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP_OPEN(__open_2)
WRAP_OPEN(__open64_2)

#define WRAP_OPENAT(name)                                                      \
    int __wrap_##name(int at, const char *path, int flags, ...);               \
    int __wrap_##name(int at, const char *path, int flags, ...) {              \
        va_list list;                                                          \
        va_start(list, flags);                                                 \
        const mode_t mode = mode_of(flags, list);                              \
        va_end(list);                                                          \
        return open_any(at, path, flags, mode);                                \
    }
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)
WRAP_OPENAT(__openat_2)
WRAP_OPENAT(__openat64_2)

#define WRAP_CREAT(name)                                                       \
    int __wrap_##name(const char *path, mode_t mode);                          \
    int __wrap_##name(const char *path, mode_t mode) {                         \
        return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);   \
    }
WRAP_CREAT(creat)
WRAP_CREAT(creat64)

/* ---- data ---- */

static ssize_t write_at(int fd, const void *bytes, size_t size, off_t offset) {
    disk_data_before(fd);
    const ssize_t written = __real_pwrite(fd, bytes, size, offset);
    if (written > 0) {
        disk_data_wrote(fd, (uint64_t)offset, bytes, (size_t)written);
    }
    step();
    return written;
}

#define WRAP_PWRITE(name)                                                      \
    ssize_t __wrap_##name(int fd, const void *bytes, size_t size,              \
                          off_t offset);                                       \
    ssize_t __wrap_##name(int fd, const void *bytes, size_t size,              \
                          off_t offset) {                                      \
        return is_followed(fd, S_IFREG)                                        \
                   ? write_at(fd, bytes, size, offset)                         \
                   : __real_pwrite(fd, bytes, size, offset);                   \
    }
WRAP_PWRITE(pwrite)
WRAP_PWRITE(pwrite64)

static off_t write_offset(int fd) {
    const bool appends = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
    return lseek(fd, 0, appends ? SEEK_END : SEEK_CUR);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size) {
    if (!is_followed(fd, S_IFREG)) {
        return __real_write(fd, bytes, size);
    }
    disk_data_before(fd);
    const off_t offset = write_offset(fd);
    const ssize_t written = __real_write(fd, bytes, size);
    if (written > 0) {
        disk_data_wrote(fd, (uint64_t)offset, bytes, (size_t)written);
    }
    step();
    return written;
}

static int truncate_fd(int fd, off_t size) {
    disk_data_before(fd);
    const int result = __real_ftruncate(fd, size);
    if (result == 0) {
        disk_data_truncated(fd, (uint64_t)size);
    }
    step();
    return result;
}

#define WRAP_FTRUNCATE(name)                                                   \
    int __wrap_##name(int fd, off_t size);                                     \
    int __wrap_##name(int fd, off_t size) {                                    \
        return is_followed(fd, S_IFREG) ? truncate_fd(fd, size)                \
                                        : __real_ftruncate(fd, size);          \
    }
WRAP_FTRUNCATE(ftruncate)
WRAP_FTRUNCATE(ftruncate64)

/* A cut here comes before the flush: the seeds that keep everything stand
 * for a flush that was through. */
static bool flushed(int fd) {
    if (is_followed(fd, S_IFREG)) {
        step();
        if (!disk.lies) {
            disk_data_flushed(fd);
        }
        return true;
    }
    if (is_followed(fd, S_IFDIR)) {
        step();
        if (!disk.lies) {
            disk_names_flushed(fd);
        }
        return true;
    }
    return false;
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
    return flushed(fd) ? 0 : __real_fsync(fd);
}

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd) {
    return flushed(fd) ? 0 : __real_fdatasync(fd);
}

/* ---- names ---- */

static int rename_followed(const struct disk_name *from,
                           const struct disk_name *to, unsigned flags) {
    const bool keeps = (flags & RENAME_NOREPLACE) != 0;
    if ((flags & ~(unsigned)RENAME_NOREPLACE) != 0) {
        disk_give_up("renameat2 with these flags is not covered", from->text);
    }
    const unsigned replaced = keeps ? DISK_NO_STASH : disk_stash(to);
    const int result = __real_renameat2(from->directory, from->text,
                                        to->directory, to->text, flags);
    if (result == 0) {
        disk_name_moved(from, to, replaced);
    }
    step();
    return result;
}

static int rename_any(int from_at, const char *from, int to_at, const char *to,
                      unsigned flags) {
    struct disk_name old_name;
    struct disk_name new_name;
    const bool leaves = resolve(from_at, from, &old_name);
    const bool enters = resolve(to_at, to, &new_name);
    if (leaves != enters) {
        disk_give_up("a rename across the root is not covered", from);
    }
    return leaves ? rename_followed(&old_name, &new_name, flags)
                  : __real_renameat2(from_at, from, to_at, to, flags);
}

int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to) {
    return rename_any(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int __wrap_renameat(int from_at, const char *from, int to_at, const char *to);
int __wrap_renameat(int from_at, const char *from, int to_at, const char *to) {
    return rename_any(from_at, from, to_at, to, 0);
}

int __wrap_renameat2(int from_at, const char *from, int to_at, const char *to,
                     unsigned flags);
int __wrap_renameat2(int from_at, const char *from, int to_at, const char *to,
                     unsigned flags) {
    return rename_any(from_at, from, to_at, to, flags);
}

int __wrap_linkat(int from_at, const char *from, int to_at, const char *to,
                  int flags);
int __wrap_linkat(int from_at, const char *from, int to_at, const char *to,
                  int flags) {
    struct disk_name name;
    const int result = __real_linkat(from_at, from, to_at, to, flags);
    if (resolve(to_at, to, &name)) {
        if (result == 0) {
            disk_name_created(&name);
        }
        step();
    }
    return result;
}

int __wrap_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to) {
    return __wrap_linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int __wrap_unlinkat(int at, const char *path, int flags);
int __wrap_unlinkat(int at, const char *path, int flags) {
    struct disk_name name;
    if (!resolve(at, path, &name)) {
        return __real_unlinkat(at, path, flags);
    }
    if ((flags & AT_REMOVEDIR) != 0) {
        disk_give_up("removing a directory is not covered", path);
    }
    const unsigned stash = disk_stash(&name);
    const int result = __real_unlinkat(at, path, flags);
    if (result == 0) {
        disk_name_removed(&name, stash);
    }
    step();
    return result;
}

int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path) {
    return __wrap_unlinkat(AT_FDCWD, path, 0);
}

int __wrap_remove(const char *path);
int __wrap_remove(const char *path) {
    const int result = __wrap_unlinkat(AT_FDCWD, path, 0);
    return result != 0 && errno == EISDIR
               ? __wrap_unlinkat(AT_FDCWD, path, AT_REMOVEDIR)
               : result;
}

int __wrap_mkdirat(int at, const char *path, mode_t mode);
int __wrap_mkdirat(int at, const char *path, mode_t mode) {
    struct disk_name name;
    const bool followed = resolve(at, path, &name);
    const int result = __real_mkdirat(at, path, mode);
    if (followed) {
        if (result == 0) {
            disk_directory_created(&name);
        }
        step();
    }
    return result;
}

int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode) {
    return __wrap_mkdirat(AT_FDCWD, path, mode);
}

/* ---- what is not covered ends the process and says so ---- */

static void refuse_path(const char *function, const char *path) {
    struct disk_name name;
    if (resolve(AT_FDCWD, path, &name)) {
        disk_give_up(function, path);
    }
}

static void refuse_fd(const char *function, int fd) {
    if (is_followed(fd, S_IFREG)) {
        disk_give_up(function, "a file below the root");
    }
}

/* glibc's headers may give a function its name with 64 at the end. */
#define REFUSE_PATH(type, name, real, parameters, path, arguments)             \
    type __wrap_##name parameters;                                             \
    type __wrap_##name parameters {                                            \
        refuse_path(#name " is not covered", path);                            \
        return __real_##real arguments;                                        \
    }
#define REFUSE_FD(type, name, real, parameters, fd, arguments)                 \
    type __wrap_##name parameters;                                             \
    type __wrap_##name parameters {                                            \
        refuse_fd(#name " is not covered", fd);                                \
        return __real_##real arguments;                                        \
    }
#define REFUSE_PATH_64(type, name, parameters, path, arguments)                \
    REFUSE_PATH(type, name, name, parameters, path, arguments)                 \
    REFUSE_PATH(type, name##64, name, parameters, path, arguments)
#define REFUSE_FD_64(type, name, parameters, fd, arguments)                    \
    REFUSE_FD(type, name, name, parameters, fd, arguments)                     \
    REFUSE_FD(type, name##64, name, parameters, fd, arguments)

REFUSE_PATH_64(int, truncate, (const char *path, off_t size), path,
               (path, size))
REFUSE_PATH_64(int, mkstemp, (char *path), path, (path))
REFUSE_PATH_64(int, mkostemp, (char *path, int flags), path, (path, flags))
REFUSE_PATH(char *, mkdtemp, mkdtemp, (char *path), path, (path))
REFUSE_PATH(int, rmdir, rmdir, (const char *path), path, (path))
REFUSE_PATH(int, symlink, symlink, (const char *target, const char *path), path,
            (target, path))
REFUSE_FD(ssize_t, writev, writev,
          (int fd, const struct iovec *spans, int count), fd,
          (fd, spans, count))
REFUSE_FD_64(ssize_t, pwritev,
             (int fd, const struct iovec *spans, int count, off_t offset), fd,
             (fd, spans, count, offset))
REFUSE_FD_64(int, fallocate, (int fd, int mode, off_t offset, off_t size), fd,
             (fd, mode, offset, size))
REFUSE_FD_64(int, posix_fallocate, (int fd, off_t offset, off_t size), fd,
             (fd, offset, size))
REFUSE_FD_64(ssize_t, sendfile, (int fd, int from, off_t *offset, size_t size),
             fd, (fd, from, offset, size))
REFUSE_FD(int, vdprintf, vdprintf, (int fd, const char *format, va_list list),
          fd, (fd, format, list))

int __wrap_dprintf(int fd, const char *format, ...);
int __wrap_dprintf(int fd, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const int result = __wrap_vdprintf(fd, format, list);
    va_end(list);
    return result;
}

/* What dprintf becomes with _FORTIFY_SOURCE. */
int __wrap___dprintf_chk(int fd, int flag, const char *format, ...);
int __wrap___dprintf_chk(int fd, int flag, const char *format, ...) {
    (void)flag;
    va_list list;
    va_start(list, format);
    const int result = __wrap_vdprintf(fd, format, list);
    va_end(list);
    return result;
}

static bool mode_writes(const char *mode) {
    return strpbrk(mode, "wa+") != NULL;
}

#define WRAP_FOPEN(name)                                                       \
    FILE *__wrap_##name(const char *path, const char *mode);                   \
    FILE *__wrap_##name(const char *path, const char *mode) {                  \
        if (mode_writes(mode)) {                                               \
            refuse_path("fopen for writing is not covered", path);             \
        }                                                                      \
        return __real_fopen(path, mode);                                       \
    }
WRAP_FOPEN(fopen)
WRAP_FOPEN(fopen64)

FILE *__wrap_fdopen(int fd, const char *mode);
FILE *__wrap_fdopen(int fd, const char *mode) {
    if (mode_writes(mode)) {
        refuse_fd("fdopen for writing is not covered", fd);
    }
    return __real_fdopen(fd, mode);
}
