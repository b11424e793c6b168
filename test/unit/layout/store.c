/* Files that are written into a directory or an archive. */
#include "layout/store.h"
#include "made.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/wait.h>

static const char *content(const char *directory, const char *name)
{
    FD_CLEANUP int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    size_t length;

    return fd < 0 ? NULL : fd_read_file(fd, name, 0, 1 << 20, &arena, &length);
}

/* How many names are in DIRECTORY. */
static int count(const char *directory)
{
    DIR *dir = opendir(directory);
    int found = -2;

    while (readdir(dir))
        found++;
    closedir(dir);
    return found;
}

static int fill(struct store *store)
{
    char large[100000];

    memset(large, 'x', sizeof(large));
    if (store_begin(store, &err) < 0 || store_write(store, large, sizeof(large), &err) < 0 ||
        store_rewind(store, &err) < 0 || store_write(store, "one", 3, &err) < 0 ||
        store_end(store, STORE_BLOBS "/1", &err) < 0)
        return -1;
    if (store_put(store, STORE_BLOBS "/2", large, 513, &err) < 0 ||
        store_put(store, STORE_BLOBS "/1", "one", 3, &err) < 0)
        return -1;
    return store_put(store, "index.json", "{}", 2, &err);
}

static void check_directory(void)
{
    const char *path = made_path("out");
    const mode_t mask = umask(0);
    struct store store;
    struct stat st;

    umask(mask);

    TAP_OK(store_open(&store, path, 0, 0, &arena, &err), err);
    TAP_OK(store_start(&store, &err), err);
    TAP_OK(fill(&store), err);
    TAP_INT(access(path, F_OK), -1);
    TAP_OK(store_publish(&store, &err), err);
    store_close(&store);
    TAP_STR(content(path, "blobs/sha256/1"), "one");
    TAP_STR(content(path, "index.json"), "{}");
    TAP_INT(count(scratch), 1);
    TAP_INT(stat(path, &st), 0);
    TAP_INT(st.st_mode & 0777, 0777 & ~mask);
    TAP_INT(mknod(arena_join(&arena, path, "/" STORE_MARK, NULL), S_IFREG | 0600, 0), 0);
    TAP_ERR(store_open(&store, path, 0, 1, &arena, &err), err, ERR_OUTPUT, "is there already");
    store_close(&store);

    /* More, that are not wanted in the end, and that are. */
    for (int wanted = 0; wanted <= 1; wanted++) {
        TAP_OK(store_open_read(&store, path, &arena, &err), err);
        TAP_OK(store_start(&store, &err), err);
        TAP_OK(store_put(&store, STORE_BLOBS "/3", "three", 5, &err), err);
        TAP_OK(store_put(&store, STORE_BLOBS "/1", "one", 3, &err), err);
        TAP_OK(store_lock(&store, &err), err);
        TAP_OK(store_begin(&store, &err), err);
        TAP_STR(content(path, "blobs/sha256/3"), NULL);
        if (wanted) {
            TAP_OK(store_end(&store, "index.json", &err), err);
            TAP_OK(store_publish(&store, &err), err);
        }
        store_close(&store);
        TAP_INT(count(path), 3); /* and nothing hidden */
        TAP_STR(content(path, "blobs/sha256/1"), "one");
        TAP_STR(content(path, "blobs/sha256/3"), wanted ? "three" : NULL);
        TAP_STR(content(path, "index.json"), wanted ? "" : "{}");
    }
}

/* A link in the place of blobs leads nowhere. */
static void check_links(void)
{
    const char *path = made_path("layout"), *outside = made_path("outside");
    struct store store;

    TAP_INT(mkdir(path, 0700), 0);
    TAP_INT(mkdir(outside, 0700), 0);
    TAP_INT(symlink(outside, arena_join(&arena, path, "/blobs", NULL)), 0);
    TAP_OK(store_open_read(&store, path, &arena, &err), err);
    TAP_ERR(store_start(&store, &err), err, ERR_OUTPUT, "cannot write");
    store_close(&store);
    TAP_INT(rmdir(outside), 0);
}

static void check_archive(void)
{
    const char *path = made_path("out.tar");
    const struct tar_entry *entry;
    struct store store;
    struct tar tar;
    int fd;

    TAP_OK(store_open(&store, path, 1, 0, &arena, &err), err);
    TAP_OK(store_start(&store, &err), err);
    TAP_OK(archive_directory(&store, "blobs/", &err), err);
    TAP_OK(fill(&store), err);
    TAP_INT(access(path, F_OK), -1);
    TAP_OK(store_publish(&store, &err), err);
    store_close(&store);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    TAP_OK(tar_read(&tar, fd, &arena, &err), err);
    TAP_INT(tar.count, 4);
    TAP_INT(tar_find(&tar, "blobs/sha256/2", &entry, &arena, &err), 1);
    TAP_INT(entry->size, 513);
    TAP_INT(tar_find(&tar, "blobs/sha256/1", &entry, &arena, &err), 1);
    TAP_INT(entry->size, 3);
    close(fd);

    TAP_ERR(store_open(&store, path, 1, 0, &arena, &err), err, ERR_OUTPUT, "--force replaces it");
    store_close(&store);
    TAP_OK(store_open(&store, path, 1, 1, &arena, &err), err);
    TAP_OK(store_start(&store, &err), err);
    TAP_OK(store_put(&store, "a", "", 0, &err), err);
    TAP_OK(store_publish(&store, &err), err);
    store_close(&store);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    TAP_OK(tar_read(&tar, fd, &arena, &err), err);
    TAP_INT(tar.count, 1);
    close(fd);
}

/* Nothing is left of what was not published, and nothing is replaced that came meanwhile. */
static void check_failures(void)
{
    static const char *const bad[] = {"", "/", ".", "..", "a/..", "/nowhere/at/all"};
    struct store store;

    for (int is_archive = 0; is_archive <= 1; is_archive++) {
        const char *path = made_path("out");
        const int before = count(scratch);
        struct stat st;
        int fd;

        TAP_OK(store_open(&store, path, is_archive, 0, &arena, &err), err);
        TAP_INT(count(scratch), before);
        TAP_OK(store_start(&store, &err), err);
        TAP_OK(fill(&store), err);
        store_close(&store);
        TAP_INT(count(scratch), before);

        TAP_OK(store_open(&store, path, is_archive, 0, &arena, &err), err);
        TAP_OK(store_start(&store, &err), err);
        TAP_OK(fill(&store), err);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        close(fd);
        TAP_ERR(store_publish(&store, &err), err, ERR_OUTPUT, "cannot write");
        store_close(&store);
        TAP_INT(count(scratch), before + 1);
        TAP_INT(lstat(path, &st), 0);
        TAP_INT(st.st_size, 0);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            tap.row = bad[i];
            TAP_ERR(store_open(&store, bad[i], is_archive, 0, &arena, &err), err, ERR_OUTPUT, "");
            store_close(&store);
        }
        tap.row = NULL;
    }
}

/* A layout with an index and blob 1. */
static const char *make_layout(void)
{
    const char *path = made_path("layout");
    struct store store;

    TAP_OK(store_open(&store, path, 0, 0, &arena, &err), err);
    TAP_OK(store_start(&store, &err), err);
    TAP_OK(store_put(&store, STORE_MARK, MARKER, strlen(MARKER), &err), err);
    TAP_OK(store_put(&store, STORE_BLOBS "/1", "one", 3, &err), err);
    TAP_OK(store_put(&store, "index.json", "{}", 2, &err), err);
    TAP_OK(store_publish(&store, &err), err);
    store_close(&store);
    return path;
}

/* What cannot be completed is taken back, and what was there before stays. */
static void check_taken_back(void)
{
    const char *path = make_layout(), *index = arena_join(&arena, path, "/index.json", NULL);
    struct store store;

    TAP_OK(store_open_read(&store, path, &arena, &err), err);
    TAP_OK(store_start(&store, &err), err);
    TAP_OK(store_put(&store, STORE_BLOBS "/1", "ONE", 3, &err), err);
    TAP_OK(store_put(&store, STORE_BLOBS "/2", "two", 3, &err), err);
    TAP_OK(store_put(&store, "index.json", "{}", 2, &err), err);
    /* No file can take the place of a directory. */
    TAP_INT(unlink(index), 0);
    TAP_INT(mkdir(index, 0700), 0);
    TAP_ERR(store_publish(&store, &err), err, ERR_OUTPUT, "cannot write");
    store_close(&store);
    TAP_STR(content(path, STORE_BLOBS "/1"), "ONE");
    TAP_STR(content(path, STORE_BLOBS "/2"), NULL);
    TAP_INT(count(path), 3);
}

/* While one changes the layout another waits; a layout that cannot be written to can be locked. */
static void check_lock(void)
{
    const char *path = make_layout(), *mark = arena_join(&arena, path, "/" STORE_MARK, NULL);
    struct store store;
    pid_t child;
    int fd;

    TAP_INT(chmod(mark, 0400), 0);
    TAP_OK(store_open_read(&store, path, &arena, &err), err);
    TAP_OK(store_start(&store, &err), err);
    fd = open(mark, O_RDONLY | O_CLOEXEC);
    TAP_INT(flock(fd, LOCK_EX | LOCK_NB), 0);
    child = fork();
    if (child == 0) {
        usleep(300000);
        _exit(0); /* who forked has the lock too */
    }
    fd_close(&fd);
    TAP_OK(store_lock(&store, &err), err);
    TAP_INT(waitpid(child, NULL, WNOHANG), child);
    fd = open(mark, O_RDONLY | O_CLOEXEC);
    TAP_INT(flock(fd, LOCK_EX | LOCK_NB), -1);
    store_close(&store);
    TAP_INT(flock(fd, LOCK_EX | LOCK_NB), 0);
    fd_close(&fd);
}

/* What others put in the place of the file that is locked is not waited for. */
static void check_no_lock(void)
{
    const char *path = make_layout(), *mark = arena_join(&arena, path, "/" STORE_MARK, NULL);
    const mode_t modes[] = {0400, 0600};
    struct store store;

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        TAP_INT(unlink(mark), 0);
        TAP_INT(mkfifo(mark, modes[i]), 0);
        TAP_OK(store_open_read(&store, path, &arena, &err), err);
        TAP_OK(store_start(&store, &err), err);
        alarm(20);
        TAP_ERR(store_lock(&store, &err), err, ERR_OUTPUT, "oci-layout is no regular file");
        alarm(0);
        store_close(&store);
    }
}

int main(void)
{
    made_begin();
    check_directory();
    check_links();
    check_archive();
    check_failures();
    check_taken_back();
    check_lock();
    check_no_lock();
    made_end();
    return tap_done();
}
