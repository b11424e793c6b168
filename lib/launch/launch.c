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

int launch_run(const struct plan *plan, const struct image_server *server, struct arena *arena,
               struct err *err)
{
    struct launch launch = {
        .plan = plan, .server = server, .arena = arena, .root = -1, .image = -1, .files = -1, .parent = -1};

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
    if (launch_workdir(&launch, err) < 0)
        return -1;
    if (launch_lockdown(&launch, err) < 0)
        return -1;
    trace(&launch, plan_print_tail);
    return launch_exec(&launch, err);
}
