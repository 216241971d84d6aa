#include "tests/powercut/disk_data.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/powercut/disk.h"
#include "tests/powercut/random.h"
#include "tests/powercut/real.h"

#define SECTOR 512

struct change {
    bool is_write; /* else a change of the size */
    size_t offset;
    size_t size; /* of the bytes, or of the file */
    uint8_t *bytes;
};

/* A file: version 0 is what was flushed, version N the file after change
 * N. */
struct content {
    dev_t device;
    ino_t inode;
    int fd; /* the layer's own; open until the process ends */
    uint8_t *base;
    size_t base_size;
    struct change *changes;
    size_t count;
    struct content *next;
};

static struct content *contents;

_Noreturn void disk_give_up(const char *why, const char *what) {
    fprintf(stderr, "power-cut layer: %s: %s\n", why, what);
    fflush(stderr);
    _exit(KW_DISK_UNSEEN);
}

void *disk_allocate(void *old, size_t size) {
    void *const memory = realloc(old, size == 0 ? 1 : size);
    if (memory == NULL) {
        disk_give_up("no memory", "disk_allocate");
    }
    return memory;
}

static struct stat status_of(int fd) {
    struct stat status;
    if (fstat(fd, &status) != 0) {
        disk_give_up("fstat failed", "a file in use");
    }
    return status;
}

/* A descriptor that can read and write, whatever the program's can. A file
 * that its owner may not open again is written through a duplicate. */
static int open_own(int fd) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const int own = __real_open(link, O_RDWR | O_CLOEXEC);
    const int kept = own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (kept < 0) {
        disk_give_up("no descriptor for", link);
    }
    return kept;
}

static struct content *find(const struct stat *status) {
    struct content *content = contents;
    while (content != NULL && (content->device != status->st_dev ||
                               content->inode != status->st_ino)) {
        content = content->next;
    }
    return content;
}

static struct content *content_of(int fd) {
    const struct stat status = status_of(fd);
    struct content *content = find(&status);
    if (content == NULL) {
        content = disk_allocate(NULL, sizeof *content);
        *content = (struct content){.device = status.st_dev,
                                    .inode = status.st_ino,
                                    .fd = open_own(fd),
                                    .next = contents};
        contents = content;
    }
    return content;
}

static void load_base(struct content *content) {
    const size_t size = (size_t)status_of(content->fd).st_size;
    content->base = disk_allocate(content->base, size);
    content->base_size = size;
    if (size > 0 &&
        pread(content->fd, content->base, size, 0) != (ssize_t)size) {
        disk_give_up("cannot read back", "a file that is being changed");
    }
}

void disk_data_before(int fd) {
    struct content *const content = content_of(fd);
    if (content->count == 0) {
        load_base(content);
    }
}

static struct change *add_change(int fd) {
    struct content *const content = content_of(fd);
    const size_t count = content->count + 1;
    content->changes =
        disk_allocate(content->changes, count * sizeof *content->changes);
    content->count = count;
    return &content->changes[count - 1];
}

void disk_data_wrote(int fd, uint64_t offset, const void *bytes, size_t size) {
    struct change *const change = add_change(fd);
    *change = (struct change){.is_write = true,
                              .offset = (size_t)offset,
                              .size = size,
                              .bytes = disk_allocate(NULL, size)};
    memcpy(change->bytes, bytes, size);
}

void disk_data_truncated(int fd, uint64_t size) {
    *add_change(fd) = (struct change){.size = (size_t)size};
}

static void forget_changes(struct content *content) {
    for (size_t i = 0; i < content->count; i++) {
        free(content->changes[i].bytes);
    }
    content->count = 0;
}

void disk_data_start(void) {
    for (struct content *c = contents; c != NULL; c = c->next) {
        forget_changes(c);
    }
}

void disk_data_flushed(int fd) {
    const struct stat status = status_of(fd);
    struct content *const content = find(&status);
    if (content != NULL) {
        forget_changes(content);
    }
}

static size_t size_after(const struct change *change, size_t size) {
    if (!change->is_write) {
        return change->size;
    }
    const size_t end = change->offset + change->size;
    return end > size ? end : size;
}

static size_t largest_size(const struct content *content) {
    size_t size = content->base_size;
    size_t largest = size;
    for (size_t i = 0; i < content->count; i++) {
        size = size_after(&content->changes[i], size);
        largest = size > largest ? size : largest;
    }
    return largest;
}

/* A cut of one file. */
struct cut {
    uint64_t seed;
    uint64_t *random;
    const struct content *content;
    size_t sectors;
    size_t *versions; /* of each sector */
    size_t size_version;
    uint8_t *live; /* the version that is being looked at */
    size_t live_size;
    uint8_t *disk; /* what the disk holds */
    size_t disk_size;
};

static size_t draw_version(const struct cut *cut) {
    return random_below(cut->random, cut->content->count + 1);
}

/* Three disks: one that writes back in order, one that was on its way
 * through the file from its start, one that picks sectors as it likes. */
static void draw_versions(struct cut *cut) {
    const size_t way = random_below(cut->random, 3);
    const size_t one = draw_version(cut);
    const size_t reached = random_below(cut->random, cut->sectors + 1);
    cut->size_version = way == 0 ? one : draw_version(cut);
    for (size_t i = 0; i < cut->sectors; i++) {
        if (way == 0) {
            cut->versions[i] = one;
        } else if (way == 1) {
            cut->versions[i] = i < reached ? cut->content->count : 0;
        } else {
            cut->versions[i] = draw_version(cut);
        }
    }
}

static void choose_versions(struct cut *cut) {
    if (cut->seed > 1) {
        draw_versions(cut);
        return;
    }
    const size_t version = cut->seed == 0 ? 0 : cut->content->count;
    cut->size_version = version;
    for (size_t i = 0; i < cut->sectors; i++) {
        cut->versions[i] = version;
    }
}

/* A sector that this version does not reach was never written: zeros, or
 * what the disk held there for another file. */
static void take_sector(struct cut *cut, size_t sector) {
    uint8_t *const to = cut->disk + sector * SECTOR;
    if (sector * SECTOR < cut->live_size) {
        memcpy(to, cut->live + sector * SECTOR, SECTOR);
        return;
    }
    const bool stale = cut->seed > 1 && random_below(cut->random, 2) == 0;
    const uint8_t noise = stale ? (uint8_t)random_next(cut->random) : 0;
    memset(to, noise, SECTOR);
}

static void take_version(struct cut *cut, size_t version) {
    for (size_t i = 0; i < cut->sectors; i++) {
        if (cut->versions[i] == version) {
            take_sector(cut, i);
        }
    }
    if (cut->size_version == version) {
        cut->disk_size = cut->live_size;
    }
}

static void apply(struct cut *cut, const struct change *change) {
    const size_t size = size_after(change, cut->live_size);
    if (size < cut->live_size) {
        memset(cut->live + size, 0, cut->live_size - size);
    }
    if (change->is_write) {
        memcpy(cut->live + change->offset, change->bytes, change->size);
    }
    cut->live_size = size;
}

/* After the last version is live: the newest bytes up to some point of one
 * sector, and behind it what was chosen for that sector. */
static void tear_sector(struct cut *cut) {
    if (cut->seed < 2 || cut->sectors == 0 ||
        random_below(cut->random, 2) == 0) {
        return;
    }
    const size_t at = SECTOR * random_below(cut->random, cut->sectors);
    memcpy(cut->disk + at, cut->live + at, random_below(cut->random, SECTOR));
}

static void write_disk(const struct cut *cut) {
    const int fd = cut->content->fd;
    const size_t size = cut->disk_size;
    if (__real_ftruncate(fd, 0) != 0 ||
        __real_pwrite(fd, cut->disk, size, 0) != (ssize_t)size) {
        disk_give_up("cannot write", "what the disk holds after the cut");
    }
}

static void build_disk(struct cut *cut) {
    const struct content *const content = cut->content;
    memcpy(cut->live, content->base, content->base_size);
    cut->live_size = content->base_size;
    take_version(cut, 0);
    for (size_t i = 0; i < content->count; i++) {
        apply(cut, &content->changes[i]);
        take_version(cut, i + 1);
    }
    tear_sector(cut);
}

static void cut_file(const struct content *content, uint64_t seed,
                     uint64_t *random) {
    const size_t sectors = (largest_size(content) + SECTOR - 1) / SECTOR;
    struct cut cut = {
        .seed = seed,
        .random = random,
        .content = content,
        .sectors = sectors,
        .versions = disk_allocate(NULL, sectors * sizeof(size_t)),
        .live = disk_allocate(NULL, sectors * SECTOR),
        .disk = disk_allocate(NULL, sectors * SECTOR),
    };
    memset(cut.live, 0, sectors * SECTOR);
    choose_versions(&cut);
    build_disk(&cut);
    write_disk(&cut);
    free(cut.versions);
    free(cut.live);
    free(cut.disk);
}

void disk_data_cut(uint64_t seed, uint64_t *random) {
    for (struct content *c = contents; c != NULL; c = c->next) {
        if (c->count > 0) {
            cut_file(c, seed, random);
        }
    }
}
