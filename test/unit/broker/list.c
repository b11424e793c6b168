/* What `coracle ps` and `coracle exec` are told. */
#include "stage.h"

struct item {
    enum share_item_kind kind;
    pid_t process;
    unsigned pins, flags;
    const char *first, *second;
};

static void check_item(const struct peer *asker, const struct item *expected)
{
    struct answer answer;

    peer_next(asker, &answer);
    TAP_INT(answer.kind, SHARE_ITEM);
    TAP_INT(answer.item.kind, expected->kind);
    TAP_INT(answer.item.pid, expected->process);
    TAP_INT(answer.item.pins, expected->pins);
    TAP_INT(answer.item.flags, expected->flags);
    TAP_TRUE(answer.item.age < 10 * STAGE_PATIENCE);
    TAP_STR(answer.text, expected->first);
    TAP_STR(answer.text + strlen(answer.text) + 1, expected->second);
}

static struct peer ask_list(const struct stage *stage)
{
    const struct share_message list = {SHARE_MESSAGE_MAGIC, SHARE_LIST, 0, 0};
    struct peer asker = stage_asker(stage);

    peer_send(&asker, &list, sizeof(list));
    return asker;
}

static struct peer ask_find(const struct stage *stage, pid_t process)
{
    const struct share_find find = {{SHARE_MESSAGE_MAGIC, SHARE_FIND, 0, 0}, (uint32_t)process, 0};
    struct peer asker = stage_asker(stage);

    peer_send(&asker, &find, sizeof(find));
    return asker;
}

static void test_list(void)
{
    static const char digest[] = "00000000000000010000000000000000",
                      own_digest[] = "00000000000000020000000000000000";
    int fuse = stage_thing(), server[2];
    struct stage stage;
    struct built built;
    struct peer leader, asker;
    struct answer answer;

    stage_pipe(server);
    stage_start_ready(&stage, &built, 0);
    leader = peer_start(&stage);
    peer_hello(&leader, hello_of(2, 1, 2, SHARE_OWN_VIEW), "a-leader");
    TAP_INT(peer_kind(&leader), SHARE_LEAD);
    peer_offer(&leader, SHARE_MOUNTED, &(struct offer){.fuse = fuse, .server = server[0]});
    TAP_TRUE(stage_lives(&stage));
    asker = ask_list(&stage);
    check_item(&asker, &(struct item){SHARE_ITEM_BROKER, 0, SHARE_USERNS, 0, "a scope", "an origin"});
    check_item(&asker, &(struct item){SHARE_ITEM_IMAGE, 0, SHARE_FUSE, 1, "/images/2", ""});
    check_item(&asker, &(struct item){SHARE_ITEM_VIEW, 0, 0, SHARE_OWN_VIEW, own_digest, ""});
    check_item(&asker, &(struct item){SHARE_ITEM_RANK, leader.process, 0, 0, "a-leader", ""});
    check_item(&asker, &(struct item){SHARE_ITEM_IMAGE, 0, 0, 0, "/images/1", ""});
    check_item(&asker, &(struct item){SHARE_ITEM_VIEW, 0, SHARE_MOUNTNS, 0, digest, ""});
    check_item(&asker, &(struct item){SHARE_ITEM_RANK, stage.first.process, 0, 0, "first", ""});
    peer_next(&asker, &answer);
    TAP_INT(answer.kind, SHARE_END);
    peer_hang_up(&asker);
    peer_end(&leader);
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    share_close(server, 2);
    close(fuse);
    built_close(&built);
}

/* A path keeps its end; a name that is too long is none. */
static void test_long_texts(void)
{
    const struct share_hello hello = hello_of(3, 0, 1, 0);
    char bytes[sizeof(hello) + 6000];
    char *path = bytes + sizeof(hello), *name = path + 5001;
    struct stage stage;
    struct built built;
    struct peer rank, asker;
    struct answer answer;

    memset(bytes, 'p', sizeof(bytes));
    memcpy(bytes, &hello, sizeof(hello));
    memcpy(path + 5000 - 4, "/end", 5);
    stage_start_ready(&stage, &built, 0);
    for (size_t length = SHARE_NAME_LIMIT; length <= SHARE_NAME_LIMIT + 1; length++) {
        memset(name, 'n', length);
        name[length] = 0;
        rank = peer_start(&stage);
        peer_send(&rank, bytes, (size_t)(name + length + 1 - bytes));
        TAP_INT(peer_kind(&rank), SHARE_BUILD);
        asker = ask_list(&stage);
        peer_next(&asker, &answer); /* the broker */
        peer_next(&asker, &answer);
        TAP_INT(strlen(answer.text), 4096);
        TAP_STR(answer.text + 4096 - 4, "/end");
        peer_next(&asker, &answer); /* its view */
        peer_next(&asker, &answer);
        TAP_STR(answer.text, length <= SHARE_NAME_LIMIT ? name : "");
        peer_hang_up(&asker);
        peer_end(&rank);
        TAP_TRUE(stage_comes_to(&stage, SHARE_ITEM_RANK, 1));
    }
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    built_close(&built);
}

/* One who asks and does not read is left; the others wait for him once, and not long. */
static void test_asker_does_not_read(void)
{
    const struct share_message list = {SHARE_MESSAGE_MAGIC, SHARE_LIST, 0, 0};
    struct stage stage;
    struct built built;
    struct peer deaf;
    int64_t start;

    stage_start_ready(&stage, &built, 0);
    deaf = stage_asker(&stage);
    for (int i = 0; i < 2000; i++)
        share_send(deaf.socket, &list, sizeof(list), NULL, 0);
    start = stage_now();
    TAP_TRUE(stage_lives(&stage));
    TAP_TRUE(stage_now() - start < 5000);
    peer_hang_up(&deaf);
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
    built_close(&built);
}

static void check_found(struct peer *asker, const struct built *built)
{
    struct answer answer;

    peer_hear(asker, &answer);
    TAP_INT(answer.kind, SHARE_ENTER);
    TAP_INT(answer.descriptors, SHARE_USERNS | SHARE_MOUNTNS);
    TAP_TRUE(answer.count == 2 && stage_same(answer.fds[0], built->userns) &&
             stage_same(answer.fds[1], built->mountns));
    answer_close(&answer);
    peer_hang_up(asker);
}

static void check_not_found(struct peer *asker)
{
    TAP_INT(peer_kind(asker), SHARE_END);
    peer_hang_up(asker);
}

static void test_find(void)
{
    struct stage stage;
    struct built built;
    struct peer builder, asker, guest;

    stage_start_ready(&stage, &built, 0);
    asker = ask_find(&stage, 0);
    check_not_found(&asker);
    asker = ask_find(&stage, 1);
    check_not_found(&asker);
    /* One that is still building has nothing to enter. */
    builder = peer_start(&stage);
    peer_hello(&builder, hello_of(1, 0, 2, 0), "builder");
    TAP_INT(peer_kind(&builder), SHARE_BUILD);
    asker = ask_find(&stage, builder.process);
    check_not_found(&asker);
    peer_end(&builder);
    /* Not even a change of the host's mounts keeps anybody out who asks for it. */
    fd_close(&built.mounts[1]);
    asker = ask_find(&stage, stage.first.process);
    check_found(&asker, &built);
    guest = peer_start(&stage);
    peer_send(&guest,
              &(struct share_find){{SHARE_MESSAGE_MAGIC, SHARE_FIND, 0, 0}, (uint32_t)stage.first.process, 0},
              sizeof(struct share_find));
    check_found(&guest, &built);
    TAP_INT(stage_count(&stage, SHARE_ITEM_RANK), 3); /* who was let in counts until he has ended */
    peer_end(&guest);
    TAP_TRUE(stage_comes_to(&stage, SHARE_ITEM_RANK, 2));
    /* The test itself has entered twice... and does not end. */
    peer_end(&stage.first);
    TAP_TRUE(stage_comes_to(&stage, SHARE_ITEM_RANK, 1));
    stage_kill(&stage);
    built_close(&built);
}

int main(void)
{
    test_list();
    test_long_texts();
    test_asker_does_not_read();
    test_find();
    return tap_done();
}
