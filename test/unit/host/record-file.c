#include "host/record-file.h"

#include <limits.h>

#include "../../tap.h"
#include "sample.h"

static struct arena arena;

static const char *print(const struct record_file *file)
{
    struct str out = {.arena = &arena};

    record_file_print(file, &out);
    return str_text(&out);
}

/* Parses a copy that ends where its allocation does, so that AddressSanitizer sees an overrun. */
static int parse(const char *text, size_t length, struct record_file *file)
{
    char *copy = arena_alloc(&arena, length);

    memcpy(copy, text, length);
    return record_file_parse(copy, length, file, &arena);
}

static int parses(const char *text)
{
    struct record_file file;

    return parse(text, strlen(text), &file) == 0;
}

/* Whether *FILE comes back from its text. */
static int survives(const struct record_file *file)
{
    return parses(print(file));
}

static void test_kept(void)
{
    struct record_file file;
    const char *text = print(&sample);

    TAP_INT(parse(text, strlen(text), &file), 0);
    TAP_INT(file.uid, 1001);
    TAP_INT(file.boot, 1700000000);
    TAP_INT(file.made, 1700000100);
    TAP_INT(file.holds, RECORD_MAX_AGE);
    TAP_STR(file.inputs[RECORD_PASSWD], "1:2:3:4.5:6.7");
    TAP_STR(file.inputs[RECORD_GROUP], "absent");
    TAP_INT(file.group_count, 2);
    TAP_INT(file.groups[1], 27);
    TAP_STR(file.user, "alice");
    TAP_STR(file.home, "/home/alice");
    TAP_STR(file.shell, "/bin/sh");
    TAP_STR(file.inputs[RECORD_SLURM_CONF], "/mnt/slurm.conf");
    TAP_STR(file.slurm_conf, "/mnt/slurm.conf");
    TAP_STR(file.auth, "/run/munge");
    TAP_INT(file.many_mounts, 1);
    TAP_STR(file.directory, "/tmp/coracle-1001");
    TAP_STR(file.passwd, "");
    TAP_STR(file.group, "");
}

static void test_settings(void)
{
    struct record_file file;
    const char *text = print(&sample);

    TAP_INT(parse(text, strlen(text), &file), 0);
    TAP_INT(file.setting_count, 3);
    TAP_STR(file.settings[0].name, "bind");
    TAP_STR(file.settings[0].value, "/a\\b:/c");
    TAP_STR(file.settings[0].origin, "/etc/coracle/coracle.toml:2");
    TAP_STR(file.settings[1].name, "no-home");
    TAP_STR(file.settings[1].value, NULL);
    TAP_STR(file.settings[1].origin, "/etc/coracle/coracle.toml:3");
    TAP_STR(file.settings[2].value, "A=\x01\n");
    TAP_STR(file.config_error, "");
    file.config_error = "a:1:2: \x7f\nno";
    file.setting_count = 0;
    text = print(&file);
    TAP_INT(parse(text, strlen(text), &file), 0);
    TAP_INT(file.setting_count, 0);
    TAP_STR(file.config_error, "a:1:2: \x7f\nno");
}

static void test_watches(void)
{
    const struct record_watch watches[] = {
        {"/a=b \\", "1:2:3:4.5:6.7", ""},
        {"/a", RECORD_ABSENT, ""},
        {"/home", RECORD_NEVER, "/home/alice"},
    };
    struct record_file file = sample;
    const char *text;

    file.watches = watches;
    file.watch_count = 3;
    text = print(&file);
    TAP_INT(parse(text, strlen(text), &file), 0);
    TAP_INT(file.watch_count, 3);
    TAP_STR(file.watches[0].path, "/a=b \\");
    TAP_STR(file.watches[0].stamp, "1:2:3:4.5:6.7");
    TAP_STR(file.watches[0].lacks, "");
    TAP_STR(file.watches[1].stamp, "absent");
    TAP_STR(file.watches[2].lacks, "/home/alice");
}

static void test_texts(void)
{
    struct record_file file = sample;
    const char *text;

    file.directory = "";
    file.passwd = "a:\\n:b\n\nc\\\n";
    file.group = "g\n";
    text = print(&file);
    TAP_INT(parse(text, strlen(text), &file), 0);
    TAP_STR(file.passwd, "a:\\n:b\n\nc\\\n");
    TAP_STR(file.group, "g\n");
    TAP_STR(print(&file), text);
}

/* Values that a program of ours never writes. */
static void test_bad_values(void)
{
    static const char long_path[PATH_MAX + 2] = {[0 ... PATH_MAX] = '/'};
    struct record_file file;

#define TAP_REFUSED(field, value) (file = sample, file.field = (value), TAP_TRUE(!survives(&file)))
    TAP_REFUSED(user, "");
    TAP_REFUSED(user, "a:b");
    TAP_REFUSED(user, "a\nb");
    TAP_REFUSED(user, "a\tb");
    TAP_REFUSED(home, "home");
    TAP_REFUSED(home, "/home\n");
    TAP_REFUSED(home, long_path);
    TAP_REFUSED(shell, "sh");
    TAP_REFUSED(slurm_conf, "slurm.conf");
    TAP_REFUSED(auth, "munge");
    TAP_REFUSED(directory, "tmp");
    TAP_REFUSED(directory, "");
    TAP_REFUSED(passwd, "x\n");
    TAP_REFUSED(group, "x\n");
    TAP_REFUSED(uid, UINT32_MAX);
    TAP_REFUSED(boot, UINT64_MAX);
    TAP_REFUSED(holds, RECORD_MAX_AGE + 1);
    TAP_REFUSED(group_count, 0);
#undef TAP_REFUSED
}

static void test_group_limit(void)
{
    struct record_file file = sample;
    uint32_t *groups = arena_alloc(&arena, (RECORD_GROUPS_LIMIT + 1) * sizeof(*groups));

    file.groups = groups;
    file.group_count = RECORD_GROUPS_LIMIT;
    TAP_TRUE(survives(&file));
    file.group_count++;
    TAP_TRUE(!survives(&file));
}

/* The lines of BODY with a right `check`: damage that the hash does not see. */
static const char *seal(const char *body)
{
    unsigned long long hash = 0xcbf29ce484222325;

    for (const char *p = body; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 0x100000001b3;
    return arena_printf(&arena, "%scheck=%016llx\n", body, hash);
}

static const char *body_of(const char *text)
{
    return arena_strndup(&arena, text, (size_t)(strstr(text, "check=") - text));
}

/* BODY with its first OLD replaced by NEW. */
static const char *with(const char *body, const char *old, const char *new)
{
    const char *at = strstr(body, old);

    return arena_join(&arena, arena_strndup(&arena, body, (size_t)(at - body)), new, at + strlen(old), NULL);
}

static void test_bad_lines(void)
{
    static const char *const rows[][2] = {
        {"coracle-record 4\n", "coracle-record 3\n"},
        {"coracle-record 4\n", "coracle-record 4"},
        {"coracle-record 4\n", ""},
        {"uid=1001\n", ""},
        {"uid=1001\n", "uid=1001\nuid=1001\n"},
        {"uid=1001\n", "uid=01001\n"},
        {"uid=1001\n", "uid=-1\n"},
        {"uid=1001\n", "uid=\n"},
        {"uid=1001\n", "uid\n"},
        {"uid=1001\n", "u\n"},
        {"uid=1001\n", "\n"},
        {"uid=1001\n", "uid=1001 \n"},
        {"uid=1001\n", "uid=1001\r\n"},
        {"uid=1001\n", "UID=1001\n"},
        {"uid=1001\nboot=1700000000\n", "boot=1700000000\nuid=1001\n"},
        {"boot=1700000000", "boot=99999999999999999999"},
        {"holds=86400\n", ""},
        {"holds=86400", "holds=86401"},
        {"groups=1001 27", "groups="},
        {"groups=1001 27", "groups=1001  27"},
        {"groups=1001 27", "groups=1001 27 "},
        {"groups=1001 27", "groups=1001,27"},
        {"groups=1001 27", "groups=4294967295"},
        {"user=alice", "user=al\\ice"},
        {"user=alice", "user=alice\\"},
        {"user=alice", "user=alice\x01"},
        {"\nauth=/run/munge", "\nauth=munge"},
        {"\nmany-mounts=1", "\nmany-mounts=2"},
        {"slurm-conf=/mnt/slurm.conf", "slurm-conf=slurm.conf"},
        {"watches=0\n", ""},
        {"watches=0\n", "watches=257\n"},
        {"watches=0\n", "watches=1\n"},
        {"watches=0\n", "watches=1\nwatch=1:2=/a\n"},
        {"watches=0\n", "watches=1\nwatch=1:2=a\nlacks=\n"},
        {"watches=0\n", "watches=1\nwatch=/a\nlacks=\n"},
        {"watches=0\n", "watches=1\nwatch=1:2=/a\nlacks=b\n"},
        {"watches=0\n", "watches=0\nwatch=1:2=/a\nlacks=\n"},
        {"settings=3", "settings=2"},
        {"settings=3", "settings=4"},
        {"settings=3", "settings=16385"},
        {"value=/a", "flag=/a"},
        {"flag=no-home\n", "flag=no-home\nvalue=\n"},
        {"flag=no-home", "flag=no\\x01home"},
        {"A=\\x01", "A=\x01"},
        {"A=\\x01", "A=\\x0a"},
        {"A=\\x01", "A=\\x41"},
        {"A=\\x01", "A=\\x0"},
        {"A=\\x01", "A=\\x"},
        {"A=\\x01", "A=\\x00"},
        {"group=\n", ""},
        {"group=\n", "group="},
        {"group=\n", "group=\nextra=1\n"},
        {"group=\n", "group=\n\n"},
    };
    const char *body = body_of(print(&sample));

    TAP_TRUE(parses(seal(body)));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i][1];
        TAP_TRUE(!parses(seal(with(body, rows[i][0], rows[i][1]))));
    }
    tap.row = NULL;
}

static void test_damage(void)
{
    const char *text = print(&sample);
    size_t length = strlen(text);
    struct record_file file;
    int accepted = 0;

    for (size_t cut = 0; cut < length; cut++)
        accepted += parse(text, cut, &file) == 0;
    TAP_INT(accepted, 0);
    for (size_t i = 0; i < length; i++) {
        for (int flip = 1; flip < 256; flip++) {
            char *damaged = arena_strdup(&arena, text);
            damaged[i] = (char)(damaged[i] ^ flip);
            accepted += record_file_parse(damaged, length, &file, &arena) == 0;
        }
    }
    TAP_INT(accepted, 0);
    TAP_TRUE(!parses(arena_join(&arena, text, "\n", NULL)));
    TAP_TRUE(!parses(arena_join(&arena, text, text, NULL)));
}

/* Each byte changed under a right hash: what is accepted is what would be printed. */
static void test_canonical(void)
{
    const char *body = body_of(print(&sample));
    struct record_file file;
    int accepted = 0, altered = 0;

    for (size_t i = 0; i < strlen(body); i++) {
        for (int byte = 1; byte < 256; byte++) {
            char *damaged = arena_strdup(&arena, body);
            const char *text;
            damaged[i] = (char)byte;
            text = seal(damaged);
            if (parse(text, strlen(text), &file) < 0)
                continue;
            accepted++;
            altered += strcmp(print(&file), text) != 0;
        }
        arena_free(&arena);
        body = body_of(print(&sample));
    }
    TAP_TRUE(accepted > 0);
    TAP_INT(altered, 0);
}

static void test_holds(void)
{
    static const uint32_t groups[] = {27, 1001, 27};
    static const uint32_t foreign[] = {27, 28};
    const struct record_facts good = {
        .uid = sample.uid,
        .gid = 1001,
        .egid = 27,
        .now = sample.made + 5,
        .boot = sample.boot,
        .inputs = {sample.inputs[0], sample.inputs[1], sample.inputs[2], sample.inputs[3], sample.inputs[4],
                   sample.inputs[5]},
        .groups = groups,
        .group_count = 3,
    };
    struct record_facts facts = good;
    struct record_file file = sample;

    TAP_TRUE(record_file_holds(&sample, &facts));
#define TAP_HOLDS(expected, field, value) \
    (facts = good, facts.field = (value), TAP_INT(record_file_holds(&sample, &facts), expected))
    TAP_HOLDS(0, uid, 1002);
    TAP_HOLDS(0, gid, 1002);
    TAP_HOLDS(0, egid, 1002);
    TAP_HOLDS(1, boot, sample.boot + 2);
    TAP_HOLDS(1, boot, sample.boot - 2);
    TAP_HOLDS(0, boot, sample.boot + 3);
    TAP_HOLDS(0, boot, sample.boot - 3);
    TAP_HOLDS(1, now, sample.made + RECORD_MAX_AGE);
    TAP_HOLDS(0, now, sample.made + RECORD_MAX_AGE + 1);
    TAP_HOLDS(1, now, sample.made - 60);
    TAP_HOLDS(0, now, sample.made - 61);
    TAP_HOLDS(0, inputs[RECORD_PASSWD], "absent");
    TAP_HOLDS(0, inputs[RECORD_GROUP], "1:2:3:4.5:6.7");
    TAP_HOLDS(0, inputs[RECORD_NSSWITCH], "8:9:1:2.3:4.6");
    TAP_HOLDS(0, inputs[RECORD_SLURM_CONF], "default");
    TAP_HOLDS(0, inputs[RECORD_SITE_CONFIG], "none");
    TAP_HOLDS(0, inputs[RECORD_USER_CONFIG], "default");
    TAP_HOLDS(1, group_count, 0);
#undef TAP_HOLDS
    facts = good;
    file.holds = RECORD_UNKNOWN_AGE;
    facts.now = file.made + 60;
    TAP_TRUE(record_file_holds(&file, &facts));
    facts.now++;
    TAP_TRUE(!record_file_holds(&file, &facts));
    facts = good;
    facts.groups = foreign;
    facts.group_count = 2;
    TAP_TRUE(!record_file_holds(&sample, &facts));
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_kept();
    test_settings();
    test_watches();
    test_texts();
    test_bad_values();
    test_group_limit();
    test_bad_lines();
    test_damage();
    arena_free(&arena);
    test_canonical();
    test_holds();
    arena_free(&arena);
    return tap_done();
}
