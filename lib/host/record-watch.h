/*
 * record-watch - what must be unchanged for the settings in a record to hold: the
 * configuration files that were read, and where one was absent, the deepest directory
 * above it, in which its name, or that of a directory on the way, would appear.
 */
#ifndef CORACLE_HOST_RECORD_WATCH_H
#define CORACLE_HOST_RECORD_WATCH_H

#include <sys/stat.h>

#include "base/arena.h"

enum { RECORD_WATCH_LIMIT = 256, RECORD_STAMP = 7 * 21 };

#define RECORD_ABSENT "absent"
#define RECORD_NEVER "changed" /* a stamp that nothing has */

struct record_watch {
    const char *path;  /* absolute */
    const char *stamp; /* record_stamp() of it, or RECORD_ABSENT */
    /* What PATH, a directory, must not get; "": it is PATH itself that counts. Many things come
     * and go in a home directory: only when it has changed is this looked for. */
    const char *lacks;
};

/* Writes "DEVICE:INODE:SIZE:MTIME.NANOSECONDS:CTIME.NANOSECONDS" to STAMP. */
void record_stamp(const struct stat *status, char stamp[RECORD_STAMP]);

/* The same of the file that PATH leads to, or RECORD_ABSENT. */
void record_stamp_path(const char *path, char stamp[RECORD_STAMP]);

/* One system call where nothing has changed. */
int record_watch_holds(const struct record_watch *watch);

/*
 * A watch for the file PATH, absolute and clean, which was not there. It never holds where
 * something appeared meanwhile.
 */
struct record_watch record_watch_absent(const char *path, struct arena *arena);

#endif
