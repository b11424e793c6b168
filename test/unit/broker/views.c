/* For how long a view is held, and when it is no longer entered. */
#include "stage.h"

#include <sched.h>
#include <sys/mount.h>

#include "base/sys.h"

static char scratch[PATH_MAX / 4];

/* --- the linger ------------------------------------------------------------------- */

static void test_linger(void)
{
    enum { LINGER = 400 };
    struct peer next;
    struct stage stage;
    struct built built;
    int64_t left;

    stage_start_ready(&stage, &built, LINGER);
    TAP_INT(stage_count(&stage, SHARE_ITEM_VIEW), 1);
    next = peer_start(&stage);
    peer_end(&stage.first);
    TAP_TRUE(stage_comes_to(&stage, SHARE_ITEM_RANK, 0));
    peer_ask(&next, 1, 1);
    TAP_INT(peer_kind(&next), SHARE_ENTER);
    stage_pause(2 * LINGER); /* counts from when the last has gone */
    TAP_INT(stage_count(&stage, SHARE_ITEM_VIEW), 1);
    TAP_TRUE(stage_work(&stage, LINGER) < LINGER * 1000 / 4); /* and nobody counts the time meanwhile */
    left = stage_now();
    peer_end(&next);
    STAGE_ENDS(&stage);
    TAP_TRUE(stage_now() - left >= LINGER);
    built_close(&built);
}

/* A view that was left stays while its image is about to be mounted, and costs nothing. */
static void test_left_while_another_builds(void)
{
    struct peer builder;
    struct stage stage;
    struct built built;

    stage_start_ready(&stage, &built, 0);
    builder = peer_start(&stage);
    peer_ask(&builder, 1, 2);
    TAP_INT(peer_kind(&builder), SHARE_BUILD);
    peer_end(&stage.first);
    TAP_TRUE(stage_comes_to(&stage, SHARE_ITEM_RANK, 1));
    TAP_INT(stage_count(&stage, SHARE_ITEM_VIEW), 2);
    TAP_TRUE(stage_work(&stage, 400) < 100 * 1000);
    peer_ready(&builder, &built);
    TAP_TRUE(stage_comes_to(&stage, SHARE_ITEM_VIEW, 1));
    peer_end(&builder);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* --- what may have changed -------------------------------------------------------- */

static void test_mounts_changed(void)
{
    struct peer inside, next, last;
    struct stage stage;
    struct built built;

    stage_start_ready(&stage, &built, 0);
    inside = peer_start(&stage);
    peer_ask(&inside, 1, 1);
    TAP_INT(peer_kind(&inside), SHARE_ENTER);
    fd_close(&built.mounts[1]); /* poll(2) reports something */
    next = peer_start(&stage);
    peer_ask(&next, 1, 1);
    TAP_INT(peer_kind(&next), SHARE_BUILD);
    TAP_INT(stage_count(&stage, SHARE_ITEM_VIEW), 2); /* who is inside stays there */
    fd_close(&built.mounts[0]);
    stage_pipe(built.mounts);
    peer_ready(&next, &built);
    last = peer_start(&stage);
    peer_ask(&last, 1, 1);
    TAP_INT(peer_kind(&last), SHARE_ENTER);
    peer_end(&stage.first);
    peer_end(&inside);
    TAP_TRUE(stage_comes_to(&stage, SHARE_ITEM_VIEW, 1));
    peer_end(&next);
    peer_end(&last);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* The kernel's own file: nothing is mounted meanwhile, then something is. */
static void test_real_mounts(void)
{
    const struct share_hello hello = hello_of(1, 0, 1, 0);
    struct stage stage;
    struct peer next;
    int mounts, ends[2], status;
    char byte;
    pid_t child;

    /* Of a namespace of one's own: others may mount in ours at any moment. */
    stage_pipe(ends);
    child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
            _exit(77);
        mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
        stage_start(&stage, 0, &hello);
        peer_offer(&stage.first, SHARE_READY,
                   &(struct offer){.userns = stage_thing(), .mountns = stage_thing(), .mountinfo = mounts});
        next = peer_start(&stage);
        peer_ask(&next, 1, 1);
        status = peer_kind(&next) != SHARE_ENTER;
        peer_end(&next);
        status |= mount("none", scratch, "tmpfs", 0, NULL) < 0 ? 2 : 0;
        next = peer_start(&stage);
        peer_ask(&next, 1, 1);
        status |= peer_kind(&next) != SHARE_BUILD ? 4 : 0;
        peer_end(&next);
        peer_end(&stage.first);
        status |= stage_status(&stage) != 0 ? 8 : 0;
        _exit(status);
    }
    close(ends[1]);
    if (read(ends[0], &byte, 1) < 0 || waitpid(child, &status, 0) != child)
        stage_give_up("waitpid");
    close(ends[0]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        printf("ok %d # SKIP no user namespace can be made\n", ++tap.run);
    else
        TAP_INT(status, 0);
}

static struct share_cover cover_of(int dir)
{
    struct sys_identity identity;

    if (sys_identify(dir, "", AT_EMPTY_PATH, &identity) < 0)
        stage_give_up("statx");
    return (struct share_cover){identity.device, identity.inode, identity.mtime, identity.mtime_ns};
}

/* The eight directories whose lists of names the view shows. */
static void test_covers(void)
{
    const struct share_hello hello = hello_of(1, 0, 1, 0);
    const struct timespec times[2] = {{1000, 0}, {1000, 7}};
    struct share_cover expected[SHARE_COVER_LIMIT];
    int covers[SHARE_COVER_LIMIT], userns = stage_thing(), mountns = stage_thing(), mounts[2];
    char path[PATH_MAX];
    struct stage stage;
    struct peer next;

    stage_pipe(mounts);
    for (int i = 0; i < SHARE_COVER_LIMIT; i++) {
        snprintf(path, sizeof(path), "%s/cover-%d", scratch, i);
        if (mkdir(path, 0700) < 0)
            stage_give_up("mkdir");
        covers[i] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        expected[i] = cover_of(covers[i]);
    }
    stage_start(&stage, 0, &hello);
    peer_offer(&stage.first, SHARE_READY,
               &(struct offer){.userns = userns,
                               .mountns = mountns,
                               .mountinfo = mounts[0],
                               .covers = covers,
                               .expected = expected,
                               .cover_count = SHARE_COVER_LIMIT});
    next = peer_start(&stage);
    peer_ask(&next, 1, 1);
    TAP_INT(peer_kind(&next), SHARE_ENTER);
    peer_end(&next);
    futimens(covers[SHARE_COVER_LIMIT - 1], times); /* the last, by nanoseconds */
    next = peer_start(&stage);
    peer_ask(&next, 1, 1);
    TAP_INT(peer_kind(&next), SHARE_BUILD);
    peer_end(&next);
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    share_close(covers, SHARE_COVER_LIMIT);
    share_close(mounts, 2);
    close(userns);
    close(mountns);
}

/* What is incomplete is not entered. */
static void test_incomplete(void)
{
    const struct share_hello hello = hello_of(1, 0, 1, 0);
    int userns = stage_thing(), mountns = stage_thing(), mounts[2];
    const struct share_cover nothing[2] = {{0}};
    struct offer offers[4];

    stage_pipe(mounts);
    offers[0] = (struct offer){.mountns = mountns, .mountinfo = mounts[0]};
    offers[1] = (struct offer){.userns = userns, .mountinfo = mounts[0]};
    offers[2] = (struct offer){.userns = userns, .mountns = mountns};
    offers[3] = (struct offer){.userns = userns,
                               .mountns = mountns,
                               .mountinfo = mounts[0],
                               .covers = &mountns, /* one, and two are said to come */
                               .expected = nothing,
                               .cover_count = 2};
    offers[3].covers = NULL;
    for (int i = 0; i < 4; i++) {
        struct stage stage;
        struct peer next;

        stage_start(&stage, 0, &hello);
        peer_offer(&stage.first, SHARE_READY, &offers[i]);
        next = peer_start(&stage);
        peer_ask(&next, 1, 1);
        TAP_INT(peer_kind(&next), SHARE_BUILD);
        peer_end(&stage.first);
        peer_end(&next);
        STAGE_ENDS(&stage);
    }
    share_close(mounts, 2);
    close(userns);
    close(mountns);
}

/* --- servers ---------------------------------------------------------------------- */

/* A stage whose first serves the image 1. SERVER's ends are the test's. */
static void start_served(struct stage *stage, struct built *built, int server[2], int linger)
{
    const struct share_hello hello = hello_of(1, 1, 1, 0);
    int fuse = stage_thing();

    *built = (struct built){stage_thing(), stage_thing(), {-1, -1}};
    stage_pipe(built->mounts);
    stage_pipe(server);
    stage_start(stage, linger, &hello);
    peer_offer(&stage->first, SHARE_MOUNTED, &(struct offer){.fuse = fuse, .server = server[0]});
    peer_offer(
        &stage->first, SHARE_READY,
        &(struct offer){.userns = built->userns, .mountns = built->mountns, .mountinfo = built->mounts[0]});
    close(fuse);
}

/* Serves the image anew, so that the broker need not stay to tell that it has lost a server. */
static void check_told(const struct stage *stage, const char *news)
{
    struct peer next = peer_start(stage);
    struct answer answer;

    peer_ask_served(&next, 1, 1);
    peer_hear(&next, &answer);
    TAP_INT(answer.kind, SHARE_LEAD);
    TAP_INT(answer.descriptors, SHARE_USERNS);
    TAP_TRUE(*news ? strstr(answer.text, news) != NULL : !*answer.text);
    answer_close(&answer);
    peer_end(&next);
}

static void test_server_ends(void)
{
    struct peer inside;
    struct stage stage;
    struct built built;
    int server[2];

    start_served(&stage, &built, server, 0);
    fd_close(&server[0]);
    inside = peer_start(&stage);
    peer_ask_served(&inside, 1, 1);
    TAP_INT(peer_kind(&inside), SHARE_ENTER);
    fd_close(&server[1]);
    check_told(&stage, "has ended");
    check_told(&stage, ""); /* once */
    peer_end(&stage.first);
    peer_end(&inside);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* It stays for a while, although nobody is left, to tell the next launch. */
static void test_stays_to_tell(void)
{
    struct stage stage;
    struct built built;
    int server[2];

    start_served(&stage, &built, server, 0);
    fd_close(&server[0]);
    fd_close(&server[1]);
    TAP_TRUE(stage_lives(&stage));
    peer_end(&stage.first);
    TAP_TRUE(stage_work(&stage, 300) < 100 * 1000);
    TAP_TRUE(stage_lives(&stage));
    check_told(&stage, "has ended");
    STAGE_ENDS(&stage);
    built_close(&built);
}

/*
 * Somebody else still holds the descriptor by which the broker watches the server:
 * epoll(7) reports it on, unless it is told not to.
 */
static void test_server_held_elsewhere(void)
{
    struct peer inside, next;
    struct stage stage;
    struct built built;
    int server[2];

    start_served(&stage, &built, server, 0);
    inside = peer_start(&stage);
    peer_ask(&inside, 2, 1);
    TAP_INT(peer_kind(&inside), SHARE_BUILD);
    peer_ready(&inside, &built);
    fd_close(&server[1]);
    check_told(&stage, "has ended");
    TAP_TRUE(stage_work(&stage, 400) < 100 * 1000);
    peer_end(&stage.first); /* and with it what the event is about */
    TAP_TRUE(stage_comes_to(&stage, SHARE_ITEM_IMAGE, 1));
    TAP_TRUE(stage_work(&stage, 400) < 100 * 1000);
    next = peer_start(&stage);
    peer_ask(&next, 2, 1);
    TAP_INT(peer_kind(&next), SHARE_ENTER);
    peer_end(&inside);
    peer_end(&next);
    STAGE_ENDS(&stage);
    fd_close(&server[0]);
    built_close(&built);
}

int main(void)
{
    stage_make_scratch(scratch, sizeof(scratch));
    test_linger();
    test_left_while_another_builds();
    test_mounts_changed();
    test_real_mounts();
    test_covers();
    test_incomplete();
    test_server_ends();
    test_stays_to_tell();
    test_server_held_elsewhere();
    stage_remove_scratch(scratch);
    return tap_done();
}
