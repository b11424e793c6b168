/*
 * payload - the command that the fault tests launch. Exits with 0 where the view
 * is the one that was asked for, and otherwise with 99 and a line that says what
 * is wrong. A launch that lost a step must not pass for a success.
 *
 *     payload [WORD...]
 *
 * there:PATH exists; ro:DIR takes no new file, rw:DIR does; uid:N is who we are;
 * capable: the namespace's capabilities are kept; image:NAME is what /image-marker
 * says, holds:PATH=TEXT what a file says. where: prints "where", its user and mount
 * namespace and the device of /; hold: prints "held" and waits for the end of its
 * input; nap:MS takes a while. Checked in any case: /image-marker, no_new_privs, no descriptor but the
 * standard ones, and without "capable" no capability in any set.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WRONG_VIEW = 99, DESCRIPTORS = 256 };

/* linux/capability.h, which musl does not bring. */
#define CAPABILITY_VERSION_3 0x20080522u

static void __attribute__((noreturn)) wrong(const char *what, const char *thing)
{
    printf("payload: %s %s\n", what, thing);
    exit(WRONG_VIEW);
}

/* Whether a file can be made in DIR; it is removed again. */
static int takes_files(const char *dir)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s/probe", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return 0;
    close(fd);
    unlink(path);
    return 1;
}

static void check_capabilities(void)
{
    uint32_t header[2] = {CAPABILITY_VERSION_3, 0};
    uint32_t sets[6] = {0};

    if (syscall(SYS_capget, header, sets) < 0)
        wrong("cannot read", "capabilities");
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        if (sets[i])
            wrong("has", "capabilities");
}

static void check_descriptors(void)
{
    char number[16];

    for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            continue;
        snprintf(number, sizeof number, "%d", fd);
        wrong("has descriptor", number);
    }
}

static int is_capable(int argc, char *argv[])
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "capable") == 0)
            return 1;
    return 0;
}

/* Whether the file PATH says TEXT and nothing else. */
static int says(const char *path, const char *text)
{
    char found[64] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, found, sizeof found - 1);

    if (fd >= 0)
        close(fd);
    return n >= 0 && strcmp(found, text) == 0;
}

static void check_holds(const char *value)
{
    char path[4096];
    const char *equals = strchr(value, '=');

    snprintf(path, sizeof path, "%.*s", (int)(equals - value), value);
    if (!says(path, equals + 1))
        wrong("does not find", value);
}

static void print_where(void)
{
    char user[64] = "", mount[64] = "";
    struct stat root;

    if (readlink("/proc/self/ns/user", user, sizeof user - 1) < 0 ||
        readlink("/proc/self/ns/mnt", mount, sizeof mount - 1) < 0 || stat("/", &root) < 0)
        wrong("cannot see", "where it is");
    printf("where %s %s %llx\n", user, mount, (unsigned long long)root.st_dev);
    fflush(stdout);
}

static void hold(void)
{
    char byte;

    puts("held");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
}

static void nap(const char *value)
{
    usleep((useconds_t)strtoul(value, NULL, 10) * 1000);
}

/* What a word makes it do; whether it was such a word. */
static int do_word(const char *word)
{
    if (strcmp(word, "where") == 0)
        print_where();
    else if (strcmp(word, "hold") == 0)
        hold();
    else if (strncmp(word, "nap:", 4) == 0)
        nap(word + 4);
    else
        return 0;
    return 1;
}

static void check_word(const char *word)
{
    const char *value = strchr(word, ':');

    value = value ? value + 1 : word;
    if (strncmp(word, "there:", 6) == 0) {
        if (access(value, F_OK) < 0)
            wrong("does not see", value);
    } else if (strncmp(word, "ro:", 3) == 0) {
        if (takes_files(value))
            wrong("can write to", value);
    } else if (strncmp(word, "rw:", 3) == 0) {
        if (!takes_files(value))
            wrong("cannot write to", value);
    } else if (strncmp(word, "uid:", 4) == 0) {
        if (getuid() != (uid_t)strtoul(value, NULL, 10))
            wrong("is not uid", value);
    } else if (strncmp(word, "image:", 6) == 0) {
        if (!says("/image-marker", value))
            wrong("is not in", word);
    } else if (strncmp(word, "holds:", 6) == 0) {
        check_holds(value);
    } else if (strcmp(word, "capable") != 0) {
        wrong("does not know", word);
    }
}

int main(int argc, char *argv[])
{
    check_descriptors();
    if (access("/image-marker", F_OK) < 0)
        wrong("is not in", "the image");
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        wrong("lacks", "no_new_privs");
    if (!is_capable(argc, argv))
        check_capabilities();
    for (int i = 1; i < argc; i++)
        if (!do_word(argv[i]))
            check_word(argv[i]);
    return 0;
}
