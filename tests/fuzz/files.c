#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATHS  8
#define MEMORY "/dev/shm"

static char folder[1024];

static int remove_one(const char *path, const struct stat *about, int kind,
                      struct FTW *level) {
    (void)about;
    (void)kind;
    (void)level;
    return remove(path);
}

static void remove_folder(void) {
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_folder(void) {
    const char *parent = getenv("TMPDIR");
    if (parent == NULL) {
        parent = access(MEMORY, W_OK) == 0 ? MEMORY : "/tmp";
    }
    const int length =
        snprintf(folder, sizeof folder, "%s/keywright-fuzz-XXXXXX", parent);
    FUZZ_DEMAND(length > 0 && (size_t)length < sizeof folder);
    FUZZ_DEMAND(mkdtemp(folder) != NULL);
    FUZZ_DEMAND(atexit(remove_folder) == 0);
}

const char *fuzz_path(const char *name) {
    static char paths[PATHS][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % PATHS];
    const char *slash = strchr(name, '/');
    if (folder[0] == '\0') {
        make_folder();
    }
    if (slash != NULL) {
        (void)snprintf(path, PATH_MAX, "%s/%.*s", folder, (int)(slash - name),
                       name);
        (void)mkdir(path, 0700);
    }
    (void)snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

void fuzz_write_file(const char *path, const uint8_t *data, size_t size) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_DEMAND(fd >= 0);
    while (size > 0) {
        const ssize_t written = write(fd, data, size);
        FUZZ_DEMAND(written > 0);
        data += written;
        size -= (size_t)written;
    }
    (void)close(fd);
}
