/* coracle exec: executes a command in a container that is running. */
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/str.h"
#include "commands.h"
#include "image/image.h"
#include "launch-options.h"
#include "launch/launch.h"
#include "share/target.h"

/* What TARGET says: a pid, a name, or a job with or without a step as Slurm writes it. */
struct wanted {
    const char *target;
    uint64_t number; /* where it is one: a pid, else a job */
    int is_number;
};

static int starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether SCOPE is the step TARGET ("77.0"), or any step of the job TARGET or the job itself. */
static int is_of_job(const char *scope, const char *target, struct arena *arena)
{
    const char *step = arena_join(arena, "slurm step ", target, NULL);
    const char *job = arena_join(arena, "slurm job ", target, NULL);
    const size_t length = strlen(step);

    if (strcmp(scope, step) == 0 || strcmp(scope, job) == 0 ||
        starts_with(scope, arena_join(arena, job, ",", NULL)))
        return 1;
    return starts_with(scope, step) &&
           (scope[length] == ',' || (!strchr(target, '.') && scope[length] == '.'));
}

static const char *scope_of(const struct share_brokers *brokers, size_t broker)
{
    for (size_t i = 0; i < brokers->line_count; i++)
        if (brokers->lines[i].broker == broker && brokers->lines[i].item.kind == SHARE_ITEM_BROKER)
            return brokers->lines[i].first;
    return "";
}

static int is_wanted(const struct share_line *line, const struct share_brokers *brokers,
                     const struct wanted *wanted, struct arena *arena)
{
    return line->item.kind == SHARE_ITEM_RANK &&
           (strcmp(line->first, wanted->target) == 0 ||
            is_of_job(scope_of(brokers, line->broker), wanted->target, arena));
}

static int ambiguous(const struct wanted *wanted, uint32_t a, uint32_t b, struct arena *arena,
                     struct err *err)
{
    return err_set(err, ERR_TARGET,
                   "%s is several containers that see different things (processes %u, %u); name one by its "
                   "process: coracle ps lists them",
                   str_quote(arena, wanted->target), a, b);
}

/* The process of the container that is wanted; 0 and ERR. Ranks of one view are one container. */
static pid_t find(const struct share_brokers *brokers, const struct wanted *wanted, struct arena *arena,
                  struct err *err)
{
    const struct share_line *found = NULL, *view = NULL, *found_view = NULL;

    for (size_t i = 0; i < brokers->line_count; i++) {
        const struct share_line *line = &brokers->lines[i];

        if (line->item.kind == SHARE_ITEM_VIEW)
            view = line;
        if (wanted->is_number && line->item.kind == SHARE_ITEM_RANK && line->item.pid == wanted->number)
            return (pid_t)line->item.pid;
        if (!is_wanted(line, brokers, wanted, arena) || (found && view == found_view))
            continue;
        if (found) {
            ambiguous(wanted, found->item.pid, line->item.pid, arena, err);
            return 0;
        }
        found = line;
        found_view = view;
    }
    if (found)
        return (pid_t)found->item.pid;
    if (wanted->is_number)
        return (pid_t)wanted->number; /* one that no broker knows */
    err_set(err, ERR_TARGET,
            "no container of yours on this node is called %s; coracle ps lists them, and coracle run "
            "executes a command in an image",
            str_quote(arena, wanted->target));
    return 0;
}

/* What the image says, from the broker or from the container's own root directory. */
static int learn_config(struct image *image, const struct share_meeting *meeting, pid_t pid, const char *name,
                        struct arena *arena, struct err *err)
{
    FD_CLEANUP int root = -1;

    *image = (struct image){.server.socket = -1};
    if (meeting->config >= 0)
        return image_take_config(image, meeting->config, arena, err);
    root = openat(AT_FDCWD, arena_printf(arena, "/proc/%d/root", (int)pid), O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root < 0 ? 0 : image_inspect_root(image, root, name, arena, err);
}

static int enter(struct launch_options *options, struct err *err)
{
    struct request *request = &options->request;
    struct arena *arena = options->arena;
    struct wanted wanted = {.target = request->image};
    struct share_brokers brokers;
    struct share_meeting meeting;
    struct image image;
    struct plan plan;
    pid_t pid;

    wanted.is_number = num_parse(request->image, INT32_MAX, &wanted.number) == 0 && wanted.number > 0;
    if (share_list_brokers(&brokers, arena, err) < 0)
        return -1;
    pid = find(&brokers, &wanted, arena, err);
    if (!pid || share_target(&meeting, pid, &brokers, err) < 0 ||
        learn_config(&image, &meeting, pid, request->image, arena, err) < 0)
        return -1;
    request->shell = !*request->command;
    request->entrypoint_choice = ENTRYPOINT_NONE;
    if (plan_join(&plan, request, image.config, image.foreign, &options->facts, arena, err) < 0)
        return -1;
    return launch_enter_view(&plan, &meeting, arena, err);
}

int cmd_exec(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct launch_options options;

    if (launch_options_read_process(&options, argc, argv, environment, arena, err) < 0)
        return -1;
    if (options.help)
        return launch_options_help_process(
            "coracle exec [OPTIONS] CONTAINER [--] [COMMAND [ARG...]]",
            "Executes COMMAND, or a shell, in a container that is running on this node. CONTAINER is\n"
            "a process in it, the NAME that run --name gave it, or a job or step of Slurm: 77, 77.0.",
            arena, err);
    return enter(&options, err);
}
