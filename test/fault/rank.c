#include "rank.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

enum { NAP_US = 200, OUTPUT = 4096, CHILDREN = 16384 };

int64_t rank_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void rank_nap(int us)
{
    const struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L};

    nanosleep(&time, NULL);
}

void rank_start(struct rank *rank, const struct stage *stage, const struct scenario *scenario)
{
    int ends[2];

    memset(rank, 0, sizeof *rank);
    rank->output = memfd_create("output", MFD_CLOEXEC);
    if (rank->output < 0 || pipe2(ends, O_CLOEXEC) < 0) {
        printf("Bail out! descriptors: %s\n", strerror(errno));
        exit(EXIT_FAILURE);
    }
    rank->input = ends[1];
    rank->started = rank_now();
    rank->pid = stage_start(stage, scenario, ends[0], rank->output);
    close(ends[0]);
}

void rank_release(struct rank *rank)
{
    fd_close(&rank->input);
}

void rank_close(struct rank *rank)
{
    if (!rank->pid)
        return;
    rank_release(rank);
    fd_close(&rank->output);
    rank->pid = 0;
}

void rank_output(const struct rank *rank, char *text, size_t room)
{
    ssize_t n = pread(rank->output, text, room - 1, 0);

    text[n > 0 ? n : 0] = '\0';
}

int rank_where(const struct rank *rank, struct where *where)
{
    char text[OUTPUT];
    const char *line;

    rank_output(rank, text, sizeof text);
    line = strstr(text, "where ");
    return line && strchr(line, '\n') &&
           sscanf(line, "where %63s %63s %31s", where->user, where->mount, where->device) == 3;
}

int rank_takes(struct rank *rank, pid_t pid, int status)
{
    if (!rank->pid || rank->is_over || rank->pid != pid)
        return 0;
    rank->is_over = 1;
    rank->status = status;
    rank->ended = rank_now();
    return 1;
}

/* Only RANK's end: what else ends waits for somebody who asks. */
static int has_ended(struct rank *rank)
{
    int status;

    if (!rank->is_over && waitpid(rank->pid, &status, WNOHANG) == rank->pid)
        rank_takes(rank, rank->pid, status);
    return rank->is_over;
}

int rank_says(struct rank *rank, const char *word, int seconds)
{
    const int64_t end = rank_now() + seconds * 1000000ll;
    char text[OUTPUT];

    while (rank_now() < end) {
        int is_over = has_ended(rank);

        rank_output(rank, text, sizeof text);
        if (strstr(text, word))
            return 1;
        if (is_over)
            return 0;
        rank_nap(NAP_US);
    }
    return 0;
}

int rank_wait(struct rank *rank, int seconds)
{
    const int64_t end = rank_now() + seconds * 1000000ll;

    while (!has_ended(rank) && rank_now() < end)
        rank_nap(NAP_US);
    return rank->is_over;
}

static void read_small(const char *path, char *text, size_t room)
{
    FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, room - 1);

    text[n > 0 ? n : 0] = '\0';
}

/* Calls EACH for every child of the caller. */
static void for_children(void (*each)(pid_t pid, void *context), void *context)
{
    static char text[CHILDREN];
    char path[64];

    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    read_small(path, text, sizeof text);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        each((pid_t)atoi(word), context);
}

struct search {
    const char *name;
    pid_t *pids;
    int room, count;
};

static void look_at(pid_t pid, void *context)
{
    struct search *search = context;
    char path[64], name[32];

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    read_small(path, name, sizeof name);
    name[strcspn(name, "\n")] = '\0';
    if (strcmp(name, search->name) == 0 && search->count < search->room)
        search->pids[search->count++] = pid;
}

int rank_orphans(const char *name, pid_t *pids, int room)
{
    struct search search = {name, pids, room, 0};

    for_children(look_at, &search);
    return search.count;
}

static void end_child(pid_t pid, void *context)
{
    char path[64], name[32];

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    read_small(path, name, sizeof name);
    printf("# left: %d %s", (int)pid, *name ? name : "\n");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    ++*(int *)context;
}

int rank_left(int ms)
{
    const int64_t end = rank_now() + ms * 1000ll;
    int left = 0;

    do {
        pid_t pid = waitpid(-1, NULL, WNOHANG);

        if (pid < 0 && errno == ECHILD)
            return 0;
        if (pid == 0)
            rank_nap(NAP_US);
    } while (rank_now() < end);
    for_children(end_child, &left);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    return left ? left : 1;
}
