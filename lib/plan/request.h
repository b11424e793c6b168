/*
 * request - what the user asked for.
 *
 * Options and CORACLE_* variables fill a request, in the order in which they
 * were given; plan_build() turns it into a plan. The functions below parse and
 * check single values. They are pure: text in, fields or an error out. Strings
 * belong to the request's arena or live as long as argv and the environment.
 */
#ifndef CORACLE_PLAN_REQUEST_H
#define CORACLE_PLAN_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "plan/scope.h"

enum mount_flag {
    MOUNT_READ_ONLY = 1 << 0,
    MOUNT_NOSUID = 1 << 1,
    MOUNT_NODEV = 1 << 2,
    MOUNT_NOEXEC = 1 << 3,
    MOUNT_OPTIONAL = 1 << 4,  /* left out where the source does not exist or is closed to us */
    MOUNT_REPLACE = 1 << 5,   /* on the name itself: a link that stands there is not followed */
    MOUNT_DIRECTORY = 1 << 6, /* the source is known to be a directory: saves looking */
    MOUNT_OWN_FILE = 1 << 7,  /* the source must be a regular file of the caller's, not a link to one */
};

/* One --bind, --mount or --tmpfs. */
struct mount_request {
    const char *source; /* NULL: a tmpfs */
    const char *target; /* NULL: the same path as the source */
    unsigned flags;     /* enum mount_flag */
    uint64_t size;      /* of a tmpfs, bytes; 0: the kernel's default, half of the memory */
    const char *origin;
};

enum env_operation { ENV_SET, ENV_PASS, ENV_UNSET };

/* One --env or --unset-env, or a line of an --env-file. */
struct env_request {
    enum env_operation operation;
    const char *name;  /* ENV_UNSET: a glob(7) pattern */
    const char *value; /* ENV_SET only */
    const char *origin;
};

enum home_choice { HOME_DEFAULT, HOME_NONE, HOME_WANTED };

enum root_mode { ROOT_READ_ONLY, ROOT_WRITABLE_TMPFS, ROOT_WRITE };

enum entrypoint_choice { ENTRYPOINT_IMAGE, ENTRYPOINT_NONE, ENTRYPOINT_GIVEN };

enum { REQUEST_NAME_LIMIT = 64 };

struct request {
    struct arena *arena;

    const char *image;
    int image_is_served;  /* found out: a SquashFS, which a server shows */
    char *const *command; /* ends with NULL; may be empty */
    int is_shown;         /* and not carried out: there may be no command */
    int shell;            /* start a shell: `command` are its arguments */

    struct mount_request *mounts;
    size_t mount_count, mount_room;
    int no_default_binds;
    const char *no_default_binds_origin;

    enum home_choice home;
    const char *home_dir; /* NULL: $HOME, or what the name service says */
    const char *home_origin;

    struct env_request *env;
    size_t env_count, env_room;
    int clean_env;
    const char *clean_env_origin;

    int uid_given, gid_given, as_root;
    uint32_t uid, gid;
    const char *uid_origin, *gid_origin, *as_root_origin;

    enum root_mode root_mode;
    uint64_t root_size; /* of --writable-tmpfs, bytes; 0: the kernel's default */
    const char *root_origin;

    const char *workdir; /* NULL: not asked for */
    const char *workdir_origin;

    int unpack;               /* a SquashFS image, rather than mount it */
    const char *unpack_place; /* where to; NULL: not said */
    const char *unpack_origin;

    enum share_mode share;
    const char *share_key; /* SHARE_NAMED */
    const char *share_origin;
    const char *name; /* for ps and exec; NULL: none */
    const char *name_origin;

    enum entrypoint_choice entrypoint_choice;
    const char *entrypoint;
    const char *entrypoint_origin;
};

/* An empty request for everything by default. */
void request_init(struct request *request, struct arena *arena);

/*
 * SPEC is SRC[:DST[:OPTIONS]], or SRC::OPTIONS for the same path. A backslash takes the colon, comma or
 * backslash after it literally. OPTIONS, between commas: ro rw rbind bind nosuid nodev noexec optional. 0, or
 * -1 with an error of id ID.
 */
int request_add_bind(struct request *request, const char *spec, const char *origin, enum err_id id,
                     struct err *err);

/* SPEC is type=bind|tmpfs with source (src), target (dst, destination), size and the flags of --bind. */
int request_add_mount(struct request *request, const char *spec, const char *origin, enum err_id id,
                      struct err *err);

/* SPEC is DST[:OPTIONS]: size=SIZE nosuid nodev noexec. */
int request_add_tmpfs(struct request *request, const char *spec, const char *origin, enum err_id id,
                      struct err *err);

/* SPEC is NAME=VALUE, or NAME for the host's value. */
int request_add_env(struct request *request, const char *spec, const char *origin, enum err_id id,
                    struct err *err);

/*
 * TEXT is an --env-file's content: a NAME=VALUE or NAME per line, empty lines
 * and lines that begin with # skipped; values are taken as they are, quotes
 * included, as Docker does. FILE is named in errors with the line.
 */
int request_add_env_lines(struct request *request, const char *text, const char *file, const char *origin,
                          enum err_id id, struct err *err);

/*
 * A name that no pid or job can be mistaken for: a letter, then letters, digits and -_.+, 64 bytes.
 * 0 or -1.
 */
int request_set_name(struct request *request, const char *name);

int request_add_unset_env(struct request *request, const char *pattern, const char *origin, enum err_id id,
                          struct err *err);

#endif
