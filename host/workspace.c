#include "host/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/pause.h"

#define SCHEMA          "keywright/workspace/1"
#define DESCRIPTION     "workspace.json"
#define DESCRIPTION_MAX 65536
#define LOCK_WAIT_MS    5000
#define LOCK_POLL_MS    20

static const char *const FOLDERS[] = {
    "chips",   "keys", "certs",   "bundles", "manifest",
    "backups", "winc", "journal", "run",
};

char *kw_workspace_path(const struct kw_workspace *workspace,
                        const char *format, ...) {
    char *below = NULL;
    va_list arguments;
    va_start(arguments, format);
    const int size = vasprintf(&below, format, arguments);
    va_end(arguments);
    if (size < 0) {
        return NULL;
    }
    char *path = kw_format("%s/%s", workspace->folder, below);
    free(below);
    return path;
}

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

static kw_status begin(struct kw_workspace *workspace, const char *folder,
                       struct kw_error *error) {
    *workspace = (struct kw_workspace){.folder = strdup(folder), .lock = -1};
    return workspace->folder == NULL ? no_memory(error) : KW_OK;
}

static kw_status make_folders(const struct kw_workspace *workspace,
                              struct kw_error *error) {
    KW_TRY(kw_folder_make(workspace->folder, error));
    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++) {
        char *path = kw_workspace_path(workspace, "%s", FOLDERS[i]);
        const kw_status status =
            path == NULL ? no_memory(error) : kw_folder_make(path, error);
        free(path);
        KW_TRY(status);
    }
    return KW_OK;
}

kw_status kw_workspace_make(struct kw_workspace *workspace, const char *folder,
                            struct kw_error *error) {
    KW_TRY(begin(workspace, folder, error));
    char *description = kw_workspace_path(workspace, DESCRIPTION);
    const bool complete = description != NULL && kw_file_exists(description);
    free(description);
    if (complete) {
        kw_error(error, KW_NO, "%s is a workspace already", folder);
        return kw_error_hint(error, "use it as it is, or name another folder "
                                    "with --workspace DIR");
    }
    return make_folders(workspace, error);
}

static json_t *describe(const char *const *chips, size_t count) {
    json_t *names = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(names, json_string(chips[i]));
    }
    return json_pack("{s:s, s:i, s:o}", "schema", SCHEMA, "version",
                     KW_WORKSPACE_VERSION, "chips", names);
}

kw_status kw_workspace_finish(const struct kw_workspace *workspace,
                              const char *const *chips, size_t count,
                              struct kw_error *error) {
    json_t *root = describe(chips, count);
    char *json = root == NULL ? NULL : json_dumps(root, JSON_INDENT(2));
    char *text = json == NULL ? NULL : kw_format("%s\n", json);
    char *path = kw_workspace_path(workspace, DESCRIPTION);
    const kw_status status =
        text == NULL || path == NULL
            ? no_memory(error)
            : kw_file_create(path, KW_PUBLIC_MODE, text, strlen(text), error);
    free(path);
    free(text);
    free(json);
    json_decref(root);
    return status;
}

static kw_status check_description(const char *path, const char *text,
                                   size_t size, struct kw_error *error) {
    const char *schema = NULL;
    int version = 0;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const bool readable =
        json_unpack(root, "{s:s, s:i}", "schema", &schema, "version",
                    &version) == 0 &&
        (version > KW_WORKSPACE_VERSION || strcmp(schema, SCHEMA) == 0);
    json_decref(root);
    if (!readable) {
        kw_error(error, KW_PARSE, "%s is damaged", path);
        return kw_error_hint(error, "put a copy of it back: keys and chips "
                                    "are in files of their own and are "
                                    "unchanged");
    }
    if (version > KW_WORKSPACE_VERSION) {
        kw_error(error, KW_PARSE,
                 "%s is of version %d; this program knows version %d", path,
                 version, KW_WORKSPACE_VERSION);
        return kw_error_hint(error, "use a newer keywright; nothing was "
                                    "changed");
    }
    return KW_OK;
}

static kw_status read_description(const struct kw_workspace *workspace,
                                  const char *path, struct kw_error *error) {
    uint8_t *text = NULL;
    size_t size = 0;
    if (access(path, F_OK) != 0 && errno != ENOENT) {
        return kw_error_system(error, "cannot open %s", path);
    }
    if (!kw_file_exists(path)) {
        kw_error(error, KW_NO, "there is no workspace in %s",
                 workspace->folder);
        return kw_error_hint(error, "run `keywright init` first, or name the "
                                    "workspace with --workspace DIR");
    }
    KW_TRY(kw_file_read(path, DESCRIPTION_MAX, &text, &size, error));
    const kw_status status =
        check_description(path, (const char *)text, size, error);
    free(text);
    return status;
}

kw_status kw_workspace_open(struct kw_workspace *workspace, const char *folder,
                            struct kw_error *error) {
    KW_TRY(begin(workspace, folder, error));
    char *path = kw_workspace_path(workspace, DESCRIPTION);
    const kw_status status = path == NULL
                                 ? no_memory(error)
                                 : read_description(workspace, path, error);
    free(path);
    return status;
}

void kw_workspace_close(struct kw_workspace *workspace) {
    if (workspace->lock >= 0) {
        (void)close(workspace->lock);
    }
    free(workspace->folder);
    *workspace = (struct kw_workspace){.folder = NULL, .lock = -1};
}

static int wait_for_byte(int fd, off_t byte, const struct kw_pause *pause) {
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    for (int waited = 0; fcntl(fd, F_OFD_SETLK, &lock) != 0;
         waited += LOCK_POLL_MS) {
        if ((errno != EAGAIN && errno != EACCES) || waited >= LOCK_WAIT_MS) {
            return errno == EACCES ? EAGAIN : errno;
        }
        if (kw_pause_poll(pause, NULL, LOCK_POLL_MS) != 0) {
            return errno;
        }
    }
    return 0;
}

int kw_lock_byte(int fd, off_t byte) {
    struct kw_pause pause;
    kw_pause_begin(&pause);
    const int cause = wait_for_byte(fd, byte, &pause);
    kw_pause_end(&pause);
    return cause;
}

/* Who holds the lock, for the words alone: the lock decides. */
static void write_holder(int fd) {
    char text[32];
    const int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    (void)!ftruncate(fd, 0);
    (void)!pwrite(fd, text, (size_t)size, 0);
}

static kw_status is_locked(int fd, struct kw_error *error) {
    char text[32] = "";
    const ssize_t size = pread(fd, text, sizeof text - 1, 0);
    text[size > 0 ? strcspn(text, "\n") : 0] = '\0';
    kw_error(error, KW_ABSENT_LOCKED,
             "another keywright (process %s) is changing this workspace",
             text[0] == '\0' ? "unknown" : text);
    return kw_error_hint(error, "wait until it has ended, or has been "
                                "answered, then run this again");
}

static kw_status lock_file(const char *path, int *lock,
                           struct kw_error *error) {
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, KW_SECRET_MODE);
    if (fd < 0) {
        return kw_error_system(error, "cannot open %s", path);
    }
    errno = kw_lock_byte(fd, 0);
    if (errno != 0) {
        const kw_status status =
            errno == EAGAIN ? is_locked(fd, error)
                            : kw_error_system(error, "cannot lock %s", path);
        (void)close(fd);
        return status;
    }
    write_holder(fd);
    *lock = fd;
    return KW_OK;
}

/* Whoever was cut while it wrote a file left a temporary one behind, which
 * may hold a private key. Nobody else writes while the lock is held. */
static kw_status sweep(const struct kw_workspace *workspace, const char *folder,
                       unsigned depth, struct kw_error *error) {
    struct kw_names names;
    char *path = kw_workspace_path(workspace, "%s", folder);
    if (path == NULL) {
        return no_memory(error);
    }
    kw_status status = kw_folder_sweep(path, error);
    if (status == KW_OK) {
        status = kw_folder_list(path, &names, error);
    }
    free(path);
    KW_TRY(status);
    for (size_t i = 0; depth > 0 && status == KW_OK && i < names.count; i++) {
        char *below = kw_format("%s/%s", folder, names.name[i]);
        status = below == NULL ? no_memory(error)
                               : sweep(workspace, below, depth - 1, error);
        free(below);
    }
    kw_names_free(&names);
    return status;
}

static kw_status sweep_all(const struct kw_workspace *workspace,
                           struct kw_error *error) {
    KW_TRY(sweep(workspace, "keys", 2, error));
    KW_TRY(sweep(workspace, "bundles", 0, error));
    KW_TRY(sweep(workspace, "certs", 1, error));
    return sweep(workspace, "journal", 0, error);
}

kw_status kw_workspace_lock(struct kw_workspace *workspace,
                            struct kw_error *error) {
    if (workspace->lock >= 0) {
        return KW_OK;
    }
    char *path = kw_workspace_path(workspace, "run/workspace.lock");
    const kw_status status = path == NULL
                                 ? no_memory(error)
                                 : lock_file(path, &workspace->lock, error);
    free(path);
    KW_TRY(status);
    return sweep_all(workspace, error);
}
