/*
 * mutants - gives mutants of the images of the fuzz corpus to a program under test, each in a
 * process of its own, and counts what became of them.
 *
 * MUTANTS=N in the environment: how many of each image (default 40, evenly spread over what is
 * damaged).
 */
#ifndef CORACLE_TEST_UNIT_SQUASH_MUTANTS_H
#define CORACLE_TEST_UNIT_SQUASH_MUTANTS_H

#include <glob.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../../fuzz/mutation.h"
#include "base/path.h"
#include "made.h"

/* How a mutant's process ends: this, or up to three more that the test names. */
enum { MUTANT_REFUSED = 10, MUTANT_ENDS = 4 };
enum { MUTANT_SECONDS = 10, MUTANT_IMAGE_LIMIT = 1024 * 1024 };

static int mutant_counts[MUTANT_ENDS]; /* of each way to end */
static struct arena arena;             /* anew for each image */

/* For the process of mutant NUMBER of IMAGE: a descriptor of its file, and limits. */
static inline int mutant_begin(const char *image, size_t length, uint64_t number)
{
    const struct rlimit cpu = {MUTANT_SECONDS, MUTANT_SECONDS}, core = {0, 0};
    unsigned char *bytes = arena_alloc(&arena, length);
    int fd = open(in_scratch("image"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    memcpy(bytes, image, length);
    mutate(bytes, length, number);
    if (fd < 0 || pwrite(fd, bytes, length, 0) != (ssize_t)length)
        _exit(EXIT_FAILURE);
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &core);
    return fd;
}

/* Waits for CHILD, the process of mutant NUMBER. Whether it ended in one of the ways, without a crash. */
static inline int mutant_survived(pid_t child, uint64_t number)
{
    int status;

    if (child < 0 || waitpid(child, &status, 0) < 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) >= MUTANT_REFUSED &&
        WEXITSTATUS(status) < MUTANT_REFUSED + MUTANT_ENDS) {
        mutant_counts[WEXITSTATUS(status) - MUTANT_REFUSED]++;
        return 1;
    }
    printf("# mutant %llu: %s %d\n", (unsigned long long)number, WIFEXITED(status) ? "status" : "signal",
           WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return 0;
}

static inline void mutants_of(const char *path, uint64_t count,
                              int (*is_survived)(const char *image, size_t length, uint64_t number))
{
    size_t length;
    const char *image;
    int lost = 0;

    arena_init(&arena, tap_no_memory);
    image = fd_read_file(AT_FDCWD, path, 0, MUTANT_IMAGE_LIMIT, &arena, &length);
    tap.row = path_basename(path);
    for (uint64_t i = 0; image && i < count; i++)
        lost += !is_survived(image, length, count < MUTATIONS ? i * MUTATIONS / count : i);
    TAP_TRUE(image != NULL);
    TAP_INT(lost, 0);
    arena_free(&arena);
    tap.row = NULL;
}

/* Whether all mutants are survived, a test for each image. */
static inline void mutants_try(int (*is_survived)(const char *image, size_t length, uint64_t number))
{
    const char *asked = getenv("MUTANTS"), *srcdir = getenv("srcdir");
    const uint64_t count = asked ? strtoull(asked, NULL, 10) : 40;
    char pattern[PATH_MAX];
    glob_t images;

    scratch_begin();
    snprintf(pattern, sizeof(pattern), "%s/test/fuzz/corpus/squash/*.squashfs", srcdir ? srcdir : ".");
    if (glob(pattern, 0, NULL, &images) != 0)
        give_up(pattern);
    for (size_t i = 0; i < images.gl_pathc; i++)
        mutants_of(images.gl_pathv[i], count, is_survived);
    globfree(&images);
}

#endif
