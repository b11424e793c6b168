/*
 * Gives mutants of each image named on the command line to the fuzz target, each
 * in a process of its own: none may crash, compute for longer than 5 seconds or
 * take more memory than a server has. MUTANTS=N in the environment: how many of
 * each image (default 200).
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tap.h"
#include "base/fd.h"
#include "base/path.h"
#include "mutation.h"
#include "squash.h"

enum { CPU_SECONDS = 5, IMAGE_LIMIT = 1024 * 1024, REFUSED = 10, OPENED = 11 };

static int refused, opened;

static void __attribute__((noreturn)) be_child(const char *image, size_t length, uint64_t number)
{
    const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS}, core = {0, 0};
    unsigned char *bytes = malloc(length);

    if (!bytes)
        tap_no_memory();
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &core);
    memcpy(bytes, image, length);
    mutate(bytes, length, number);
    LLVMFuzzerTestOneInput(bytes, length);
    free(bytes);
    _exit(fuzz_squash_opened ? OPENED : REFUSED);
}

/* Whether mutant NUMBER is read without a crash. */
static int is_survived(const char *image, size_t length, uint64_t number)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        be_child(image, length, number);
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return 0;
    refused += WIFEXITED(status) && WEXITSTATUS(status) == REFUSED;
    opened += WIFEXITED(status) && WEXITSTATUS(status) == OPENED;
    if (WIFEXITED(status) && (WEXITSTATUS(status) == REFUSED || WEXITSTATUS(status) == OPENED))
        return 1;
    printf("# mutant %llu: %s %d\n", (unsigned long long)number, WIFEXITED(status) ? "status" : "signal",
           WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return 0;
}

int main(int argc, char **argv)
{
    const char *asked = getenv("MUTANTS");
    const uint64_t count = asked ? strtoull(asked, NULL, 10) : MUTATIONS;
    static struct arena arena;

    for (int i = 1; i < argc; i++) {
        size_t length;
        const char *image;
        int lost = 0;

        arena_init(&arena, tap_no_memory);
        image = fd_read_file(AT_FDCWD, argv[i], 0, IMAGE_LIMIT, &arena, &length);
        tap.row = path_basename(argv[i]);
        for (uint64_t number = 0; image && number < count; number++)
            lost += !is_survived(image, length, number);
        TAP_TRUE(image != NULL);
        TAP_INT(lost, 0);
        arena_free(&arena);
    }
    tap.row = NULL;
    printf("# %d mutants refused, %d opened and read\n", refused, opened);
    TAP_TRUE(refused > 0 && opened > 0);
    return tap_done();
}
