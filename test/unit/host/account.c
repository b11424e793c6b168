#include "host/account.h"

#include <limits.h>

#include "../../tap.h"

static struct arena arena;

static void test_names(void)
{
    static const struct {
        const char *name;
        int usable;
    } rows[] = {
        {"alice", 1}, {"a", 1},      {"DOMAIN\\alice", 1}, {"domain users", 1}, {"j\xc3\xb6rg", 1},
        {"", 0},      {"a:b", 0},    {"a,b", 0},           {"a/b", 0},          {"a\nb", 0},
        {"a\x7f", 0}, {"+alice", 0}, {"-alice", 0},        {"#a", 0},           {"a+b", 1},
    };
    char longest[257];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].name;
        TAP_INT(account_name_usable(rows[i].name), rows[i].usable);
    }
    tap.row = NULL;
    memset(longest, 'a', 256);
    longest[256] = 0;
    TAP_TRUE(!account_name_usable(longest));
    TAP_TRUE(account_name_usable(longest + 1));
}

static void test_unknown(void)
{
    struct account account;

    account_set_unknown(&account, 1234, 5, &arena);
    TAP_STR(account.name, "uid-1234");
    TAP_INT(account.uid, 1234);
    TAP_INT(account.gid, 5);
    TAP_STR(account.home, "");
    account_set_unknown(&account, 0, 0, &arena);
    TAP_STR(account.name, "root");
    account_set_unknown(&account, 65534, 65534, &arena);
    TAP_STR(account.name, "nobody");
}

static void test_cleaning(void)
{
    char deep[PATH_MAX + 1];
    const char *plain = "Alice A.,Room 1";

    TAP_TRUE(account_clean_field(plain, &arena) == plain);
    TAP_STR(account_clean_field("a:b\nc\td\x7f", &arena), "a b c d ");
    TAP_STR(account_clean_path("/home/alice"), "/home/alice");
    TAP_STR(account_clean_path("home"), "");
    TAP_STR(account_clean_path(""), "");
    TAP_STR(account_clean_path("/a:b"), "");
    TAP_STR(account_clean_path("/a\nroot::0:0:::"), "");
    memset(deep, '/', PATH_MAX);
    deep[PATH_MAX] = 0;
    TAP_STR(account_clean_path(deep), "");
}

static const char *passwd_text_with(const struct account *account, const struct account *other)
{
    struct str out = {.arena = &arena};

    account_add_passwd(account, other, &out);
    return str_text(&out);
}

static const char *passwd_text(const struct account *account)
{
    return passwd_text_with(account, NULL);
}

#define ROOT_LINE "root:x:0:0:root:/root:/bin/sh\n"
#define NOBODY_LINE "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"

static void test_passwd(void)
{
    struct account alice = {"alice", 1001, 100, "Alice", "/home/alice", "/bin/zsh"};
    struct account unknown = {"uid-7", 7, 8, "", "", ""};
    struct account root = {"root", 0, 0, "admin", "/root", "/bin/bash"};
    struct account nobody = {"nobody", 65534, 65533, "", "/", ""};
    struct account old_nobody = {"nobody", 99, 99, "", "/", "/bin/sh"};
    struct account false_root = {"root", 1001, 1001, "", "/", "/bin/sh"};
    struct account toor = {"toor", 0, 0, "", "/root", "/bin/sh"};
    struct account slurm = {"slurm", 400, 400, "", "/", ""};

    TAP_STR(passwd_text(&alice), ROOT_LINE "alice:x:1001:100:Alice:/home/alice:/bin/zsh\n" NOBODY_LINE);
    TAP_STR(passwd_text(&unknown), ROOT_LINE "uid-7:x:7:8::/:/bin/sh\n" NOBODY_LINE);
    TAP_STR(passwd_text(&root), "root:x:0:0:admin:/root:/bin/bash\n" NOBODY_LINE);
    TAP_STR(passwd_text(&nobody), ROOT_LINE "nobody:x:65534:65533::/:/bin/sh\n");
    TAP_STR(passwd_text(&old_nobody), ROOT_LINE "nobody:x:99:99::/:/bin/sh\n");
    TAP_STR(passwd_text(&false_root), "root:x:1001:1001::/:/bin/sh\n" NOBODY_LINE);
    TAP_STR(passwd_text(&toor), "toor:x:0:0::/root:/bin/sh\n" NOBODY_LINE);
    TAP_STR(passwd_text_with(&unknown, &slurm),
            ROOT_LINE "uid-7:x:7:8::/:/bin/sh\nslurm:x:400:400::/:/bin/sh\n" NOBODY_LINE);
    /* Whose id or name is there already adds nothing. */
    TAP_STR(passwd_text_with(&unknown, &root), passwd_text(&unknown));
    TAP_STR(passwd_text_with(&unknown, &toor), passwd_text(&unknown));
    TAP_STR(passwd_text_with(&unknown, &nobody), passwd_text(&unknown));
    TAP_STR(passwd_text_with(&alice, &false_root), passwd_text(&alice));
    TAP_STR(passwd_text_with(&slurm, &slurm), passwd_text(&slurm));
}

static const char *group_text(const struct account_group *groups, size_t count)
{
    static const struct account alice = {"alice", 1001, 100, "", "", ""};
    struct str out = {.arena = &arena};

    account_add_group(&alice, groups, count, &out);
    return str_text(&out);
}

static void test_group(void)
{
    static const struct account_group plain[] = {{"users", 100, 0}, {"gpu", 2000, 1}, {NULL, 3000, 1}};
    static const struct account_group fixed[] = {{"root", 0, 1}, {"nogroup", 65534, 0}};
    static const struct account_group taken[] = {{"root", 5, 0}, {"nogroup", 6, 0}};
    static const struct account_group twice[] = {{"a", 5, 0}, {"a", 6, 0}, {"b:x", 7, 1}, {"gid-5", 8, 0}};

    TAP_STR(group_text(plain, 3), "root:x:0:\nusers:x:100:\ngpu:x:2000:alice\ngid-3000:x:3000:alice\n"
                                  "nogroup:x:65534:\n");
    TAP_STR(group_text(fixed, 2), "root:x:0:alice\nnogroup:x:65534:\n");
    TAP_STR(group_text(taken, 2), "root:x:5:\nnogroup:x:6:\n");
    TAP_STR(group_text(twice, 4), "root:x:0:\na:x:5:\ngid-6:x:6:\ngid-7:x:7:alice\ngid-8:x:8:\n"
                                  "nogroup:x:65534:\n");
    TAP_STR(group_text(NULL, 0), "root:x:0:\nnogroup:x:65534:\n");
    TAP_STR(account_fixed_group(0), "root");
    TAP_STR(account_fixed_group(65534), "nogroup");
    TAP_STR(account_fixed_group(100), NULL);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_names();
    test_unknown();
    test_cleaning();
    test_passwd();
    test_group();
    arena_free(&arena);
    return tap_done();
}
