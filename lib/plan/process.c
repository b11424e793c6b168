/* Where the command starts and what it is. */
#include <string.h>

#include "base/env.h"
#include "base/path.h"
#include "plan/build.h"

static struct plan_workdir *add_workdir(struct plan *plan, const char *path, const char *origin)
{
    struct plan_workdir *workdir = &plan->workdirs[plan->workdir_count++];

    *workdir = (struct plan_workdir){.path = path, .origin = origin};
    return workdir;
}

void plan_workdirs(struct plan *plan, const struct plan_inputs *in)
{
    const struct request *request = in->request;
    const struct host_facts *facts = in->facts;

    if (request->workdir) {
        add_workdir(plan, path_join(in->arena, "/", request->workdir), request->workdir_origin)->required = 1;
        return;
    }
    if (facts->cwd)
        add_workdir(plan, facts->cwd, "current directory")->is_callers = 1;
    if (facts->physical_cwd && strcmp(facts->cwd, facts->physical_cwd) != 0)
        add_workdir(plan, facts->physical_cwd, "current directory")->is_callers = 1;
    if (in->config && in->config->workdir && *in->config->workdir)
        add_workdir(plan, path_join(in->arena, "/", in->config->workdir), "image");
    if (in->foreign && in->foreign->workdir)
        add_workdir(plan, path_join(in->arena, "/", in->foreign->workdir), in->foreign->workdir_origin);
    add_workdir(plan, "/", "default");
}

static size_t count(char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

/* HEAD and then TAIL, either may be NULL. */
static char **concatenate(struct arena *arena, char *const *head, char *const *tail)
{
    size_t n = count(head), m = count(tail);
    char **list = arena_alloc(arena, (n + m + 1) * sizeof(*list));

    if (n)
        memcpy(list, head, n * sizeof(*list));
    if (m)
        memcpy(list + n, tail, m * sizeof(*list));
    return list;
}

/* Adds SHELL at the end of SHELLS, which ends with NULL, once. */
static void add_shell(const char **shells, const char *shell)
{
    if (*shell != '/')
        return;
    while (*shells && strcmp(*shells, shell) != 0)
        shells++;
    *shells = shell;
}

/* $SHELL, the login shell, and then what images have, best first. */
static void plan_shell(struct plan *plan, const struct plan_inputs *in)
{
    static const char *const usual[] = {"/bin/bash", "/usr/bin/bash", "/bin/zsh",    "/bin/ash",
                                        "/bin/sh",   "/usr/bin/sh",   "/busybox/sh", "/bin/busybox"};
    enum { USUAL = sizeof(usual) / sizeof(usual[0]) };
    const char **shells = arena_alloc(in->arena, (USUAL + 3) * sizeof(*shells));
    const char *shell = env_find(in->facts->environment, "SHELL");
    char *const place_holder[] = {arena_strdup(in->arena, "shell"), NULL};

    add_shell(shells, shell ? shell : "");
    add_shell(shells, in->facts->record.shell);
    for (size_t i = 0; i < USUAL; i++)
        add_shell(shells, usual[i]);
    plan->shells = shells;
    plan->argv = concatenate(in->arena, place_holder, in->request->command);
    plan->command_origin = "shell";
}

static int no_command(const struct request *request, struct err *err)
{
    const char *image = str_quote(request->arena, request->image);

    return err_set(
        err, ERR_NO_COMMAND,
        "no command was given and the image %s names none; give one (coracle run %s -- COMMAND) or "
        "start a shell (coracle shell %s)",
        image, image, image);
}

/* As Docker does it: the arguments take the place of CMD; a new entry point makes CMD void. */
int plan_command(struct plan *plan, const struct plan_inputs *in, struct err *err)
{
    const struct request *request = in->request;
    char *const given[] = {arena_strdup(in->arena, request->entrypoint ? request->entrypoint : ""), NULL};
    char *const *entrypoint = in->config    ? in->config->entrypoint
                              : in->foreign ? in->foreign->entrypoint
                                            : NULL;
    char *const *cmd = in->config ? in->config->cmd : in->foreign ? in->foreign->cmd : NULL;
    const char *origin = in->foreign && in->foreign->run_origin ? in->foreign->run_origin : NULL;

    if (in->config && in->config->user && *in->config->user)
        plan->image_user = in->config->user;
    if (request->shell) {
        plan_shell(plan, in);
        return 0;
    }
    if (request->entrypoint_choice == ENTRYPOINT_NONE)
        entrypoint = NULL;
    if (request->entrypoint_choice == ENTRYPOINT_GIVEN) {
        entrypoint = *given[0] ? given : NULL; /* an empty one means none, as with Docker */
        cmd = NULL;
    }
    plan->command_origin = *request->command ? "arguments" : origin ? origin : "image";
    plan->argv = concatenate(in->arena, entrypoint, *request->command ? request->command : cmd);
    if (!plan->argv[0] && !request->is_shown)
        return no_command(request, err);
    if (entrypoint && *entrypoint)
        plan->command_origin = request->entrypoint_choice == ENTRYPOINT_GIVEN ? request->entrypoint_origin
                               : origin                                       ? origin
                                                                              : "entry point of the image";
    return 0;
}
