#include "host/record-store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/record-place.h"

#define UNFINISHED ".unfinished-"

enum {
    LOCK_TRIES = 500,
    LOCK_PAUSE_NS = 10 * 1000 * 1000,
    UNFINISHED_AGE = 60, /* seconds after which an unfinished file has lost its writer */
};

int record_store_open(const char *place, uint32_t uid, struct err *err)
{
    FD_CLEANUP int dir = -1;
    struct stat st;

    if (mkdir(place, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_RECORD, "cannot make %s: %s", place, err_reason(errno));
    dir = open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 || fstat(dir, &st) < 0)
        return err_set(err, ERR_RECORD, "cannot open %s: %s", place, err_reason(errno));
    if (!record_place_is_safe(&st, uid))
        return err_set(err, ERR_RECORD, "%s is not a directory of mode 0700 that belongs to uid %u", place,
                       uid);
    return fd_steal(&dir);
}

void record_store_lock(int dir)
{
    static const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(dir, LOCK_EX | LOCK_NB) == 0 || (errno != EWOULDBLOCK && errno != EINTR))
            return;
        nanosleep(&pause, NULL);
    }
}

/* Removes what writers left behind that were killed. */
static void remove_unfinished(int dir)
{
    int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = again < 0 ? NULL : fdopendir(again);
    struct dirent *entry;
    struct stat st;
    time_t now = time(NULL);

    if (!entries) {
        fd_close(&again);
        return;
    }
    while ((entry = readdir(entries))) {
        if (strncmp(entry->d_name, UNFINISHED, sizeof(UNFINISHED) - 1) != 0)
            continue;
        if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtime < now - UNFINISHED_AGE)
            unlinkat(dir, entry->d_name, 0);
    }
    closedir(entries);
}

/* Makes the file UNFINISHED with LENGTH bytes. 0, or -1 and errno. */
static int write_file(int dir, const char *unfinished, const char *bytes, size_t length)
{
    FD_CLEANUP int fd = openat(dir, unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    /* Whatever the umask: it is the container's /etc/passwd, which nobody should edit. */
    if (fd < 0 || fchmod(fd, 0444) < 0)
        return -1;
    return fd_write_all(fd, bytes, length);
}

/* Puts a file with LENGTH bytes in the place of NAME. */
static int replace_file(int dir, const char *name, const char *bytes, size_t length, struct err *err)
{
    struct timespec now = {0};
    char unfinished[sizeof(UNFINISHED) + 64];
    int saved;

    /* The time as well: process ids of several pid namespaces can meet here. */
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(unfinished, sizeof(unfinished), UNFINISHED "%ld-%ld", (long)getpid(), now.tv_nsec);
    if (write_file(dir, unfinished, bytes, length) == 0 && renameat(dir, unfinished, dir, name) == 0)
        return 0;
    saved = errno;
    if (saved != EEXIST)
        unlinkat(dir, unfinished, 0);
    return err_set(err, ERR_RECORD, "cannot write %s: %s", name, err_reason(saved));
}

/* Whether NAME is a file as we make it, with these bytes. */
static int is_there(int dir, const char *name, const char *bytes, size_t length, struct arena *arena)
{
    FD_CLEANUP int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const char *found;
    struct stat st;
    size_t count;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 07777) != 0444 ||
        st.st_nlink != 1 || (uint64_t)st.st_size != length)
        return 0;
    found = fd_read_all(fd, length, arena, &count);
    return found && count == length && memcmp(found, bytes, length) == 0;
}

/*
 * What is mounted in containers stays the same file where nothing in it has changed:
 * launches whose records differ only in age see the same, and share a view.
 */
static int keep_file(int dir, const char *name, const char *text, struct arena *arena, struct err *err)
{
    const size_t length = strlen(text);

    return is_there(dir, name, text, length, arena) ? 0 : replace_file(dir, name, text, length, err);
}

static int store(int dir, const char *place, struct record_file *file, struct arena *arena, struct err *err)
{
    struct record_file kept = *file;
    struct str text = {.arena = arena};

    kept.directory = place;
    kept.passwd = "";
    kept.group = "";
    record_file_print(&kept, &text);
    if (text.length > RECORD_KEPT_LIMIT)
        return err_set(err, ERR_RECORD, "the record is too large to be kept");

    remove_unfinished(dir);
    if (keep_file(dir, "passwd", file->passwd, arena, err) < 0 ||
        keep_file(dir, "group", file->group, arena, err) < 0 ||
        replace_file(dir, "record", text.data, text.length, err) < 0)
        return err_prefix(err, "%s", place);
    *file = kept;
    return 0;
}

int record_store(int dir, const char *place, struct record_file *file, struct arena *arena, struct err *err)
{
    int result = store(dir, place, file, arena, err);

    if (result < 0)
        unlinkat(dir, "record", 0);
    return result;
}
