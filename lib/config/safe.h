/*
 * safe - opening a configuration file that nobody else could write.
 *
 * Who may write it is who may change what others run: the file, each directory that a link
 * on the way to it lies in, and its own have to belong to root or the effective user, and
 * neither group nor others may write to them. That a directory is sticky does not help:
 * where the file is absent, anyone could make it. In a user namespace without root all that
 * is root's looks like that of nobody; there the site's files may, as what is seen there
 * was chosen by who made the namespace.
 */
#ifndef CORACLE_CONFIG_SAFE_H
#define CORACLE_CONFIG_SAFE_H

#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"

struct config_kind {
    mode_t type;       /* S_IFREG or S_IFDIR */
    int is_site;       /* it may be nobody's where root is not mapped */
    int may_be_hidden; /* a directory that is closed to us counts as absent */
};

enum { CONFIG_ABSENT = -2 };

/*
 * Opens PATH, absolute and clean, for reading; *STATUS is that of what was opened. A
 * descriptor; CONFIG_ABSENT where there is nothing of that name; -1 with ERR_CONFIG.
 */
int config_open(const char *path, struct config_kind kind, struct stat *status, struct arena *arena,
                struct err *err);

#endif
