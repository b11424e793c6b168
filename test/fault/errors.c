/*
 * errors - each system call of the start fails once with each of a list of
 * errors. Whatever fails, the launch either works all the same, with the view
 * that was asked for, or ends with status 125 and one error line: never by a
 * signal, never half-way, and it always ends.
 *
 * Without CORACLE_TEST_LONG=1 each call gets one error of the list, in turn, and
 * the record's maker is met at each eleventh call.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../tap.h"
#include "registers.h"
#include "stage.h"
#include "syscall-name.h"

enum { SAMPLE = 11, MOST_PROCESSES = 4 };

static const struct {
    int number;
    const char *name;
} errors[] = {
    {ENOSPC, "ENOSPC"}, {EMFILE, "EMFILE"}, {ENOMEM, "ENOMEM"}, {EPERM, "EPERM"}, {ENOSYS, "ENOSYS"}};

enum { ERRORS = sizeof errors / sizeof errors[0] };

struct series {
    const struct scenario *scenario;
    int process;
    const char *world; /* before */
    int hit;
    int wrong;
};

/* The C library's own start, which it has no way to survive, and the end. */
static int is_exempt(long call)
{
#ifdef SYS_arch_prctl
    if (call == SYS_arch_prctl)
        return 1;
#endif
    return call == SYS_set_tid_address || call == SYS_exit_group || call == SYS_exit;
}

/* A command whose exec fails is "cannot be executed", or there is none. */
static int is_documented(int status, long call)
{
    return status == 125 || (call == SYS_execve && (status == 126 || status == 127));
}

static const char *check(const struct outcome *outcome)
{
    if (outcome->hung)
        return "the launch hangs";
    if (outcome->left)
        return "a process is left";
    if (WIFSIGNALED(outcome->status))
        return "the launcher dies by a signal";
    if (WEXITSTATUS(outcome->status) == 0)
        return NULL;
    if (!is_documented(WEXITSTATUS(outcome->status), outcome->call))
        return "neither success nor 125";
    return stage_is_one_error(outcome->output) ? NULL : "not one error line";
}

static const char *check_left(const struct series *series)
{
    struct arena arena;
    int same;

    arena_init(&arena, stage_no_memory);
    same = strcmp(stage_world(&arena), series->world) == 0;
    arena_free(&arena);
    return same ? NULL : "a mount, file or socket is left";
}

static void complain(struct series *series, const struct outcome *outcome, int which, const char *what)
{
    const char *text = outcome->output;

    series->wrong++;
    printf("# %s: %s#%d %s: %s (status 0x%x)\n", tap.row, syscall_name(outcome->call), outcome->ordinal,
           errors[which].name, what, (unsigned)outcome->status);
    while (*text) {
        size_t length = strcspn(text, "\n");

        printf("#     %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

/* The AT-th call fails with error WHICH. Returns whether the process got that far. */
static int fail_at(struct stage *stage, struct series *series, int at, int which)
{
    const struct fault fault = {
        .kind = FAULT_ERRNO, .process = series->process, .at = at, .errnum = errors[which].number};
    struct outcome outcome;
    const char *what;

    stage_launch(stage, series->scenario, &fault, &outcome);
    if (!outcome.hit)
        return 0;
    if (is_exempt(outcome.call))
        return 1;
    series->hit++;
    what = check(&outcome);
    if (!what)
        what = check_left(series);
    if (what)
        complain(series, &outcome, which, what);
    return 1;
}

static int fail_at_with_all(struct stage *stage, struct series *series, int at)
{
    int reached = 1;

    if (!stage_is_long())
        return fail_at(stage, series, at, at % ERRORS);
    for (int which = 0; which < ERRORS; which++)
        reached = fail_at(stage, series, at, which) && reached;
    return reached;
}

static int run_series(struct stage *stage, const struct scenario *scenario, int process)
{
    struct series series = {.scenario = scenario, .process = process};
    int step = process > 0 && !stage_is_long() ? SAMPLE : 1; /* not a multiple of ERRORS */
    struct arena arena;
    char row[128];

    snprintf(row, sizeof row, "%s, %s", scenario->name, process ? "record's maker" : "launcher");
    tap.row = row;
    arena_init(&arena, stage_no_memory);
    series.world = stage_world(&arena);
    for (int at = 1; fail_at_with_all(stage, &series, at); at += step)
        ;
    if (series.hit) {
        printf("# %s: %d failures\n", row, series.hit);
        TAP_INT(series.wrong, 0);
    }
    arena_free(&arena);
    tap.row = NULL;
    return series.hit;
}

int main(void)
{
    static struct stage stage;

    if (!registers_known()) {
        puts("1..0 # SKIP system calls are made to fail on x86_64 and aarch64 only");
        return 0;
    }
    stage_make(&stage);
    if (stage_is_sanitized(&stage)) {
        puts("1..0 # SKIP the sanitizers' own calls would fail");
        return 0;
    }
    for (int i = 0; i < scenario_count; i++) {
        if (scenarios[i].is_served && stage.cannot_serve) {
            printf("ok %d - %s # SKIP %s\n", ++tap.run, scenarios[i].name, stage.cannot_serve);
            continue;
        }
        TAP_TRUE(run_series(&stage, &scenarios[i], 0) > 0);
        for (int process = 1; scenarios[i].is_cold && process < MOST_PROCESSES; process++)
            if (!run_series(&stage, &scenarios[i], process))
                break;
    }
    return tap_done();
}
