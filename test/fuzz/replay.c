/*
 * Gives each file named on the command line to the fuzz target that this is
 * linked with, and prints TAP: "ok" for a file that was read and handled. A
 * crash leaves the rest of the plan open; the file's name was printed last.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

enum { FILE_SIZE_MAX = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void __attribute__((noreturn)) no_memory(void)
{
    puts("Bail out! out of memory");
    exit(EXIT_FAILURE);
}

/* A copy that is exactly as long as the file: valgrind and ASan see a look past the end. */
static void replay(const char *bytes, size_t length)
{
    uint8_t *copy = malloc(length ? length : 1);

    if (!copy)
        no_memory();
    memcpy(copy, bytes, length);
    LLVMFuzzerTestOneInput(copy, length);
    free(copy);
}

/* Replays the file NAME as test NUMBER. 0, or -1 where it cannot be read. */
static int replay_file(const char *name, int number)
{
    struct arena arena;
    size_t length;
    const char *bytes;
    int result = 0;

    printf("# %s\n", name);
    fflush(stdout);
    arena_init(&arena, no_memory);
    bytes = fd_read_file(AT_FDCWD, name, 0, FILE_SIZE_MAX, &arena, &length);
    if (bytes) {
        replay(bytes, length);
        printf("ok %d - %s\n", number, path_basename(name));
    } else {
        printf("not ok %d - %s\n# cannot be read: %s\n", number, path_basename(name), err_reason(errno));
        result = -1;
    }
    arena_free(&arena);
    return result;
}

int main(int argc, char *argv[])
{
    int failed = 0;

    if (argc < 2) {
        puts("Bail out! no files given");
        return EXIT_FAILURE;
    }
    printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++)
        if (replay_file(argv[i], i) < 0)
            failed = 1;
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
