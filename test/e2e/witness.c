/*
 * witness - what a shell cannot do in the tests of the meeting.
 *
 *     witness squat NAME [deaf]   binds the abstract socket NAME and listens there, or
 *                                 does not; says "bound", waits to be killed
 *     witness unmounted PATH      says "watching", and "gone" when the file system of PATH
 *                                 is no more: a mount that is kept anywhere keeps it
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what)
{
    fprintf(stderr, "witness: %s: %s\n", what, strerror(errno));
    return 1;
}

static int say(const char *word)
{
    puts(word);
    return fflush(stdout);
}

static int squat(const char *name, int is_deaf)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 || (!is_deaf && listen(fd, 4096) < 0))
        return fail(name);
    say("bound");
    for (;;)
        pause();
}

/* An inotify watch keeps neither the mount nor the file system. inotify(7) */
static int unmounted(const char *path)
{
    union {
        struct inotify_event event;
        char bytes[4096];
    } buffer;
    int fd = inotify_init();

    if (fd < 0 || inotify_add_watch(fd, path, IN_UNMOUNT) < 0)
        return fail(path);
    say("watching");
    while (read(fd, buffer.bytes, sizeof buffer.bytes) > 0)
        if (buffer.event.mask & IN_UNMOUNT)
            return say("gone");
    return fail("inotify");
}

int main(int argc, char *argv[])
{
    if (argc >= 3 && strcmp(argv[1], "squat") == 0)
        return squat(argv[2], argc > 3);
    if (argc == 3 && strcmp(argv[1], "unmounted") == 0)
        return unmounted(argv[2]);
    fputs("usage: witness squat NAME [deaf] | unmounted PATH\n", stderr);
    return 2;
}
