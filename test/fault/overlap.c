/*
 * overlap - launches of a SquashFS file, eight at a time, a third of them killed
 * with SIGKILL at a random moment. The others work, and afterwards nothing of ours
 * is left but the node's record.
 *
 * 100 launches, 1,000 with CORACLE_TEST_LONG=1. CORACLE_TEST_SEED repeats a run's
 * choices, though not its timing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../tap.h"
#include "base/fd.h"
#include "stage.h"

enum { LAUNCHES = 100, LONG_LAUNCHES = 1000, AT_A_TIME = 8, KILLED_OF = 3 };
enum { PROBES = 8, STUCK_US = 20 * 1000000, SERVER_US = 1000000, NAP_US = 100 };

/* A launch that is under way. */
struct flight {
    pid_t pid; /* 0: free */
    int output;
    int64_t started, killed_at; /* us; killed_at 0: it is let be */
    int was_live;               /* it was still the launcher when it was killed */
};

struct overlap {
    struct stage stage;
    const struct scenario *scenario;
    struct flight flights[AT_A_TIME];
    int64_t typical; /* us that a launch takes among others */
    int started, killed, hits, wrong;
};

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void nap(void)
{
    const struct timespec time = {.tv_nsec = NAP_US * 1000L};

    nanosleep(&time, NULL);
}

static void start(struct overlap *overlap, struct flight *flight, int is_killed)
{
    memset(flight, 0, sizeof *flight);
    flight->output = memfd_create("output", MFD_CLOEXEC);
    flight->started = now_us();
    if (is_killed)
        flight->killed_at = flight->started + 1 + random() % (overlap->typical + 1);
    flight->pid = stage_start(&overlap->stage, overlap->scenario, -1, flight->output);
}

/* Whether PID has become the launcher and not yet the command. */
static int is_launcher(pid_t pid)
{
    char path[64], name[32] = "";
    FD_CLEANUP int fd = -1;

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, name, sizeof name - 1) > 0 && strcmp(name, "coracle\n") == 0;
}

static void kill_when_due(struct overlap *overlap, struct flight *flight)
{
    if (!flight->pid || !flight->killed_at || now_us() < flight->killed_at)
        return;
    flight->was_live = is_launcher(flight->pid);
    flight->killed_at = 0;
    overlap->killed++;
    kill(flight->pid, SIGKILL);
}

static void complain(const struct flight *flight, int status)
{
    char text[2048];
    ssize_t n = pread(flight->output, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    printf("# status 0x%x: %s\n", (unsigned)status, text);
}

/* Launch FLIGHT has ended with STATUS. */
static void land(struct overlap *overlap, struct flight *flight, int status)
{
    int by_kill = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;

    if (by_kill && flight->was_live)
        overlap->hits++;
    if (status != 0 && !by_kill) {
        complain(flight, status);
        overlap->wrong++;
    }
    close(flight->output);
    flight->pid = 0;
}

/* Takes what has ended: launches, and servers, which come to us when nobody else is left. */
static void reap(struct overlap *overlap)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < AT_A_TIME; i++)
            if (overlap->flights[i].pid == pid)
                land(overlap, &overlap->flights[i], status);
}

static int in_flight(const struct overlap *overlap)
{
    int count = 0;

    for (int i = 0; i < AT_A_TIME; i++)
        count += overlap->flights[i].pid != 0;
    return count;
}

/* Starts COUNT launches, of which one in KILLED_OF is killed, and waits for them. Whether they all ended. */
static int fly(struct overlap *overlap, int count, int killed_of)
{
    int64_t progress = now_us();
    int left = count, before = 0;

    while ((left || in_flight(overlap)) && now_us() - progress < STUCK_US) {
        for (int i = 0; i < AT_A_TIME; i++) {
            kill_when_due(overlap, &overlap->flights[i]);
            if (left && !overlap->flights[i].pid) {
                start(overlap, &overlap->flights[i], killed_of && overlap->started++ % killed_of == 0);
                left--;
            }
        }
        nap();
        reap(overlap);
        if (in_flight(overlap) + left != before)
            progress = now_us();
        before = in_flight(overlap) + left;
    }
    return !left && !in_flight(overlap);
}

/* Waits until no process is ours any more. How many are left after a second; they are ended. */
static int count_left(struct overlap *overlap)
{
    const int64_t end = now_us() + SERVER_US;
    siginfo_t info;
    int left = 0;

    while (now_us() < end) {
        reap(overlap);
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD)
            return 0;
        nap();
    }
    for (int limit = 0; limit < LONG_LAUNCHES; limit++) {
        char path[64];
        int pid = 0;
        FILE *children;

        snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
        children = fopen(path, "re");
        if (!children || fscanf(children, "%d", &pid) != 1)
            pid = 0;
        if (children)
            fclose(children);
        if (!pid)
            break;
        left++;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return left ? left : 1;
}

static const struct scenario *find_scenario(void)
{
    for (int i = 0; i < scenario_count; i++)
        if (scenarios[i].is_served)
            return &scenarios[i];
    return NULL;
}

static void seed(void)
{
    const char *value = getenv("CORACLE_TEST_SEED");
    unsigned number = value ? (unsigned)strtoul(value, NULL, 10) : (unsigned)now_us();

    printf("# CORACLE_TEST_SEED=%u\n", number);
    srandom(number);
}

/* How long a launch takes when others are under way. */
static void measure(struct overlap *overlap)
{
    int64_t begin = now_us();

    TAP_TRUE(fly(overlap, PROBES * AT_A_TIME, 0));
    overlap->typical = (now_us() - begin) / PROBES;
    printf("# a launch among %d takes %lld us\n", AT_A_TIME, (long long)overlap->typical);
}

int main(void)
{
    static struct overlap overlap;
    int count = stage_is_long() ? LONG_LAUNCHES : LAUNCHES;
    const char *world;
    struct arena arena;

    stage_make(&overlap.stage);
    overlap.scenario = find_scenario();
    if (overlap.stage.cannot_serve) {
        printf("1..0 # SKIP %s\n", overlap.stage.cannot_serve);
        return 0;
    }
    seed();
    arena_init(&arena, stage_no_memory);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    world = stage_world(&arena);
    measure(&overlap);
    TAP_TRUE(fly(&overlap, count, KILLED_OF));
    TAP_INT(count_left(&overlap), 0);
    printf("# %d launches, %d killed, %d of them while they were launching\n", count, overlap.killed,
           overlap.hits);
    TAP_INT(overlap.wrong, 0);
    TAP_TRUE(overlap.hits > 0);
    TAP_STR(stage_world(&arena), world);
    TAP_INT(stage_record_entries(), overlap.stage.record_entries);
    arena_free(&arena);
    return tap_done();
}
