/*
 * facts - what the doctor found out about this node, as plain data.
 *
 * Filled by the probes (probe.h), by hand in tests: what it means is said by judge.h, which
 * asks nobody. A field that is an outcome is 0 (it works), an errno, or DOCTOR_UNTRIED.
 */
#ifndef CORACLE_DOCTOR_FACTS_H
#define CORACLE_DOCTOR_FACTS_H

#include <stddef.h>
#include <stdint.h>

#include "host/refusal.h"

enum {
    DOCTOR_UNTRIED = -1, /* something before it failed, or the one who tried was killed */
    DOCTOR_UNKNOWN = -1, /* a number that this node does not tell */
};

/* Tried in a child process, in this order; what a filter kills the child for stays untried. */
struct doctor_namespaces {
    int together; /* unshare(2) of user and mount namespace in one call, as a launch does it */
    int maps;     /* uid_map, setgroups and gid_map of one id; the caller's to itself */
    int apart;    /* where TOGETHER fails: the user namespace alone ... */
    int mount;    /* ... and then the mount namespace */
    int again;    /* once more inside: --root and the image server need it */
    int join;     /* setns(2) into another process's, as ranks of a node do. 0 where that works */
};

struct doctor_mounts {
    int open_tree, move_mount; /* Linux 5.2 */
    int fsopen;                /* 5.2, with fsconfig and fsmount: tried with a tmpfs */
    int openat2;               /* 5.6 */
    int mount_setattr;         /* 5.12 */
    int tmpfs;
    int overlay; /* with an upper directory in a tmpfs and userxattr, as --writable-tmpfs makes it: 5.11 */
};

struct doctor_fuse {
    int node;   /* of stat(2) */
    int open;   /* of /dev/fuse, for reading and writing */
    int mount;  /* in a user namespace: 4.18 */
    int second; /* the same descriptor mounted once more: 5.15 */
};

struct doctor_kernel {
    char release[65], machine[65];
    char modules[128]; /* security modules, "lockdown,capability,yama,apparmor"; "": not told */
    int yama;          /* kernel.yama.ptrace_scope */
    int deny_ptrace;   /* the boolean of SELinux's policy of that name is on */
    int copies;        /* process_vm_readv(2) of a sibling, as MPI does it between ranks */
};

struct doctor_cgroups {
    int version;      /* 1, 2; 0: none are mounted */
    int is_hybrid;    /* version 1 with a version 2 beside it that controls nothing */
    int is_delegated; /* the caller's own group can be written to */
};

enum { DOCTOR_PLACES = 4, DOCTOR_PATH = 512 };

/* A directory in which something is kept. */
struct doctor_place {
    char path[DOCTOR_PATH]; /* "": the environment names none */
    int open;               /* of open(2); ENOENT: it is not there */
    int write;              /* of making a file in it */
    int is_noexec;
    int is_network; /* its file system is another machine's */
    uint64_t free;  /* bytes that the caller may use */
    uint64_t size;
};

struct doctor_storage {
    struct doctor_place scratch, tmp, memory; /* $TMPDIR, /tmp, /dev/shm */
    struct doctor_place cache;                /* the deepest directory of it that is there */
    char cache_path[DOCTOR_PATH];             /* "": nothing names one */
    char cache_origin[DOCTOR_PATH];           /* "FILE:LINE", "CORACLE_CACHE"; "": it is the usual place */
    char cache_problem[DOCTOR_PATH];          /* of what is configured, with its origin; "": none */
    int autofs;                               /* mounts of automounters ... */
    int autofs_private;                       /* ... of which so many do not pass on what they mount */
};

/* How Kerberos keeps tickets; nothing is said of it: TICKET_DEFAULT. */
enum doctor_ticket {
    TICKET_DEFAULT,
    TICKET_FILE,
    TICKET_KEPT_KEYRING,
    TICKET_KEYRING,
    TICKET_KCM,
    TICKET_OTHER
};

struct doctor_jobs {
    enum doctor_ticket ticket;
    char ticket_name[DOCTOR_PATH]; /* KRB5CCNAME or default_ccache_name of krb5.conf */
    char launchers[256];           /* "mpirun srun": of those that exist in PATH */
    int has_srun;
    int path_is_silent;           /* a file system that PATH leads to does not answer */
    char slurm_conf[DOCTOR_PATH]; /* "": none */
    char auth[DOCTOR_PATH];       /* the directory of munged's socket, or sackd's; "": none */
    int auth_connects;            /* to the socket */
};

/* Devices of one kind. */
struct doctor_devices {
    int count;
    int closed; /* to the caller */
};

struct doctor_hardware {
    struct doctor_devices nvidia, nvidia_uvm, amd, render, infiniband, slingshot;
    uint64_t memlock; /* soft limit in bytes; UINT64_MAX: none */
};

enum { DOCTOR_PROGRAMS = 6, DOCTOR_BUILD = 64 };

struct doctor_program {
    const char *name; /* "coracle-fuse" */
    int is_there;
    int is_same;              /* of the doctor's build, as its mark says. bin/build-mark.h */
    char build[DOCTOR_BUILD]; /* what the mark says, "VERSION DIGEST"; "": nothing that can be read */
};

/* What one whole launch came to. */
struct doctor_trial {
    int status;      /* DOCTOR_UNTRIED; 0: it went as far as a command */
    char text[1600]; /* otherwise what `coracle run` said: "TEXT [identifier]" */
};

struct doctor_facts {
    uint32_t uid, gid; /* effective */
    struct userns_switches switches;
    struct doctor_namespaces namespaces;
    struct doctor_mounts mounts;
    struct doctor_fuse fuse;
    struct doctor_kernel kernel;
    struct doctor_cgroups cgroups;
    struct doctor_storage storage;
    struct doctor_jobs jobs;
    struct doctor_hardware hardware;
    struct doctor_program programs[DOCTOR_PROGRAMS];
    char build[DOCTOR_BUILD]; /* the doctor's own */
    char record[1600];        /* what is wrong with the record or the configuration; "": nothing */
    int record_is_silent;     /* what is to be read for it does not answer */
    int record_is_fatal;      /* no launch goes on with it */
    struct doctor_trial directory, squashfs;
};

#endif
