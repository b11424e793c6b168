/*
 * Images whose environment is in shell scripts: the image's own shell sources them
 * and then becomes the command. Everything happens in the container.
 *
 * A script says `export LANG="${LANG:-C.UTF-8}"` and means the image's value, not
 * the host's. So while scripts run, a variable of the host that no scheduler needs
 * goes by another name, CORACLE_HELD_NAME, and gets its own back where the scripts
 * have not set it. What options set, the scripts see, and it is set again after
 * them: as CORACLE_SET_NAME it is in nobody's way. Names stand in the arguments,
 * values never: arguments can be read by others, the environment cannot.
 */
#include <string.h>

#include "base/env.h"
#include "base/path.h"
#include "plan/build.h"

/*
 * The arguments: -GLOB takes variables out, =NAME sets one, @SHELL is a shell to start
 * where it is there; behind "." stands the command. In bash, export may complain of a
 * locale that the image lacks.
 */
static const char script[] =
    "for coracle_f in " FOREIGN_SCRIPTS "; do [ ! -f \"$coracle_f\" ] || . \"$coracle_f\"; done\n"
    "set +e +u +f; unset IFS\n"
    "{ for coracle_f in $CORACLE_HELD; do\n"
    "eval \"[ \\\"\\${$coracle_f+x}\\\" ] || export $coracle_f=\\\"\\$CORACLE_HELD_$coracle_f\\\"\"\n"
    "unset \"CORACLE_HELD_$coracle_f\"; done; } 2>/dev/null\n"
    "unset CORACLE_HELD coracle_shell\n"
    "while [ \"$1\" != . ]; do case $1 in\n"
    "=*) eval \"export ${1#=}=\\\"\\$CORACLE_SET_${1#=}\\\"\" 2>/dev/null; unset \"CORACLE_SET_${1#=}\";;\n"
    "@*) [ \"$coracle_shell\" ] || [ ! -x \"${1#@}\" ] || coracle_shell=${1#@};;\n"
    "-*) coracle_n=$(export -p); IFS='\n'; set -f\n"
    "for coracle_f in $coracle_n; do\n"
    "coracle_f=${coracle_f#export }; coracle_f=${coracle_f#declare -x }; coracle_f=${coracle_f%%=*}\n"
    "case $coracle_f in CORACLE_SET_*|[0-9]*|*[!A-Za-z0-9_]*|'') ;; ${1#-}) unset \"$coracle_f\";; esac\n"
    "done; unset IFS; set +f;;\n"
    "esac; shift; done; shift\n"
    "exec ${coracle_shell:+\"$coracle_shell\"} \"$@\"\n";

/* Bash knows what more scripts say than others do; Apptainer's interpreter is like it. */
static const char *const readers[] = {"/bin/bash", "/usr/bin/bash", "/bin/sh", "/busybox/sh", NULL};

struct list {
    char **items; /* ends with NULL */
    size_t count, room;
    struct arena *arena;
};

static void add(struct list *list, char *item)
{
    if (!list->items)
        list->items = arena_alloc(list->arena, sizeof(*list->items));
    list->items = arena_grow(list->arena, list->items, list->count + 1, &list->room, sizeof(*list->items));
    list->items[list->count++] = item;
    list->items[list->count] = NULL;
}

static int is_one_of(const char *name, const char *const names[])
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return 1;
    return 0;
}

/* A name that a shell takes. */
static int is_identifier(const char *name)
{
    if (*name >= '0' && *name <= '9')
        return 0;
    for (const char *p = name; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", *p))
            return 0;
    return *name != 0;
}

/* Whether an option has set NAME; so has `shell` its prompt. */
static int is_wanted(const struct request *request, const char *name)
{
    static const char *const prompt[] = {"debian_chroot", "PS1", "PROMPT_COMMAND", NULL};

    if (request->shell && is_one_of(name, prompt))
        return 1;
    for (size_t i = 0; i < request->env_count; i++)
        if (request->env[i].operation != ENV_UNSET && strcmp(request->env[i].name, name) == 0)
            return 1;
    return 0;
}

/* What the scripts may see: what the shell sets itself, and what schedulers, MPI and the session need. */
static int is_seen(const struct plan_inputs *in, const char *name, const char *entry)
{
    static const char *const own[] = {"PATH", "PWD", "OLDPWD", "SHLVL", "_", NULL};

    return is_one_of(name, own) || plan_variable_is_kept(in->arena, entry);
}

/* Gives the entries the names that they have while scripts run, and the argument that sets each again. */
static void hold_environment(struct plan *plan, const struct plan_inputs *in, struct list *argv)
{
    struct list environment = {.arena = in->arena};
    struct str held = {.arena = in->arena};

    for (char **entry = plan->environment; *entry; entry++) {
        const size_t length = strcspn(*entry, "=");
        const char *name = arena_strndup(in->arena, *entry, length);

        if (!(*entry)[length]) {
            add(&environment, *entry);
        } else if (is_identifier(name) && is_wanted(in->request, name)) {
            add(&environment, *entry);
            add(&environment, arena_join(in->arena, "CORACLE_SET_", *entry, NULL));
            add(argv, arena_join(in->arena, "=", name, NULL));
        } else if (is_identifier(name) && !is_seen(in, name, *entry)) {
            add(&environment, arena_join(in->arena, "CORACLE_HELD_", *entry, NULL));
            str_add(&held, held.length ? " " : "");
            str_add(&held, name);
        } else {
            add(&environment, *entry);
        }
    }
    add(&environment, arena_join(in->arena, "CORACLE_HELD=", str_text(&held), NULL));
    plan->environment = environment.items;
}

static void add_unset(struct list *argv, const struct request *request)
{
    for (size_t i = 0; i < request->env_count; i++)
        if (request->env[i].operation == ENV_UNSET)
            add(argv, arena_join(argv->arena, "-", request->env[i].name, NULL));
}

void plan_source(struct plan *plan, const struct plan_inputs *in)
{
    struct list argv = {.arena = in->arena};

    add(&argv, arena_strdup(in->arena, "shell"));
    add(&argv, arena_strdup(in->arena, "-c"));
    add(&argv, arena_strdup(in->arena, script));
    add(&argv, arena_strdup(in->arena, "coracle"));
    add_unset(&argv, in->request);
    hold_environment(plan, in, &argv);
    for (const char *const *shell = plan->shells; shell && *shell; shell++)
        if (strcmp(path_basename(*shell), "busybox") != 0) /* it would need another name */
            add(&argv, arena_join(in->arena, "@", *shell, NULL));
    add(&argv, arena_strdup(in->arena, "."));
    plan->sourced = FOREIGN_SCRIPTS;
    plan->sourced_origin = in->foreign->origin;
    plan->sourced_argc = argv.count;
    for (char *const *argument = plan->argv + (plan->shells != NULL); *argument; argument++)
        add(&argv, *argument);
    plan->argv = argv.items;
    plan->command_shells = plan->shells;
    plan->shells = readers;
}
