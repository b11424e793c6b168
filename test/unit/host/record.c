#include "host/record.h"

#include <stdlib.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"
#include "host/account.h"
#include "host/record-compose.h"
#include "host/record-store.h"

static struct arena arena;

/* Keeps the record of this user, called "alice", in PLACE. */
static void keep_record(const char *place, int dir, char *const environment[])
{
    struct record_facts facts;
    struct account account = {"alice", geteuid(), getegid(), "", "/home/alice", ""};
    struct account_group *groups;
    struct record_file file;
    struct err err;
    size_t count;

    record_facts_gather(&facts, environment, &arena);
    groups = record_groups(&account, &facts, &arena, &count);
    record_compose(&file, &facts, &account, NULL, groups, count, &arena);
    file.slurm_conf = "/etc/slurm/slurm.conf";
    file.auth = "/run/munge";
    TAP_OK(record_store(dir, place, &file, &arena, &err), err);
}

static void test_kept(const char *place, char *const environment[])
{
    struct host_record record;
    struct err err;

    TAP_OK(record_load(&record, environment, &arena, &err), err);
    TAP_STR(record.user, "alice");
    TAP_STR(record.home, "/home/alice");
    TAP_STR(record.shell, "");
    TAP_STR(record.slurm_conf, "/etc/slurm/slurm.conf");
    TAP_STR(record.auth, "/run/munge");
    TAP_STR(record.passwd, NULL);
    TAP_STR(record.group, NULL);
    TAP_STR(record.passwd_path, arena_join(&arena, place, "/passwd", NULL));
    TAP_STR(record.group_path, arena_join(&arena, place, "/group", NULL));
}

int main(void)
{
    char runtime[] = "/tmp/coracle-unit-XXXXXX";
    char *environment[2] = {NULL, NULL};
    const char *place;
    struct err err;
    int dir;

    arena_init(&arena, tap_no_memory);
    TAP_TRUE(mkdtemp(runtime));
    environment[0] = arena_join(&arena, "XDG_RUNTIME_DIR=", runtime, NULL);
    place = arena_printf(&arena, "%s/coracle-%u", runtime, geteuid());
    dir = record_store_open(place, geteuid(), &err);
    TAP_TRUE(dir >= 0);
    keep_record(place, dir, environment);
    test_kept(place, environment);
    unlinkat(dir, "passwd", 0);
    unlinkat(dir, "group", 0);
    unlinkat(dir, "record", 0);
    fd_close(&dir);
    TAP_INT(rmdir(place), 0);
    TAP_INT(rmdir(runtime), 0);
    arena_free(&arena);
    return tap_done();
}
