#include "base/proc.h"

#include <errno.h>
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

static const char *behind_name(char text[PROC_STAT], int dir, const char *path)
{
    FD_CLEANUP int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, PROC_STAT - 1);
    const char *end;

    text[n < 0 ? 0 : n] = 0;
    end = strrchr(text, ')');
    return end && end[1] == ' ' ? end + 2 : "";
}

const char *proc_stat(char text[PROC_STAT], pid_t pid)
{
    char path[PROC_PATH];

    return behind_name(text, AT_FDCWD, proc_path(path, pid, "stat"));
}

const char *proc_stat_at(char text[PROC_STAT], int directory)
{
    errno = 0;
    return behind_name(text, directory, "stat");
}
