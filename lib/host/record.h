/*
 * record - what was found out about the user on this node, kept for all ranks.
 *
 * Looking a user up may ask LDAP or NIS and needs the name service of the
 * system's C library. So a heavy program, coracle-record, does it once per user,
 * node, boot and day and leaves the answer in a directory; each launch only
 * reads it, with a few system calls.
 *
 * The directory is coracle-UID in $XDG_RUNTIME_DIR, or else in /tmp, or else in
 * /dev/shm: the first that exists or can be made and is safe (a directory, not
 * a link; owned by the effective uid; mode 0700 at most). The uid is in the name
 * everywhere, as one user has several in nested user namespaces. It holds three
 * files, each written beside and renamed; passwd and group where they differ:
 *
 *   record   lines of KEY=VALUE (see record-file.h)
 *   passwd   what the container sees as /etc/passwd: root, the user, nobody
 *   group    what it sees as /etc/group: root, the user's groups, nogroup
 *
 * They are the only files that Coracle leaves behind. Remove the directory or
 * `record` at any time to have them made anew.
 *
 * The record holds for a day: an answer of LDAP ages unseen, and sweepers of
 * /tmp may take passwd and keep record. Within the day it holds while the node
 * has not booted, $SLURM_CONF is what it was, /etc/passwd, /etc/group and
 * /etc/nsswitch.conf are the files they were (device, inode, size, mtime, ctime), the
 * same configuration files are meant and unchanged (record-watch.h) and the caller has no group
 * that is not in it. A record that is damaged in any way is made anew.
 *
 * Where the name service did not know the user or one of his groups the record
 * holds for a minute only: many say so while they cannot reach their server. So
 * does one of a node with munge or Slurm set up and no munge running yet. One
 * that was made while a look-up failed is for its launch alone and not kept. Neither is one
 * that only says what is wrong with the configuration.
 */
#ifndef CORACLE_HOST_RECORD_H
#define CORACLE_HOST_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "host/record-file.h"

struct host_record {
    const char *user;        /* login name; "uid-1234" for a user whom nobody knows */
    const char *home;        /* home directory by the name service; "" where unknown */
    const char *shell;       /* login shell by the name service; "" where unknown */
    const char *passwd;      /* text for the container's /etc/passwd; NULL where passwd_path is set */
    const char *group;       /* text for the container's /etc/group; NULL where group_path is set */
    const char *passwd_path; /* absolute host path of a file with it; NULL where none could be kept */
    const char *group_path;
    const char *slurm_conf;                /* the file that configures Slurm's clients; "": none */
    const char *auth;                      /* the directory with the socket of munged or sackd; "": none */
    int many_mounts;                       /* see many-mounts.h; as it was when the record was made */
    const struct record_setting *settings; /* of the configuration, for every launch, in this order */
    size_t setting_count;
    const char *warning; /* what the user should know about the record, unless he is quiet; NULL: nothing */
    int is_kept;         /* the next launch will find it */
};

/*
 * Fills *RECORD from the kept record or, where there is none that holds, by
 * running coracle-record, which makes it. ENVIRONMENT is searched for
 * XDG_RUNTIME_DIR and where configuration is. Everything belongs to ARENA. Leaves no descriptor open, no
 * child, no SIGCHLD pending, and signals as they are. Call it before ids or
 * namespaces are changed.
 *
 * Where coracle-record is missing or fails, that is a warning, and the record
 * is of a user whom nobody knows, without configuration. 0, or -1 with ERR_CONFIG where the
 * configuration is not to be used, or with what record_make() says where the system gives no pipe or process.
 */
int record_load(struct host_record *record, char *const environment[], struct arena *arena, struct err *err);

#endif
