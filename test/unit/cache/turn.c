#include "cache/turn.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/digest.h"

enum { WAITERS = 20 };

static struct arena arena;
static const char *what;

static int are_strangers;

/* In place of the C library's: whoever is at the other end is another user, where ARE_STRANGERS. */
int getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
    const long result = syscall(SYS_getsockopt, fd, level, name, value, length);

    if (result == 0 && are_strangers && level == SOL_SOCKET && name == SO_PEERCRED)
        ((struct ucred *)value)->uid++;
    return (int)result;
}

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
    case TURN_DONE:
        _exit(14);
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
    turn_end(turn, failure, 0);
    for (int i = 0; i < WAITERS; i++)
        count += status_of(waiters[i]) == expected;
    return count;
}

static void test_outcomes(void)
{
    struct turn turn;
    struct err err;

    TAP_INT(turn_take(&turn, what, &arena, &err), TURN_OURS);
    TAP_INT(count_waiters(&turn, NULL, 14), WAITERS);
    TAP_INT(turn_take(&turn, what, &arena, &err), TURN_OURS);
    err_set(&err, ERR_REGISTRY, "no such thing");
    TAP_INT(count_waiters(&turn, &err, 12), WAITERS);
    /* Nobody waits, and the name is free at once. */
    TAP_INT(turn_take(&turn, what, &arena, &err), TURN_OURS);
    turn_end(&turn, NULL, 0);
    TAP_INT(status_of(start_waiter()), 10);
}

/* Who comes when it has failed already is told too, but not for ever. */
static void test_late(void)
{
    enum { COUNT = 10 };
    pid_t owner, waiters[COUNT];
    struct turn turn;
    struct err err;
    int ready[2], told = 0;
    char byte;

    TAP_INT(pipe(ready), 0);
    owner = fork();
    if (owner == 0) {
        turn_take(&turn, what, &arena, &err);
        err_set(&err, ERR_REGISTRY, "no such thing");
        (void)!write(ready[1], "", 1);
        turn_end(&turn, &err, 1000);
        _exit(0);
    }
    TAP_INT(read(ready[0], &byte, 1), 1);
    for (int i = 0; i < COUNT; i++) {
        usleep(150000);
        waiters[i] = start_waiter();
    }
    for (int i = 0; i < COUNT; i++)
        told += status_of(waiters[i]) == 12;
    TAP_INT(told, COUNT);
    TAP_INT(status_of(owner), 0);
    TAP_INT(status_of(start_waiter()), 10);
    close(ready[0]);
    close(ready[1]);
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
    turn_end(&turn, NULL, 0);
    /* Another thing is another turn. */
    TAP_INT(turn_take(&turn, what, &arena, &err), TURN_OURS);
    what = arena_join(&arena, what, "x", NULL);
    TAP_INT(status_of(start_waiter()), 10);
    turn_end(&turn, NULL, 0);
}

/* Who has the turn stays stopped: one of those who wait has it, and the others wait for that one. */
static void test_successor(void)
{
    enum { COUNT = 5 };
    pid_t owner = fork(), waiters[COUNT];
    struct turn turn;
    struct err err;
    int ours = 0, done = 0;

    if (owner == 0) {
        turn_take(&turn, what, &arena, &err);
        raise(SIGSTOP);
        turn_end(&turn, NULL, 0);
        _exit(0);
    }
    waitpid(owner, NULL, WUNTRACED);
    for (int i = 0; i < COUNT; i++) {
        waiters[i] = fork();
        if (waiters[i])
            continue;
        alarm(40);
        switch (turn_take(&turn, what, &arena, &err)) {
        case TURN_OURS:
            sleep(2); /* the others are here by then */
            turn_end(&turn, NULL, 0);
            _exit(10);
        case TURN_DONE:
            _exit(14);
        default:
            _exit(1);
        }
    }
    for (int i = 0; i < COUNT; i++) {
        const int status = status_of(waiters[i]);

        ours += status == 10;
        done += status == 14;
    }
    TAP_INT(ours, 1);
    TAP_INT(done, COUNT - 1);
    kill(owner, SIGCONT);
    TAP_INT(status_of(owner), 0);
    TAP_INT(turn_take(&turn, what, &arena, &err), TURN_OURS);
    turn_end(&turn, NULL, 0);
}

/* Who has the turn is stopped: those who wait say for whom. */
static void test_stopped(void)
{
    pid_t owner, waiter;
    struct turn turn;
    struct err err;
    int ready[2], told[2], before = dup(STDERR_FILENO);
    char text[512];
    ssize_t length;

    TAP_INT(pipe(ready) | pipe(told), 0);
    owner = fork();
    if (owner == 0) {
        turn_take(&turn, what, &arena, &err);
        (void)!write(ready[1], "", 1);
        raise(SIGSTOP);
        pause();
    }
    TAP_INT(read(ready[0], text, 1), 1);
    TAP_INT(waitpid(owner, NULL, WUNTRACED), owner);
    dup2(told[1], STDERR_FILENO);
    waiter = start_waiter();
    dup2(before, STDERR_FILENO);
    close(before);
    close(told[1]);
    length = read(told[0], text, sizeof(text) - 1);
    text[length > 0 ? length : 0] = 0;
    TAP_TRUE(strstr(text, arena_printf(&arena, "process %ld,", (long)owner)) && strstr(text, "was stopped"));
    kill(owner, SIGKILL);
    waitpid(owner, NULL, 0);
    TAP_INT(status_of(waiter), 11);
}

/* The name has somebody who is not to be believed: a process with our uid in a user namespace of its own. */
static void test_container(void)
{
    pid_t stranger;
    struct turn turn;
    struct err err;
    int ready[2];
    char byte;

    TAP_INT(pipe(ready), 0);
    stranger = fork();
    if (stranger == 0) {
        byte = unshare(CLONE_NEWUSER) < 0 ? 'n' : 'y';
        turn_take(&turn, what, &arena, &err);
        (void)!write(ready[1], &byte, 1);
        pause();
    }
    TAP_INT(read(ready[0], &byte, 1), 1);
    if (byte == 'y')
        TAP_INT(status_of(start_waiter()), 10);
    kill(stranger, SIGKILL);
    waitpid(stranger, NULL, 0);
}

static socklen_t address_of_turn(struct sockaddr_un *address)
{
    const struct digest digest = digest_bytes(what, strlen(what));
    char text[DIGEST_TEXT];

    digest_format(text, &digest);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                       (size_t)snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1,
                                        "coracle-turn/%u/%s", (unsigned)geteuid(), text));
}

/* What those who have connected have heard and got. */
struct heard {
    unsigned long connections, messages;
};

/* Comes again and again, as fast as can be. */
static _Noreturn void flood(struct heard *heard)
{
    struct sockaddr_un address;
    const socklen_t length = address_of_turn(&address);
    char bytes[16];
    int last = -1;

    for (;;) {
        const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

        if (connect(fd, (struct sockaddr *)&address, length) == 0)
            __atomic_add_fetch(&heard->connections, 1, __ATOMIC_RELAXED);
        if (last >= 0 && recv(last, bytes, sizeof(bytes), 0) > 0)
            __atomic_add_fetch(&heard->messages, 1, __ATOMIC_RELAXED);
        close(last);
        last = fd;
    }
}

/* How long the owner of a turn is held up at the end while others flood him, in milliseconds. */
static long end_while_flooded(struct heard *heard, const struct err *failure, int linger)
{
    enum { FLOODS = 4 };
    pid_t floods[FLOODS];
    struct timespec before, after;
    struct turn turn;
    struct err err;

    memset(heard, 0, sizeof(*heard));
    TAP_INT(turn_take(&turn, what, &arena, &err), TURN_OURS);
    for (int i = 0; i < FLOODS; i++) {
        floods[i] = fork();
        if (floods[i] == 0) {
            alarm(60);
            flood(heard);
        }
    }
    while (!__atomic_load_n(&heard->connections, __ATOMIC_RELAXED))
        usleep(1000);
    alarm(60);
    clock_gettime(CLOCK_MONOTONIC, &before);
    turn_end(&turn, failure, linger);
    clock_gettime(CLOCK_MONOTONIC, &after);
    alarm(0);
    for (int i = 0; i < FLOODS; i++)
        kill(floods[i], SIGKILL);
    for (int i = 0; i < FLOODS; i++)
        waitpid(floods[i], NULL, 0);
    return (long)(after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
}

/* Other users who come, as many and as often as they can, are told nothing and hold nobody up. */
static void test_strangers(void)
{
    struct heard *heard =
        mmap(NULL, sizeof(*heard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct err err;

    err_set(&err, ERR_REGISTRY, "no such thing");
    TAP_TRUE(heard != MAP_FAILED);
    are_strangers = 1;
    TAP_TRUE(end_while_flooded(heard, &err, 200) < 3000);
    TAP_INT(heard->messages, 0);
    TAP_TRUE(end_while_flooded(heard, NULL, 0) < 3000);
    TAP_INT(heard->messages, 0);
    are_strangers = 0;
    munmap(heard, sizeof(*heard));
}

/* Takes the name and lets the queue run full. How connect(2) fails then. */
static int fill_queue(void)
{
    struct sockaddr_un address;
    const socklen_t length = address_of_turn(&address);
    const int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 0) < 0)
        return -1;
    while (connect(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0), (struct sockaddr *)&address, length) ==
           0)
        continue;
    return errno;
}

/* Who comes to a full queue does not sleep in the kernel: he sees that the one who has the name has gone. */
static void test_full_queue(void)
{
    pid_t stranger, waiter;
    int ready[2], result = 0;

    TAP_INT(pipe(ready), 0);
    stranger = fork();
    if (stranger == 0) {
        result = fill_queue();
        (void)!write(ready[1], &result, sizeof(result));
        pause();
    }
    TAP_INT(read(ready[0], &result, sizeof(result)), sizeof(result));
    TAP_INT(result, EAGAIN);
    waiter = start_waiter();
    let_sleep(waiter);
    kill(stranger, SIGKILL);
    waitpid(stranger, NULL, 0);
    TAP_INT(status_of(waiter), 11);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    what = arena_printf(&arena, "test %ld", (long)getpid());
    test_outcomes();
    test_late();
    test_kill();
    test_stopped();
    test_successor();
    test_container();
    test_strangers();
    test_full_queue();
    arena_free(&arena);
    return tap_done();
}
