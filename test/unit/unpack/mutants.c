/*
 * Mutants of the images of the fuzz corpus are unpacked: none crashes, computes without end or
 * reaches beyond its directory; each comes out or is refused.
 */
#include "../squash/mutants.h"
#include "unpack/unpack.h"

enum { FILE_LIMIT = 1024 * 1024, GO_ON_LIMIT = 20000 };
enum { REFUSED = MUTANT_REFUSED, NOT_OPENED, UNPACKED };

/* A mutant may name a file in more places than we have time for. */
static int go_on(void)
{
    static int left = GO_ON_LIMIT;

    return left-- > 0;
}

static void __attribute__((noreturn)) be_child(const char *image, size_t length, uint64_t number, int root)
{
    const struct rlimit file = {FILE_LIMIT, FILE_LIMIT};
    struct unpack unpack = {.squash = &squash, .arena = &arena, .root = root, .go_on = go_on};
    int fd = mutant_begin(image, length, number);
    struct err err;

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

/* Nor is anything beside its directory. */
static int is_survived(const char *image, size_t length, uint64_t number)
{
    int root, survived;
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
    survived = mutant_survived(child, number);
    if (rmdir(in_scratch("place/out")) < 0) /* anything in it */
        shell("chmod -R u+rwX place/out; rm -rf place/out");
    return survived && rmdir(in_scratch("place")) == 0;
}

int main(void)
{
    mutants_try(is_survived);
    printf("# %d mutants refused while they were unpacked, %d before, %d unpacked\n", mutant_counts[0],
           mutant_counts[1], mutant_counts[2]);
    TAP_TRUE(mutant_counts[0] > 0 && mutant_counts[1] > 0 && mutant_counts[2] > 0);
    return tap_done();
}
