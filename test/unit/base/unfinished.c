/* What is left beside an output, by those who were killed and by others. */
#include "base/unfinished.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/remove.h"
#include "test/tap.h"

static char place[] = "/tmp/coracle-test-XXXXXX";
static int top;
static char this_node[300]; /* ".NAME.partial-NODE-" */

static int names(void)
{
    DIR *dir = opendir(place);
    int count = -2;

    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static int is_there(const char *name)
{
    struct stat st;

    return fstatat(top, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* NAME of PREFIX as if it had been made DAYS ago. */
static const char *leave(const char *prefix, const char *rest, mode_t type, int days)
{
    static char name[512];
    struct timespec now, times[2];

    snprintf(name, sizeof(name), "%s%s", prefix, rest);
    if (type == S_IFDIR)
        mkdirat(top, name, 0700);
    else if (type == S_IFLNK)
        symlinkat("/nowhere", top, name);
    else
        mknodat(top, name, type | 0600, 0);
    clock_gettime(CLOCK_REALTIME, &now);
    times[0] = times[1] = (struct timespec){.tv_sec = now.tv_sec - days * 86400};
    utimensat(top, name, times, AT_SYMLINK_NOFOLLOW);
    return name;
}

static void check_file(void)
{
    struct unfinished unfinished, other;
    char byte;

    TAP_INT(unfinished_file(&unfinished, top, "image"), 0);
    TAP_INT(write(unfinished.fd, "a", 1), 1);
    TAP_TRUE(!is_there("image"));
    TAP_INT(unfinished_publish(&unfinished, 0), 0);
    unfinished_close(&unfinished);
    TAP_TRUE(is_there("image"));
    TAP_INT(names(), 1);

    TAP_INT(unfinished_file(&unfinished, top, "image"), 0);
    TAP_INT(write(unfinished.fd, "b", 1), 1);
    TAP_INT(unfinished_publish(&unfinished, 0), -1);
    TAP_INT(errno, EEXIST);
    TAP_INT(unfinished_file(&other, top, "image"), 0);
    TAP_INT(write(other.fd, "c", 1), 1);
    TAP_INT(unfinished_publish(&other, 1), 0);
    unfinished_close(&other);
    unfinished_close(&unfinished);
    TAP_INT(names(), 1);
    unfinished.fd = openat(top, "image", O_RDONLY | O_CLOEXEC);
    TAP_TRUE(read(unfinished.fd, &byte, 1) == 1 && byte == 'c');
    close(unfinished.fd);
    unlinkat(top, "image", 0);

    mkdirat(top, "image", 0700);
    TAP_INT(unfinished_file(&unfinished, top, "image"), 0);
    TAP_INT(unfinished_publish(&unfinished, 1), -1);
    unfinished_close(&unfinished);
    TAP_INT(names(), 1);
    unlinkat(top, "image", AT_REMOVEDIR);
    TAP_INT(unfinished_file(&unfinished, -1, "image"), -1);
    unfinished_close(&unfinished);
}

static void check_directory(void)
{
    struct unfinished unfinished;
    char copy[256];
    int fd;

    TAP_INT(unfinished_directory(&unfinished, top, "image"), 0);
    TAP_TRUE(strncmp(unfinished.part, this_node, strlen(this_node)) == 0);
    strcpy(copy, unfinished.part);
    mkdirat(unfinished.fd, "within", 0);
    fd = dup(unfinished.fd);
    unfinished_sweep(top, "image");
    TAP_TRUE(is_there(copy));
    /* Its lock goes with the last descriptor; another's sweep takes it away then. */
    close(unfinished.fd);
    unfinished_sweep(top, "image");
    TAP_TRUE(is_there(copy));
    close(fd);
    unfinished_sweep(top, "other");
    TAP_TRUE(is_there(copy));
    unfinished_sweep(top, "image");
    TAP_INT(names(), 0);

    TAP_INT(unfinished_directory(&unfinished, top, "image"), 0);
    mkdirat(unfinished.fd, "within", 0);
    unfinished_close(&unfinished);
    TAP_INT(names(), 0);
}

/* One that is killed while it has a file and a directory. */
static void check_kill(void)
{
    struct unfinished file, directory;
    pid_t child = fork();
    int status;

    if (child == 0) {
        unfinished_file(&file, top, "image");
        unfinished_directory(&directory, top, "image");
        raise(SIGKILL);
    }
    TAP_INT(waitpid(child, &status, 0), child);
    TAP_TRUE(WIFSIGNALED(status));
    TAP_TRUE(names() > 0);
    unfinished_sweep(top, "image");
    TAP_INT(names(), 0);
}

static void check_sweep(void)
{
    const char *elsewhere = ".image.partial-elsewhere.example-";

    TAP_TRUE(is_there(leave(this_node, "00000001", S_IFREG, 0)));
    leave(this_node, "00000002", S_IFDIR, 0);
    leave(elsewhere, "00000001", S_IFREG, 2);
    leave(elsewhere, "00000002", S_IFDIR, 2);
    unfinished_sweep(top, "image");
    TAP_INT(names(), 0);

    leave(this_node, "00000003", S_IFLNK, 2);
    leave(this_node, "00000004", S_IFIFO, 2);
    leave(elsewhere, "00000001", S_IFREG, 0);
    leave(elsewhere, "00000002", S_IFDIR, 0);
    /* A node whose name begins as ours. */
    leave(this_node, "2-00000001", S_IFREG, 0);
    leave("image.partial-", "x", S_IFREG, 2);
    leave(".image2.partial-", "x", S_IFREG, 2);
    /* Nor what only begins so. */
    leave(this_node, "backup", S_IFREG, 2);
    leave(".image.partial-", "12345678", S_IFDIR, 2);
    unfinished_sweep(top, "image");
    TAP_INT(names(), 9);
    unfinished_sweep(-1, "image");
}

/* Where others may rename what is ours, a directory of that name may be anything. */
static void check_shared_parent(void)
{
    const int before = names();

    TAP_INT(fchmod(top, 0770), 0);
    leave(this_node, "00000005", S_IFREG, 0);
    leave(this_node, "00000006", S_IFDIR, 0);
    unfinished_sweep(top, "image");
    TAP_INT(names(), before + 1);
    TAP_INT(fchmod(top, 01777), 0);
    unfinished_sweep(top, "image");
    TAP_INT(names(), before);
    TAP_INT(fchmod(top, 0700), 0);
}

static void check_long_name(void)
{
    struct unfinished unfinished;
    char name[256];

    memset(name, 'n', 255);
    name[255] = '\0';
    TAP_INT(unfinished_directory(&unfinished, top, name), 0);
    close(unfinished.fd);
    unfinished_sweep(top, name);
    TAP_TRUE(!is_there(unfinished.part));
}

/* To publish takes a descriptor: what is told is that there is none left. */
static void check_no_descriptor(void)
{
    struct unfinished unfinished;
    struct rlimit before, none;
    int result, error;

    TAP_INT(unfinished_file(&unfinished, top, "scarce"), 0);
    getrlimit(RLIMIT_NOFILE, &before);
    none = (struct rlimit){(rlim_t)top, before.rlim_max}; /* all below are open */
    setrlimit(RLIMIT_NOFILE, &none);
    result = unfinished_publish(&unfinished, 0);
    error = errno;
    setrlimit(RLIMIT_NOFILE, &before);
    TAP_INT(result, -1);
    TAP_INT(error, EMFILE);
    unfinished_close(&unfinished);
    TAP_TRUE(!is_there("scarce"));
}

int main(void)
{
    struct utsname system;

    if (!mkdtemp(place))
        return 1;
    uname(&system);
    snprintf(this_node, sizeof(this_node), ".image.partial-%.64s-", system.nodename);
    top = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check_file();
    check_directory();
    check_kill();
    check_long_name();
    check_sweep();
    check_shared_parent();
    check_no_descriptor();
    close(top);
    top = open("/tmp", O_PATH | O_CLOEXEC);
    remove_tree(top, place + strlen("/tmp/"));
    close(top);
    return tap_done();
}
