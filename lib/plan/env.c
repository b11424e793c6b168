/*
 * The command's environment: the host's, then the image's, then variables and
 * options in the order given.
 */
#include <fnmatch.h>
#include <string.h>

#include "base/env.h"
#include "base/path.h"
#include "plan/build.h"

/*
 * These point a loader or an interpreter at the host's files: inside they name
 * nothing, or the wrong thing. `--env NAME` lets one pass.
 */
static const char *const dropped_variables[] = {
    "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT",   "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP",
    "PERL5LIB",   "PERLLIB",         "PERL5OPT",   "RUBYLIB",    "GEM_HOME",   "GEM_PATH",
    "R_HOME",     "R_LIBS",          "GCONV_PATH", "LOCPATH",    "BASH_ENV",   "ENV",
    "JAVA_HOME",  "TCLLIBPATH",      "LUA_PATH",   "LUA_CPATH",  "NODE_PATH",
};

/* What schedulers, MPI and accelerators put there for the process: --clean-env keeps it. */
static const char *const kept_variables[] = {
    "SLURM_*",
    "SLURMD_*",
    "SRUN_*",
    "SBATCH_*",
    "SPANK_*",
    "PMI_*",
    "PMI2_*",
    "PMIX_*",
    "OMPI_*",
    "PRTE_*",
    "ORTE_*",
    "OPAL_*",
    "MPI_*",
    "MPICH_*",
    "MPIEXEC_*",
    "HYDRA_*",
    "HYDI_*",
    "I_MPI_*",
    "MPIR_*",
    "PALS_*",
    "FLUX_*",
    "PBS_*",
    "LSB_*",
    "LSF_*",
    "JSM_*",
    "SGE_*",
    "COBALT_*",
    "ALPS_*",
    "UCX_*",
    "FI_*",
    "OMP_*",
    "KMP_*",
    "GOMP_*",
    "CUDA_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "GPU_DEVICE_ORDINAL",
    "ZE_AFFINITY_MASK",
    "TMPDIR",
    "HOME",
    "USER",
    "LOGNAME",
    "TERM",
    "KRB5CCNAME",
};

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* Where an administrator's programs are: the PATH of other users need not have these. */
static const char *const system_folders[] = {"/usr/local/sbin", "/usr/sbin", "/sbin"};

struct environment {
    struct plan *plan;
    struct arena *arena;
    size_t count, room;
};

static size_t name_length(const char *entry)
{
    return strcspn(entry, "=");
}

/* Whether ENTRY is NAME=... By hand: this runs for each variable of each rank, and the first byte decides. */
static int is_called(const char *entry, const char *name)
{
    while (*name && *entry == *name) {
        entry++;
        name++;
    }
    return !*name && *entry == '=';
}

static void append(struct environment *env, char *entry)
{
    /* One more for the NULL at the end: arena memory is zero. */
    env->plan->environment = arena_grow(env->arena, env->plan->environment, env->count + 1, &env->room,
                                        sizeof(*env->plan->environment));
    env->plan->environment[env->count++] = entry;
    env->plan->environment[env->count] = NULL;
}

static void note(struct environment *env, const char *name, const char *value, const char *origin)
{
    struct plan *plan = env->plan;

    plan->env_changes = arena_grow(env->arena, plan->env_changes, plan->env_change_count,
                                   &plan->env_change_room, sizeof(*plan->env_changes));
    plan->env_changes[plan->env_change_count++] = (struct plan_env_change){name, value, origin};
}

/* Takes out every entry that is called NAME; whether there was one. */
static int take_out(struct environment *env, const char *name)
{
    char **entries = env->plan->environment;
    size_t kept = 0, count = env->count;

    for (size_t i = 0; i < count; i++)
        if (!is_called(entries[i], name))
            entries[kept++] = entries[i];
    entries[kept] = NULL;
    env->count = kept;
    return kept != count;
}

static void set(struct environment *env, const char *name, const char *value, const char *origin)
{
    const char *old = env_find(env->plan->environment, name);

    if (old && strcmp(old, value) == 0)
        return;
    take_out(env, name);
    append(env, arena_join(env->arena, name, "=", value, NULL));
    note(env, name, value, origin);
}

static int is_dropped(const char *entry)
{
    for (size_t i = 0; i < sizeof(dropped_variables) / sizeof(dropped_variables[0]); i++)
        if (is_called(entry, dropped_variables[i]))
            return 1;
    return 0;
}

int plan_variable_is_kept(struct arena *arena, const char *entry)
{
    const char *name = arena_strndup(arena, entry, name_length(entry));

    for (size_t i = 0; i < sizeof(kept_variables) / sizeof(kept_variables[0]); i++)
        if (fnmatch(kept_variables[i], name, 0) == 0)
            return 1;
    return 0;
}

static int is_passed_by(const struct env_request *request, const char *name, const char *value, int passes)
{
    if (request->operation == ENV_UNSET)
        return fnmatch(request->name, name, 0) == 0 ? 0 : passes;
    if (strcmp(request->name, name) != 0)
        return passes;
    return request->operation == ENV_PASS || strcmp(request->value, value) == 0;
}

int plan_variable_passes(const struct plan_inputs *in, const char *name)
{
    const struct request *request = in->request;
    const char *value = env_find(in->facts->environment, name);
    const char *entry = arena_join(in->arena, name, "=", NULL);
    int passes = request->clean_env ? plan_variable_is_kept(in->arena, entry) : !is_dropped(entry);

    for (size_t i = 0; value && i < request->env_count; i++)
        passes = is_passed_by(&request->env[i], name, value, passes);
    return value && passes;
}

/* What of the host's environment passes. */
static void take_host(struct environment *env, const struct plan_inputs *in)
{
    const struct request *request = in->request;

    for (char *const *entry = in->facts->environment; *entry; entry++) {
        if (request->clean_env ? plan_variable_is_kept(env->arena, *entry) : !is_dropped(*entry))
            append(env, *entry);
        else if (!request->clean_env)
            note(env, arena_strndup(env->arena, *entry, name_length(*entry)), NULL, "points at the host");
    }
    if (request->clean_env) {
        note(env, "*", NULL, request->clean_env_origin);
        set(env, "PATH", default_path, request->clean_env_origin);
    }
}

/* What a scheduler or MPI launcher says to its process no image can know better. */
static int is_launchers(const char *name)
{
    static const char *const prefixes[] = {"SLURM", "PMI", "OMPI_"};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return 1;
    return 0;
}

static void take_image(struct environment *env, const struct oci_image_config *config)
{
    if (!config || !config->env)
        return;
    for (char *const *entry = config->env; *entry; entry++) {
        size_t length = name_length(*entry);
        const char *name = arena_strndup(env->arena, *entry, length);

        if (!is_launchers(name) || !env_find(env->plan->environment, name))
            set(env, name, *entry + length + 1, "image");
    }
}

/* How long a variable may get, the kernel's MAX_ARG_STRLEN; and what an image's may get together. */
enum { VALUE_LIMIT = 128 * 1024, VALUES_LIMIT = 4 * 1024 * 1024 };

static void take_foreign(struct environment *env, const struct foreign *foreign)
{
    size_t left = VALUES_LIMIT;

    if (!foreign)
        return;
    /* Scripts are written for a PATH of the image's. */
    if (foreign->has_scripts)
        set(env, "PATH", default_path, foreign->origin);
    for (size_t i = 0; i < foreign->variable_count; i++) {
        const struct foreign_variable *variable = &foreign->variables[i];
        const size_t limit = left < VALUE_LIMIT ? left : VALUE_LIMIT;
        const char *value =
            foreign_expand(foreign, variable->value, limit, env->plan->environment, env->arena);
        const size_t length = strlen(value);

        left -= length < left ? length : left;
        if (!is_launchers(variable->name) || !env_find(env->plan->environment, variable->name))
            set(env, variable->name, value, foreign->origin);
    }
}

static int foreign_sets_path(const struct foreign *foreign)
{
    if (foreign && foreign->has_scripts)
        return 1;
    for (size_t i = 0; foreign && i < foreign->variable_count; i++)
        if (strcmp(foreign->variables[i].name, "PATH") == 0)
            return 1;
    return 0;
}

/* Whether one of the directories of PATH is written FOLDER. */
static int has_folder(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    for (;; path++) {
        size_t length = strcspn(path, ":");
        if (length == n && memcmp(path, folder, n) == 0)
            return 1;
        path += length;
        if (!*path)
            return 0;
    }
}

/* Root runs dpkg and the like, which refuse to work without these. An image that sets PATH knows better. */
static void add_system_folders(struct environment *env, const struct plan_inputs *in)
{
    const char *path = env_find(env->plan->environment, "PATH");
    const struct oci_image_config *config = in->config;

    if (!in->request->as_root || (config && config->env && env_find(config->env, "PATH")) ||
        foreign_sets_path(in->foreign))
        return;
    if (!path || !*path)
        path = default_path;
    for (size_t i = 0; i < sizeof(system_folders) / sizeof(system_folders[0]); i++)
        if (!has_folder(path, system_folders[i]))
            path = arena_join(env->arena, path, ":", system_folders[i], NULL);
    set(env, "PATH", path, in->request->as_root_origin);
}

/* Takes out all variables whose names match PATTERN. */
static void unset_matching(struct environment *env, const char *pattern, const char *origin)
{
    for (size_t i = 0; i < env->count;) {
        const char *entry = env->plan->environment[i];
        const char *name = arena_strndup(env->arena, entry, name_length(entry));

        if (entry[name_length(entry)] && fnmatch(pattern, name, 0) == 0 && take_out(env, name))
            note(env, name, NULL, origin);
        else
            i++;
    }
}

static void take_requests(struct environment *env, const struct plan_inputs *in)
{
    for (size_t i = 0; i < in->request->env_count; i++) {
        const struct env_request *request = &in->request->env[i];
        const char *value = request->value;

        if (request->operation == ENV_UNSET) {
            unset_matching(env, request->name, request->origin);
            continue;
        }
        if (request->operation == ENV_PASS)
            value = env_find(in->facts->environment, request->name);
        if (value)
            set(env, request->name, value, request->origin);
    }
}

/* The image's name with nothing in it that a prompt would interpret. */
static const char *prompt_name(struct arena *arena, const char *image)
{
    char *name = arena_strdup(arena, path_basename(path_clean(arena, image)));

    for (char *p = name; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-", *p))
            *p = '_';
    return name;
}

/*
 * Start-up files set prompts of their own. Debian's put debian_chroot in front;
 * bash runs PROMPT_COMMAND after all of them.
 */
static void set_prompt(struct environment *env, const struct plan_inputs *in)
{
    const char *name = prompt_name(env->arena, in->request->image);
    const char *prefix = arena_join(env->arena, "(", name, ") ", NULL);

    set(env, "debian_chroot", name, "shell");
    set(env, "PS1", arena_join(env->arena, prefix, "$PWD$ ", NULL), "shell");
    set(env, "PROMPT_COMMAND",
        arena_join(env->arena, "case $PS1 in *", name, "*|*debian_chroot*) ;; *) PS1=\"", prefix,
                   "$PS1\";; esac", NULL),
        "shell");
}

void plan_environment(struct plan *plan, const struct plan_inputs *in)
{
    struct environment env = {.plan = plan, .arena = in->arena};

    plan->environment = arena_alloc(in->arena, sizeof(*plan->environment));
    take_host(&env, in);
    take_image(&env, in->config);
    take_foreign(&env, in->foreign);
    add_system_folders(&env, in);
    if (in->request->home_dir)
        set(&env, "HOME", path_clean(in->arena, in->request->home_dir), in->request->home_origin);
    if (in->request->shell)
        set_prompt(&env, in);
    take_requests(&env, in);
}
