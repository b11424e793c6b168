#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int exit_status;
} errors[] = {
#define ERROR(name, text, status) {text, status},
#include "base/errors.def"
#undef ERROR
};

int err_set(struct err *err, enum err_id id, const char *format, ...)
{
    int saved = errno;
    va_list args;

    err->id = id;
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    errno = saved;
    return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
    int saved = errno;
    char old[sizeof(err->text)];
    va_list args;
    size_t used;

    memcpy(old, err->text, sizeof(old));
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s", old);
    errno = saved;
    return -1;
}

const char *err_name(enum err_id id)
{
    return errors[id].name;
}

int err_exit_status(enum err_id id)
{
    return errors[id].exit_status;
}

const char *err_reason(int errnum)
{
    static const struct {
        int number;
        const char *reason;
    } reasons[] = {
        {EPERM, "operation not permitted"},
        {ENOENT, "no such file or directory"},
        {EIO, "input/output error"},
        {E2BIG, "argument list too long"},
        {ENOEXEC, "not in an executable format"},
        {EAGAIN, "resource temporarily unavailable"},
        {ENOMEM, "out of memory"},
        {EACCES, "permission denied"},
        {EBUSY, "device or resource busy"},
        {EEXIST, "file exists"},
        {ENODEV, "no such device"},
        {ENOTDIR, "not a directory"},
        {EISDIR, "is a directory"},
        {EINVAL, "invalid argument"},
        {ENFILE, "too many open files in the system"},
        {EMFILE, "too many open files"},
        {ETXTBSY, "text file busy"},
        {EFBIG, "file too large"},
        {ENOSPC, "no space left"},
        {EROFS, "read-only file system"},
        {ENAMETOOLONG, "file name too long"},
        {ENOSYS, "not implemented by this kernel"},
        {ELOOP, "too many levels of symbolic links"},
        {EOVERFLOW, "value too large"},
        {EDQUOT, "disk quota exceeded"},
        {EUSERS, "too many namespaces nested"},
        {ESTALE, "stale file handle"},
        {ENOTCONN, "not connected"},
        {ENXIO, "no such device or address"},
        {ELIBBAD, "its interpreter is damaged"},
        {ETIMEDOUT, "timed out"},
        {EXDEV, "leads outside"},
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].number == errnum)
            return reasons[i].reason;
    return strerror(errnum);
}

const char *err_way_out(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
        return "; make room there, or name a destination on another file system";
    case EFBIG:
        return "; raise the limit on the size of files (ulimit -f)";
    default:
        return "";
    }
}
