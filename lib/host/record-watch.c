#include "host/record-watch.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "base/path.h"

static char *add_number(char *to, const char *before, uint64_t value)
{
    if (*before)
        *to++ = *before;
    return to + num_format(to, value);
}

void record_stamp(const struct stat *status, char stamp[RECORD_STAMP])
{
    char *to = add_number(stamp, "", status->st_dev);

    to = add_number(to, ":", status->st_ino);
    to = add_number(to, ":", (uint64_t)status->st_size);
    to = add_number(to, ":", (uint64_t)status->st_mtim.tv_sec);
    to = add_number(to, ".", (uint64_t)status->st_mtim.tv_nsec);
    to = add_number(to, ":", (uint64_t)status->st_ctim.tv_sec);
    to = add_number(to, ".", (uint64_t)status->st_ctim.tv_nsec);
    *to = 0;
}

void record_stamp_path(const char *path, char stamp[RECORD_STAMP])
{
    struct stat st;

    if (stat(path, &st) < 0)
        strcpy(stamp, RECORD_ABSENT);
    else
        record_stamp(&st, stamp);
}

/* Only where it is known: not where a directory on the way is closed to us. */
static int is_missing(const char *path)
{
    struct stat st;

    return stat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

int record_watch_holds(const struct record_watch *watch)
{
    char stamp[RECORD_STAMP];

    record_stamp_path(watch->path, stamp);
    return strcmp(stamp, watch->stamp) == 0 || (*watch->lacks && is_missing(watch->lacks));
}

struct record_watch record_watch_absent(const char *path, struct arena *arena)
{
    struct record_watch watch = {.path = path, .stamp = RECORD_NEVER, .lacks = ""};
    char stamp[RECORD_STAMP];
    struct stat st;

    while (stat(watch.path, &st) < 0) {
        /* A link to nothing: its end can appear anywhere. */
        if (lstat(watch.path, &st) == 0) {
            watch.stamp = RECORD_ABSENT;
            watch.lacks = "";
            return watch;
        }
        watch.lacks = errno == ENOENT || errno == ENOTDIR ? watch.path : "";
        if (strcmp(watch.path, "/") == 0)
            return watch;
        watch.path = path_parent(arena, watch.path);
    }
    if (watch.path == path || (*watch.lacks && !is_missing(watch.lacks)))
        return watch;
    record_stamp(&st, stamp);
    watch.stamp = arena_strdup(arena, stamp);
    return watch;
}
