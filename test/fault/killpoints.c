/*
 * killpoints - SIGKILL at every entry and exit of a system call of the start: of
 * the launcher, of the process that makes the node's record, and of the image's
 * server and those that start it. After each nothing of the launch is left but the
 * node's record, and the next one works. A server ends within a second of its
 * launch; where it is killed itself, the launch is refused or the command is told.
 *
 * Each point that was hit is named in the output. Without CORACLE_TEST_LONG=1
 * the record's maker, which makes hundreds of calls, is met at each eleventh, entries
 * and exits in turn, and the server at each fifth.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "../tap.h"
#include "stage.h"
#include "syscall-name.h"

enum {
    FEWEST_POINTS = 200,
    SAMPLE = 11,
    SERVED_SAMPLE = 5,
    SERVER = 2,
    MOST_PROCESSES = 4,
    SERVER_MS = 1000
};

/* The points of one process, in one way to launch. */
struct series {
    const struct scenario *scenario;
    struct fault fault;
    const char *world; /* before */
    int hit;
    int wrong;
    long longest_ms; /* that something of a launch outlived it */
};

static void print_indented(const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        printf("#     %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

/* What is wrong after the launch that was killed, or NULL. */
static const char *check_killed(const struct series *series, const struct outcome *outcome)
{
    if (outcome->hung)
        return "the launch hangs";
    if (outcome->left)
        return "a process is left";
    if (series->scenario->is_served && outcome->after_ms > SERVER_MS)
        return "the server lives on for more than a second";
    /* A command may just have ended by itself. */
    if (series->fault.kind == FAULT_KILL_LAUNCHER && outcome->executed)
        return NULL;
    if (series->fault.process == 0 || series->fault.kind == FAULT_KILL_LAUNCHER)
        return WIFSIGNALED(outcome->status) ? NULL : "the launcher survived SIGKILL";
    if (outcome->status == 0)
        return NULL;
    /* A command that has lost its image may end in any way. */
    if (series->scenario->is_served && outcome->executed)
        return NULL;
    if (!WIFEXITED(outcome->status) || WEXITSTATUS(outcome->status) != 125)
        return "neither success nor 125";
    return stage_is_one_error(outcome->output) ? NULL : "not one error line";
}

/* What the killed launch left, or NULL. The half-written record that it may leave is one entry. */
static const char *check_left(const struct stage *stage, const struct series *series)
{
    const char *what = NULL;
    struct arena arena;

    arena_init(&arena, stage_no_memory);
    if (strcmp(stage_world(&arena), series->world) != 0)
        what = "a mount, file or socket is left";
    else if (stage_record_entries() > stage->record_entries + 1)
        what = "files pile up beside the record";
    arena_free(&arena);
    return what;
}

static const char *check_next(struct stage *stage, const struct series *series, struct outcome *outcome)
{
    const struct fault none = {.kind = FAULT_NONE};

    stage_age_leftovers(stage);
    stage_launch(stage, series->scenario, &none, outcome);
    return outcome->status == 0 && !outcome->hung ? NULL : "the next launch fails";
}

/* One point. Returns whether the process got that far. */
static int kill_at(struct stage *stage, struct series *series, int at)
{
    struct outcome outcome, next;
    const char *what;

    series->fault.at = at;
    stage_launch(stage, series->scenario, &series->fault, &outcome);
    if (!outcome.hit)
        return 0;
    series->hit++;
    if (outcome.after_ms > series->longest_ms)
        series->longest_ms = outcome.after_ms;
    next = outcome;
    what = check_killed(series, &outcome);
    if (!what)
        what = check_left(stage, series);
    if (!what)
        what = check_next(stage, series, &next);
    printf("# %s: %s#%d %s: %s\n", tap.row, syscall_name(outcome.call), outcome.ordinal,
           outcome.is_entry ? "entry" : "exit", what ? what : "hit");
    if (what) {
        series->wrong++;
        printf("#     status 0x%x\n", (unsigned)next.status);
        print_indented(next.output);
    }
    return 1;
}

/* Whether a complete launch clears what the killed ones left beside the record. */
static int is_cleared(struct stage *stage, const struct series *series)
{
    struct outcome outcome;

    return !check_next(stage, series, &outcome) && stage_record_entries() == stage->record_entries;
}

static const char *name_of(const struct scenario *scenario, int process)
{
    static const char *const served[MOST_PROCESSES] = {"launcher", "server's parent", "server",
                                                       "server's helper"};

    return !process ? "launcher" : scenario->is_served ? served[process] : "record's maker";
}

static int step_of(const struct scenario *scenario, int process)
{
    if (process == 0 || stage_is_long())
        return 1;
    if (scenario->is_served)
        return process == SERVER ? SERVED_SAMPLE : 1;
    return SAMPLE;
}

/* Returns how many points were hit. */
static int run_series(struct stage *stage, const struct scenario *scenario, enum fault_kind kind, int process)
{
    struct series series = {.scenario = scenario, .fault = {.kind = kind, .process = process}};
    int step = step_of(scenario, process);
    struct arena arena;
    char row[128];

    snprintf(row, sizeof row, "%s, %s%s", scenario->name, name_of(scenario, process),
             kind == FAULT_KILL_LAUNCHER ? " (the launcher dies)" : "");
    tap.row = row;
    arena_init(&arena, stage_no_memory);
    series.world = stage_world(&arena);
    for (int at = 1; kill_at(stage, &series, at); at += step)
        ;
    if (series.hit) {
        printf("# %s: %d points; something outlived a launch by up to %ld ms\n", row, series.hit,
               series.longest_ms);
        TAP_INT(series.wrong, 0);
        TAP_TRUE(is_cleared(stage, &series));
    }
    arena_free(&arena);
    tap.row = NULL;
    return series.hit;
}

static int run_scenario(struct stage *stage, const struct scenario *scenario)
{
    int points = run_series(stage, scenario, FAULT_KILL, 0);
    int last = scenario->is_cold || scenario->is_served ? MOST_PROCESSES - 1 : 0;

    for (int process = 1; process <= last; process++) {
        int hit = run_series(stage, scenario, FAULT_KILL, process);

        if (process == 1)
            TAP_TRUE(hit > 0);
        if (!hit)
            break;
        points += hit + run_series(stage, scenario, FAULT_KILL_LAUNCHER, process);
    }
    if (scenario->is_served) {
        printf("# %s: %d points in all\n", scenario->name, points);
        TAP_TRUE(points >= FEWEST_POINTS);
    }
    return points;
}

int main(void)
{
    static struct stage stage;
    int points = 0;

    stage_make(&stage);
    for (int i = 0; i < scenario_count; i++) {
        if (scenarios[i].is_served && stage.cannot_serve)
            printf("ok %d - %s # SKIP %s\n", ++tap.run, scenarios[i].name, stage.cannot_serve);
        else
            points += run_scenario(&stage, &scenarios[i]);
    }
    printf("# %d points were hit\n", points);
    TAP_TRUE(points >= FEWEST_POINTS);
    return tap_done();
}
