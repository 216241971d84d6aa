#include "host/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"

#define TEMPORARY_PREFIX ".tmp-"
#define WIPED_TEXT_MAX   65536

char *kw_format(const char *format, ...) {
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    const int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    return size < 0 ? NULL : text;
}

bool kw_file_exists(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

static char *folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return strdup(".");
    }
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static kw_status flush_folder_of(const char *path, struct kw_error *error) {
    char *folder = folder_of(path);
    if (folder == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool flushed = fd >= 0 && fsync(fd) == 0;
    const int cause = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    errno = cause;
    const kw_status status =
        flushed ? KW_OK : kw_error_system(error, "cannot flush %s", folder);
    free(folder);
    return status;
}

static bool write_all(int fd, const uint8_t *data, size_t size) {
    while (size > 0) {
        const ssize_t count = write(fd, data, size);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return false;
        }
        data += count;
        size -= (size_t)count;
    }
    return true;
}

static char *temporary_name(const char *path) {
    char *folder = folder_of(path);
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    char *temporary =
        folder == NULL ? NULL
                       : kw_format("%s/" TEMPORARY_PREFIX "%s", folder, name);
    free(folder);
    return temporary;
}

static kw_status not_moved(const char *path, struct kw_error *error) {
    if (errno != EEXIST) {
        return kw_error_system(error, "cannot create %s", path);
    }
    kw_error(error, KW_NO, "%s is there already", path);
    return kw_error_hint(error, "nothing is overwritten: name another file");
}

kw_status kw_file_is_free(const char *path, struct kw_error *error) {
    if (kw_file_exists(path)) {
        errno = EEXIST;
        return not_moved(path, error);
    }
    char *folder = folder_of(path);
    const bool writable = folder != NULL && access(folder, W_OK | X_OK) == 0;
    free(folder);
    return writable ? KW_OK : kw_error_system(error, "cannot create %s", path);
}

/* --- new files --- */

/* Until it is placed a new file is beside the old one. */
static kw_status not_written(const char *path, struct kw_error *error) {
    const bool is_full = errno == ENOSPC || errno == EDQUOT;
    const kw_status status = kw_error_system(error, "cannot write %s", path);
    return is_full && kw_file_exists(path)
               ? kw_error_hint(error, "free some space first; %s is as it was",
                               path)
               : status;
}

kw_status kw_file_begin(const char *path, mode_t mode, struct kw_new_file *file,
                        struct kw_error *error) {
    *file = (struct kw_new_file){.fd = -1, .temporary = temporary_name(path)};
    if (file->temporary == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    (void)unlink(file->temporary);
    file->fd =
        open(file->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file->fd >= 0 && fchmod(file->fd, mode) == 0) {
        return KW_OK;
    }
    const kw_status status = kw_error_system(error, "cannot create %s", path);
    kw_file_end(file);
    return status;
}

kw_status kw_file_put(const char *path, const struct kw_new_file *file,
                      const void *data, size_t size, struct kw_error *error) {
    return write_all(file->fd, data, size) ? KW_OK : not_written(path, error);
}

kw_status kw_file_place(const char *path, struct kw_new_file *file,
                        bool replaces, struct kw_error *error) {
    const unsigned flags = replaces ? 0 : RENAME_NOREPLACE;
    if (fsync(file->fd) != 0) {
        return not_written(path, error);
    }
    if (renameat2(AT_FDCWD, file->temporary, AT_FDCWD, path, flags) != 0) {
        return not_moved(path, error);
    }
    free(file->temporary);
    file->temporary = NULL;
    return flush_folder_of(path, error);
}

void kw_file_end(struct kw_new_file *file) {
    if (file->fd >= 0) {
        (void)close(file->fd);
    }
    if (file->fd >= 0 && file->temporary != NULL) {
        (void)unlink(file->temporary);
    }
    free(file->temporary);
    *file = (struct kw_new_file){.fd = -1};
}

static kw_status put_file(const char *path, mode_t mode, const void *data,
                          size_t size, bool replaces, struct kw_error *error) {
    struct kw_new_file file;
    KW_TRY(kw_file_begin(path, mode, &file, error));
    kw_status status = kw_file_put(path, &file, data, size, error);
    if (status == KW_OK) {
        status = kw_file_place(path, &file, replaces, error);
    }
    kw_file_end(&file);
    return status;
}

kw_status kw_file_create(const char *path, mode_t mode, const void *data,
                         size_t size, struct kw_error *error) {
    return put_file(path, mode, data, size, false, error);
}

kw_status kw_file_replace(const char *path, mode_t mode, const void *data,
                          size_t size, struct kw_error *error) {
    return put_file(path, mode, data, size, true, error);
}

static bool append_flushed(int fd, off_t end, const char *text, size_t size) {
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return false;
    }
    if (end < status.st_size && ftruncate(fd, end) != 0) {
        return false;
    }
    if (lseek(fd, end, SEEK_SET) != end) {
        return false;
    }
    if (write_all(fd, (const uint8_t *)text, size) && fsync(fd) == 0) {
        return true;
    }
    const int cause = errno;
    (void)!ftruncate(fd, end);
    errno = cause;
    return false;
}

kw_status kw_file_append_line(const char *path, size_t size, const char *line,
                              struct kw_error *error) {
    const bool is_new = !kw_file_exists(path);
    char *text = kw_format("%s\n", line);
    if (text == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, KW_SECRET_MODE);
    const bool written =
        fd >= 0 && append_flushed(fd, (off_t)size, text, strlen(text));
    const int cause = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    free(text);
    errno = cause;
    if (!written) {
        return kw_error_system(error, "cannot append to %s", path);
    }
    return is_new ? flush_folder_of(path, error) : KW_OK;
}

static bool read_all(int fd, uint8_t *data, size_t size) {
    while (size > 0) {
        const ssize_t count = read(fd, data, size);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return false;
        }
        data += count;
        size -= (size_t)count;
    }
    return true;
}

static kw_status read_open_file(int fd, const char *path, size_t limit,
                                uint8_t **data, size_t *size,
                                struct kw_error *error) {
    struct stat about;
    if (fstat(fd, &about) != 0) {
        return kw_error_system(error, "cannot read %s", path);
    }
    if (!S_ISREG(about.st_mode)) {
        return kw_error(error, KW_PARSE, "%s is not a file", path);
    }
    if ((uintmax_t)about.st_size > limit) {
        return kw_error(error, KW_PARSE_SIZE,
                        "%s is too large: %jd bytes, %zu are the limit", path,
                        (intmax_t)about.st_size, limit);
    }
    uint8_t *bytes = calloc(1, (size_t)about.st_size + 1);
    if (bytes == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    if (!read_all(fd, bytes, (size_t)about.st_size)) {
        const kw_status status = kw_error_system(error, "cannot read %s", path);
        free(bytes);
        return status;
    }
    *data = bytes;
    *size = (size_t)about.st_size;
    return KW_OK;
}

kw_status kw_file_read(const char *path, size_t limit, uint8_t **data,
                       size_t *size, struct kw_error *error) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return kw_error_system(error, "cannot open %s", path);
    }
    const kw_status status = read_open_file(fd, path, limit, data, size, error);
    (void)close(fd);
    return status;
}

/* A pipe has no size beforehand. */
static kw_status read_pipe(FILE *pipe, const char *path, size_t limit,
                           uint8_t **data, size_t *size,
                           struct kw_error *error) {
    uint8_t *bytes = malloc(limit + 1);
    if (bytes == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const size_t count = fread(bytes, 1, limit + 1, pipe);
    if (ferror(pipe) == 0 && count <= limit) {
        bytes[count] = '\0';
        *data = bytes;
        *size = count;
        return KW_OK;
    }
    const kw_status status =
        ferror(pipe) != 0
            ? kw_error_system(error, "cannot read %s", path)
            : kw_error(error, KW_PARSE_SIZE,
                       "%s is too large: %zu bytes are the limit", path, limit);
    free(bytes);
    return status;
}

kw_status kw_input_read(const char *path, size_t limit, uint8_t **data,
                        size_t *size, struct kw_error *error) {
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISFIFO(about.st_mode)) {
        return kw_file_read(path, limit, data, size, error);
    }
    FILE *pipe = fopen(path, "rbe");
    if (pipe == NULL) {
        return kw_error_system(error, "cannot open %s", path);
    }
    const kw_status status = read_pipe(pipe, path, limit, data, size, error);
    (void)fclose(pipe);
    return status;
}

static bool overwrite_flushed(const char *path) {
    static const uint8_t zeros[256];
    struct stat about;
    const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return false;
    }
    bool done = fstat(fd, &about) == 0;
    size_t left = done ? (size_t)about.st_size : 0;
    while (done && left > 0) {
        const size_t size = left < sizeof zeros ? left : sizeof zeros;
        done = write_all(fd, zeros, size);
        left -= size;
    }
    done = done && fsync(fd) == 0;
    (void)close(fd);
    return done;
}

kw_status kw_file_wipe(const char *path, struct kw_error *error) {
    if (!overwrite_flushed(path) || unlink(path) != 0) {
        return kw_error_system(error, "cannot wipe %s", path);
    }
    return flush_folder_of(path, error);
}

bool kw_file_wipe_began(const char *path) {
    struct kw_error ignored;
    uint8_t *text = NULL;
    size_t size = 0;
    if (kw_file_read(path, WIPED_TEXT_MAX, &text, &size, &ignored) != KW_OK) {
        return false;
    }
    const bool began = memchr(text, 0, size) != NULL;
    kw_wipe(text, size);
    free(text);
    return began;
}

kw_status kw_folder_make(const char *path, struct kw_error *error) {
    if (mkdir(path, 0700) != 0) {
        struct stat about;
        const bool is_folder = errno == EEXIST && stat(path, &about) == 0 &&
                               S_ISDIR(about.st_mode);
        if (is_folder) {
            return KW_OK;
        }
        return kw_error_system(error, "cannot make the folder %s", path);
    }
    return flush_folder_of(path, error);
}

static int is_temporary(const struct dirent *entry) {
    return strncmp(entry->d_name, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)) ==
           0;
}

static int is_listed(const struct dirent *entry) {
    return strcmp(entry->d_name, ".") != 0 &&
           strcmp(entry->d_name, "..") != 0 && is_temporary(entry) == 0;
}

static kw_status list_entries(const char *path,
                              int (*filter)(const struct dirent *),
                              struct kw_names *names, struct kw_error *error) {
    struct dirent **entries = NULL;
    *names = (struct kw_names){NULL, 0};
    const int count = scandir(path, &entries, filter, alphasort);
    if (count < 0) {
        return errno == ENOENT || errno == ENOTDIR
                   ? KW_OK
                   : kw_error_system(error, "cannot list %s", path);
    }
    names->name = calloc((size_t)count + 1, sizeof *names->name);
    for (int i = 0; i < count; i++) {
        if (names->name != NULL) {
            names->name[i] = strdup(entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    if (names->name == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    names->count = (size_t)count;
    return KW_OK;
}

kw_status kw_folder_list(const char *path, struct kw_names *names,
                         struct kw_error *error) {
    return list_entries(path, is_listed, names, error);
}

kw_status kw_folder_sweep(const char *path, struct kw_error *error) {
    struct kw_names names;
    kw_status status = list_entries(path, is_temporary, &names, error);
    KW_TRY(status);
    for (size_t i = 0; status == KW_OK && i < names.count; i++) {
        char *file = kw_format("%s/%s", path, names.name[i]);
        status = file == NULL
                     ? kw_error(error, KW_SYSTEM_MEMORY, "out of memory")
                     : kw_file_wipe(file, error);
        free(file);
    }
    kw_names_free(&names);
    return status;
}

void kw_names_free(struct kw_names *names) {
    for (size_t i = 0; i < names->count; i++) {
        free(names->name[i]);
    }
    free(names->name);
    *names = (struct kw_names){NULL, 0};
}
