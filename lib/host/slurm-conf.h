/*
 * slurm-conf - what of a Slurm client's configuration its programs need inside a
 * container. slurm.conf(5)
 */
#ifndef CORACLE_HOST_SLURM_CONF_H
#define CORACLE_HOST_SLURM_CONF_H

#include "base/arena.h"

/* Bytes of a file, with all that it includes, and how deep files include each other. */
enum { SLURM_CONF_LIMIT = 4 * 1024 * 1024, SLURM_CONF_DEPTH = 8 };

struct slurm_conf {
    const char *path;        /* the file that was read; "" where there is none */
    const char *user;        /* SlurmUser: a name or a number; "root" where it is not said */
    const char *auth_type;   /* AuthType: "auth/munge" where it is not said */
    const char *auth_socket; /* "socket" of AuthInfo, absolute; NULL where it is not said */
};

/*
 * Reads the file NAMED ($SLURM_CONF) or, where that is NULL, the first that exists
 * of those that clients look for, with the files that it includes. What cannot be
 * read or understood in it is passed over: Slurm's own programs say what is wrong.
 * Strings belong to ARENA. 0, or -1 where there is no file to read: the rest is as
 * where none of it is said.
 */
int slurm_conf_read(struct slurm_conf *conf, const char *named, struct arena *arena);

/* Whether the file PATH is the first that slurm_conf_read() looks for by itself. */
int slurm_conf_is_usual(const char *path);

#endif
