#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "launch/state.h"

/* What to do where a limit was reached, NULL for other errors. */
static const char *limit_hint(int errnum)
{
    switch (errnum) {
    case EMFILE:
        return "raise the limit of open files: ulimit -n";
    case ENFILE:
        return "the whole node has too many files open (fs.file-max)";
    case ENOMEM:
        return "the node or the job's cgroup is out of memory";
    case ENOSPC:
        return "a file system or a limit is full (fs.mount-max, user.max_mnt_namespaces)";
    case EDQUOT:
        return "a quota is used up";
    default:
        return NULL;
    }
}

int launch_error(struct err *err, enum err_id id, const char *format, ...)
{
    int saved = errno;
    const char *hint = limit_hint(saved);
    char what[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    errno = saved;
    if (hint)
        return err_set(err, ERR_LIMIT, "%s: %s; %s", what, err_reason(saved), hint);
    return err_set(err, id, "%s: %s", what, err_reason(saved));
}
