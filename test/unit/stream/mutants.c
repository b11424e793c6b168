/*
 * Mutants of the images of the fuzz corpus become layers, each in a process of its own: none
 * crashes, computes without end or takes memory without end; each comes out or is refused.
 * MUTANTS=N in the environment: how many of each image (default 40, evenly spread over what is
 * damaged).
 */
#include <glob.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../../fuzz/mutation.h"
#include "../squash/made.h"
#include "base/path.h"
#include "stream/stream.h"

enum { CPU_SECONDS = 10, IMAGE_LIMIT = 1024 * 1024 };
enum { REFUSED = 10, NOT_OPENED, READ, TOO_LARGE };
#define BYTES_LIMIT (UINT64_C(1) << 28) /* a mutant may say that it has more than we have time for */

static int counts[4];
static struct arena arena;

/* What becomes of the image in FD. */
static int read_stream(int fd)
{
    struct err err = {0};
    struct stream *stream = stream_of_file(fd, "mutant", &arena, &err);
    struct layer_reader *reader;
    uint64_t total = 0;
    const void *bytes;
    size_t length = 1;
    struct layer layer;
    int failed = 0;

    if (!stream)
        return *err.text ? NOT_OPENED : EXIT_FAILURE;
    layer = stream_layer(stream);
    reader = layer_open(&layer, &err);
    failed = !reader;
    while (!failed && length && total < BYTES_LIMIT) {
        failed = layer_read(reader, &bytes, &length, &err) < 0;
        total += failed ? 0 : length;
    }
    layer_close(reader);
    stream_close(stream);
    if (failed)
        return *err.text && (err.id == ERR_IMAGE_DAMAGED || err.id == ERR_LIMIT) ? REFUSED : EXIT_FAILURE;
    return length ? TOO_LARGE : READ;
}

static void __attribute__((noreturn)) be_child(const char *image, size_t length, uint64_t number)
{
    const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS}, core = {0, 0};
    unsigned char *bytes = arena_alloc(&arena, length);
    int fd = open(in_scratch("image"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    memcpy(bytes, image, length);
    mutate(bytes, length, number);
    if (fd < 0 || pwrite(fd, bytes, length, 0) != (ssize_t)length)
        _exit(EXIT_FAILURE);
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &core);
    _exit(read_stream(fd));
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
    if (WIFEXITED(status) && WEXITSTATUS(status) >= REFUSED) {
        counts[WEXITSTATUS(status) - REFUSED]++;
        return 1;
    }
    printf("# mutant %llu: %s %d\n", (unsigned long long)number, WIFEXITED(status) ? "status" : "signal",
           WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return 0;
}

static void test_image(const char *path, uint64_t count)
{
    size_t length;
    const char *image;
    int lost = 0;

    arena_init(&arena, tap_no_memory);
    image = fd_read_file(AT_FDCWD, path, 0, IMAGE_LIMIT, &arena, &length);
    tap.row = path_basename(path);
    for (uint64_t i = 0; image && i < count; i++)
        lost += !is_survived(image, length, count < MUTATIONS ? i * MUTATIONS / count : i);
    TAP_TRUE(image != NULL);
    TAP_INT(lost, 0);
    arena_free(&arena);
    tap.row = NULL;
}

int main(void)
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
        test_image(images.gl_pathv[i], count);
    globfree(&images);
    printf("# %d mutants refused while they were read, %d before, %d read, %d too large\n", counts[0],
           counts[1], counts[2], counts[3]);
    TAP_TRUE(counts[0] > 0 && counts[1] > 0 && counts[2] > 0);
    return tap_done();
}
