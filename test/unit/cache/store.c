#include "cache/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/remove.h"

static struct arena arena;

#define ONE "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "sha256:2222222222222222222222222222222222222222222222222222222222222222"

static void test_make(const char *cache)
{
    struct stat st;
    struct err err;

    TAP_INT(store_check(cache, &arena, &err), 0);
    TAP_OK(store_make(cache, &arena, &err), err);
    TAP_INT(store_check(cache, &arena, &err), 1);
    TAP_OK(store_make(cache, &arena, &err), err);
    TAP_INT(stat(cache, &st), 0);
    TAP_INT(st.st_mode & 07777, 0700);
    TAP_INT(chmod(cache, 0770), 0);
    TAP_ERR(store_check(cache, &arena, &err), err, ERR_CONFIG, "chmod go-w");
    TAP_ERR(store_make(cache, &arena, &err), err, ERR_CONFIG, "CORACLE_CACHE");
    TAP_INT(chmod(cache, 0700), 0);
    TAP_ERR(store_make("/proc/none/cache", &arena, &err), err, ERR_OUTPUT, "/proc/none");
}

static void test_image(void)
{
    struct err err;

    TAP_OK(store_check_image("n", geteuid(), S_IFREG | 0644, &arena, &err), err);
    TAP_OK(store_check_image("n", 0, S_IFREG | 0444, &arena, &err), err);
    TAP_ERR(store_check_image("n", geteuid(), S_IFREG | 0664, &arena, &err), err, ERR_CONFIG, "chmod go-w");
    TAP_ERR(store_check_image("n", geteuid(), S_IFREG | 0646, &arena, &err), err, ERR_CONFIG, "chmod go-w");
    TAP_ERR(store_check_image("n", geteuid() + 1, S_IFREG | 0644, &arena, &err), err, ERR_CONFIG, "others");
}

static const char *make_image(const char *cache, const char *id, const char *bytes)
{
    const char *image = store_image(cache, id, &arena);
    struct err err;
    int fd;

    TAP_OK(store_make_parents(image, &arena, &err), err);
    fd = open(image, O_WRONLY | O_CREAT | O_EXCL, 0600);
    TAP_INT(write(fd, bytes, strlen(bytes)), strlen(bytes));
    close(fd);
    return image;
}

static const char *name_in(const char *cache, const char *name)
{
    return arena_join(&arena, cache, "/names/m/", name, NULL);
}

/* Where the name leads. */
static const char *read_name(const char *name)
{
    char bytes[100];
    int fd = open(name, O_RDONLY);
    ssize_t length = read(fd, bytes, sizeof(bytes));

    close(fd);
    return length < 0 ? NULL : arena_strndup(&arena, bytes, (size_t)length);
}

static void test_link(const char *cache)
{
    const char *one = make_image(cache, ONE, "one"), *two = make_image(cache, TWO, "second");
    const char *name = name_in(cache, "r.io/a/b:1"), *moved = arena_join(&arena, cache, "-moved", NULL);
    struct err err;

    TAP_OK(store_link(cache, name, one, &arena, &err), err);
    TAP_STR(read_name(name), "one");
    TAP_OK(store_link(cache, name, one, &arena, &err), err);
    TAP_OK(store_link(cache, name, two, &arena, &err), err);
    TAP_STR(read_name(name), "second");
    /* It is found where the cache is mounted elsewhere. */
    TAP_INT(rename(cache, moved), 0);
    TAP_STR(read_name(name_in(moved, "r.io/a/b:1")), "second");
    TAP_INT(rename(moved, cache), 0);
    TAP_OK(store_link(cache, name_in(cache, "oci/%2Ftmp%2Fa%25b:n@00112233445566778899aabbccddeeff"), two,
                      &arena, &err),
           err);
    TAP_OK(store_link(cache, name_in(cache, "path/%2Fx@00112233445566778899aabbccddeeff"),
                      store_image(cache, "sha256:gone", &arena), &arena, &err),
           err);
}

static void test_list(const char *cache)
{
    struct store store;
    struct err err;

    /* What somebody is making, and what is none of ours. */
    TAP_INT(symlink("x", name_in(cache, "r.io/.12-34")), 0);
    TAP_INT(mkdir(name_in(cache, "r.io/empty"), 0700), 0);
    TAP_INT(symlink("x", arena_join(&arena, cache, "/images/sha256/.x.sqfs.partial-1", NULL)), 0);
    TAP_OK(store_list(&store, cache, &arena, &err), err);
    TAP_INT(store.name_count, 3);
    TAP_INT(store.image_count, 2);
    if (store.name_count != 3 || store.image_count != 2)
        return;
    TAP_STR(store.names[0].name, "/x");
    TAP_STR(store.names[0].image, NULL);
    TAP_STR(store.names[1].name, "oci:/tmp/a%b:n");
    TAP_STR(store.names[1].image, store.images[1].path);
    TAP_STR(store.names[2].name, "r.io/a/b:1");
    TAP_STR(store.names[2].machine, "m");
    TAP_STR(store.names[2].path, name_in(cache, "r.io/a/b:1"));
    TAP_STR(store.images[0].id, ONE);
    TAP_INT(store.images[0].size, 3);
    TAP_STR(store.images[1].id, TWO);
    TAP_STR(store.images[1].path, store_image(cache, TWO, &arena));

    TAP_OK(store_list(&store, "/nowhere", &arena, &err), err);
    TAP_INT(store.name_count + store.image_count, 0);
}

/* Makes the file PATH beneath CACHE. */
static const char *put(const char *cache, const char *path)
{
    const char *file = arena_join(&arena, cache, path, NULL);
    struct err err;

    TAP_OK(store_make_parents(file, &arena, &err), err);
    close(open(file, O_WRONLY | O_CREAT, 0600));
    return file;
}

/* What the directory was used for before it became a cache stays. */
static void test_clear(const char *cache)
{
    const char *kept[] = {put(cache, "/images/scans/one.dcm"),
                          put(cache, "/images/scans/app.sqfs"),
                          put(cache, "/images/sha256/x.sqfs"),
                          put(cache, "/names/list"),
                          put(cache, "/layers/notes"),
                          put(cache, "/layers/sha256/a"),
                          put(cache, "/other/sha256/"
                                     "a.sqfs")};
    const char *gone[] = {
        store_image(cache, ONE, &arena), put(cache, "/layers/" ONE "/part"),
        arena_join(&arena, cache, "/images/sha256/.", &ONE[7], ".sqfs.partial-n-0123abcd", NULL)};
    struct store store;
    struct stat st;
    struct err err;

    close(open(gone[2], O_WRONLY | O_CREAT, 0600));
    TAP_OK(store_link(cache, name_in(cache, "r.io/c:1"), gone[0], &arena, &err), err);
    TAP_INT(symlink("/etc/passwd", name_in(cache, "mine")), 0);
    TAP_OK(store_list(&store, cache, &arena, &err), err);
    for (size_t i = 0; i < store.name_count; i++)
        TAP_TRUE(strcmp(store.names[i].name, "mine") != 0);
    for (size_t i = 0; i < store.image_count; i++)
        TAP_TRUE(strcmp(store.images[i].id, ONE) == 0 || strcmp(store.images[i].id, TWO) == 0);
    TAP_OK(store_clear(cache, &arena, &err), err);
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        TAP_INT(lstat(kept[i], &st), 0);
    TAP_INT(lstat(name_in(cache, "mine"), &st), 0);
    for (size_t i = 0; i < sizeof(gone) / sizeof(*gone); i++)
        TAP_INT(lstat(gone[i], &st), -1);
    TAP_INT(lstat(name_in(cache, "r.io/c:1"), &st), -1);
    TAP_OK(store_clear("/nowhere", &arena, &err), err);
}

enum { DAY = 24 * 3600 };

/* What has changed last so many DAYS ago. */
static void set_age(const char *path, int days)
{
    const struct timespec then = {.tv_sec = time(NULL) - (time_t)days * DAY}, times[] = {then, then};

    TAP_INT(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* A folder of layers with a part in it; when they have changed. */
static const char *put_layers(const char *cache, const char *id, int days, int part_days)
{
    const char *part = put(cache, arena_join(&arena, "/layers/", id, "/sha256:abc.partial", NULL));
    const char *folder = arena_join(&arena, cache, "/layers/", id, NULL);

    set_age(part, part_days);
    set_age(folder, days);
    return folder;
}

/* What is old and nobody's goes; a part that still grows, here or on another node, does not. */
static void test_sweep(const char *cache)
{
    static const char *const ids[] = {
        ONE, TWO, "sha256:3333333333333333333333333333333333333333333333333333333333333333",
        "sha256:4444444444444444444444444444444444444444444444444444444444444444",
        "sha256:5555555555555555555555555555555555555555555555555555555555555555"};
    const char *old = put_layers(cache, ids[0], 8, 8);
    const char *kept[] = {put_layers(cache, ids[1], 9, 6), /* a file grows */
                          put_layers(cache, ids[2], 6, 9), /* somebody has just opened it */
                          put_layers(cache, ids[3], 9, 9), /* a process of this node has it */
                          put_layers(cache, ids[4], 9, 9), /* the pull that sweeps is for it */
                          put_layers(cache, "notes", 9, 9)};
    const int fd = open(arena_join(&arena, kept[2], "/sha256:abc.partial", NULL), O_RDWR | O_CLOEXEC);
    struct stat st;

    TAP_INT(flock(fd, LOCK_EX | LOCK_NB), 0);
    store_sweep(cache, ids[4], &arena);
    TAP_INT(lstat(old, &st), -1);
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
        tap.row = kept[i];
        TAP_INT(lstat(kept[i], &st), 0);
    }
    tap.row = NULL;
    close(fd);
    set_age(kept[2], 9);
    store_sweep(cache, NULL, &arena);
    TAP_INT(lstat(kept[2], &st), -1);
    TAP_INT(lstat(kept[3], &st), -1);
    TAP_INT(lstat(kept[1], &st), 0);
    store_sweep("/nowhere", NULL, &arena);
}

int main(void)
{
    char place[] = "/tmp/coracle-test-XXXXXX";
    const char *cache;

    arena_init(&arena, tap_no_memory);
    TAP_TRUE(mkdtemp(place));
    cache = arena_join(&arena, place, "/up/cache", NULL);
    test_make(cache);
    test_image();
    test_link(cache);
    test_list(cache);
    test_sweep(cache);
    test_clear(cache);
    TAP_INT(chdir("/tmp"), 0);
    TAP_INT(remove_tree(AT_FDCWD, place + strlen("/tmp/")), 0);
    arena_free(&arena);
    return tap_done();
}
