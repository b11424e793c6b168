/*
 * Whole launches: of the host's own root as an image that is a directory, and of a SquashFS
 * with one directory. The command is one that is not there: a launch that gets as far
 * as to say so (127) has done everything else.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "doctor/probe.h"

static const char absent[] = "/coracle doctor looks how far a launch gets";

enum { STATUS_ABSENT = 127, STATUS_NOT_EXECUTED = 126 };

/* A SquashFS 4.0 with the directory /tmp; nothing in it is compressed. */
static const unsigned char squashfs[] = {
    0x68, 0x73, 0x71, 0x73, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x11, 0x00, 0xcb, 0x03, 0x01, 0x00, 0x04, 0x00, 0x00, 0x00, 0x20, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe3, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xdb, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x60, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0xa2, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xbb, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0xcd, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x80, 0x01, 0x00, 0xed, 0x01,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
    0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x01, 0x00, 0xed, 0x01, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00,
    0x00, 0x1a, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x17, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x02, 0x00, 0x74, 0x6d, 0x70,
    0x10, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0xbb, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x80, 0x00, 0x00, 0x00, 0x00, 0xd5, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

/* Settings of the user's or the site's that would change what is launched are left out. */
static char *const *clean(char *const environment[], struct arena *arena)
{
    static const char *const kept[] = {"CORACLE_CONFIG=", "CORACLE_SITE_CONFIG=", "CORACLE_LOG="};
    size_t count = 0;
    char **result;

    while (environment[count])
        count++;
    result = arena_alloc(arena, (count + 4) * sizeof(*result));
    count = 0;
    for (; *environment; environment++) {
        int is_left_out = strncmp(*environment, "CORACLE_", 8) == 0;

        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
            is_left_out &= strncmp(*environment, kept[i], strlen(kept[i])) != 0;
        if (!is_left_out)
            result[count++] = *environment;
    }
    /* Nothing of the host is to be written to, whatever configuration files say. */
    result[count++] = arena_strdup(arena, "CORACLE_WRITE=no");
    result[count++] = arena_strdup(arena, "CORACLE_WRITABLE_TMPFS=no");
    result[count] = arena_strdup(arena, "CORACLE_ROOT=no");
    return result;
}

static void __attribute__((noreturn))
execute(const char *const *programs, char *const line[], int out, int patience, char *const environment[])
{
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    setpgid(0, 0);
    alarm((unsigned)patience); /* it goes through execve(2) */
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(out, STDERR_FILENO) < 0)
        _exit(STATUS_NOT_EXECUTED);
    for (; *programs; programs++)
        execve(*programs, line, environment);
    _exit(STATUS_NOT_EXECUTED);
}

/*
 * The command line of a launch of IMAGE, which lacks a mount point, as images do. Options
 * go before what configuration files set.
 */
static char *const *line_for(const char *image, struct arena *arena)
{
    const char *const words[] = {
        "coracle", "run", "--share=none", "--no-entrypoint", "--tmpfs=/coracle-doctor", "--workdir=/",
        image,     "--",  absent};
    char **line = arena_alloc(arena, (sizeof(words) / sizeof(words[0]) + 1) * sizeof(*line));

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        line[i] = arena_strdup(arena, words[i]);
    return line;
}

/*
 * What comes from FD until it is closed, or for PATIENCE seconds: a program that a launch has started
 * may hang when the launch does no longer. Whether it was closed.
 */
static int listen_to(int fd, int patience, char *text, size_t size)
{
    const int64_t end = clock_milliseconds() + patience * 1000;
    struct pollfd said = {.fd = fd, .events = POLLIN};
    size_t length = 0;
    ssize_t n = 1;

    text[0] = 0;
    while (n > 0 && clock_milliseconds() < end) {
        if (poll(&said, 1, (int)(end - clock_milliseconds())) <= 0)
            continue;
        if (length == size - 1) /* what is said last counts */
            memmove(text, text + size / 2, length -= size / 2);
        n = read(fd, text + length, size - 1 - length);
        length += n > 0 ? (size_t)n : 0;
        text[length] = 0;
    }
    return n == 0;
}

/* How PID ended, with all that it has started where IS_SILENT; as by its clock where even that does not end
 * it. */
static int status_of(pid_t pid, int is_silent)
{
    const int64_t end = clock_milliseconds() + (is_silent ? 1 : DOCTOR_LAUNCH_PATIENCE) * 1000;
    int status = SIGALRM;
    pid_t ended;

    if (is_silent)
        kill(-pid, SIGKILL);
    while (((ended = waitpid(pid, &status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) &&
           clock_milliseconds() < end)
        usleep(1000);
    return is_silent ? SIGALRM : status;
}

/* The last error of ours in TEXT, without what every one begins with. */
static void keep_error(struct doctor_trial *found, char *text)
{
    static const char begin[] = "coracle: error: ";
    char *error = strstr(text, begin), *next;

    while (error && (next = strstr(error + 1, begin)))
        error = next;
    if (error) {
        error += sizeof(begin) - 1;
        error[strcspn(error, "\n")] = 0;
    }
    snprintf(found->text, sizeof(found->text), "%s", error ? error : "coracle said nothing of use");
}

static void conclude(struct doctor_trial *found, int status, int patience, char *text)
{
    if (WIFSIGNALED(status)) {
        found->status = 128 + WTERMSIG(status);
        snprintf(found->text, sizeof(found->text),
                 WTERMSIG(status) == SIGALRM
                     ? "a launch was not ready after %d seconds; does a file system hang?"
                     : "a launch was killed by signal %d",
                 WTERMSIG(status) == SIGALRM ? patience : WTERMSIG(status));
        return;
    }
    found->status = WEXITSTATUS(status) == STATUS_ABSENT ? 0 : WEXITSTATUS(status);
    if (found->status)
        keep_error(found, text);
}

static void launch(struct doctor_trial *found, const char *const *programs, const char *image, int patience,
                   char *const environment[], struct arena *arena)
{
    char *const *line = line_for(image, arena);
    char text[8192];
    int said[2], is_silent;
    pid_t pid;

    if (pipe2(said, O_CLOEXEC) < 0)
        return;
    pid = fork();
    if (pid == 0)
        execute(programs, line, said[1], patience, environment);
    close(said[1]);
    if (pid > 0) {
        doctor_group(pid);
        is_silent = !listen_to(said[0], patience + 1, text, sizeof(text));
        conclude(found, status_of(pid, is_silent), patience, text);
        doctor_group(0);
    }
    close(said[0]);
}

/* See DOCTOR_ATTEMPTS. What the record needs and does not get a launch will not get. */
static void launch_patiently(struct doctor_facts *facts, struct doctor_trial *found,
                             const char *const *programs, const char *image, char *const environment[],
                             struct arena *arena)
{
    const int patience = facts->record_is_silent ? DOCTOR_PATIENCE : DOCTOR_LAUNCH_PATIENCE;

    for (int i = 0; i < DOCTOR_ATTEMPTS; i++) {
        launch(found, programs, image, patience, environment, arena);
        if (found->status == 0 || !strstr(found->text, "no further"))
            return;
        usleep(DOCTOR_PAUSE);
    }
}

void probe_launches(struct doctor_facts *facts, char *const environment[], struct arena *arena)
{
    const char *const *programs = doctor_find_coracle(arena);
    FD_CLEANUP int image = memfd_create("coracle-doctor", 0); /* the launch opens it by its number */

    environment = clean(environment, arena);
    launch_patiently(facts, &facts->directory, programs, "/", environment, arena);
    if (facts->directory.status || image < 0 || fd_write_all(image, squashfs, sizeof(squashfs)) < 0)
        return;
    launch_patiently(facts, &facts->squashfs, programs, arena_printf(arena, "/proc/self/fd/%d", image),
                     environment, arena);
}
