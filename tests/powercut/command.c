#include "tests/powercut/command.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/program.h"

#define WORDS_MAX 24

const struct kw_cut kw_no_cut = {0, 1};

static void be_silent(void) {
    const int null = open("/dev/null", O_RDWR);
    if (null >= 0 && getenv("KEYWRIGHT_CUTS_LOUD") == NULL) {
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
    }
}

static int wait_for(pid_t pid) {
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

/* --- the command --- */

bool kw_cut_command_open(struct kw_cut_command *command) {
    command->operations =
        mmap(NULL, sizeof *command->operations, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return command->operations != MAP_FAILED;
}

static int child(const struct kw_cut_command *command, const char *workspace,
                 struct kw_cut cut, const char *const *words) {
    char *argv[WORDS_MAX] = {"keywright", "--yes", "--workspace",
                             (char *)workspace};
    int argc = 4;
    for (; *words != NULL && argc + 1 < WORDS_MAX; words++) {
        argv[argc++] = (char *)*words;
    }
    be_silent();
    kw_disk_start(workspace, cut.seed, cut.at);
    kw_disk_lie_about_flushing(command->lies);
    const int code =
        kw_program_main(argc, argv, command->nouns, command->noun_count);
    *command->operations = kw_disk_operations();
    return code;
}

int kw_cut_command_run(const struct kw_cut_command *command,
                       const char *workspace, struct kw_cut cut,
                       const char *const *words) {
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(child(command, workspace, cut, words));
    }
    return wait_for(pid);
}

/* --- other programs --- */

bool kw_cut_program(const char *const *words) {
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        be_silent();
        (void)execvp(words[0], (char *const *)words);
        _exit(127);
    }
    return wait_for(pid) == 0;
}

bool kw_cut_copy_folder(const char *from, const char *to) {
    const char *const words[] = {"cp", "-a", from, to, NULL};
    kw_disk_remove(to);
    return kw_cut_program(words);
}

/* --- the runner itself --- */

bool kw_cut_make_folder(char *path, size_t size) {
    const char *parent = getenv("TMPDIR");
    const int length = snprintf(path, size, "%s/kw-cuts-XXXXXX",
                                parent == NULL ? "/tmp" : parent);
    return length > 0 && (size_t)length < size && mkdtemp(path) != NULL;
}

bool kw_cut_has_option(int argc, char **argv, const char *option) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], option) == 0) {
            return true;
        }
    }
    return false;
}
