#include "base/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* <PRIORITY> of a datagram to /dev/log: facility user, severity error. syslog(3) */
static const char priority[] = "<11>";

static struct {
    const char *program, *name;
    int fd;
    int is_syslog;
    int lines;
    int process;
} sink = {.fd = -1};

static int open_syslog(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

void report_open(const char *program, const char *name, const char *file)
{
    sink.program = program;
    sink.name = name;
    sink.process = (int)getpid();
    if (file && *file)
        sink.fd =
            open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, 0600);
    sink.is_syslog = sink.fd < 0;
    if (sink.is_syslog)
        sink.fd = open_syslog();
}

/* Names come from images and command lines: no control character reaches a log. */
static void clean(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

void report(const char *format, ...)
{
    const int saved = errno;
    char line[1024];
    va_list args;
    int length, more;

    if (sink.fd < 0 || sink.lines++ >= REPORT_LIMIT)
        return;
    length = snprintf(line, sizeof(line) / 2, "%s%s[%d]: %s: ", sink.is_syslog ? priority : "", sink.program,
                      sink.process, sink.name);
    if (length < 0 || length >= (int)sizeof(line) / 2)
        length = (int)sizeof(line) / 2 - 1;
    va_start(args, format);
    more = vsnprintf(line + length, sizeof(line) - 1 - (size_t)length, format, args);
    va_end(args);
    length += more < 0 ? 0 : more;
    if (length > (int)sizeof(line) - 2)
        length = (int)sizeof(line) - 2;
    line[length] = 0;
    clean(line);
    line[length] = '\n';
    if (write(sink.fd, line, (size_t)length + !sink.is_syslog) < 0)
        sink.lines = REPORT_LIMIT; /* nobody listens */
    errno = saved;
}
