#include "host/record-store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"
#include "host/record-place.h"
#include "sample.h"

static struct arena arena;

/* NAME in the test's directory PARENT. */
static const char *in(const char *parent, const char *name)
{
    return arena_join(&arena, parent, "/", name, NULL);
}

static void test_open(const char *parent)
{
    const char *place = in(parent, "new");
    const char *link = in(parent, "link");
    struct err err;
    struct stat st;
    int dir = record_store_open(place, geteuid(), &err);

    TAP_TRUE(dir >= 0);
    TAP_INT(fstat(dir, &st), 0);
    TAP_INT(st.st_mode, S_IFDIR | 0700);
    fd_close(&dir);
    dir = record_store_open(place, geteuid(), &err);
    TAP_TRUE(dir >= 0);
    fd_close(&dir);

    TAP_ERR(record_store_open(place, geteuid() + 1, &err), err, ERR_RECORD, "belongs to uid");
    TAP_INT(chmod(place, 0755), 0);
    TAP_ERR(record_store_open(place, geteuid(), &err), err, ERR_RECORD, "mode");
    TAP_INT(chmod(place, 0700), 0);
    TAP_INT(symlink("new", link), 0);
    TAP_ERR(record_store_open(link, geteuid(), &err), err, ERR_RECORD, "not a directory");
    TAP_ERR(record_store_open(in(parent, "missing/x"), geteuid(), &err), err, ERR_RECORD, "no such file");
    TAP_INT(unlink(link), 0);
    TAP_INT(rmdir(place), 0);
}

static void test_store(const char *place, int dir)
{
    struct record_facts facts = {.uid = geteuid(),
                                 .gid = 27,
                                 .egid = 1001,
                                 .now = 90,
                                 .boot = 80,
                                 .inputs = {"1", "2", "3", "default", "default", "none"}};
    struct record_file file = sample, got;
    struct err err;
    size_t length;

    file.uid = facts.uid;
    file.boot = facts.boot;
    file.made = facts.now;
    memcpy(file.inputs, facts.inputs, sizeof(file.inputs));
    file.directory = "";
    file.passwd = "p\n";
    file.group = "g\n";
    TAP_OK(record_store(dir, place, &file, &arena, &err), err);
    TAP_STR(file.directory, place);
    TAP_STR(file.passwd, "");
    TAP_INT(record_place_read(place, &facts, &got, &arena), 0);
    TAP_STR(got.directory, place);
    TAP_STR(fd_read_file(dir, "passwd", 0, 100, &arena, &length), "p\n");
    TAP_STR(fd_read_file(dir, "group", 0, 100, &arena, &length), "g\n");
}

static ino_t inode_of(int dir, const char *name)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_ino : 0;
}

/* Stores the sample with PASSWD and "g\n" again; whether the file passwd is still the same one. */
static int is_kept(const char *place, int dir, const char *passwd)
{
    const ino_t before = inode_of(dir, "passwd");
    struct record_file file = sample;
    size_t length;
    struct err err;

    file.directory = "";
    file.passwd = passwd;
    file.group = "g\n";
    TAP_OK(record_store(dir, place, &file, &arena, &err), err);
    TAP_STR(fd_read_file(dir, "passwd", 0, 100, &arena, &length), passwd);
    return inode_of(dir, "passwd") == before;
}

/* Containers have it mounted: it is another file only where it has to be. */
static void test_same_again(const char *place, int dir)
{
    const ino_t group = inode_of(dir, "group");

    TAP_TRUE(is_kept(place, dir, "p\n"));
    TAP_TRUE(!is_kept(place, dir, "q\n"));
    TAP_TRUE(!is_kept(place, dir, "q\nr\n"));
    TAP_TRUE(!is_kept(place, dir, "q\n"));
    TAP_TRUE(is_kept(place, dir, "q\n"));
    TAP_INT(inode_of(dir, "group"), group);
    /* What it must not be, whatever is in it. */
    TAP_INT(fchmodat(dir, "passwd", 0644, 0), 0);
    TAP_TRUE(!is_kept(place, dir, "q\n"));
    TAP_INT(linkat(dir, "passwd", dir, "link", 0), 0);
    TAP_TRUE(!is_kept(place, dir, "q\n"));
    TAP_INT(unlinkat(dir, "passwd", 0), 0);
    TAP_INT(symlinkat("link", dir, "passwd"), 0);
    TAP_TRUE(!is_kept(place, dir, "q\n"));
    TAP_INT(unlinkat(dir, "link", 0), 0);
}

static void test_modes(int dir)
{
    static const char *const names[] = {"passwd", "group", "record"};
    struct stat st;

    for (int i = 0; i < 3; i++) {
        TAP_INT(fstatat(dir, names[i], &st, AT_SYMLINK_NOFOLLOW), 0);
        TAP_INT(st.st_mode, S_IFREG | 0444);
        TAP_INT(st.st_nlink, 1);
    }
}

/* Whoever finds a record looks no further. */
static int has_record(int dir)
{
    return faccessat(dir, "record", F_OK, 0) == 0;
}

/* What cannot be kept stays as it was, and what it should have replaced is gone. */
static void test_failure(const char *place, int dir)
{
    struct record_file file = sample;
    char *huge = arena_alloc(&arena, RECORD_KEPT_LIMIT + 2);
    struct err err;

    file.directory = "";
    file.passwd = "other\n";
    file.group = "other\n";
    TAP_INT(unlinkat(dir, "group", 0), 0);
    TAP_INT(mkdirat(dir, "group", 0700), 0);
    TAP_ERR(record_store(dir, place, &file, &arena, &err), err, ERR_RECORD, "cannot write group");
    TAP_STR(file.directory, "");
    TAP_STR(file.passwd, "other\n");
    TAP_TRUE(!has_record(dir));
    TAP_INT(unlinkat(dir, "group", AT_REMOVEDIR), 0);
    TAP_OK(record_store(dir, place, &file, &arena, &err), err);
    TAP_TRUE(has_record(dir));

    memset(huge, 'x', RECORD_KEPT_LIMIT + 1);
    file.home = huge;
    TAP_ERR(record_store(dir, place, &file, &arena, &err), err, ERR_RECORD, "too large");
    TAP_TRUE(!has_record(dir));
}

static int count_entries(int dir)
{
    int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fdopendir(again);
    int count = 0;

    while (readdir(entries))
        count++;
    closedir(entries);
    return count - 2;
}

static void test_leftovers(const char *place, int dir)
{
    static const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    struct record_file file = sample;
    struct err err;
    int fd;

    file.directory = "";
    file.passwd = file.group = "x\n";
    for (int i = 0; i < 2; i++) {
        fd = openat(dir, i ? ".unfinished-1-1" : ".unfinished-2-2", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        TAP_TRUE(fd >= 0);
        fd_close(&fd);
    }
    TAP_INT(utimensat(dir, ".unfinished-1-1", old, 0), 0);
    TAP_OK(record_store(dir, place, &file, &arena, &err), err);
    TAP_INT(faccessat(dir, ".unfinished-1-1", F_OK, 0), -1);
    TAP_INT(unlinkat(dir, ".unfinished-2-2", 0), 0); /* young: its writer may be alive */
    TAP_INT(count_entries(dir), 3);
}

static void test_lock(const char *place, int dir)
{
    FD_CLEANUP int other = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    record_store_lock(dir);
    TAP_INT(flock(other, LOCK_EX | LOCK_NB), -1);
    record_store_lock(-1); /* no locks here: does not wait */
}

static void empty(int dir)
{
    unlinkat(dir, "passwd", 0);
    unlinkat(dir, "group", 0);
    unlinkat(dir, "record", 0);
}

int main(void)
{
    char parent[] = "/tmp/coracle-unit-XXXXXX";
    const char *place;
    struct err err;
    int dir;

    arena_init(&arena, tap_no_memory);
    TAP_TRUE(mkdtemp(parent));
    test_open(parent);
    place = in(parent, "place");
    dir = record_store_open(place, geteuid(), &err);
    test_store(place, dir);
    test_same_again(place, dir);
    test_modes(dir);
    test_leftovers(place, dir);
    test_failure(place, dir);
    test_lock(place, dir);
    empty(dir);
    fd_close(&dir);
    TAP_INT(rmdir(place), 0);
    TAP_INT(rmdir(parent), 0);
    arena_free(&arena);
    return tap_done();
}
