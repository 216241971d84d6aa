/* What an evaluation with all standards costs from the project's file to the
 * document of the three phases, in this process with the data loaded, and as
 * a process of its own from its start to its exit; and 1,000 projects linted
 * in one call. Beside them the same of `true` and of `keywright --version`.
 *
 *     bench_primitives_process KEYWRIGHT */
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/primitives/project.h"

enum { ROUNDS = 40, PROJECTS = 1000 };

static double now(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* Milliseconds of one process; its exit code in *code. */
static double run(char *const arguments[], int *code) {
    posix_spawn_file_actions_t actions;
    pid_t child = 0;
    int status = 0;
    *code = -1;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
                                           O_WRONLY, 0);
    const double start = now();
    if (posix_spawnp(&child, arguments[0], &actions, NULL, arguments,
                     environ) == 0 &&
        waitpid(child, &status, 0) == child && WIFEXITED(status)) {
        *code = WEXITSTATUS(status);
    }
    const double took = now() - start;
    (void)posix_spawn_file_actions_destroy(&actions);
    return took;
}

static int by_value(const void *a, const void *b) {
    const double one = *(const double *)a;
    const double two = *(const double *)b;
    return (one > two) - (one < two);
}

/* False: the process did not answer as it should. */
static bool measure(const char *what, char *const arguments[], int rounds,
                    int wanted) {
    double took[ROUNDS];
    for (int i = 0; i < rounds; i++) {
        int code = 0;
        took[i] = run(arguments, &code);
        if (code != wanted) {
            (void)fprintf(stderr, "%s: exit code %d\n", what, code);
            return false;
        }
    }
    qsort(took, (size_t)rounds, sizeof *took, by_value);
    (void)printf("%-32s %8.2f ms lowest, %8.2f ms median\n", what, took[0],
                 took[rounds / 2]);
    return true;
}

/* A project with every standard at its highest level. */
static bool write_project(const char *path,
                          const struct kw_catalogue *catalogue) {
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        return false;
    }
    (void)fputs("{\"use_case\": {\"id\": \"all\", \"title\": \"all\", "
                "\"selected\": [{\"primitive\": \"secure-communication\"}]},\n"
                "\"platforms\": [\"lpc55s69\", \"mbedtls\"],\n\"standard\": [",
                out);
    for (uint32_t i = 0; i < catalogue->standards.count; i++) {
        const json_t *levels = json_object_get(
            json_object_get(catalogue->standards.entry[i], "levels"), "values");
        const size_t count = json_array_size(levels);
        (void)fprintf(out, "%s\n{\"id\": \"%s\"", i == 0 ? "" : ",",
                      catalogue->standards.id[i]);
        if (count > 0) {
            (void)fprintf(out, ", \"level\": \"%s\"",
                          json_string_value(json_array_get(levels, count - 1)));
        }
        (void)fputc('}', out);
    }
    (void)fputs("]}\n", out);
    return fclose(out) == 0;
}

static double evaluate_file(const struct kw_catalogue *catalogue,
                            const char *path, struct kw_problems *problems) {
    static struct kw_project project;
    const struct kw_project_options options = {.model = NULL};
    struct kw_error error;
    const double start = now();
    const kw_status status =
        kw_project_load(&project, catalogue, path, &options, problems, &error);
    json_decref(status == KW_OK ? kw_project_document(&project) : NULL);
    kw_project_free(&project);
    return status == KW_OK ? now() - start : -1;
}

static void measure_in_process(const struct kw_catalogue *catalogue,
                               const char *path, struct kw_problems *problems) {
    double lowest = evaluate_file(catalogue, path, problems);
    for (int i = 1; i < ROUNDS; i++) {
        const double took = evaluate_file(catalogue, path, problems);
        lowest = took < lowest ? took : lowest;
    }
    (void)printf("%-32s %8.2f ms lowest\n", "in process: file to document",
                 lowest);
}

static bool write_all(const char *folder) {
    struct kw_catalogue catalogue;
    struct kw_problems problems;
    struct kw_error error;
    char path[PATH_MAX];
    kw_problems_init(&problems);
    bool ok = kw_catalogue_load(&catalogue, true, NULL, 0, &problems, &error) ==
              KW_OK;
    for (int i = 0; ok && i < PROJECTS; i++) {
        (void)snprintf(path, sizeof path, "%s/%04d.json", folder, i);
        ok = write_project(path, &catalogue);
    }
    if (ok) {
        measure_in_process(&catalogue, path, &problems);
    }
    kw_catalogue_free(&catalogue);
    kw_problems_free(&problems);
    return ok;
}

static void sweep(const char *folder) {
    char path[PATH_MAX];
    for (int i = 0; i < PROJECTS; i++) {
        (void)snprintf(path, sizeof path, "%s/%04d.json", folder, i);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

int main(int argc, char **argv) {
    char folder[] = "/tmp/keywright-bench-XXXXXX";
    char project[sizeof folder + 16];
    if (argc != 2 || mkdtemp(folder) == NULL) {
        (void)fprintf(stderr, "bench_primitives_process KEYWRIGHT\n");
        return 2;
    }
    (void)snprintf(project, sizeof project, "%s/0000.json", folder);
    char *const nothing[] = {"true", NULL};
    char *const version[] = {argv[1], "--version", NULL};
    char *const evaluate[] = {argv[1], "primitives", "evaluate",
                              project, "--json",     NULL};
    char *const lint[] = {argv[1], "primitives", "lint", folder, NULL};
    const bool ok =
        write_all(folder) && measure("process: true", nothing, ROUNDS, 0) &&
        measure("process: --version", version, ROUNDS, 0) &&
        measure("process: evaluate, all standards", evaluate, ROUNDS, 1) &&
        measure("process: lint, 1,000 projects", lint, 3, 0);
    sweep(folder);
    return ok ? 0 : 1;
}
