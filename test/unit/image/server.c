/*
 * The image server, the program itself in its jail, unpacks: the tree is there,
 * what goes wrong is told, and it ends when nobody waits. Skips where it was not
 * built, or where there is no user namespace to be had.
 */
#include "image/server.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../squash/made.h"
#include "base/num.h"
#include "base/sys.h"

static const char program[] = "bin/coracle-fuse";

static struct arena arena;
static struct err err;
static struct image_server server;
static struct unpacked unpacked;

static void __attribute__((noreturn)) be_server(int image, int socket, char *length)
{
    /* In the jail no thread can be made, which a search for leaks needs. */
    static char leaks[] = "ASAN_OPTIONS=detect_leaks=0", *const environment[] = {leaks, NULL};
    const int null = open("/dev/null", O_RDWR),
              high[] = {fcntl(image, F_DUPFD, 10), fcntl(socket, F_DUPFD, 10)};

    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    dup2(high[0], SERVER_IMAGE_FD);
    dup2(high[1], SERVER_SOCKET_FD);
    sys_close_range(SERVER_SOCKET_FD + 1, ~0u, 0);
    execle(program, program, "the image", "0", length, (char *)NULL, environment);
    _exit(EXIT_FAILURE);
}

/* Starts a server for IMAGE; it has opened it. */
static void start(const char *image)
{
    FD_CLEANUP int fd = open(in_scratch(image), O_RDONLY | O_CLOEXEC);
    struct stat st;
    size_t length;
    char *config, text[24];
    int ends[2];

    if (fd < 0 || fstat(fd, &st) < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        give_up(image);
    num_format(text, (uint64_t)st.st_size);
    fflush(stdout);
    server.process = fork();
    if (server.process == 0)
        be_server(fd, ends[1], text);
    close(ends[1]);
    server.socket = ends[0];
    TAP_OK(image_server_greet(&server, &config, &length, &arena, &err), err);
}

/* Closes our side. The status it ends with. */
static int finish(void)
{
    int status = -1;

    fd_close(&server.socket);
    waitpid(server.process, &status, 0);
    return status;
}

/* A new folder OUT as the launcher gives it: the root of a mount. */
static int open_place(const char *out)
{
    FD_CLEANUP int mount = -1;

    make_directory(out);
    mount = sys_open_tree(AT_FDCWD, in_scratch(out), SYS_OPEN_TREE_CLONE | O_CLOEXEC);
    if (mount < 0)
        give_up(out);
    return openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A user namespace in which mounts may be made, as a launch has one. */
static void enter_namespaces(void)
{
    const unsigned uid = geteuid(), gid = getegid();
    char text[64];
    const struct {
        const char *path, *text;
    } rows[] = {{"/proc/self/setgroups", "deny"}, {"/proc/self/uid_map", text}, {"/proc/self/gid_map", text}};

    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
        printf("1..0 # SKIP there is no user namespace to be had: %s\n", err_reason(errno));
        exit(EXIT_SUCCESS);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        FD_CLEANUP int fd = open(rows[i].path, O_WRONLY | O_CLOEXEC);

        snprintf(text, sizeof(text), "%u %u 1", i == 1 ? uid : gid, i == 1 ? uid : gid);
        if (fd < 0 || fd_write_all(fd, rows[i].text, strlen(rows[i].text)) < 0)
            give_up(rows[i].path);
    }
}

static void make_images(void)
{
    FILE *file = fopen(in_scratch("pseudo"), "we");

    if (!file)
        give_up("pseudo");
    for (int i = 0; i < 30000; i++)
        fprintf(file, "link-%05d s 777 0 0 target\n", i);
    fclose(file);
    shell("mkdir -p nothing tree/a/b; seq 100000 >tree/a/text; ln tree/a/text tree/a/b/again; ln -s x "
          "tree/link; "
          "echo one >tree/name-one; echo two >tree/name-two; chmod 6755 tree/name-one");
    make_image("image", "tree", "-comp zstd -p 'null c 666 0 0 1 3'");
    make_image("links", "nothing", "-comp zstd -pf pseudo");
    make_image("damaged", "tree", "-comp gzip -noI -noD -nopad");
    shell("LC_ALL=C sed 's/name-two/name-one/' damaged >other; mv other damaged");
}

/* SERVER has the image open. */
static void test_unpack(void)
{
    FD_CLEANUP int place = open_place("out");
    struct stat st;

    TAP_OK(image_server_unpack(&server, place, &unpacked, &err), err);
    TAP_INT(unpacked.files, 7);
    TAP_INT(unpacked.skipped, 1);
    TAP_INT(unpacked.bytes, 588895 + 8);
    TAP_INT(finish(), 0);
    shell("diff -r --no-dereference tree out");
    TAP_TRUE(lstat(in_scratch("out/name-one"), &st) == 0 && st.st_mode == (S_IFREG | 0755));
    TAP_TRUE(lstat(in_scratch("out/a/b/again"), &st) == 0 && st.st_nlink == 2);
    shell("rm -rf out");
}

/* A directory that ".." leads out of is not handed over. */
static void test_no_root(void)
{
    FD_CLEANUP int place = -1;

    start("image");
    make_directory("out");
    place = open(in_scratch("out"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    TAP_ERR(image_server_unpack(&server, place, &unpacked, &err), err, ERR_SYSTEM, "not the root of a mount");
    TAP_INT(finish(), 0);
    TAP_INT(rmdir(in_scratch("out")), 0); /* nothing is in it */
}

/* Unpacks IMAGE into a tmpfs with OPTIONS, and all there is to be said is TEXT. */
static void is_refused(const char *image, const char *options, enum err_id id, const char *text)
{
    FD_CLEANUP int place = -1;

    tap.row = text;
    make_directory("out");
    if (mount("none", in_scratch("out"), "tmpfs", 0, options) < 0)
        give_up(options);
    start(image);
    place = open_place("out");
    TAP_ERR(image_server_unpack(&server, place, &unpacked, &err), err, id, text);
    TAP_TRUE(finish() != 0);
    umount2(in_scratch("out"), MNT_DETACH);
    rmdir(in_scratch("out"));
    tap.row = NULL;
}

static void test_refusals(void)
{
    is_refused("image", "size=100k", ERR_LIMIT, "its a/b/again cannot be unpacked: no space left");
    is_refused("links", "nr_inodes=1000", ERR_LIMIT, "cannot be unpacked: no space left");
    is_refused("image", "mode=500", ERR_SYSTEM, "cannot be unpacked: permission denied");
    is_refused("damaged", "size=10m", ERR_IMAGE_DAMAGED, "its name-one is there twice");
}

static int count_entries(const char *name)
{
    DIR *dir = opendir(in_scratch(name));
    int count = -2;

    for (; dir && readdir(dir); count++)
        continue;
    if (dir)
        closedir(dir);
    return count;
}

/* The launcher is killed at some time while the server unpacks. Whether it was in the middle. */
static int kill_launcher(unsigned microseconds)
{
    FD_CLEANUP int place = open_place("out");
    pid_t launcher;
    int status = -1, count;

    start("links");
    fflush(stdout);
    launcher = fork();
    if (launcher == 0)
        _exit(image_server_unpack(&server, place, &unpacked, &err) < 0);
    fd_close(&server.socket);
    while (launcher > 0 && count_entries("out") == 0 && waitpid(launcher, &status, WNOHANG) == 0)
        usleep(50);
    usleep(microseconds);
    kill(launcher, SIGKILL);
    waitpid(launcher, &status, 0);
    alarm(30); /* it ends, or this test does */
    finish();
    alarm(0);
    count = count_entries("out");
    shell("rm -rf out");
    return count > 0 && count < 30000;
}

static void test_killed_launcher(void)
{
    int hit = 0;

    for (unsigned i = 0; i < 5; i++)
        hit += kill_launcher(i * 2000);
    printf("# %d of 5 were in the middle\n", hit);
    TAP_TRUE(hit > 0);
}

int main(void)
{
    if (access(program, X_OK) < 0) {
        puts("1..0 # SKIP coracle-fuse was not built: configure found no libsquashfuse");
        return EXIT_SUCCESS;
    }
    scratch_begin();
    arena_init(&arena, tap_no_memory);
    make_images();
    start("image");
    enter_namespaces();
    test_unpack();
    test_no_root();
    test_refusals();
    test_killed_launcher();
    arena_free(&arena);
    return tap_done();
}
