#include "host/chip_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWNER_MAX 256

/* The byte of chips/lock that stands for a chip: FNV-1a of its name. */
static off_t lock_byte_of(const char *name) {
    uint64_t hash = 0xCBF29CE484222325u;
    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * 0x100000001B3u;
    }
    return (off_t)(hash & ((1ull << 62) - 1));
}

static kw_status read_owner(const struct kw_workspace *workspace,
                            const char *name, char owner[OWNER_MAX]) {
    struct kw_error ignored;
    uint8_t *text = NULL;
    size_t size = 0;
    char *path = kw_workspace_path(workspace, "run/%s.owner", name);
    KW_ENSURE(path != NULL, KW_SYSTEM_MEMORY);
    const kw_status status =
        kw_file_read(path, OWNER_MAX - 1, &text, &size, &ignored);
    free(path);
    KW_TRY(status);
    memcpy(owner, text, size + 1);
    owner[strcspn(owner, "\n")] = '\0';
    free(text);
    return KW_OK;
}

/* errno says why. */
static kw_status cannot_take(const struct kw_workspace *workspace,
                             const char *name, struct kw_error *error) {
    char owner[OWNER_MAX] = "";
    if (errno != EAGAIN) {
        return kw_error_system(error, "cannot lock chips/lock of %s",
                               workspace->folder);
    }
    if (read_owner(workspace, name, owner) != KW_OK || owner[0] == '\0') {
        (void)snprintf(owner, sizeof owner, "unknown");
    }
    kw_error(error, KW_ABSENT_LOCKED,
             "Can't connect to sim:%s: process %s has the chip", name, owner);
    return kw_error_hint(error, "wait until that process has ended, or end "
                                "it");
}

/* The command line of this process, its words separated by blanks. */
static void read_command(char *text, size_t size) {
    const int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    const ssize_t count = fd < 0 ? -1 : read(fd, text, size - 1);
    if (fd >= 0) {
        (void)close(fd);
    }
    const size_t length = count > 0 ? (size_t)count - 1 : 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\0' || text[i] == '\n') {
            text[i] = ' ';
        }
    }
    text[length] = '\0';
}

/* Who has the chip, for the words above alone: the lock decides. */
static void write_owner(const struct kw_workspace *workspace,
                        const char *name) {
    char command[OWNER_MAX / 2];
    char text[OWNER_MAX];
    char *path = kw_workspace_path(workspace, "run/%s.owner", name);
    const int fd = path == NULL
                       ? -1
                       : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                              KW_SECRET_MODE);
    if (fd >= 0) {
        read_command(command, sizeof command);
        const int size =
            snprintf(text, sizeof text, "%ld %s\n", (long)getpid(), command);
        (void)!write(fd, text, (size_t)size);
        (void)close(fd);
    }
    free(path);
}

kw_status kw_chip_lock(const struct kw_workspace *workspace, const char *name,
                       int *lock, struct kw_error *error) {
    char *path = kw_workspace_path(workspace, "chips/lock");
    const int fd =
        path == NULL ? -1
                     : open(path, O_RDWR | O_CREAT | O_CLOEXEC, KW_SECRET_MODE);
    if (fd < 0) {
        const kw_status status = kw_error_system(
            error, "cannot open chips/lock of %s", workspace->folder);
        free(path);
        return status;
    }
    free(path);
    errno = kw_lock_byte(fd, lock_byte_of(name));
    if (errno != 0) {
        const kw_status status = cannot_take(workspace, name, error);
        (void)close(fd);
        return status;
    }
    write_owner(workspace, name);
    *lock = fd;
    return KW_OK;
}
