#include "launch/launch.h"

#include "launch/state.h"

/* Logs one part of the plan in the words of its printer. */
static void trace(const struct launch *launch, void (*print)(const struct plan *, struct str *))
{
    struct str text = {.arena = launch->arena};

    if (!log_enabled(LOG_TRACE))
        return;
    print(launch->plan, &text);
    log_text(LOG_TRACE, str_text(&text));
}

static void trace_row(const struct launch *launch, size_t index)
{
    struct str text = {.arena = launch->arena};

    if (!log_enabled(LOG_TRACE))
        return;
    plan_print_row(&launch->plan->rows[index], &text);
    log_text(LOG_TRACE, str_text(&text));
}

static int mount_rows(struct launch *launch, struct err *err)
{
    for (size_t i = 0; i < launch->plan->row_count; i++) {
        trace_row(launch, i);
        if (launch_row(launch, i, err) < 0)
            return -1;
    }
    return launch_seal(launch, err);
}

/* What is each launch's own, however it came into its view. */
static int become_command(struct launch *launch, struct err *err)
{
    if (launch_workdir(launch, err) < 0)
        return -1;
    if (launch->meeting->broker >= 0 && launch->meeting->way == SHARE_LEAD)
        launch_prime_command(launch);
    launch_tell_ready(launch);
    if (launch_lockdown(launch, err) < 0)
        return -1;
    trace(launch, plan_print_tail);
    return launch_exec(launch, err);
}

int launch_run(const struct plan *plan, const struct image_server *server,
               const struct share_meeting *meeting, struct arena *arena, struct err *err)
{
    struct launch launch = {.plan = plan,
                            .server = server,
                            .meeting = meeting,
                            .arena = arena,
                            .process = -1,
                            .root = -1,
                            .image = -1,
                            .files = -1,
                            .stage = -1,
                            .parent = -1};

    trace(&launch, plan_print_head);
    if (launch_namespaces(&launch, err) < 0)
        return -1;
    if (launch_sources(&launch, err) < 0)
        return -1;
    if (launch_root(&launch, err) < 0)
        return -1;
    if (mount_rows(&launch, err) < 0)
        return -1;
    if (launch_enter(&launch, err) < 0)
        return -1;
    return become_command(&launch, err);
}

int launch_enter_view(const struct plan *plan, const struct share_meeting *meeting, struct arena *arena,
                      struct err *err)
{
    struct launch launch = {.plan = plan, .meeting = meeting, .arena = arena};

    trace(&launch, plan_print_head);
    for (size_t i = 0; i < plan->row_count; i++)
        trace_row(&launch, i);
    log_message(LOG_WAYS, "way: another rank has mounted all this; its view is entered");
    if (launch_join_namespaces(meeting, err) < 0)
        return -1;
    return become_command(&launch, err);
}
