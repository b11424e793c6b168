/*
 * meetpoints - SIGKILL at every entry and exit of a system call of launches that
 * meet: of the first rank of a scope, of one that enters its view, of one that builds
 * another, of coracle-broker and of coracle-fuse. When it comes a peer is on its
 * way already, and waits for what the killed one was about to do. The peer works, and
 * is where those are who live on; so does a launch that comes later; and when all have
 * gone nothing is left.
 *
 * Each point that was hit is named in the output. Without CORACLE_TEST_LONG=1 it
 * is about each tenth, entries and exits in turn.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tap.h"
#include "base/fd.h"
#include "rank.h"
#include "seized-broker.h"
#include "stage.h"
#include "syscall-name.h"

enum { SAMPLE = 11, PEER_SECONDS = 5, ARRIVES_US = 3000, GOES_MS = 2000, LEFT_MS = 3000 };

/* Processes of a launch, in the order of their coming. */
enum {
    LAUNCHER,
    BROKERS_PARENT,
    BROKER,
    SERVERS_PARENT,
    SERVER,
    SERVERS_HELPER,
};

enum { DIRECTORY, SERVED, SERVED_LACKING };

/* The view that most ask for, and another one. */
static const struct scenario views[] = {
    {.image = "full", .checks = {"image:full", "there:/etc/passwd", "where"}},
    {.image = "full", .is_served = 1, .checks = {"image:full", "there:/etc/passwd", "where"}},
};
static const struct scenario others[] = {
    {.image = "full",
     .options = {"--bind", "/tmp/source:/run:ro"},
     .checks = {"image:full", "there:/run/file", "where"}},
    {.image = "full",
     .is_served = 1,
     .options = {"--bind", "/tmp/source:/run:ro"},
     .checks = {"image:full", "there:/run/file", "where"}},
    {.image = "full",
     .is_served = 1,
     .options = {"--bind", "/tmp/source:/deep/down/target:ro"},
     .checks = {"image:full", "there:/deep/down/target/file", "where"}},
};
static const struct scenario holders[] = {
    {.image = "full", .checks = {"image:full", "where", "hold"}},
    {.image = "full", .is_served = 1, .checks = {"image:full", "where", "hold"}},
};

/* What a peer shares with the one who holds. */
enum relation { NOTHING, USER, IMAGE, VIEW };

static const struct part {
    const char *name;
    const struct scenario *killed, *holder; /* NULL: nobody was there before */
    enum relation relation;                 /* of the killed one and its peer with the holder */
    int process;
    enum fault_kind kind;

} parts[] = {
    {"first, directory: launcher", &views[DIRECTORY], NULL, NOTHING, LAUNCHER, FAULT_KILL},
    {"first, directory: broker's parent", &views[DIRECTORY], NULL, NOTHING, BROKERS_PARENT, FAULT_KILL},
    {"first, directory: broker", &views[DIRECTORY], NULL, NOTHING, BROKER, FAULT_KILL},
    {"first, directory: launcher, while the broker is at", &views[DIRECTORY], NULL, NOTHING, BROKER,
     FAULT_KILL_LAUNCHER},
    {"first, SquashFS: launcher", &views[SERVED], NULL, NOTHING, LAUNCHER, FAULT_KILL},
    {"first, SquashFS: broker", &views[SERVED], NULL, NOTHING, BROKER, FAULT_KILL},
    {"first, SquashFS: launcher, while the broker is at", &views[SERVED], NULL, NOTHING, BROKER,
     FAULT_KILL_LAUNCHER},
    {"first, SquashFS: server's parent", &views[SERVED], NULL, NOTHING, SERVERS_PARENT, FAULT_KILL},
    {"first, SquashFS: server", &views[SERVED], NULL, NOTHING, SERVER, FAULT_KILL},
    {"first, SquashFS: launcher, while the server is at", &views[SERVED], NULL, NOTHING, SERVER,
     FAULT_KILL_LAUNCHER},
    {"enters, directory", &views[DIRECTORY], &holders[DIRECTORY], VIEW, LAUNCHER, FAULT_KILL},
    {"enters, SquashFS", &views[SERVED], &holders[SERVED], VIEW, LAUNCHER, FAULT_KILL},
    {"builds, directory", &others[DIRECTORY], &holders[DIRECTORY], USER, LAUNCHER, FAULT_KILL},
    {"builds, SquashFS", &others[SERVED], &holders[SERVED], IMAGE, LAUNCHER, FAULT_KILL},
    {"builds, SquashFS, missing mount points", &others[SERVED_LACKING], &holders[SERVED], USER, LAUNCHER,
     FAULT_KILL},
    {"further image: launcher", &views[SERVED], &holders[DIRECTORY], USER, LAUNCHER, FAULT_KILL},
    {"further image: server", &views[SERVED], &holders[DIRECTORY], USER, BROKER, FAULT_KILL},
};

/* Of the broker while somebody holds, and another rank comes, goes, and at last the holder goes. */
static const struct broker_part {
    const char *name;
    const struct scenario *second, *holder;
} broker_parts[] = {
    {"broker, a second rank enters, directory", &views[DIRECTORY], &holders[DIRECTORY]},
    {"broker, a second rank enters, SquashFS", &views[SERVED], &holders[SERVED]},
    {"broker, a second rank builds, directory", &others[DIRECTORY], &holders[DIRECTORY]},
    {"broker, a second rank builds, SquashFS", &others[SERVED], &holders[SERVED]},
    {"broker, a second rank leads a further image", &views[SERVED], &holders[DIRECTORY]},
};

/* Where the launch that is to be killed is traced, in a process of its own: its children are all of the
 * launch. */
struct tracer {
    pid_t pid;
    int line;                /* a byte from it: it is about to kill; one to it: go on */
    struct outcome *outcome; /* shared memory */
};

struct series {
    struct stage *stage;
    const struct part *part;
    struct rank holder, peer;
    struct where held;
    const char *world;
    struct arena arena;
    int hit, wrong;
    int64_t longest; /* us that a peer took from the kill on */
};

static struct outcome *shared_outcome;

/* --- the one that is killed --- */

static void wait_for_word(void *context)
{
    int line = *(int *)context;
    char byte = 0;

    if (write(line, &byte, 1) != 1 || read(line, &byte, 1) != 1)
        _exit(1);
}

static void __attribute__((noreturn))
trace(struct series *series, const struct fault *asked, struct outcome *outcome, int line)
{
    struct fault fault = *asked;

    fault.before = wait_for_word;
    fault.context = &line;
    stage_launch(series->stage, series->part->killed, &fault, outcome);
    _exit(0);
}

static void start_tracer(struct tracer *tracer, struct series *series, int at)
{
    const struct fault fault = {.kind = series->part->kind, .process = series->part->process, .at = at};
    int ends[2];

    tracer->outcome = shared_outcome;
    memset(tracer->outcome, 0, sizeof *tracer->outcome);
    fflush(stdout);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        stage_no_memory();
    tracer->pid = fork();
    if (tracer->pid == 0)
        trace(series, &fault, tracer->outcome, ends[1]);
    close(ends[1]);
    tracer->line = ends[0];
}

/* Waits until it is about to kill. 1, or 0: it has come to its end without. */
static int is_at_point(const struct tracer *tracer)
{
    char byte;

    return read(tracer->line, &byte, 1) == 1;
}

static int let_kill(const struct tracer *tracer)
{
    return send(tracer->line, "", 1, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* Waits for the end of all that the launch started. What is wrong, or NULL. */
static const char *end_tracer(struct tracer *tracer)
{
    int status = -1;

    close(tracer->line);
    waitpid(tracer->pid, &status, 0);
    if (status != 0)
        return "the harness failed";
    return tracer->outcome->hung ? "the launch hangs" : tracer->outcome->left ? "a process is left" : NULL;
}

/* --- what is wrong --- */

static int shows_one_error(const char *output)
{
    const char *error = strstr(output, "coracle: error: ");

    return error && stage_is_one_error(error);
}

static int is_of_server(const struct part *part)
{
    return part->kind == FAULT_KILL && (part->process >= SERVERS_PARENT || (part->holder && part->process));
}

static const char *check_killed(const struct part *part, const struct outcome *outcome)
{
    if (part->kind == FAULT_KILL_LAUNCHER && outcome->executed)
        return NULL;
    if (part->process == LAUNCHER || part->kind == FAULT_KILL_LAUNCHER)
        return WIFSIGNALED(outcome->status) ? NULL : "the launcher survived SIGKILL";
    if (outcome->status == 0)
        return NULL;
    if (!is_of_server(part))
        return "the broker's end fails the launch";
    if (outcome->executed)
        return NULL; /* a command that has lost its image may end in any way */
    if (!WIFEXITED(outcome->status) || WEXITSTATUS(outcome->status) != 125)
        return "neither success nor 125";
    return shows_one_error(outcome->output) ? NULL : "not one error line";
}

static const char *check_place(const struct where *held, const struct where *found, enum relation relation)
{
    if (relation >= USER && strcmp(held->user, found->user) != 0)
        return "the peer is in another user namespace";
    if (relation == IMAGE && strcmp(held->device, found->device) != 0)
        return "the peer does not share the image's mount";
    if (relation == VIEW && strcmp(held->mount, found->mount) != 0)
        return "the peer does not share the view";
    if (relation >= USER && relation < VIEW && strcmp(held->mount, found->mount) == 0)
        return "the peer is in a view that it did not ask for";
    return NULL;
}

static const char *check_peer(struct rank *peer, const struct where *held, enum relation relation)
{
    struct where found;

    if (!rank_wait(peer, PEER_SECONDS))
        return "the peer hangs";
    if (peer->status != 0)
        return "the peer fails";
    if (!rank_where(peer, &found))
        return "the peer does not say where it is";
    return check_place(held, &found, relation);
}

/* Whether the peer may have lost the image that it was in with the killed server. */
static int is_excused(const struct part *part, const struct outcome *outcome)
{
    return is_of_server(part) && outcome->executed;
}

/* The mounts, files and sockets come to what they were before. */
static const char *check_world(const struct series *series)
{
    const int64_t end = rank_now() + GOES_MS * 1000;
    int same;

    do {
        struct arena arena;

        arena_init(&arena, stage_no_memory);
        same = strcmp(stage_world(&arena), series->world) == 0;
        arena_free(&arena);
        if (!same)
            rank_nap(1000);
    } while (!same && rank_now() < end);
    return same ? NULL : "a mount, file or socket is left";
}

static const char *check_next(struct series *series, const struct scenario *scenario)
{
    struct rank next;
    const char *what;

    rank_start(&next, series->stage, scenario);
    what = check_peer(&next, &series->held, series->holder.pid ? series->part->relation : NOTHING);
    if (what)
        printf("#     of a later launch:\n");
    rank_close(&next);
    return what;
}

static void print_rank(const char *name, const struct rank *rank)
{
    char text[4096];

    rank_output(rank, text, sizeof text);
    printf("#     %s, status 0x%x:\n", name, (unsigned)rank->status);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        printf("#       %s\n", line);
}

static void tell(struct series *series, const struct outcome *outcome, const char *what)
{
    series->hit++;
    printf("# %s: %s#%d %s: %s\n", tap.row, syscall_name(outcome->call), outcome->ordinal,
           outcome->is_entry ? "entry" : "exit", what ? what : "hit");
    if (!what)
        return;
    series->wrong++;
    printf("#     status 0x%x: %.*s\n", (unsigned)outcome->status, (int)strcspn(outcome->output, "\n"),
           outcome->output);
    if (series->peer.pid)
        print_rank("peer", &series->peer);
}

/* --- one point of a launch --- */

static const char *check_point(struct series *series, const struct outcome *outcome, const char *what,
                               const char *of_next)
{
    const struct part *part = series->part;
    const char *of_peer = check_peer(&series->peer, &series->held, part->relation);

    if (!what)
        what = check_killed(part, outcome);
    if (!what && !is_excused(part, outcome))
        what = of_peer;
    if (!what && part->holder && waitpid(series->holder.pid, NULL, WNOHANG) != 0)
        what = "the one who holds has ended";
    if (!what)
        what = of_next;
    if (!what && !part->holder && rank_left(LEFT_MS))
        what = "a process is left";
    return what ? what : check_world(series);
}

/* Returns whether the process got that far. */
static int kill_at(struct series *series, int at)
{
    struct tracer tracer;
    const char *what, *of_next;
    int64_t killed;

    start_tracer(&tracer, series, at);
    if (!is_at_point(&tracer)) {
        end_tracer(&tracer);
        return 0;
    }
    rank_start(&series->peer, series->stage, series->part->killed);
    rank_nap(ARRIVES_US);
    killed = rank_now();
    let_kill(&tracer);
    rank_wait(&series->peer, PEER_SECONDS);
    /* While a broker is still there to tell it what happened to a server. */
    of_next = check_next(series, series->part->killed);
    what = end_tracer(&tracer);
    what = check_point(series, tracer.outcome, what, of_next);
    if (series->peer.ended - killed > series->longest)
        series->longest = series->peer.ended - killed;
    tell(series, tracer.outcome, what);
    rank_close(&series->peer);
    return 1;
}

static void begin(struct series *series, struct stage *stage, const char *name)
{
    static int number;
    char key[64];

    memset(series, 0, sizeof *series);
    series->stage = stage;
    tap.row = name;
    snprintf(key, sizeof key, "meetpoints %d %d", (int)getpid(), number++);
    stage_share(stage, key, 0);
    arena_init(&series->arena, stage_no_memory);
}

static void start_holder(struct series *series, const struct scenario *scenario)
{
    rank_start(&series->holder, series->stage, scenario);
    if (!rank_says(&series->holder, "held", PEER_SECONDS) || !rank_where(&series->holder, &series->held)) {
        print_rank("holder", &series->holder);
        TAP_TRUE(!"the one who holds works");
    }
}

static void end_holder(struct series *series)
{
    rank_release(&series->holder);
    TAP_TRUE(rank_wait(&series->holder, PEER_SECONDS));
    TAP_INT(series->holder.status, 0);
    rank_close(&series->holder);
}

static int run_part(struct stage *stage, const struct part *part)
{
    struct series series;
    int step = stage_is_long() ? 1 : SAMPLE;

    begin(&series, stage, part->name);
    series.part = part;
    if (part->holder)
        start_holder(&series, part->holder);
    rank_nap(ARRIVES_US);
    series.world = stage_world(&series.arena);
    for (int at = 1; kill_at(&series, at); at += step)
        ;
    if (part->holder)
        end_holder(&series);
    printf("# %s: %d points; a peer ended up to %lld ms after the kill\n", part->name, series.hit,
           (long long)series.longest / 1000);
    TAP_TRUE(series.hit > 0);
    TAP_INT(series.wrong, 0);
    TAP_INT(rank_left(LEFT_MS), 0);
    arena_free(&series.arena);
    tap.row = NULL;
    return series.hit;
}

/* --- one point of a broker --- */

/* The broker goes on, and is killed, while PEER comes and goes, and at last the one who holds goes. */
static void lead_to_point(struct series *series, struct seized *seized)
{
    const int64_t end = rank_now() + 2 * PEER_SECONDS * 1000000ll;

    while (rank_now() < end && (!series->holder.is_over || !seized->is_over)) {
        int status;
        pid_t pid = waitpid(-1, &status, __WALL | WNOHANG);

        if (pid < 0)
            return;
        if (pid == 0)
            rank_nap(50);
        else if (!seized_takes(seized, pid, status))
            if (!rank_takes(&series->peer, pid, status))
                rank_takes(&series->holder, pid, status);
        if (series->peer.is_over)
            rank_release(&series->holder);
    }
}

static const char *check_broker_point(struct series *series, const struct seized *seized)
{
    if (!series->peer.is_over)
        return "the peer hangs";
    if (!series->holder.is_over || series->holder.status != 0)
        return "the one who holds does not end, or fails";
    if (series->peer.status != 0)
        return "the peer fails";
    if (!seized->is_over)
        return "the broker lives on";
    return rank_left(LEFT_MS) ? "a process is left" : check_world(series);
}

static int kill_broker_at(struct series *series, const struct broker_part *part, int at)
{
    struct seized seized;
    const char *what;
    pid_t broker;

    start_holder(series, part->holder);
    rank_nap(ARRIVES_US); /* it has settled */
    if (rank_orphans("coracle-broker", &broker, 1) != 1 || seized_begin(&seized, broker, at) < 0) {
        TAP_TRUE(!"there is a broker to kill");
        return 0;
    }
    rank_start(&series->peer, series->stage, part->second);
    lead_to_point(series, &seized);
    what = check_broker_point(series, &seized);
    if (!what)
        what = check_next(series, part->second);
    if (!what && rank_left(LEFT_MS))
        what = "a process is left";
    if (seized.outcome.hit || what)
        tell(series, &seized.outcome, what);
    rank_close(&series->peer);
    rank_close(&series->holder);
    return seized.outcome.hit && !what;
}

static int run_broker_part(struct stage *stage, const struct broker_part *part)
{
    static const struct part none;
    struct series series;
    int step = stage_is_long() ? 1 : SAMPLE;

    begin(&series, stage, part->name);
    series.part = &none;
    series.world = stage_world(&series.arena);
    for (int at = 1; kill_broker_at(&series, part, at); at += step)
        ;
    printf("# %s: %d points\n", part->name, series.hit);
    TAP_TRUE(series.hit > 0);
    TAP_INT(series.wrong, 0);
    TAP_INT(rank_left(LEFT_MS), 0);
    arena_free(&series.arena);
    tap.row = NULL;
    return series.hit;
}

static int cannot_run(const struct stage *stage, const char *name, const struct scenario *killed)
{
    if (!killed->is_served || !stage->cannot_serve)
        return 0;
    printf("ok %d - %s # SKIP %s\n", ++tap.run, name, stage->cannot_serve);
    return 1;
}

int main(void)
{
    static struct stage stage;
    int points = 0;

    stage_make(&stage);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    shared_outcome =
        mmap(NULL, sizeof *shared_outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared_outcome == MAP_FAILED)
        stage_no_memory();
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!cannot_run(&stage, parts[i].name, parts[i].killed))
            points += run_part(&stage, &parts[i]);
    for (size_t i = 0; i < sizeof broker_parts / sizeof broker_parts[0]; i++)
        if (!cannot_run(&stage, broker_parts[i].name, broker_parts[i].second))
            points += run_broker_part(&stage, &broker_parts[i]);
    printf("# %d points were hit\n", points);
    return tap_done();
}
