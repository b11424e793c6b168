/* What is read of a directory, and what is not: links, and what is no file. */
#include "image/directory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"
#include "base/remove.h"
#include "foreign/foreign.h"

static struct arena arena;
static struct err err;
static char scratch[] = "/tmp/coracle-test-XXXXXX";
static int root;

static void write_file(const char *name, const void *bytes, size_t length)
{
    FD_CLEANUP int fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0 || fd_write_all(fd, bytes, length) < 0)
        abort();
}

/* How many bytes are collected; -1. */
static int collect(void)
{
    struct str bytes = {.arena = &arena};

    return directory_collect(&bytes, root, &err) < 0 ? -1 : (int)bytes.length;
}

static void test_file(void)
{
    TAP_INT(collect(), 0);
    mkdirat(root, "ch", 0755);
    write_file("ch/environment", "A=b\n", 4);
    TAP_INT(collect(), 10 + 8 + 4);
    write_file("ch/metadata.json", "{}", 2);
    TAP_INT(collect(), 10 + 8 + 4 + 8 + 2);
    unlinkat(root, "ch/metadata.json", 0);
}

static void test_links(void)
{
    renameat(root, "ch", root, "real");
    symlinkat("real", root, "ch");
    TAP_INT(collect(), 0);
    unlinkat(root, "ch", 0);
    renameat(root, "real", root, "ch");
    renameat(root, "ch/environment", root, "ch/other");
    symlinkat("other", root, "ch/environment");
    TAP_INT(collect(), 0);
    unlinkat(root, "ch/environment", 0);
    symlinkat("ch", root, ".singularity.d");
    TAP_INT(collect(), 0);
    unlinkat(root, ".singularity.d", 0);
}

static void test_other_kinds(void)
{
    mkfifoat(root, "ch/environment", 0644);
    TAP_INT(collect(), 0);
    unlinkat(root, "ch/environment", 0);
    mkdirat(root, "ch/environment", 0755);
    TAP_INT(collect(), 0);
    unlinkat(root, "ch/environment", AT_REMOVEDIR);
    write_file(".singularity.d", "", 0);
    TAP_INT(collect(), 0);
    unlinkat(root, ".singularity.d", 0);
}

static void test_size(void)
{
    char *bytes = arena_alloc(&arena, FOREIGN_FILE_LIMIT + 1);

    write_file("ch/environment", bytes, FOREIGN_FILE_LIMIT);
    TAP_INT(collect(), 10 + 8 + FOREIGN_FILE_LIMIT);
    write_file("ch/environment", bytes, FOREIGN_FILE_LIMIT + 1);
    TAP_INT(collect(), -1);
    TAP_TRUE(err.id == ERR_IMAGE_CONFIG && strstr(err.text, "larger"));
    unlinkat(root, "ch/environment", 0);
}

static void test_singularity(void)
{
    mkdirat(root, ".singularity.d", 0755);
    TAP_INT(collect(), 10);
    mkdirat(root, ".singularity.d/env", 0755);
    TAP_INT(collect(), 10 + 8);
    write_file(".singularity.d/runscript", "", 0);
    TAP_INT(collect(), 10 + 8 + 8);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    root = mkdtemp(scratch) ? open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (root < 0)
        abort();
    test_file();
    test_links();
    test_other_kinds();
    test_size();
    test_singularity();
    TAP_TRUE(chdir("/tmp") == 0 && remove_tree(AT_FDCWD, scratch + strlen("/tmp/")) == 0);
    arena_free(&arena);
    return tap_done();
}
