/*
 * payload - the command that the fault tests launch. Exits with 0 where the view
 * is the one that was asked for, and otherwise with 99 and a line that says what
 * is wrong. A launch that lost a step must not pass for a success.
 *
 *     payload [WORD...]
 *
 * there:PATH exists; ro:DIR takes no new file, rw:DIR does; uid:N is who we are;
 * capable: the namespace's capabilities are kept. Checked in any case:
 * /image-marker, no_new_privs, no descriptor but the standard ones, and without
 * "capable" no capability in any set.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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
        check_word(argv[i]);
    return 0;
}
