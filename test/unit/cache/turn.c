#include "cache/turn.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tap.h"

enum { WAITERS = 20 };

static struct arena arena;
static const char *what;

/* A process that takes the turn and exits with what came of it. */
static pid_t start_waiter(void)
{
    pid_t pid = fork();
    struct turn turn;
    struct err err;

    if (pid)
        return pid;
    alarm(20);
    switch (turn_take(&turn, what, &arena, &err)) {
    case TURN_OURS:
        _exit(10);
    case TURN_OVER:
        _exit(11);
    default:
        _exit(err.id == ERR_REGISTRY && strcmp(err.text, "no such thing") == 0 ? 12 : 13);
    }
}

static int status_of(pid_t pid)
{
    int status;

    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Waits until the process sleeps: it has nothing else to wait for than the turn. proc(5) */
static void let_sleep(pid_t pid)
{
    const char *path = arena_printf(&arena, "/proc/%ld/stat", (long)pid);
    char text[512];

    for (int i = 0; i < 2000; i++) {
        FILE *file = fopen(path, "r");
        size_t length = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
        const char *end;

        if (file)
            fclose(file);
        text[length] = 0;
        end = strrchr(text, ')');
        if (end && end[1] && end[2] == 'S')
            return;
        usleep(5000);
    }
}

/* Starts some, waits until they wait, ends the turn, and counts those whose status is EXPECTED. */
static int count_waiters(struct turn *turn, const struct err *failure, int expected)
{
    pid_t waiters[WAITERS];
    int count = 0;

    for (int i = 0; i < WAITERS; i++)
        waiters[i] = start_waiter();
    for (int i = 0; i < WAITERS; i++)
        let_sleep(waiters[i]);
    turn_end(turn, failure);
    for (int i = 0; i < WAITERS; i++)
        count += status_of(waiters[i]) == expected;
    return count;
}

static void test_outcomes(void)
{
    struct turn turn;
    struct err err;

    TAP_INT(turn_take(&turn, what, &arena, &err), TURN_OURS);
    TAP_INT(count_waiters(&turn, NULL, 11), WAITERS);
    TAP_INT(turn_take(&turn, what, &arena, &err), TURN_OURS);
    err_set(&err, ERR_REGISTRY, "no such thing");
    TAP_INT(count_waiters(&turn, &err, 12), WAITERS);
    /* Nobody waits, and the name is free at once. */
    TAP_INT(turn_take(&turn, what, &arena, &err), TURN_OURS);
    turn_end(&turn, NULL);
    TAP_INT(status_of(start_waiter()), 10);
}

/* Who has the turn is killed: those who wait look for themselves. */
static void test_kill(void)
{
    pid_t owner, waiter;
    struct turn turn;
    struct err err;
    int ready[2];
    char byte;

    TAP_INT(pipe(ready), 0);
    owner = fork();
    if (owner == 0) {
        turn_take(&turn, what, &arena, &err);
        (void)!write(ready[1], "", 1);
        pause();
    }
    TAP_INT(read(ready[0], &byte, 1), 1);
    waiter = start_waiter();
    let_sleep(waiter);
    kill(owner, SIGKILL);
    TAP_INT(status_of(waiter), 11);
    waitpid(owner, NULL, 0);
    TAP_INT(turn_take(&turn, what, &arena, &err), TURN_OURS);
    turn_end(&turn, NULL);
    /* Another thing is another turn. */
    TAP_INT(turn_take(&turn, what, &arena, &err), TURN_OURS);
    what = arena_join(&arena, what, "x", NULL);
    TAP_INT(status_of(start_waiter()), 10);
    turn_end(&turn, NULL);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    what = arena_printf(&arena, "test %ld", (long)getpid());
    test_outcomes();
    test_kill();
    arena_free(&arena);
    return tap_done();
}
