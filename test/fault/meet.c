/*
 * meet - launches that meet, some at a time: of two SquashFS images and a directory,
 * with three views each, among them killed ones: ranks, brokers and servers, with
 * SIGKILL at random moments. Every launch ends; those that work have seen their image
 * and their bind; those that fail were killed, or their server was; ranks that are alive
 * together are in one user namespace, unless a broker was killed between; and afterwards
 * nothing is left.
 *
 * 1,000 launches, 10,000 with CORACLE_TEST_LONG=1. CORACLE_TEST_SEED repeats a run's
 * choices, though not its timing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tap.h"
#include "base/fd.h"
#include "rank.h"
#include "stage.h"

enum { LAUNCHES = 1000, LONG_LAUNCHES = 10000, MOST_ALIVE = 6, IMAGES = 3, VIEWS = 3 };
enum {
    LAUNCH_US = 20 * 1000000,
    LEFT_MS = 12000,
    NAP_US = 200,
    HEARD_US = 250000,
    TARGETS = 16,
    MOST_TOLD = 5
};
/* Of a thousand turns of the loop. */
enum { KILL_OF = 1000, KILL_BROKER = 4, KILL_SERVER = 8, KILL_RANK = 40 };

static const struct scenario launches[IMAGES][VIEWS] = {
    {{.image = "full", .checks = {"image:full", "there:/etc/passwd", "where", "nap:4"}},
     {.image = "full",
      .options = {"--bind", "/tmp/source:/run:ro"},
      .checks = {"image:full", "holds:/run/file=source", "where", "nap:9"}},
     {.image = "full",
      .options = {"--tmpfs", "/run", "--bind", "/tmp/other:/run/other:ro"},
      .checks = {"image:full", "holds:/run/other/file=other", "where", "nap:2"}}},
    {{.image = "full", .is_served = 1, .checks = {"image:full", "there:/etc/passwd", "where", "nap:4"}},
     {.image = "full",
      .is_served = 1,
      .options = {"--bind", "/tmp/source:/run:ro"},
      .checks = {"image:full", "holds:/run/file=source", "where", "nap:7"}},
     {.image = "full",
      .is_served = 1,
      .options = {"--bind", "/tmp/other:/deep/down:ro"},
      .checks = {"image:full", "holds:/deep/down/file=other", "where", "nap:3"}}},
    {{.image = "bare", .is_served = 1, .checks = {"image:bare", "where", "nap:4"}},
     {.image = "bare",
      .is_served = 1,
      .options = {"--bind", "/tmp/source:/one/two:ro"},
      .checks = {"image:bare", "holds:/one/two/file=source", "where", "nap:8"}},
     {.image = "bare",
      .is_served = 1,
      .options = {"--writable-tmpfs", "--bind", "/tmp/other:/one:ro"},
      .checks = {"image:bare", "holds:/one/file=other", "rw:/", "where", "nap:1"}}},
};

/* A launch that is under way. */
struct flight {
    struct rank rank;
    int brokers_killed, servers_killed; /* when it began */
    int is_killed;
    struct where where;
    int has_told;
};

struct meet {
    struct stage stage;
    struct flight flights[MOST_ALIVE];
    int alive; /* at most */
    int images;
    int began, ended, worked;
    int ranks_killed, launchers_killed, brokers_killed, servers_killed;
    int failed_by_server; /* launches that lost their image */
    int entered;          /* were in a view with another */
    int alone;            /* said that they share nothing */
    int pairs, apart;     /* that were alive together */
    int wrong, hung;
    int64_t longest, server_killed; /* us; when it was */
};

static int is_called(pid_t pid, const char *name)
{
    char path[64], text[32] = "";
    FD_CLEANUP int fd = -1;

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    return strcmp(text, name) == 0;
}

static void start(struct meet *meet, struct flight *flight)
{
    const struct scenario *scenario = &launches[random() % meet->images][random() % VIEWS];

    memset(flight, 0, sizeof *flight);
    flight->brokers_killed = meet->brokers_killed;
    flight->servers_killed = meet->servers_killed;
    /* The broker may not have heard of it yet. */
    if (meet->servers_killed && rank_now() - meet->server_killed < HEARD_US)
        flight->servers_killed--;
    rank_start(&flight->rank, &meet->stage, scenario);
    meet->began++;
}

/* --- what is wrong --- */

static void complain(struct meet *meet, const struct flight *flight, const char *what)
{
    char text[4096];

    meet->wrong++;
    rank_output(&flight->rank, text, sizeof text);
    printf("# %s, status 0x%x, after %lld ms:\n", what, (unsigned)flight->rank.status,
           (long long)(flight->rank.ended - flight->rank.started) / 1000);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        printf("#   %s\n", line);
}

/* FLIGHT and OTHER have both told where they are, and live. */
static void compare(struct meet *meet, const struct flight *flight, const struct flight *other)
{
    meet->pairs++;
    meet->entered += strcmp(flight->where.mount, other->where.mount) == 0;
    if (strcmp(flight->where.user, other->where.user) == 0)
        return;
    if (meet->apart++ < MOST_TOLD)
        printf("# apart: %s and %s\n", flight->where.user, other->where.user);
}

/* Whether it lives, is inside, and no broker was killed since it began. */
static int is_to_be_compared(const struct meet *meet, const struct flight *flight)
{
    return flight->rank.pid && flight->has_told && !flight->is_killed && !flight->rank.is_over &&
           flight->brokers_killed == meet->brokers_killed;
}

/* Compares those who have told for the first time with the others that are alive. */
static void compare_new(struct meet *meet)
{
    for (int i = 0; i < meet->alive; i++) {
        struct flight *flight = &meet->flights[i];

        if (!flight->rank.pid || flight->has_told || !rank_where(&flight->rank, &flight->where))
            continue;
        flight->has_told = 1;
        for (int j = 0; j < meet->alive && is_to_be_compared(meet, flight); j++)
            if (j != i && is_to_be_compared(meet, &meet->flights[j]))
                compare(meet, flight, &meet->flights[j]);
    }
}

static void land(struct meet *meet, struct flight *flight)
{
    const int64_t took = flight->rank.ended - flight->rank.started;
    char text[4096];

    meet->ended++;
    if (took > meet->longest)
        meet->longest = took;
    rank_output(&flight->rank, text, sizeof text);
    if (strstr(text, "shares nothing with others"))
        meet->alone++;
    if (flight->rank.status == 0)
        meet->worked++;
    else if (flight->is_killed)
        ;
    else if (flight->servers_killed != meet->servers_killed)
        meet->failed_by_server++;
    else
        complain(meet, flight, "fails");
    rank_close(&flight->rank);
}

/* Takes what has ended: launches, and brokers and servers, which come to us. */
static void reap(struct meet *meet)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < meet->alive; i++)
            if (rank_takes(&meet->flights[i].rank, pid, status))
                land(meet, &meet->flights[i]);
}

/* --- kills --- */

/* Kills one that is called NAME, and waits for its end. Whether there was one. */
static int kill_orphan(const char *name)
{
    pid_t pids[TARGETS], pid;
    int count = rank_orphans(name, pids, TARGETS);
    siginfo_t info;

    if (!count)
        return 0;
    pid = pids[random() % count];
    return kill(pid, SIGKILL) == 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0;
}

static void kill_rank(struct meet *meet)
{
    struct flight *flight = &meet->flights[random() % meet->alive];

    if (!flight->rank.pid || flight->rank.is_over || flight->is_killed)
        return;
    /* Most while they are launching. */
    if (!is_called(flight->rank.pid, "coracle") && random() % 4)
        return;
    flight->is_killed = 1;
    meet->ranks_killed++;
    meet->launchers_killed += is_called(flight->rank.pid, "coracle");
    kill(flight->rank.pid, SIGKILL);
}

static void kill_something(struct meet *meet)
{
    const long turn = random() % KILL_OF;

    if (turn < KILL_BROKER) {
        meet->brokers_killed += kill_orphan("coracle-broker");
    } else if (turn < KILL_SERVER) {
        if (!kill_orphan("coracle-fuse"))
            return;
        meet->servers_killed++;
        meet->server_killed = rank_now();
    } else if (turn < KILL_RANK) {
        kill_rank(meet);
    }
}

static void end_hung(struct meet *meet)
{
    for (int i = 0; i < meet->alive; i++) {
        struct flight *flight = &meet->flights[i];

        if (!flight->rank.pid || flight->is_killed || rank_now() - flight->rank.started < LAUNCH_US)
            continue;
        meet->hung++;
        flight->is_killed = 1;
        complain(meet, flight, "hangs");
        kill(flight->rank.pid, SIGKILL);
    }
}

/* --- a stretch of launches --- */

static int in_flight(const struct meet *meet)
{
    int count = 0;

    for (int i = 0; i < meet->alive; i++)
        count += meet->flights[i].rank.pid != 0;
    return count;
}

static void fly(struct meet *meet, int count)
{
    int left = count;

    while (left || in_flight(meet)) {
        for (int i = 0; i < meet->alive && left; i++) {
            if (meet->flights[i].rank.pid || random() % 4)
                continue;
            start(meet, &meet->flights[i]);
            left--;
        }
        kill_something(meet);
        rank_nap((int)(random() % NAP_US));
        compare_new(meet);
        reap(meet);
        end_hung(meet);
    }
}

static void run_stretch(struct meet *meet, int alive, int linger, int count)
{
    static int number;
    const struct meet before = *meet;
    char key[64], row[64];

    snprintf(row, sizeof row, "%d alive, linger %d ms", alive, linger);
    tap.row = row;
    meet->alive = alive;
    snprintf(key, sizeof key, "meet %d %d", (int)getpid(), number++);
    stage_share(&meet->stage, key, linger);
    fly(meet, count);
    TAP_INT(meet->wrong - before.wrong, 0);
    TAP_INT(meet->hung - before.hung, 0);
    TAP_INT(meet->apart - before.apart, 0);
    TAP_TRUE(meet->pairs > before.pairs);
    printf("# %s: %d worked, %d lost their server, %d pairs\n", row, meet->worked - before.worked,
           meet->failed_by_server - before.failed_by_server, meet->pairs - before.pairs);
    tap.row = NULL;
}

static void run_all(struct meet *meet, int count)
{
    static const int alive[] = {2, 4, MOST_ALIVE}, linger[] = {0, 5, 20};

    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            run_stretch(meet, alive[i], linger[j], count / 9 + 1);
}

static void seed(void)
{
    const char *value = getenv("CORACLE_TEST_SEED");
    unsigned number = value ? (unsigned)strtoul(value, NULL, 10) : (unsigned)rank_now();

    printf("# CORACLE_TEST_SEED=%u\n", number);
    srandom(number);
}

static void make_source(const char *folder, const char *text)
{
    char path[64];
    FD_CLEANUP int fd = -1;

    mkdir(folder, 0700);
    snprintf(path, sizeof path, "%s/file", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
        stage_no_memory();
}

int main(void)
{
    static struct meet meet;
    struct arena arena;
    const char *world;

    stage_make(&meet.stage);
    meet.images = meet.stage.cannot_serve ? 1 : IMAGES;
    if (meet.stage.cannot_serve)
        printf("ok %d - SquashFS images # SKIP %s\n", ++tap.run, meet.stage.cannot_serve);
    make_source("/tmp/source", "source");
    make_source("/tmp/other", "other");
    seed();
    arena_init(&arena, stage_no_memory);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    world = stage_world(&arena);
    run_all(&meet, stage_is_long() ? LONG_LAUNCHES : LAUNCHES);
    printf("# %d launches: %d worked, %d were killed (%d of them while they were launching), %d lost their "
           "server; %d were alone\n",
           meet.began, meet.worked, meet.ranks_killed, meet.launchers_killed, meet.failed_by_server,
           meet.alone);
    printf("# killed: %d brokers, %d servers; %d pairs alive together, %d of them in one view; the longest "
           "launch took %lld ms\n",
           meet.brokers_killed, meet.servers_killed, meet.pairs, meet.entered,
           (long long)meet.longest / 1000);
    TAP_TRUE(meet.launchers_killed > 0);
    TAP_TRUE(meet.brokers_killed > 0);
    TAP_TRUE(meet.images == 1 || meet.servers_killed > 0);
    TAP_TRUE(meet.entered > 0);
    TAP_INT(meet.alone, 0);
    TAP_INT(rank_left(LEFT_MS), 0);
    TAP_STR(stage_world(&arena), world);
    arena_free(&arena);
    return tap_done();
}
