#include "sim/nvm/nvm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/sha256.h"

#define KIND_SIZE   8
#define HEADER_SIZE 64
#define COPIES      2
/* Copies start on multiples of this, so that no sector, page or erase block
 * that a commit rewrites holds a byte of the other copy. */
#define ALIGNMENT 4096
#define VERSION   1

/* Offsets in a header: docs/formats.md, "Image files". */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 8,
    AT_HEADER_SIZE = 10,
    AT_SIZE = 12,
    AT_KIND = 16,
    AT_SEQUENCE = 24,
    AT_CHECKSUM = 32,
};

static const uint8_t MAGIC[8] = {'K', 'W', 'I', 'M', 'A', 'G', 'E', '\n'};

struct kw_nvm {
    char *path;  /* NULL while it is created */
    int fd;      /* -1: parked */
    size_t size; /* of the image, bytes */
    uint8_t kind[KIND_SIZE];
    uint64_t sequence;                /* of the copy that is the content now */
    unsigned current;                 /* its number, 0 or 1 */
    uint8_t checksum[KW_SHA256_SIZE]; /* of that copy */
    uint8_t *copy; /* room for one copy, stride_of() bytes; or NULL */
};

static size_t stride_of(const struct kw_nvm *nvm) {
    const size_t size = HEADER_SIZE + nvm->size;
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static off_t offset_of(const struct kw_nvm *nvm, unsigned number) {
    return (off_t)(number * stride_of(nvm));
}

/* Cleaning up must not hide why the work failed. */
static void close_quietly(int fd) {
    const int why = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = why;
}

/* The path stays. */
static void release(struct kw_nvm *nvm) {
    close_quietly(nvm->fd);
    if (nvm->copy != NULL) {
        kw_wipe(nvm->copy, stride_of(nvm));
    }
    free(nvm->copy);
    nvm->copy = NULL;
    nvm->fd = -1;
}

static kw_status prepare(struct kw_nvm *nvm, const char *kind, size_t size) {
    const size_t length = strlen(kind);
    KW_ENSURE(length <= KIND_SIZE && size <= INT32_MAX, KW_USAGE);
    *nvm = (struct kw_nvm){.fd = -1, .size = size};
    memcpy(nvm->kind, kind, length);
    nvm->copy = calloc(1, stride_of(nvm));
    KW_ENSURE(nvm->copy != NULL, KW_SYSTEM_MEMORY);
    return KW_OK;
}

/* The checksum covers the header before it and the image after it. */
static void checksum_of(const struct kw_nvm *nvm,
                        uint8_t digest[KW_SHA256_SIZE]) {
    struct kw_sha256 sha;
    kw_sha256_init(&sha);
    kw_sha256_update(&sha, nvm->copy, AT_CHECKSUM);
    kw_sha256_update(&sha, nvm->copy + HEADER_SIZE, nvm->size);
    kw_sha256_final(&sha, digest);
}

static void store_le64(uint8_t bytes[8], uint64_t value) {
    kw_store_le32(bytes, (uint32_t)value);
    kw_store_le32(bytes + 4, (uint32_t)(value >> 32));
}

static uint64_t load_le64(const uint8_t bytes[8]) {
    return kw_load_le32(bytes) | ((uint64_t)kw_load_le32(bytes + 4) << 32);
}

static void encode_copy(struct kw_nvm *nvm, uint64_t sequence,
                        const uint8_t *image) {
    uint8_t *const copy = nvm->copy;
    memset(copy, 0, stride_of(nvm));
    memcpy(copy + AT_MAGIC, MAGIC, sizeof MAGIC);
    kw_store_le16(copy + AT_VERSION, VERSION);
    kw_store_le16(copy + AT_HEADER_SIZE, HEADER_SIZE);
    kw_store_le32(copy + AT_SIZE, (uint32_t)nvm->size);
    memcpy(copy + AT_KIND, nvm->kind, KIND_SIZE);
    store_le64(copy + AT_SEQUENCE, sequence);
    memcpy(copy + HEADER_SIZE, image, nvm->size);
    checksum_of(nvm, copy + AT_CHECKSUM);
}

static kw_status check_copy(const struct kw_nvm *nvm) {
    const uint8_t *const copy = nvm->copy;
    uint8_t digest[KW_SHA256_SIZE];
    KW_ENSURE(memcmp(copy + AT_MAGIC, MAGIC, sizeof MAGIC) == 0 &&
                  memcmp(copy + AT_KIND, nvm->kind, KIND_SIZE) == 0 &&
                  kw_load_le16(copy + AT_VERSION) == VERSION &&
                  kw_load_le16(copy + AT_HEADER_SIZE) == HEADER_SIZE,
              KW_PARSE_MAGIC);
    KW_ENSURE(kw_load_le32(copy + AT_SIZE) == nvm->size, KW_PARSE_SIZE);
    checksum_of(nvm, digest);
    KW_ENSURE(kw_equal_ct(digest, copy + AT_CHECKSUM, sizeof digest), KW_PARSE);
    return KW_OK;
}

static kw_status write_all(int fd, const uint8_t *bytes, size_t size,
                           off_t offset) {
    while (size > 0) {
        errno = ENOSPC; /* for a write of 0 bytes, which sets none */
        const ssize_t written = pwrite(fd, bytes, size, offset);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        KW_ENSURE(written > 0, KW_SYSTEM_FILE);
        bytes += written;
        size -= (size_t)written;
        offset += written;
    }
    return KW_OK;
}

/* Leaves zeros where the file ends early: no copy is whole there. */
static kw_status read_all(int fd, uint8_t *bytes, size_t size, off_t offset) {
    memset(bytes, 0, size);
    while (size > 0) {
        const ssize_t got = pread(fd, bytes, size, offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        KW_ENSURE(got >= 0, KW_SYSTEM_FILE);
        if (got == 0) {
            break;
        }
        bytes += got;
        size -= (size_t)got;
        offset += got;
    }
    return KW_OK;
}

static kw_status flush_data(int fd) {
    int result;
    do {
        result = fdatasync(fd);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? KW_OK : KW_SYSTEM_FILE;
}

static kw_status flush_file(int fd) {
    int result;
    do {
        result = fsync(fd);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? KW_OK : KW_SYSTEM_FILE;
}

/* The directory that names this path: all before the last slash. */
static kw_status open_directory(const char *path, int *fd) {
    const char *const slash = strrchr(path, '/');
    char directory[PATH_MAX] = ".";
    if (slash != NULL) {
        /* The slash stays: "/image" lies in "/". */
        const size_t length = (size_t)(slash - path) + 1;
        errno = ENAMETOOLONG;
        KW_ENSURE(length < sizeof directory, KW_SYSTEM_FILE);
        memcpy(directory, path, length);
        directory[length] = '\0';
    }
    *fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd >= 0 ? KW_OK : KW_SYSTEM_FILE;
}

static kw_status flush_directory(const char *path) {
    int fd;
    KW_TRY(open_directory(path, &fd));
    const kw_status status = flush_file(fd);
    close_quietly(fd);
    return status;
}

static kw_status write_copy(struct kw_nvm *nvm, unsigned number, size_t size) {
    return write_all(nvm->fd, nvm->copy, size, offset_of(nvm, number));
}

/* Both copies with all their padding: later commits need no new space. The
 * first commit goes to copy 0, for copy 1 has the higher number. */
static kw_status write_first(struct kw_nvm *nvm, const uint8_t *image) {
    for (unsigned number = 0; number < COPIES; number++) {
        encode_copy(nvm, number, image);
        KW_TRY(write_copy(nvm, number, stride_of(nvm)));
    }
    return flush_file(nvm->fd);
}

static bool is_named(const char *name, const struct stat *file) {
    struct stat named;
    return lstat(name, &named) == 0 && named.st_dev == file->st_dev &&
           named.st_ino == file->st_ino;
}

/* True when the locked file belongs to us alone. Not so when its creator
 * renamed it while we waited, or was cut off between link and unlink: then
 * the name stands for an image that is in use. */
static bool is_ours(int fd, const char *name) {
    struct stat file;
    if (fstat(fd, &file) != 0 || !is_named(name, &file)) {
        return false;
    }
    if (file.st_nlink > 1) {
        unlink(name);
        return false;
    }
    return true;
}

static kw_status lock_file(int fd) {
    int result;
    do {
        result = flock(fd, LOCK_EX);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? KW_OK : KW_SYSTEM_FILE;
}

/* Opens, or takes over from an interrupted create, the temporary file. The
 * lock tells a file left behind from one that another process writes. */
static kw_status open_temporary(const char *name, int *fd) {
    for (;;) {
        *fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        KW_ENSURE(*fd >= 0, KW_SYSTEM_FILE);
        KW_TRY(lock_file(*fd));
        if (is_ours(*fd, name)) {
            return ftruncate(*fd, 0) == 0 ? KW_OK : KW_SYSTEM_FILE;
        }
        close_quietly(*fd);
    }
}

static kw_status rename_new(const char *from, const char *to) {
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
        return KW_OK;
    }
    /* NFS and some FUSE file systems know no flags, but link() does not
     * replace either. */
    KW_ENSURE(errno == EINVAL || errno == ENOSYS, KW_SYSTEM_FILE);
    KW_ENSURE(link(from, to) == 0 && unlink(from) == 0, KW_SYSTEM_FILE);
    return KW_OK;
}

static void unlink_quietly(const char *name) {
    const int why = errno;
    unlink(name);
    errno = why;
}

static kw_status fill_and_rename(struct kw_nvm *nvm, const char *temporary,
                                 const char *path, const uint8_t *image) {
    KW_TRY(write_first(nvm, image));
    return rename_new(temporary, path);
}

static kw_status create_file(struct kw_nvm *nvm, const char *path,
                             const uint8_t *image) {
    char temporary[PATH_MAX];
    const int length = snprintf(temporary, sizeof temporary, "%s.new", path);
    errno = ENAMETOOLONG;
    KW_ENSURE(length > 0 && length < PATH_MAX, KW_SYSTEM_FILE);
    KW_TRY(open_temporary(temporary, &nvm->fd));
    const kw_status status = fill_and_rename(nvm, temporary, path, image);
    if (status != KW_OK) {
        unlink_quietly(temporary);
        return status;
    }
    return flush_directory(path);
}

kw_status kw_nvm_create(const char *path, const char *kind,
                        const uint8_t *image, size_t size) {
    struct kw_nvm nvm;
    KW_TRY(prepare(&nvm, kind, size));
    const kw_status status = create_file(&nvm, path, image);
    release(&nvm);
    return status;
}

static kw_status read_copy(struct kw_nvm *nvm, unsigned number) {
    const size_t size = HEADER_SIZE + nvm->size;
    KW_TRY(read_all(nvm->fd, nvm->copy, size, offset_of(nvm, number)));
    return check_copy(nvm);
}

/* Which of two failures says more: another kind of file says least. */
static kw_status nearer(kw_status left, kw_status right) {
    static const kw_status ORDER[] = {KW_SYSTEM_FILE, KW_PARSE, KW_PARSE_SIZE};
    for (size_t i = 0; i < sizeof ORDER / sizeof *ORDER; i++) {
        if (left == ORDER[i] || right == ORDER[i]) {
            return ORDER[i];
        }
    }
    return left;
}

/* Sequence numbers go round (RFC 1982): whatever number a file says, the
 * next one is later. */
static bool is_later(uint64_t left, uint64_t right) {
    return left != right && left - right < UINT64_C(1) << 63;
}

/* Chooses the newest whole copy. */
static kw_status read_newest(struct kw_nvm *nvm, uint8_t *image) {
    kw_status failure = KW_PARSE_MAGIC;
    bool found = false;
    for (unsigned number = 0; number < COPIES; number++) {
        const kw_status status = read_copy(nvm, number);
        if (status != KW_OK) {
            failure = nearer(failure, status);
            continue;
        }
        const uint64_t sequence = load_le64(nvm->copy + AT_SEQUENCE);
        if (!found || is_later(sequence, nvm->sequence)) {
            found = true;
            nvm->sequence = sequence;
            nvm->current = number;
            memcpy(nvm->checksum, nvm->copy + AT_CHECKSUM, KW_SHA256_SIZE);
            memcpy(image, nvm->copy + HEADER_SIZE, nvm->size);
        }
    }
    return found ? KW_OK : failure;
}

/* The flushes make durable what is about to be believed: the writer of the
 * newest copy may have been killed before it flushed, and a power cut after
 * this open would bring back an image that the caller has seen replaced. */
static kw_status open_file(struct kw_nvm *nvm, const char *path, bool durable,
                           uint8_t *image) {
    nvm->fd = open(path, O_RDWR | O_CLOEXEC);
    KW_ENSURE(nvm->fd >= 0, KW_SYSTEM_FILE);
    KW_TRY(read_newest(nvm, image));
    if (durable) {
        return KW_OK;
    }
    KW_TRY(flush_data(nvm->fd));
    return flush_directory(path);
}

static kw_status open_image(const char *path, const char *kind, bool durable,
                            uint8_t *image, size_t size, struct kw_nvm **nvm) {
    struct kw_nvm opened;
    KW_TRY(prepare(&opened, kind, size));
    kw_status status = open_file(&opened, path, durable, image);
    struct kw_nvm *const kept = status == KW_OK ? malloc(sizeof *kept) : NULL;
    opened.path = kept == NULL ? NULL : strdup(path);
    if (opened.path == NULL) {
        free(kept);
        release(&opened);
        kw_wipe(image, size);
        return status == KW_OK ? KW_SYSTEM_MEMORY : status;
    }
    *kept = opened;
    *nvm = kept;
    return KW_OK;
}

kw_status kw_nvm_open(const char *path, const char *kind, uint8_t *image,
                      size_t size, struct kw_nvm **nvm) {
    return open_image(path, kind, false, image, size, nvm);
}

kw_status kw_nvm_open_durable(const char *path, const char *kind,
                              uint8_t *image, size_t size,
                              struct kw_nvm **nvm) {
    return open_image(path, kind, true, image, size, nvm);
}

/* The path may stand for another image by now, which is not ours to
 * overwrite: the content has to have the checksum that it had. */
static kw_status open_again(struct kw_nvm *nvm) {
    uint8_t header[HEADER_SIZE];
    nvm->fd = open(nvm->path, O_RDWR | O_CLOEXEC);
    KW_ENSURE(nvm->fd >= 0, KW_SYSTEM_FILE);
    KW_TRY(
        read_all(nvm->fd, header, sizeof header, offset_of(nvm, nvm->current)));
    errno = ESTALE;
    return memcmp(header + AT_CHECKSUM, nvm->checksum, KW_SHA256_SIZE) == 0
               ? KW_OK
               : KW_SYSTEM_FILE;
}

static kw_status unpark(struct kw_nvm *nvm) {
    if (nvm->fd >= 0) {
        return KW_OK;
    }
    nvm->copy = calloc(1, stride_of(nvm));
    KW_ENSURE(nvm->copy != NULL, KW_SYSTEM_MEMORY);
    const kw_status status = open_again(nvm);
    if (status != KW_OK) {
        release(nvm);
    }
    return status;
}

/* Until the flush has succeeded the other copy stays the content: a commit
 * that failed is repeated over the same copy, never over the good one. */
kw_status kw_nvm_commit(struct kw_nvm *nvm, const uint8_t *image) {
    const unsigned other = 1 - nvm->current;
    KW_TRY(unpark(nvm));
    encode_copy(nvm, nvm->sequence + 1, image);
    KW_TRY(write_copy(nvm, other, HEADER_SIZE + nvm->size));
    KW_TRY(flush_data(nvm->fd));
    nvm->sequence++;
    nvm->current = other;
    memcpy(nvm->checksum, nvm->copy + AT_CHECKSUM, KW_SHA256_SIZE);
    return KW_OK;
}

void kw_nvm_park(struct kw_nvm *nvm) {
    release(nvm);
}

void kw_nvm_close(struct kw_nvm *nvm) {
    if (nvm != NULL) {
        release(nvm);
        free(nvm->path);
        free(nvm);
    }
}
