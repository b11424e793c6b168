/*
 * Processes that cannot be polled. What a broker does that has such ranks is tried by all
 * tests of this room, as old-ranks and so on; here what is done for them.
 */
#include "base/process.h"

#include <dirent.h>

#undef STAGE_IS_OLD
#define STAGE_IS_OLD
#include "stage.h"

/* The last rank's end is found in time, though the broker hears nothing of it. */
static void test_last_rank(void)
{
    struct stage stage;
    struct built built;
    int64_t start;

    stage_start_ready(&stage, &built, 0);
    TAP_TRUE(stage_lives(&stage));
    start = stage_now();
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    TAP_TRUE(stage_now() - start < 5000); /* before all are looked at */
    built_close(&built);
}

static int find(const struct stage *stage, pid_t pid)
{
    const struct share_find find = {.message = {SHARE_MESSAGE_MAGIC, SHARE_FIND, 0, 0}, .pid = (uint32_t)pid};
    struct peer asker = peer_start(stage); /* who finds a view is in it */
    int kind;

    peer_send(&asker, &find, sizeof(find));
    kind = peer_kind(&asker);
    peer_end(&asker);
    return kind;
}

/* Who is listed or found lives, whenever it is asked for. */
static void test_asked_for(void)
{
    enum { ROUNDS = 50 };
    struct stage stage;
    struct built built;
    int listed = 0, found = 0, lost = 0;

    stage_start_ready(&stage, &built, 0);
    for (int i = 0; i < ROUNDS; i++) {
        struct peer rank = peer_start(&stage);
        pid_t pid = rank.process;

        peer_ask(&rank, 1, 1);
        if (peer_kind(&rank) != SHARE_ENTER)
            stage_give_up("a rank is not let in");
        found += find(&stage, pid) == SHARE_ENTER;
        peer_end(&rank);
        listed += stage_count(&stage, SHARE_ITEM_RANK) != 1;
        lost += find(&stage, pid) == SHARE_END;
    }
    TAP_INT(found, ROUNDS);
    TAP_INT(listed, 0);
    TAP_INT(lost, ROUNDS);
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    built_close(&built);
}

static int descriptors(const struct stage *stage)
{
    char path[64];
    DIR *dir;
    int count = -2; /* "." and ".." */

    sprintf(path, "/proc/%d/fd", (int)stage->process);
    dir = opendir(path);
    if (!dir)
        stage_give_up(path);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Whoever has gone is forgotten in the end, though another rank of the view lives. */
static void test_forgotten(void)
{
    enum { COME = 20 };
    struct stage stage;
    struct built built;
    int before, with_dead;

    stage_start_ready(&stage, &built, 0);
    TAP_TRUE(stage_lives(&stage));
    stage_pause(300); /* those who have just left */
    before = descriptors(&stage);
    for (int i = 0; i < COME; i++) {
        struct peer rank = peer_start(&stage);

        peer_ask(&rank, 1, 1);
        peer_kind(&rank);
        peer_end(&rank);
    }
    with_dead = descriptors(&stage);
    TAP_TRUE(with_dead > before); /* else nothing was tried */
    for (int64_t end = stage_now() + STAGE_PATIENCE; stage_now() < end && descriptors(&stage) > before;)
        stage_pause(10);
    TAP_INT(descriptors(&stage), before);
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* A process as servers are: held by a directory of /proc. */
static struct process start_server(void)
{
    struct process process;
    char path[64];
    pid_t child = fork();

    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    sprintf(path, "/proc/%d", (int)child);
    if (child < 0 || process_take(&process, open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), child) < 0)
        stage_give_up("a server");
    return process;
}

/* The first leads, and mounts an image that SERVER serves, with DEVICE. */
static void start_served(struct stage *stage, const struct process *server, int device)
{
    const struct share_hello hello = hello_of(1, 1, 1, 0);
    struct built built = {stage_thing(), stage_thing(), {-1, -1}};

    stage_pipe(built.mounts);
    stage_start(stage, 0, &hello);
    peer_offer(&stage->first, SHARE_MOUNTED,
               &(struct offer){.fuse = device, .server = server->fd, .server_pid = server->pid});
    peer_offer(
        &stage->first, SHARE_READY,
        &(struct offer){.userns = built.userns, .mountns = built.mountns, .mountinfo = built.mounts[0]});
    peer_hang_up(&stage->first);
    TAP_TRUE(stage_lives(stage));
    built_close(&built);
}

/* Nobody asks: the device is closed all the same, as others wait for that. */
static void test_server_ends(void)
{
    struct process server = start_server();
    struct stage stage;
    struct pollfd closed = {.events = 0};
    int device[2];
    int64_t start;

    stage_pipe(device);
    start_served(&stage, &server, device[0]);
    close(device[0]);
    closed.fd = device[1]; /* it is told when nobody has the other end any more */
    TAP_INT(poll(&closed, 1, 1000), 0);
    start = stage_now();
    TAP_INT(process_signal(&server, SIGKILL), 0);
    TAP_INT(poll(&closed, 1, STAGE_PATIENCE), 1);
    TAP_TRUE(stage_now() - start < 5000);
    waitpid(server.pid, NULL, 0);
    process_close(&server);
    close(device[1]);
    peer_end(&stage.first);
    stage_kill(&stage); /* it stays to tell */
}

/* One that was stopped is killed by its number. */
static void test_server_is_stopped(void)
{
    struct process server = start_server();
    struct stage stage;
    int status = 0, device = stage_thing();

    start_served(&stage, &server, device);
    kill(server.pid, SIGSTOP);
    TAP_INT(waitpid(server.pid, &status, 0), server.pid);
    TAP_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    process_close(&server);
    close(device);
    peer_end(&stage.first);
    stage_kill(&stage);
}

/* To look at them takes next to nothing: one rank of a view is enough. */
static void test_work(void)
{
    enum { COME = 200 };
    static struct peer ranks[COME];
    struct stage stage;
    struct built built;

    stage_start_ready(&stage, &built, 0);
    for (int i = 0; i < COME; i++) {
        ranks[i] = peer_start(&stage);
        peer_ask(&ranks[i], 1, 1);
        peer_kind(&ranks[i]);
        peer_hang_up(&ranks[i]);
    }
    TAP_TRUE(stage_work(&stage, 1000) < 20 * 1000);
    for (int i = 0; i < COME; i++)
        peer_end(&ranks[i]);
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    built_close(&built);
}

int main(void)
{
    test_last_rank();
    test_asked_for();
    test_forgotten();
    test_server_ends();
    test_server_is_stopped();
    test_work();
    return tap_done();
}
