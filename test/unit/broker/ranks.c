/* Those who come: many, silent ones, strangers, and whatever is said. */
#include "stage.h"

#include <sched.h>
#include <sys/resource.h>

/* --- many ------------------------------------------------------------------------- */

enum { MANY = 300 };

/* All come at once, while the first builds; one of them leaves, then all. */
static void test_many(void)
{
    const struct share_hello hello = hello_of(1, 0, 1, 0);
    static struct peer ranks[MANY];
    struct built built = {stage_thing(), stage_thing(), {-1, -1}};
    struct stage stage;
    int entered = 0, waited = 0;

    stage_pipe(built.mounts);
    stage_start(&stage, 0, &hello);
    for (int i = 0; i < MANY; i++) {
        ranks[i] = peer_start(&stage);
        peer_ask(&ranks[i], 1, 1);
    }
    TAP_TRUE(stage_lives(&stage));
    for (int i = 0; i < MANY; i++)
        waited += !peer_has_answer(&ranks[i]);
    TAP_TRUE(waited > 0); /* a WAIT may have come */
    peer_offer(
        &stage.first, SHARE_READY,
        &(struct offer){.userns = built.userns, .mountns = built.mountns, .mountinfo = built.mounts[0]});
    for (int i = 0; i < MANY; i++)
        entered += peer_kind(&ranks[i]) == SHARE_ENTER;
    TAP_INT(entered, MANY);
    TAP_INT(stage_count(&stage, SHARE_ITEM_RANK), MANY + 1);
    peer_end(&ranks[MANY / 2]);
    TAP_TRUE(stage_comes_to(&stage, SHARE_ITEM_RANK, MANY));
    for (int i = 0; i < MANY; i++)
        if (i != MANY / 2)
            peer_end(&ranks[i]);
    TAP_TRUE(stage_comes_to(&stage, SHARE_ITEM_RANK, 1));
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* Without descriptors left those who come are told at once, and later ones are served again. */
static void test_no_descriptors(void)
{
    enum { LIMIT = 40, COME = 60 };
    const struct rlimit few = {LIMIT, LIMIT};
    static struct peer ranks[COME];
    struct peer later;
    struct stage stage;
    struct built built;
    int entered = 0, refused = 0;

    stage_start_ready(&stage, &built, 0);
    if (prlimit(stage.process, RLIMIT_NOFILE, &few, NULL) < 0)
        stage_give_up("prlimit");
    TAP_TRUE(stage_lives(&stage));
    for (int i = 0; i < COME; i++) {
        struct answer answer;

        ranks[i] = peer_start(&stage);
        peer_ask(&ranks[i], 1, 1);
        peer_hear(&ranks[i], &answer);
        entered += answer.kind == SHARE_ENTER;
        /* Told why, or hung up on: what he says while he is told takes the answer along. */
        refused += (answer.kind == SHARE_ALONE && *answer.text) || answer.kind == 0;
        answer_close(&answer);
    }
    TAP_TRUE(entered > 10);
    TAP_TRUE(refused > 10);
    TAP_INT(entered + refused, COME);
    TAP_TRUE(stage_work(&stage, 200) < 100 * 1000);
    for (int i = 0; i < COME; i++)
        peer_end(&ranks[i]);
    later = peer_start(&stage);
    peer_ask(&later, 1, 1);
    TAP_INT(peer_kind(&later), SHARE_ENTER);
    peer_end(&later);
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* --- their going ------------------------------------------------------------------ */

/* The one who waited goes before he is answered, and one who was told to build. */
static void test_gone_while_waiting(void)
{
    const struct share_hello hello = hello_of(1, 0, 1, 0);
    struct stage stage;
    struct peer closed, ended;

    stage_start(&stage, 0, &hello);
    closed = peer_start(&stage);
    ended = peer_start(&stage);
    peer_ask(&closed, 1, 1);
    peer_ask(&ended, 1, 1);
    TAP_INT(stage_count(&stage, SHARE_ITEM_RANK), 1); /* who waits is in no view */
    /* The broker finds both at once: that the process has ended, and that it has hung up. */
    kill(stage.process, SIGSTOP);
    peer_hang_up(&closed);
    kill(ended.process, SIGKILL);
    peer_end(&ended);
    kill(stage.process, SIGCONT);
    TAP_TRUE(stage_lives(&stage));
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    peer_end(&closed);
}

/* The first has gone before its broker has begun. */
static void test_first_is_gone(void)
{
    const struct share_hello hello = hello_of(1, 0, 1, 0);
    struct stage stage;

    stage_start(&stage, 0, &hello);
    kill(stage.first.process, SIGKILL);
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
}

/* --- strangers -------------------------------------------------------------------- */

/* What has the user's id within a container is not the user. */
static void test_another_user_namespace(void)
{
    struct stage stage;
    struct built built;
    pid_t child;
    int status;

    stage_start_ready(&stage, &built, 0);
    child = fork();
    if (child == 0) {
        struct peer stranger;

        if (unshare(CLONE_NEWUSER) < 0)
            _exit(77);
        stranger = stage_asker(&stage);
        peer_ask(&stranger, 1, 1);
        _exit(peer_kind(&stranger) != 0);
    }
    if (waitpid(child, &status, 0) != child)
        stage_give_up("waitpid");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        printf("ok %d # SKIP no user namespace can be made\n", ++tap.run);
    else
        TAP_INT(status, 0);
    TAP_TRUE(stage_lives(&stage));
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* Whoever has connected and says nothing keeps nobody up and nothing alive. */
static void test_silent(void)
{
    struct stage stage;
    struct built built;
    struct peer silent, rank;
    int64_t start;

    stage_start_ready(&stage, &built, 0);
    start = stage_now();
    silent = peer_start(&stage);
    rank = peer_start(&stage);
    peer_ask(&rank, 1, 1);
    TAP_INT(peer_kind(&rank), SHARE_ENTER);
    TAP_TRUE(stage_work(&stage, 200) < 100 * 1000);
    peer_end(&rank);
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    TAP_TRUE(stage_now() - start >= 9000);
    TAP_INT(peer_kind(&silent), 0);
    peer_end(&silent);
    built_close(&built);
}

/* --- whatever is said ------------------------------------------------------------- */

/* Sends LENGTH bytes with COUNT descriptors. Whether the broker hangs up on that. */
static int is_hung_up_on(const struct stage *stage, const void *bytes, size_t length, size_t count)
{
    int fds[32], result;
    struct peer peer = stage_asker(stage);

    for (size_t i = 0; i < count; i++)
        fds[i] = STDOUT_FILENO;
    if (count > SHARE_DESCRIPTOR_LIMIT) {
        struct iovec part = {(void *)(uintptr_t)bytes, length};
        union {
            struct cmsghdr header;
            char bytes[CMSG_SPACE(sizeof(fds))];
        } control = {.header = {CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = CMSG_SPACE(count * sizeof(int))};

        memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
        if (sendmsg(peer.socket, &message, 0) < 0)
            stage_give_up("sendmsg");
    } else if (share_send(peer.socket, bytes, length, fds, count) < 0) {
        stage_give_up("sendmsg");
    }
    /* Who comes while the broker sees to its listener may be heard before: once more, and PEER was. */
    TAP_TRUE(stage_lives(stage));
    TAP_TRUE(stage_lives(stage));
    result = peer_has_answer(&peer) && peer_kind(&peer) == 0;
    peer_hang_up(&peer);
    return result;
}

static void test_bad_messages(void)
{
    static char large[SHARE_MESSAGE_LIMIT + 1];
    const struct share_hello hello = hello_of(1, 0, 1, 0);
    struct share_message message = {SHARE_MESSAGE_MAGIC, SHARE_LIST, 0, 0};
    struct stage stage;
    struct built built;

    stage_start_ready(&stage, &built, 0);
    tap.row = "empty";
    TAP_TRUE(is_hung_up_on(&stage, "", 0, 0));
    tap.row = "a byte";
    TAP_TRUE(is_hung_up_on(&stage, "c", 1, 0));
    tap.row = "a header without its end";
    TAP_TRUE(is_hung_up_on(&stage, &message, sizeof(message) - 1, 0));
    tap.row = "a HELLO without its end";
    TAP_TRUE(is_hung_up_on(&stage, &hello, sizeof(hello) - 1, 0));
    tap.row = "too long";
    memcpy(large, &message, sizeof(message));
    TAP_TRUE(is_hung_up_on(&stage, large, sizeof(large), 0));
    tap.row = "too many descriptors";
    TAP_TRUE(is_hung_up_on(&stage, &message, sizeof(message), SHARE_DESCRIPTOR_LIMIT + 1));
    tap.row = "descriptors that nobody asked for";
    TAP_TRUE(!is_hung_up_on(&stage, &message, sizeof(message), SHARE_DESCRIPTOR_LIMIT));
    tap.row = "wrong magic";
    message.magic++;
    TAP_TRUE(is_hung_up_on(&stage, &message, sizeof(message), 0));
    message.magic--;
    for (unsigned kind = 0; kind < 64; kind++) {
        if (kind >= SHARE_HELLO && kind <= SHARE_FIND)
            continue;
        tap.row = "unknown kind";
        message.kind = kind < 32 ? kind : kind * 0x01010101u;
        TAP_TRUE(is_hung_up_on(&stage, &message, sizeof(message), 0));
    }
    tap.row = NULL;
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    built_close(&built);
}

static void test_bad_ready(void)
{
    struct share_ready ready = {.message = {SHARE_MESSAGE_MAGIC, SHARE_READY, 0, 0}};
    struct stage stage;
    struct built built;
    struct peer builder, next;

    stage_start_ready(&stage, &built, 0);
    tap.row = "without HELLO";
    TAP_TRUE(!is_hung_up_on(&stage, &ready, sizeof(ready), 2));
    ready.message.descriptors = ~0u;
    TAP_TRUE(!is_hung_up_on(&stage, &ready, sizeof(ready), 3));
    tap.row = "too short, too long";
    TAP_TRUE(is_hung_up_on(&stage, &ready, sizeof(ready) - 1, 0));
    tap.row = "nine covers";
    ready.cover_count = SHARE_COVER_LIMIT + 1;
    TAP_TRUE(is_hung_up_on(&stage, &ready, sizeof(ready), 0));
    ready.cover_count = UINT32_MAX;
    TAP_TRUE(is_hung_up_on(&stage, &ready, sizeof(ready), 0));
    tap.row = "descriptors are announced and none comes";
    builder = peer_start(&stage);
    peer_ask(&builder, 1, 2);
    TAP_INT(peer_kind(&builder), SHARE_BUILD);
    ready.cover_count = SHARE_COVER_LIMIT;
    peer_send(&builder, &ready, sizeof(ready));
    next = peer_start(&stage);
    peer_ask(&next, 1, 2);
    TAP_INT(peer_kind(&next), SHARE_BUILD);
    peer_end(&builder);
    tap.row = "twice";
    peer_ready(&next, &built);
    peer_ready(&next, &built);
    TAP_TRUE(stage_lives(&stage));
    builder = peer_start(&stage);
    peer_ask(&builder, 1, 2);
    TAP_INT(peer_kind(&builder), SHARE_ENTER);
    tap.row = NULL;
    peer_end(&builder);
    peer_end(&next);
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* A builder says HELLO once more: it counts as one who has hung up. */
static void test_hello_twice(void)
{
    struct stage stage;
    struct built built;
    struct peer builder, next;

    stage_start_ready(&stage, &built, 0);
    builder = peer_start(&stage);
    peer_ask(&builder, 1, 2);
    TAP_INT(peer_kind(&builder), SHARE_BUILD);
    peer_ask(&builder, 1, 1);
    next = peer_start(&stage);
    peer_ask(&next, 1, 2);
    TAP_INT(peer_kind(&next), SHARE_BUILD);
    TAP_INT(peer_kind(&builder), 0);
    peer_ready(&next, &built);
    peer_end(&builder);
    peer_end(&next);
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* MOUNTED by one who leads nothing, and of a server that cannot be watched. */
static void test_bad_mounted(void)
{
    int thing = stage_thing(), file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stage stage;
    struct built built;
    struct peer leader, other;

    stage_start_ready(&stage, &built, 0);
    peer_offer(&stage.first, SHARE_MOUNTED, &(struct offer){.fuse = thing, .server = thing});
    leader = peer_start(&stage);
    peer_ask_served(&leader, 2, 1);
    TAP_INT(peer_kind(&leader), SHARE_LEAD);
    peer_offer(&leader, SHARE_MOUNTED, &(struct offer){.fuse = thing});
    peer_offer(&leader, SHARE_MOUNTED, &(struct offer){.fuse = thing, .server = file});
    peer_ready(&leader, &built);
    other = peer_start(&stage);
    peer_ask_served(&other, 2, 2);
    TAP_INT(peer_kind(&other), SHARE_LEAD);
    TAP_TRUE(stage_lives(&stage));
    peer_end(&leader);
    peer_end(&other);
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    close(thing);
    close(file);
    built_close(&built);
}

/* --- at random -------------------------------------------------------------------- */

static uint64_t seed = 0x6d656574;

static unsigned next_random(unsigned limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % limit;
}

/* Some of what is random is nearly right. */
static size_t make_message(unsigned char *bytes)
{
    const struct share_hello hello = hello_of(1 + next_random(3), (int)next_random(3), next_random(4), 0);
    size_t length = next_random(3) ? sizeof(struct share_ready) : next_random(400);
    struct share_message header = {SHARE_MESSAGE_MAGIC, next_random(16), next_random(512), next_random(2)};

    for (size_t i = 0; i < 400; i++)
        bytes[i] = (unsigned char)(next_random(3) ? next_random(256) : 0);
    if (next_random(8))
        memcpy(bytes, &header, sizeof(header));
    if (next_random(3) == 0) {
        memcpy(bytes, &hello, sizeof(hello));
        length = sizeof(hello) + next_random(40);
        bytes[sizeof(header)] &= (unsigned char)~SHARE_IS_FIRST;
    }
    if (length == sizeof(struct share_ready) && next_random(4))
        bytes[sizeof(header) + 8] = (unsigned char)next_random(10), memset(bytes + sizeof(header) + 9, 0, 3);
    return length;
}

static void test_random_messages(void)
{
    enum { MESSAGES = 10000, TALKERS = 16 };
    int things[SHARE_DESCRIPTOR_LIMIT], ends[2];
    struct peer talkers[TALKERS];
    struct stage stage;
    struct built built;
    int reconnected = 0;

    stage_pipe(ends);
    for (int i = 0; i < SHARE_DESCRIPTOR_LIMIT; i++)
        things[i] = i == 0 ? ends[0] : stage_thing();
    stage_start_ready(&stage, &built, 0);
    for (int i = 0; i < TALKERS; i++)
        talkers[i] = stage_asker(&stage);
    for (int i = 0; i < MESSAGES; i++) {
        struct peer *talker = &talkers[next_random(TALKERS)];
        unsigned char bytes[400];
        struct answer answer;
        size_t length = make_message(bytes);

        share_send(talker->socket, bytes, length, things, next_random(4) ? next_random(6) : 0);
        if (i % 500 == 0 && !stage_lives(&stage))
            break;
        while (peer_has_answer(talker)) {
            peer_next(talker, &answer);
            answer_close(&answer);
            if (answer.kind)
                continue;
            reconnected++;
            peer_hang_up(talker);
            *talker = stage_asker(&stage);
        }
    }
    TAP_TRUE(stage_lives(&stage));
    TAP_TRUE(reconnected > 100);
    for (int i = 0; i < TALKERS; i++)
        peer_hang_up(&talkers[i]);
    TAP_TRUE(stage_lives(&stage));
    peer_end(&stage.first);
    stage_kill(&stage); /* the talkers were this process, which is still there */
    share_close(things, SHARE_DESCRIPTOR_LIMIT);
    close(ends[1]);
    built_close(&built);
}

int main(void)
{
    test_many();
    test_no_descriptors();
    test_gone_while_waiting();
    test_first_is_gone();
    test_another_user_namespace();
    test_silent();
    test_bad_messages();
    test_bad_ready();
    test_hello_twice();
    test_bad_mounted();
    test_random_messages();
    return tap_done();
}
