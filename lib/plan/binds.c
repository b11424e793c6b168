/* The rows of a plan: the default view, then what the user asked for. */
#include <string.h>

#include "base/env.h"
#include "base/path.h"
#include "plan/build.h"
#include "plan/identity.h"

struct plan_row *plan_add_row(struct plan *plan, struct arena *arena, enum row_kind kind, const char *target,
                              const char *origin)
{
    struct plan_row *row;

    plan->rows = arena_grow(arena, plan->rows, plan->row_count, &plan->row_room, sizeof(*plan->rows));
    row = &plan->rows[plan->row_count++];
    memset(row, 0, sizeof(*row));
    row->kind = kind;
    row->target = target;
    row->origin = origin;
    return row;
}

static struct plan_row *add_bind(struct plan *plan, struct arena *arena, const char *source,
                                 const char *target, unsigned flags, const char *origin)
{
    struct plan_row *row = plan_add_row(plan, arena, ROW_BIND, target, origin);

    row->source = source;
    row->flags = flags;
    return row;
}

static void add_table(struct plan *plan, struct arena *arena, const struct plan_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_bind(plan, arena, rows[i].target, rows[i].target, rows[i].flags, "default");
}

/* Without these nothing runs: --no-default-binds keeps them. */
static const struct plan_row system_rows[] = {
    {.target = "/proc", .flags = MOUNT_DIRECTORY},
    {.target = "/sys", .flags = MOUNT_DIRECTORY | MOUNT_OPTIONAL},
    {.target = "/dev", .flags = MOUNT_DIRECTORY},
};

/*
 * The time zone is the file itself, laid on the image's link: bound through the
 * link it would change what UTC means.
 */
static const struct plan_row host_rows[] = {
    {.target = "/tmp", .flags = MOUNT_DIRECTORY | MOUNT_OPTIONAL},
    {.target = "/etc/hosts", .flags = MOUNT_OPTIONAL | MOUNT_REPLACE},
    {.target = "/etc/resolv.conf", .flags = MOUNT_OPTIONAL | MOUNT_REPLACE},
    {.target = "/etc/localtime", .flags = MOUNT_OPTIONAL | MOUNT_REPLACE},
};

/* Directories of the image's system that a host path must not take the place of. */
static const char *const system_directories[] = {"/bin",   "/boot",  "/dev",  "/etc", "/lib",
                                                 "/lib32", "/lib64", "/proc", "/run", "/sbin",
                                                 "/sys",   "/usr",   "/var"};
enum { SYSTEM_DIRECTORIES = sizeof(system_directories) / sizeof(system_directories[0]) };

static int is_system_directory(const char *path)
{
    for (size_t i = 0; i < SYSTEM_DIRECTORIES; i++)
        if (strcmp(path, system_directories[i]) == 0)
            return 1;
    return strcmp(path, "/") == 0;
}

/*
 * Accounts like bin or daemon have a home that belongs to the image. Under /var and /run there are
 * real ones.
 */
static int is_system_home(const char *path)
{
    for (size_t i = 0; i < SYSTEM_DIRECTORIES; i++)
        if (path_is_beneath(path, system_directories[i]) && !path_is_beneath(path, "/var") &&
            !path_is_beneath(path, "/run"))
            return 1;
    return 0;
}

/* Whether the host's PATH is in the view at its own place already. */
static int is_in_view(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->row_count; i++) {
        const struct plan_row *row = &plan->rows[i];
        if (row->kind == ROW_BIND && strcmp(row->source, row->target) == 0 &&
            path_is_beneath(path, row->target))
            return 1;
    }
    return 0;
}

void plan_bind_in_place(struct plan *plan, struct arena *arena, const char *path, const char *origin)
{
    char *clean;

    if (*path != '/')
        return;
    clean = path_clean(arena, path);
    if (path_has_dotdot(clean) || is_system_directory(clean) || is_in_view(plan, clean))
        return;
    add_bind(plan, arena, clean, clean, MOUNT_OPTIONAL, origin);
}

static void add_home(struct plan *plan, const struct plan_inputs *in)
{
    const struct request *request = in->request;
    const char *home = env_find(in->facts->environment, "HOME");
    char *clean;

    if (request->home == HOME_NONE || (request->no_default_binds && request->home == HOME_DEFAULT))
        return;
    if (request->home_dir) {
        clean = path_clean(in->arena, request->home_dir);
        add_bind(plan, in->arena, clean, clean, 0, request->home_origin);
        return;
    }
    if (!home || *home != '/')
        home = in->facts->record.home;
    if (is_system_home(path_clean(in->arena, home)))
        return;
    plan_bind_in_place(plan, in->arena, home, request->home == HOME_WANTED ? request->home_origin : "home");
}

/* A uid that is 0 inside is the image's root: the image's own files know it, and dpkg must be able to write
 * them. */
static void add_identity(struct plan *plan, const struct plan_inputs *in)
{
    const struct host_record *record = &in->facts->record;
    int same = plan->uid == plan->host_uid && plan->gid == plan->host_gid;
    /*
     * Optional: sweepers of /tmp take files. And what earlier containers may have put there is not
     * trusted.
     */
    const unsigned flags = MOUNT_REPLACE | MOUNT_OPTIONAL | MOUNT_READ_ONLY | MOUNT_OWN_FILE;

    if (plan->uid == 0 && plan->host_uid != 0)
        return;
    if (same && record->passwd_path && record->group_path) {
        add_bind(plan, in->arena, record->passwd_path, "/etc/passwd", flags, "default");
        add_bind(plan, in->arena, record->group_path, "/etc/group", flags, "default");
        return;
    }
    plan_add_row(plan, in->arena, ROW_FILE, "/etc/passwd", "default")->content =
        same && record->passwd ? record->passwd : identity_passwd(plan, record, in->arena);
    plan_add_row(plan, in->arena, ROW_FILE, "/etc/group", "default")->content =
        same && record->group ? record->group : identity_group(plan, record, in->arena);
}

/* Who takes SLURM_CONF away, or sets it, has another configuration in mind than the host's. */
static int host_configures_slurm(const struct plan_inputs *in)
{
    return *in->facts->record.slurm_conf &&
           (!env_find(in->facts->environment, "SLURM_CONF") || plan_variable_passes(in, "SLURM_CONF"));
}

/*
 * What srun, squeue and the like need inside: their configuration with what is
 * beside it, and the socket by which they prove who calls. In a job it may have
 * come after the node's record was made.
 */
static void add_slurm(struct plan *plan, const struct plan_inputs *in)
{
    const struct host_record *record = &in->facts->record;
    const char *auth = record->auth;

    if (!*auth && env_find(in->facts->environment, "SLURM_JOB_ID"))
        auth = "/run/munge";
    if (host_configures_slurm(in)) {
        plan_bind_in_place(plan, in->arena, path_parent(in->arena, record->slurm_conf), "Slurm");
        plan_bind_in_place(plan, in->arena, record->slurm_conf, "Slurm");
    }
    if (*auth)
        plan_bind_in_place(plan, in->arena, auth, "Slurm");
}

/* Rows with the same parent directory stand together: the executor then opens it once. */
static void add_default_view(struct plan *plan, const struct plan_inputs *in)
{
    int whole = !in->request->no_default_binds;

    add_table(plan, in->arena, system_rows, sizeof(system_rows) / sizeof(system_rows[0]));
    if (whole) {
        add_table(plan, in->arena, host_rows, sizeof(host_rows) / sizeof(host_rows[0]));
        add_identity(plan, in);
    }
    add_home(plan, in);
    if (whole) {
        add_slurm(plan, in);
        plan_variable_binds(plan, in);
    }
}

/* The user's own mount on TARGET or above it takes the place of the default rows there. */
static void drop_covered(struct plan *plan, size_t defaults, size_t *gone, const char *target)
{
    for (size_t i = 0; i < defaults; i++) {
        if (plan->rows[i].target && path_is_beneath(plan->rows[i].target, target)) {
            plan->rows[i].target = NULL;
            ++*gone;
        }
    }
}

static void remove_dropped(struct plan *plan)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->row_count; i++)
        if (plan->rows[i].target)
            plan->rows[kept++] = plan->rows[i];
    plan->row_count = kept;
}

/* SOURCE as an absolute path where the current directory is known; the kernel's business else. */
static const char *absolute_source(const struct plan_inputs *in, const char *source)
{
    const char *cwd = in->facts->physical_cwd;

    if (*source == '/' || cwd)
        return path_join(in->arena, cwd ? cwd : "/", source);
    return source;
}

static void add_request(struct plan *plan, const struct plan_inputs *in, const struct mount_request *mount)
{
    struct arena *arena = in->arena;
    const char *source = mount->source ? absolute_source(in, mount->source) : NULL;
    const char *target = path_join(arena, "/", mount->target ? mount->target : source);
    struct plan_row *row = plan_add_row(plan, arena, source ? ROW_BIND : ROW_TMPFS, target, mount->origin);

    row->source = source;
    row->flags = mount->flags;
    row->size = mount->size;
}

void plan_binds(struct plan *plan, const struct plan_inputs *in)
{
    size_t defaults, gone = 0;

    add_default_view(plan, in);
    defaults = plan->row_count;
    for (size_t i = 0; i < in->request->mount_count; i++) {
        add_request(plan, in, &in->request->mounts[i]);
        drop_covered(plan, defaults, &gone, plan->rows[plan->row_count - 1].target);
    }
    if (gone)
        remove_dropped(plan);
}
