/*
 * plan - everything a launch will do, as plain data.
 *
 *     request (options) ─┐
 *     image config ──────┼─> plan_build() ─> plan ─> plan_print(), plan_json(), launch_run()
 *     host facts ────────┘
 *
 * It has two halves. The view, what is mounted where, depends on the request and
 * the host alone: equal views can be shared, and whether there is one is known
 * before anything of the image was read. The process, its environment, directory
 * and command, is each launch's own.
 *
 * Building a plan is pure: it opens nothing, asks nothing, changes nothing. The
 * plan holds names and intentions, never facts that age: whether a source is
 * there, what a path inside the image leads to, is found out at the moment of
 * use, by the executor. Where an outcome decides, the plan says so: an optional
 * row, a list of directories of which the first that exists is taken.
 *
 * Every row names its origin. All strings belong to the arena of the call.
 */
#ifndef CORACLE_PLAN_PLAN_H
#define CORACLE_PLAN_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "foreign/foreign.h"
#include "host/facts.h"
#include "oci/image-config.h"
#include "plan/request.h"
#include "plan/scope.h"

enum row_kind {
    ROW_BIND,  /* the host's `source`, with all that is mounted below it, on `target` */
    ROW_TMPFS, /* an empty tmpfs of `size` bytes on `target` */
    ROW_FILE,  /* a read-only file with `content` on `target` */
};

/* One mount. Rows are carried out in order; a later one may lie on an earlier one. */
struct plan_row {
    enum row_kind kind;
    const char *source;  /* ROW_BIND: path on the host */
    const char *target;  /* absolute path in the container */
    const char *content; /* ROW_FILE */
    uint64_t size;       /* ROW_TMPFS; 0: the kernel's default */
    unsigned flags;      /* enum mount_flag */
    const char *origin;
    int is_missing; /* ROW_BIND that is not optional: there is no SOURCE; looked at by explain alone */
};

/* A difference between the environment of the caller and the command's. */
struct plan_env_change {
    const char *name;
    const char *value; /* NULL: removed */
    const char *origin;
};

/* A directory to start in; the first that can be entered is taken. */
struct plan_workdir {
    const char *path;
    const char *origin;
    int required;   /* asked for by name: no other will do */
    int is_callers; /* the caller's current directory, by one of its names */
};

struct plan {
    const char *image;      /* as given */
    const char *image_path; /* absolute, where the current directory is known */
    const char *image_origin;
    int unpack_wanted;        /* a SquashFS, not mounted but unpacked to node-local storage */
    const char *unpack_place; /* where to, if it comes to that; NULL: wherever there is room */
    const char *unpack_origin;
    const char *scratch; /* the job's node-local directory, TMPDIR; NULL: none */
    int image_is_served; /* a SquashFS, through coracle-fuse; else a directory */
    enum root_mode root_mode;
    uint64_t root_size;
    const char *root_origin;

    struct scope scope; /* which launches this one meets */
    const char *name;   /* for those who look for it; NULL: none */
    const char *name_origin;
    const char *own_view; /* why its view is nobody else's; NULL: it may be shared */

    /* clone(2) flags of the namespaces to make. User and mount, always; others will join them here. */
    uint64_t namespaces;
    int host_has_many_mounts; /* to copy them all would cost more than to take what the rows name */

    /* One id each is mapped: the caller's. user_namespaces(7) */
    uint32_t host_uid, host_gid;
    uint32_t uid, gid; /* inside */
    const char *ids_origin;
    int keep_capabilities; /* of the new user namespace; with --root only */

    struct plan_row *rows;
    size_t row_count, row_room;

    char **environment; /* ends with NULL */
    struct plan_env_change *env_changes;
    size_t env_change_count, env_change_room;

    struct plan_workdir workdirs[4];
    size_t workdir_count;

    /*
     * What to execute, ending with NULL; nothing in a plan that is only shown. Where `shells` is set, argv[0]
     * is a place holder: the first of `shells` that exists is taken.
     */
    char **argv;
    const char *command_origin;
    const char *const *shells; /* ends with NULL; NULL: no choice */

    /*
     * Where `sourced` is set, argv is that of a shell of the image, which sources those
     * scripts and becomes the command: argv[sourced_argc], or the first of `command_shells`
     * with that as arguments.
     */
    const char *sourced; /* NULL: nothing is sourced */
    const char *sourced_origin;
    size_t sourced_argc;
    const char *const *command_shells; /* ends with NULL; NULL: no choice */

    const char *image_user; /* USER of the image: shown, not obeyed; NULL: none */
};

/* Begins PLAN with the view that REQUEST asks for. 0, or -1 where it contradicts itself (ERR_USAGE). */
int plan_view(struct plan *plan, const struct request *request, const struct host_facts *facts,
              struct arena *arena, struct err *err);

/*
 * Completes it with the process. CONFIG may be NULL: an image without one; FOREIGN,
 * what another system left in one, too. 0, or -1 where there is nothing to execute (ERR_NO_COMMAND)
 * and REQUEST is not only shown.
 */
int plan_process(struct plan *plan, const struct request *request, const struct oci_image_config *config,
                 const struct foreign *foreign, const struct host_facts *facts, struct arena *arena,
                 struct err *err);

/* A plan for a further process in a view that is there: its rows are none. 0 or -1. */
int plan_join(struct plan *plan, const struct request *request, const struct oci_image_config *config,
              const struct foreign *foreign, const struct host_facts *facts, struct arena *arena,
              struct err *err);

/* View and process. */
int plan_build(struct plan *plan, const struct request *request, const struct oci_image_config *config,
               const struct foreign *foreign, const struct host_facts *facts, struct arena *arena,
               struct err *err);

/*
 * The plan as text for people, a line each, in the order of execution: first
 * plan_print_head(), then plan_print_row() for each row, then plan_print_tail().
 * explain, --dry-run and the trace of a real run print through these.
 */
void plan_print_head(const struct plan *plan, struct str *out);
void plan_print_row(const struct plan_row *row, struct str *out);
void plan_print_tail(const struct plan *plan, struct str *out);
void plan_print(const struct plan *plan, struct str *out);

/* The plan as one JSON object; members as in this header. */
void plan_json(const struct plan *plan, struct str *out);

#endif
