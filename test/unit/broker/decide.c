/* Which way the broker sends each rank: checked from outside, over sockets. */
#include "stage.h"

/* --- a directory ------------------------------------------------------------------ */

static void check_enter(struct answer *answer, const struct built *built)
{
    TAP_INT(answer->kind, SHARE_ENTER);
    TAP_INT(answer->descriptors, SHARE_USERNS | SHARE_MOUNTNS);
    TAP_INT(answer->count, 2);
    TAP_TRUE(answer->count == 2 && stage_same(answer->fds[0], built->userns));
    TAP_TRUE(answer->count == 2 && stage_same(answer->fds[1], built->mountns));
    TAP_STR(answer->text, "");
    answer_close(answer);
}

/* All who come while the first builds wait, and enter what it has built. */
static void test_others_enter(void)
{
    const struct share_hello hello = hello_of(1, 0, 1, 0);
    struct built built = {stage_thing(), stage_thing(), {-1, -1}};
    struct peer others[3];
    struct answer answer;
    struct stage stage;

    stage_pipe(built.mounts);
    stage_start(&stage, 0, &hello);
    for (int i = 0; i < 3; i++) {
        others[i] = peer_start(&stage);
        peer_ask(&others[i], 1, 1);
    }
    TAP_TRUE(stage_lives(&stage));
    for (int i = 0; i < 3; i++)
        TAP_TRUE(!peer_has_answer(&others[i]));
    peer_offer(
        &stage.first, SHARE_READY,
        &(struct offer){.userns = built.userns, .mountns = built.mountns, .mountinfo = built.mounts[0]});
    for (int i = 0; i < 3; i++) {
        peer_hear(&others[i], &answer);
        check_enter(&answer, &built);
        peer_next(&others[i], &answer);
        TAP_INT(answer.kind, 0); /* the connection is closed: an exec finds it so */
    }
    TAP_TRUE(!peer_has_answer(&stage.first)); /* nobody answers the first */
    TAP_INT(stage_count(&stage, SHARE_ITEM_RANK), 4);
    TAP_INT(stage_count(&stage, SHARE_ITEM_VIEW), 1);
    peer_end(&stage.first);
    for (int i = 0; i < 3; i++)
        peer_end(&others[i]);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* Another view of a directory is built in the same user namespace, by one. */
static void test_other_view(void)
{
    struct peer builder, waiting, last;
    struct answer answer;
    struct stage stage;
    struct built built;

    stage_start_ready(&stage, &built, 0);
    builder = peer_start(&stage);
    peer_ask(&builder, 1, 2);
    peer_hear(&builder, &answer);
    TAP_INT(answer.kind, SHARE_BUILD);
    TAP_INT(answer.descriptors, SHARE_USERNS);
    TAP_TRUE(answer.count == 1 && stage_same(answer.fds[0], built.userns));
    answer_close(&answer);
    waiting = peer_start(&stage);
    peer_ask(&waiting, 1, 2);
    TAP_TRUE(stage_lives(&stage));
    TAP_TRUE(!peer_has_answer(&waiting));
    peer_end(&builder);
    TAP_INT(peer_kind(&waiting), SHARE_BUILD);
    peer_ready(&waiting, &built);
    last = peer_start(&stage);
    peer_ask(&last, 1, 2);
    TAP_INT(peer_kind(&last), SHARE_ENTER);
    peer_end(&stage.first);
    peer_end(&waiting);
    peer_end(&last);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* A builder that hangs up, by an exec alone without, has built nothing. */
static void test_hung_up(void)
{
    const struct share_hello hello = hello_of(1, 0, 1, 0);
    struct peer second, third;
    struct answer answer;
    struct stage stage;
    struct built built = {stage_thing(), stage_thing(), {-1, -1}};

    stage_pipe(built.mounts);
    stage_start(&stage, 0, &hello);
    second = peer_start(&stage);
    third = peer_start(&stage);
    peer_ask(&second, 1, 1);
    TAP_TRUE(stage_lives(&stage));
    peer_ask(&third, 1, 1);
    TAP_TRUE(stage_lives(&stage));
    peer_hang_up(&stage.first);
    peer_hear(&second, &answer);
    TAP_INT(answer.kind, SHARE_BUILD);
    TAP_INT(answer.descriptors, 0); /* it makes the user namespace */
    TAP_TRUE(!peer_has_answer(&third));
    peer_offer(
        &second, SHARE_READY,
        &(struct offer){.userns = built.userns, .mountns = built.mountns, .mountinfo = built.mounts[0]});
    peer_hear(&third, &answer);
    check_enter(&answer, &built);
    peer_end(&stage.first);
    peer_end(&second);
    peer_end(&third);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* A user namespace is made once: who asks for another image waits for it as well. */
static void test_one_user_namespace(void)
{
    const struct share_hello hello = hello_of(1, 0, 1, 0);
    struct built built = {stage_thing(), stage_thing(), {-1, -1}};
    struct peer other, next;
    struct answer answer;
    struct stage stage;

    stage_pipe(built.mounts);
    stage_start(&stage, 0, &hello);
    other = peer_start(&stage);
    peer_ask_served(&other, 2, 2);
    TAP_TRUE(stage_lives(&stage));
    TAP_TRUE(!peer_has_answer(&other));
    peer_offer(
        &stage.first, SHARE_READY,
        &(struct offer){.userns = built.userns, .mountns = built.mountns, .mountinfo = built.mounts[0]});
    peer_hear(&other, &answer);
    TAP_INT(answer.kind, SHARE_LEAD);
    TAP_INT(answer.descriptors, SHARE_USERNS);
    TAP_TRUE(answer.count == 1 && stage_same(answer.fds[0], built.userns));
    answer_close(&answer);
    /* Whoever brings another one all the same is not entered. */
    peer_offer(
        &other, SHARE_READY,
        &(struct offer){.userns = built.userns, .mountns = built.mountns, .mountinfo = built.mounts[0]});
    next = peer_start(&stage);
    peer_ask_served(&next, 2, 2);
    TAP_INT(peer_kind(&next), SHARE_LEAD);
    peer_end(&stage.first);
    peer_end(&other);
    peer_end(&next);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* --- a served image --------------------------------------------------------------- */

struct served {
    int fuse, config, server[2];
};

static void served_make(struct served *served)
{
    served->fuse = stage_thing();
    served->config = stage_thing();
    stage_pipe(served->server);
}

static void served_close(struct served *served)
{
    fd_close(&served->fuse);
    fd_close(&served->config);
    fd_close(&served->server[0]);
    fd_close(&served->server[1]);
}

static void lead(const struct peer *leader, const struct served *served, const struct built *built,
                 unsigned flags)
{
    int mountns = stage_thing();

    peer_offer(leader, SHARE_MOUNTED,
               &(struct offer){.fuse = served->fuse, .config = served->config, .server = served->server[0]});
    peer_offer(leader, SHARE_READY,
               &(struct offer){.mountns = mountns, .mountinfo = built->mounts[0], .flags = flags});
    close(mountns);
}

static void check_served(struct answer *answer, const struct built *built, const struct served *served)
{
    TAP_INT(answer->kind, SHARE_SERVED);
    TAP_INT(answer->descriptors, SHARE_USERNS | SHARE_FUSE | SHARE_CONFIG);
    TAP_TRUE(answer->count == 3 && stage_same(answer->fds[0], built->userns) &&
             stage_same(answer->fds[1], served->fuse) && stage_same(answer->fds[2], served->config));
    TAP_INT(answer->has_config, 1);
    answer_close(answer);
}

static void test_served(void)
{
    struct peer leader, waiting, other;
    struct answer answer;
    struct stage stage;
    struct built built;
    struct served served;

    served_make(&served);
    stage_start_ready(&stage, &built, 0);
    leader = peer_start(&stage);
    waiting = peer_start(&stage);
    other = peer_start(&stage);
    peer_ask_served(&leader, 2, 1);
    TAP_INT(peer_kind(&leader), SHARE_LEAD);
    peer_ask_served(&waiting, 2, 1);
    peer_ask_served(&other, 2, 2);
    peer_offer(&leader, SHARE_MOUNTED,
               &(struct offer){.fuse = served.fuse, .config = served.config, .server = served.server[0]});
    TAP_TRUE(stage_lives(&stage));
    TAP_TRUE(!peer_has_answer(&waiting) && !peer_has_answer(&other)); /* names are looked up once READY */
    peer_ready(&leader, &built);
    peer_hear(&waiting, &answer);
    TAP_INT(answer.kind, SHARE_ENTER);
    TAP_INT(answer.descriptors, SHARE_USERNS | SHARE_MOUNTNS | SHARE_CONFIG);
    TAP_TRUE(answer.count == 3 && stage_same(answer.fds[2], served.config));
    TAP_INT(answer.has_config, 1);
    answer_close(&answer);
    peer_hear(&other, &answer);
    check_served(&answer, &built, &served);
    peer_end(&stage.first);
    peer_end(&leader);
    peer_end(&waiting);
    peer_end(&other);
    STAGE_ENDS(&stage);
    served_close(&served);
    built_close(&built);
}

/* READY without MOUNTED: what nobody can mount is led anew by who wants another view. */
static void test_never_mounted(void)
{
    struct peer leader, equal, other;
    struct stage stage;
    struct built built;

    stage_start_ready(&stage, &built, 0);
    leader = peer_start(&stage);
    peer_ask_served(&leader, 2, 1);
    TAP_INT(peer_kind(&leader), SHARE_LEAD);
    peer_ready(&leader, &built);
    equal = peer_start(&stage);
    peer_ask_served(&equal, 2, 1);
    TAP_INT(peer_kind(&equal), SHARE_ENTER);
    other = peer_start(&stage);
    peer_ask_served(&other, 2, 2);
    TAP_INT(peer_kind(&other), SHARE_LEAD);
    peer_end(&stage.first);
    peer_end(&leader);
    peer_end(&equal);
    peer_end(&other);
    STAGE_ENDS(&stage);
    built_close(&built);
}

static void test_mounted_once(void)
{
    struct peer leader, equal, other, last;
    struct stage stage;
    struct built built;
    struct served served;

    served_make(&served);
    stage_start_ready(&stage, &built, 0);
    leader = peer_start(&stage);
    peer_ask_served(&leader, 2, 1);
    TAP_INT(peer_kind(&leader), SHARE_LEAD);
    lead(&leader, &served, &built, SHARE_MOUNTED_ONCE);
    equal = peer_start(&stage);
    peer_ask_served(&equal, 2, 1);
    TAP_INT(peer_kind(&equal), SHARE_ENTER);
    other = peer_start(&stage);
    peer_ask_served(&other, 2, 2);
    TAP_INT(peer_kind(&other), SHARE_LEAD); /* with a server of its own */
    last = peer_start(&stage);
    peer_ask_served(&last, 2, 1);
    TAP_TRUE(stage_lives(&stage));
    peer_end(&other);
    TAP_INT(peer_kind(&last), SHARE_ENTER);
    peer_end(&stage.first);
    peer_end(&leader);
    peer_end(&equal);
    peer_end(&last);
    STAGE_ENDS(&stage);
    served_close(&served);
    built_close(&built);
}

/*
 * The leader is killed between MOUNTED and READY: what counts is what the next one
 * mounts, whether the lost server ends before that or after.
 */
static void check_leader_lost(int ends_first)
{
    struct peer leader, next, other;
    struct answer answer;
    struct stage stage;
    struct built built;
    struct served lost, served;

    served_make(&lost);
    served_make(&served);
    stage_start_ready(&stage, &built, 0);
    leader = peer_start(&stage);
    peer_ask_served(&leader, 2, 1);
    TAP_INT(peer_kind(&leader), SHARE_LEAD);
    peer_offer(&leader, SHARE_MOUNTED, &(struct offer){.fuse = lost.fuse, .server = lost.server[0]});
    fd_close(&lost.server[0]);
    next = peer_start(&stage);
    peer_ask_served(&next, 2, 1);
    TAP_TRUE(stage_lives(&stage));
    peer_end(&leader);
    TAP_INT(peer_kind(&next), SHARE_LEAD);
    if (ends_first)
        fd_close(&lost.server[1]);
    TAP_TRUE(stage_lives(&stage));
    lead(&next, &served, &built, 0);
    TAP_TRUE(stage_lives(&stage));
    fd_close(&lost.server[1]);
    TAP_TRUE(stage_lives(&stage));
    other = peer_start(&stage);
    peer_ask_served(&other, 2, 2);
    peer_hear(&other, &answer);
    check_served(&answer, &built, &served);
    peer_end(&stage.first);
    peer_end(&next);
    peer_end(&other);
    STAGE_ENDS(&stage);
    served_close(&lost);
    served_close(&served);
    built_close(&built);
}

static void test_leader_lost(void)
{
    tap.row = "the lost server ends first";
    check_leader_lost(1);
    tap.row = "the next one mounts first";
    check_leader_lost(0);
    tap.row = NULL;
}

/* --- views that are nobody else's ------------------------------------------------- */

static void test_own_views(void)
{
    struct peer own, equal, turned, last;
    struct stage stage;
    struct built built;

    stage_start_ready(&stage, &built, 0);
    own = peer_start(&stage);
    equal = peer_start(&stage);
    peer_hello(&own, hello_of(1, 0, 2, SHARE_OWN_VIEW), "");
    TAP_INT(peer_kind(&own), SHARE_BUILD);
    peer_ask(&equal, 1, 2);
    TAP_INT(peer_kind(&equal), SHARE_BUILD); /* it does not even wait for it */
    peer_ready(&own, &built);
    peer_end(&equal);
    TAP_TRUE(stage_comes_to(&stage, SHARE_ITEM_VIEW, 2));
    equal = peer_start(&stage);
    peer_ask(&equal, 1, 2);
    TAP_INT(peer_kind(&equal), SHARE_BUILD);
    /* Found out while it was built. */
    turned = peer_start(&stage);
    peer_ask(&turned, 1, 2);
    TAP_TRUE(stage_lives(&stage));
    TAP_TRUE(!peer_has_answer(&turned));
    peer_offer(
        &equal, SHARE_READY,
        &(struct offer){.mountns = built.mountns, .mountinfo = built.mounts[0], .flags = SHARE_OWN_VIEW});
    TAP_INT(peer_kind(&turned), SHARE_BUILD);
    /* And one who wants a view of his own enters none. */
    last = peer_start(&stage);
    peer_hello(&last, hello_of(1, 0, 1, SHARE_OWN_VIEW), "");
    TAP_INT(peer_kind(&last), SHARE_BUILD);
    TAP_INT(stage_count(&stage, SHARE_ITEM_VIEW), 5);
    peer_ready(&turned, &built);
    peer_ready(&last, &built);
    peer_end(&own); /* what has been its own does not linger, or the broker would never end */
    TAP_TRUE(stage_comes_to(&stage, SHARE_ITEM_VIEW, 4));
    peer_end(&stage.first);
    peer_end(&equal);
    peer_end(&turned);
    peer_end(&last);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* A builder that was stopped holds up everybody, and whoever waits hears that he does. */
static void test_stopped_builder(void)
{
    struct peer builder, next;
    struct answer answer;
    struct stage stage;
    struct built built;

    stage_start_ready(&stage, &built, 0);
    builder = peer_start(&stage);
    peer_ask(&builder, 1, 2);
    TAP_INT(peer_kind(&builder), SHARE_BUILD);
    kill(builder.process, SIGSTOP);
    next = peer_start(&stage);
    peer_ask(&next, 1, 2);
    peer_next(&next, &answer);
    if (answer.kind == SHARE_WAIT)
        peer_hear(&next, &answer);
    TAP_INT(answer.kind, SHARE_BUILD);
    answer_close(&answer);
    kill(builder.process, SIGCONT);
    peer_ready(&builder, &built); /* too late */
    peer_ready(&next, &built);
    TAP_INT(stage_count(&stage, SHARE_ITEM_RANK), 3);
    peer_end(&stage.first);
    peer_end(&builder);
    peer_end(&next);
    STAGE_ENDS(&stage);
    built_close(&built);
}

static void test_waiting_is_told(void)
{
    struct peer builder, next;
    struct answer answer;
    struct stage stage;
    struct built built;

    stage_start_ready(&stage, &built, 0);
    builder = peer_start(&stage);
    peer_ask(&builder, 1, 2);
    TAP_INT(peer_kind(&builder), SHARE_BUILD);
    next = peer_start(&stage);
    peer_ask(&next, 1, 2);
    peer_next(&next, &answer);
    TAP_INT(answer.kind, SHARE_WAIT);
    TAP_INT(answer.count, 0);
    peer_ready(&builder, &built);
    TAP_INT(peer_kind(&next), SHARE_ENTER);
    peer_end(&stage.first);
    peer_end(&builder);
    peer_end(&next);
    STAGE_ENDS(&stage);
    built_close(&built);
}

int main(void)
{
    test_others_enter();
    test_other_view();
    test_hung_up();
    test_one_user_namespace();
    test_served();
    test_never_mounted();
    test_mounted_once();
    test_leader_lost();
    test_own_views();
    test_stopped_builder();
    test_waiting_is_told();
    return tap_done();
}
