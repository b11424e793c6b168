/*
 * Mutants of the images of the fuzz corpus are unpacked, each in a process of its
 * own: none crashes, computes without end or reaches beyond its directory; each
 * comes out or is refused. MUTANTS=N in the environment: how many of each image
 * (default 40, evenly spread over what is damaged).
 */
#include <glob.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../../fuzz/mutation.h"
#include "../squash/made.h"
#include "base/path.h"
#include "unpack/unpack.h"

enum { CPU_SECONDS = 10, FILE_LIMIT = 1024 * 1024, IMAGE_LIMIT = 1024 * 1024, GO_ON_LIMIT = 20000 };
enum { REFUSED = 10, NOT_OPENED, UNPACKED };

static int counts[3];
static struct arena arena;

/* A mutant may name a file in more places than we have time for. */
static int go_on(void)
{
    static int left = GO_ON_LIMIT;

    return left-- > 0;
}

static void __attribute__((noreturn)) be_child(const char *image, size_t length, uint64_t number, int root)
{
    const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS}, core = {0, 0}, file = {FILE_LIMIT, FILE_LIMIT};
    struct unpack unpack = {.squash = &squash, .arena = &arena, .root = root, .go_on = go_on};
    unsigned char *bytes = arena_alloc(&arena, length);
    int fd = open(in_scratch("image"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct err err;

    memcpy(bytes, image, length);
    mutate(bytes, length, number);
    if (fd < 0 || pwrite(fd, bytes, length, 0) != (ssize_t)length)
        _exit(EXIT_FAILURE);
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &core);
    setrlimit(RLIMIT_FSIZE, &file);
    signal(SIGXFSZ, SIG_IGN);
    if (squash_open(&squash, fd, 0, length, &err) < 0)
        _exit(NOT_OPENED);
    if (unpack_image(&unpack, &err) == 0)
        _exit(UNPACKED);
    _exit(*err.text && (err.id == ERR_IMAGE_DAMAGED || err.id == ERR_LIMIT || err.id == ERR_SERVER)
              ? REFUSED
              : EXIT_FAILURE);
}

/* Whether mutant NUMBER is unpacked without a crash. */
static int is_survived(const char *image, size_t length, uint64_t number)
{
    int root, status;
    pid_t child;

    make_directory("place");
    make_directory("place/out");
    root = open(in_scratch("place/out"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        give_up("out");
    child = fork();
    if (child == 0)
        be_child(image, length, number, root);
    close(root);
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return 0;
    if (rmdir(in_scratch("place/out")) < 0) /* anything in it */
        shell("chmod -R u+rwX place/out; rm -rf place/out");
    if (WIFEXITED(status) && WEXITSTATUS(status) >= REFUSED) {
        counts[WEXITSTATUS(status) - REFUSED]++;
        return rmdir(in_scratch("place")) == 0; /* nothing is beside it */
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
    printf("# %d mutants refused while they were unpacked, %d before, %d unpacked\n", counts[0], counts[1],
           counts[2]);
    TAP_TRUE(counts[0] > 0 && counts[1] > 0 && counts[2] > 0);
    return tap_done();
}
