#include "base/proc.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"

const char *proc_path(char path[PROC_PATH], pid_t pid, const char *name)
{
    char *at = path + strlen(strcpy(path, "/proc/"));

    at += num_format(at, (uint64_t)pid);
    *at++ = '/';
    memcpy(at, name, strlen(name) + 1);
    return path;
}

const char *proc_stat(char text[PROC_STAT], pid_t pid)
{
    char path[PROC_PATH];
    FD_CLEANUP int fd = openat(AT_FDCWD, proc_path(path, pid, "stat"), O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, PROC_STAT - 1);
    const char *end;

    text[n < 0 ? 0 : n] = 0;
    end = strrchr(text, ')');
    return end && end[1] == ' ' ? end + 2 : "";
}
