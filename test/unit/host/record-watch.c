#include "host/record-watch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"

static struct arena arena;
static const char *scratch;

static const char *in(const char *name)
{
    return arena_join(&arena, scratch, "/", name, NULL);
}

static void make(const char *name)
{
    FD_CLEANUP int fd = open(in(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    TAP_TRUE(fd >= 0);
}

static void test_file(void)
{
    char stamp[RECORD_STAMP];
    struct record_watch watch = {in("file"), stamp, ""};

    record_stamp_path(watch.path, stamp);
    TAP_STR(stamp, RECORD_ABSENT);
    TAP_TRUE(record_watch_holds(&watch));
    make("file");
    TAP_TRUE(!record_watch_holds(&watch));
    record_stamp_path(watch.path, stamp);
    TAP_TRUE(record_watch_holds(&watch));
    TAP_INT(truncate(watch.path, 7), 0);
    TAP_TRUE(!record_watch_holds(&watch));
}

/* The deepest directory is watched, and only what would be on the way counts. */
static void test_absent(void)
{
    struct record_watch watch = record_watch_absent(in("a/b/c"), &arena);

    TAP_STR(watch.path, scratch);
    TAP_STR(watch.lacks, in("a"));
    TAP_TRUE(record_watch_holds(&watch));
    watch.stamp = "1:2"; /* as if the directory had changed */
    TAP_TRUE(record_watch_holds(&watch));
    TAP_INT(mkdir(in("a"), 0700), 0);
    TAP_TRUE(!record_watch_holds(&watch));
    watch = record_watch_absent(in("a/b/c"), &arena);
    TAP_STR(watch.path, in("a"));
    TAP_STR(watch.lacks, in("a/b"));
    TAP_TRUE(record_watch_holds(&watch));
    make("a/b");
    TAP_TRUE(!record_watch_holds(&watch));
    watch = record_watch_absent(in("a/b/c"), &arena); /* behind a file */
    TAP_STR(watch.path, in("a/b"));
    TAP_TRUE(record_watch_holds(&watch));
}

/* What a link leads to can appear where nobody looks. */
static void test_dangling(void)
{
    struct record_watch watch;

    TAP_INT(symlink("elsewhere", in("link")), 0);
    watch = record_watch_absent(in("link/c"), &arena);
    TAP_STR(watch.path, in("link"));
    TAP_STR(watch.stamp, RECORD_ABSENT);
    TAP_TRUE(record_watch_holds(&watch));
    TAP_INT(mkdir(in("elsewhere"), 0700), 0);
    TAP_TRUE(!record_watch_holds(&watch));
}

/* It came while it was looked for. */
static void test_there(void)
{
    const struct record_watch watch = record_watch_absent(in("file"), &arena);

    TAP_TRUE(!record_watch_holds(&watch));
}

int main(void)
{
    char place[] = "/tmp/coracle-unit-XXXXXX";

    arena_init(&arena, tap_no_memory);
    scratch = mkdtemp(place);
    TAP_TRUE(scratch);
    test_file();
    test_absent();
    test_dangling();
    test_there();
    unlink(in("a/b"));
    unlink(in("file"));
    unlink(in("link"));
    rmdir(in("a"));
    rmdir(in("elsewhere"));
    TAP_INT(rmdir(scratch), 0);
    arena_free(&arena);
    return tap_done();
}
