/*
 * record-file - the record as text: what coracle-record keeps and prints, and
 * what each launch reads.
 *
 *     coracle-record 4
 *     uid=1001
 *     boot=1753000000
 *     made=1753000123
 *     holds=86400
 *     passwd-file=2049:131:1502:1752000000.0:1752000000.120000000
 *     group-file=2049:132:801:1752000000.0:1752000000.120000000
 *     nsswitch-file=absent
 *     slurm-conf-named=default
 *     site-config-named=default
 *     user-config-named=default:/home/alice/.config/coracle/coracle.toml
 *     groups=1001 2000
 *     watches=2
 *     watch=2049:7:114:1752000000.0:1752000000.0=/etc/coracle/coracle.toml
 *     lacks=
 *     watch=2052:99:4096:1752000000.0:1752000000.0=/home/alice/.config
 *     lacks=/home/alice/.config/coracle
 *     user=alice
 *     home=/home/alice
 *     shell=/bin/bash
 *     slurm-conf=/etc/slurm/slurm.conf
 *     auth=/run/munge
 *     many-mounts=0
 *     config-error=
 *     settings=2
 *     setting=bind
 *     value=/scratch
 *     origin=/etc/coracle/coracle.toml:2
 *     flag=no-home
 *     origin=/etc/coracle/coracle.toml:3
 *     directory=/tmp/coracle-1001
 *     passwd=
 *     group=
 *     check=0123456789abcdef
 *
 * All keys, in this order, once each but for those that are counted; each line ends
 * with a newline. In a value a newline is written \n and a backslash \\; in `value`,
 * `origin` and `config-error` other control characters are \xHH. Either `directory` says where the
 * files passwd and group lie, or it is empty and `passwd` and `group` are their
 * texts. `check` is the FNV-1a hash of all bytes before its line: it finds
 * damage, not forgery. Forgery is the directory's business.
 */
#ifndef CORACLE_HOST_RECORD_FILE_H
#define CORACLE_HOST_RECORD_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "host/record-facts.h"
#include "host/record-watch.h"

enum {
    RECORD_KEPT_LIMIT = 64 * 1024,     /* bytes of a record with a directory */
    RECORD_STREAM_LIMIT = 4096 * 1024, /* bytes of one that carries its texts */
    RECORD_GROUPS_LIMIT = 4096,        /* groups in a record */
    RECORD_MAX_AGE = 24 * 60 * 60,     /* seconds for which a record holds at most */
    RECORD_SETTINGS_LIMIT = 16384,     /* settings in a record */
    RECORD_UNKNOWN_AGE = 60,           /* the same where something may be about to change */
};

/* A setting of the configuration, as option NAME without its dashes. */
struct record_setting {
    const char *name;
    const char *value;  /* NULL: a flag */
    const char *origin; /* "FILE:LINE" */
};

struct record_file {
    uint32_t uid;
    uint64_t boot;  /* as in struct record_facts */
    uint64_t made;  /* seconds since 1970 */
    uint32_t holds; /* seconds after `made`, at most RECORD_MAX_AGE */
    const char *inputs[RECORD_INPUTS];
    const uint32_t *groups; /* every group id that is in the group text */
    size_t group_count;
    const struct record_watch *watches;
    size_t watch_count;
    const char *user;
    const char *home;       /* absolute, or "" */
    const char *shell;      /* absolute, or "" */
    const char *slurm_conf; /* absolute, or "" */
    const char *auth;       /* absolute, or "" */
    int many_mounts;        /* as many_mounts() said */
    const char
        *config_error; /* why the configuration cannot be used; "": it can. Such a record is not kept */
    const struct record_setting *settings; /* in the order to be applied */
    size_t setting_count;
    const char *directory; /* absolute, or "" */
    const char *passwd;    /* "" where DIRECTORY is not */
    const char *group;
};

/* Adds the text of FILE to OUT. */
void record_file_print(const struct record_file *file, struct str *out);

/*
 * Parses the LENGTH bytes at TEXT, which are changed: the strings of *FILE
 * point into them. 0, or -1 for anything but exactly what record_file_print()
 * writes.
 */
int record_file_parse(char *text, size_t length, struct record_file *file, struct arena *arena);

/* Whether what FILE says is still so: see record.h. */
int record_file_holds(const struct record_file *file, const struct record_facts *facts);

#endif
