#include "host/record-compose.h"

#include "../../tap.h"

static struct arena arena;

static void test_groups(void)
{
    static const uint32_t supplementary[] = {100, 27, 65534, 27, 0, 44};
    struct record_facts facts = {.gid = 100, .egid = 44, .groups = supplementary, .group_count = 6};
    struct account alice = {"alice", 1001, 100, "", "", ""};
    size_t count;
    struct account_group *groups = record_groups(&alice, &facts, &arena, &count);

    TAP_INT(count, 5);
    TAP_INT(groups[0].gid, 100);
    TAP_INT(groups[0].member, 0); /* primary */
    TAP_INT(groups[1].gid, 44);
    TAP_INT(groups[1].member, 1); /* effective and supplementary */
    TAP_INT(groups[2].gid, 27);
    TAP_INT(groups[2].member, 1);
    TAP_STR(groups[2].name, NULL);
    TAP_INT(groups[3].gid, 65534);
    TAP_STR(groups[3].name, "nogroup");
    TAP_INT(groups[4].gid, 0);
    TAP_STR(groups[4].name, "root");
}

static void test_group_limit(void)
{
    struct record_facts facts = {.gid = 1, .egid = 2, .group_count = RECORD_GROUPS_LIMIT + 5};
    struct account alice = {"alice", 1001, 3, "", "", ""};
    uint32_t *many = arena_alloc(&arena, facts.group_count * sizeof(*many));
    size_t count;

    for (size_t i = 0; i < facts.group_count; i++)
        many[i] = (uint32_t)i + 10;
    facts.groups = many;
    TAP_INT(record_groups(&alice, &facts, &arena, &count)[2].gid, 1);
    TAP_INT(count, RECORD_GROUPS_LIMIT);
}

static void test_compose(void)
{
    static const struct account_group groups[] = {{"alice", 1001, 0}, {"gpu", 2000, 1}};
    struct record_facts facts = {
        .uid = 1001, .now = 50, .boot = 40, .inputs = {"1", "2", "3", "default", "default", "none"}};
    struct account alice = {"alice", 1001, 1001, "A", "/home/alice", "/bin/sh"};
    struct record_file file;

    record_compose(&file, &facts, &alice, NULL, groups, 2, &arena);
    TAP_INT(file.uid, 1001);
    TAP_INT(file.made, 50);
    TAP_INT(file.holds, RECORD_MAX_AGE);
    TAP_INT(file.boot, 40);
    TAP_STR(file.inputs[RECORD_NSSWITCH], "3");
    TAP_STR(file.inputs[RECORD_SLURM_CONF], "default");
    TAP_INT(file.group_count, 2);
    TAP_INT(file.groups[1], 2000);
    TAP_STR(file.user, "alice");
    TAP_STR(file.home, "/home/alice");
    TAP_STR(file.directory, "");
    TAP_TRUE(strstr(file.passwd, "\nalice:x:1001:1001:A:/home/alice:/bin/sh\n"));
    TAP_TRUE(strstr(file.group, "\ngpu:x:2000:alice\n"));
    TAP_STR(file.slurm_conf, "");
    TAP_STR(file.auth, "");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_groups();
    test_group_limit();
    test_compose();
    arena_free(&arena);
    return tap_done();
}
