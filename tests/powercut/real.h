/* tests/powercut/real.h: the file functions below the layer.
 *
 * The linker's --wrap gives the true functions these names. Inside the
 * layer every call that stores must use them. */
#ifndef KW_TESTS_POWERCUT_REAL_H
#define KW_TESTS_POWERCUT_REAL_H

#include <stdarg.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/uio.h>

int __real_open(const char *path, int flags, ...);
int __real_openat(int at, const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __real_pwrite(int fd, const void *bytes, size_t size, off_t offset);
int __real_ftruncate(int fd, off_t size);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_renameat2(int from_at, const char *from, int to_at, const char *to,
                     unsigned flags);
int __real_linkat(int from_at, const char *from, int to_at, const char *to,
                  int flags);
int __real_unlinkat(int at, const char *path, int flags);
int __real_mkdirat(int at, const char *path, mode_t mode);

FILE *__real_fopen(const char *path, const char *mode);
FILE *__real_fdopen(int fd, const char *mode);
ssize_t __real_writev(int fd, const struct iovec *spans, int count);
ssize_t __real_pwritev(int fd, const struct iovec *spans, int count,
                       off_t offset);
ssize_t __real_sendfile(int fd, int from, off_t *offset, size_t size);
int __real_vdprintf(int fd, const char *format, va_list list);
int __real_truncate(const char *path, off_t size);
int __real_fallocate(int fd, int mode, off_t offset, off_t size);
int __real_posix_fallocate(int fd, off_t offset, off_t size);
int __real_mkstemp(char *name);
int __real_mkostemp(char *name, int flags);
char *__real_mkdtemp(char *name);
int __real_rmdir(const char *path);
int __real_symlink(const char *target, const char *path);

#endif
