#include "host/record-facts.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"
#include "base/str.h"
#include "host/account.h"
#include "host/slurm-conf.h"

/* Groups that are fetched with one call; who has more pays three. */
enum { USUAL_GROUPS = 64 };

static void add_number(struct str *text, const char *before, uint64_t value)
{
    str_add(text, before);
    str_add_number(text, value);
}

/* "DEVICE:INODE:SIZE:MTIME.NANOSECONDS:CTIME.NANOSECONDS", or "absent". */
static const char *describe_file(const char *path, struct arena *arena)
{
    struct str text = {.arena = arena};
    struct stat st;

    if (stat(path, &st) < 0)
        return "absent";
    add_number(&text, "", st.st_dev);
    add_number(&text, ":", st.st_ino);
    add_number(&text, ":", (uint64_t)st.st_size);
    add_number(&text, ":", (uint64_t)st.st_mtim.tv_sec);
    add_number(&text, ".", (uint64_t)st.st_mtim.tv_nsec);
    add_number(&text, ":", (uint64_t)st.st_ctim.tv_sec);
    add_number(&text, ".", (uint64_t)st.st_ctim.tv_nsec);
    return text.data;
}

static void gather_groups(struct record_facts *facts, struct arena *arena)
{
    gid_t usual[USUAL_GROUPS];
    gid_t *groups = usual;
    int room = USUAL_GROUPS;
    int count = getgroups(room, usual);

    if (count < 0) {
        room = getgroups(0, NULL);
        groups = arena_alloc(arena, (size_t)(room < 0 ? 0 : room) * sizeof(*groups));
        count = getgroups(room, groups);
    }
    if (count <= 0)
        return;
    if (groups == usual) {
        groups = arena_alloc(arena, (size_t)count * sizeof(*groups));
        memcpy(groups, usual, (size_t)count * sizeof(*groups));
    }
    facts->groups = groups;
    facts->group_count = (size_t)count;
}

/*
 * Real time less the time since boot tells one boot from another. Not through
 * the vdso: for two readings its pages cost more than two system calls.
 */
static void gather_times(struct record_facts *facts)
{
    struct timespec real = {0}, since_boot = {0};
    int64_t boot;

    syscall(SYS_clock_gettime, CLOCK_REALTIME, &real);
    syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &since_boot);
    boot = real.tv_sec - since_boot.tv_sec;
    facts->now = real.tv_sec > 0 ? (uint64_t)real.tv_sec : 0;
    facts->boot = boot > 0 ? (uint64_t)boot : 0;
}

/* What is not the usual file; clean, as it becomes a line of the record. */
static const char *named_slurm_conf(char *const environment[])
{
    const char *named = env_find(environment, "SLURM_CONF");

    return named && *account_clean_path(named) && !slurm_conf_is_usual(named) ? named : RECORD_SLURM_DEFAULT;
}

void record_facts_gather(struct record_facts *facts, char *const environment[], struct arena *arena)
{
    memset(facts, 0, sizeof(*facts));
    facts->uid = (uint32_t)getauxval(AT_EUID);
    facts->gid = (uint32_t)getauxval(AT_GID);
    facts->egid = (uint32_t)getauxval(AT_EGID);
    gather_times(facts);
    facts->inputs[RECORD_PASSWD] = describe_file("/etc/passwd", arena);
    facts->inputs[RECORD_GROUP] = describe_file("/etc/group", arena);
    facts->inputs[RECORD_NSSWITCH] = describe_file("/etc/nsswitch.conf", arena);
    facts->inputs[RECORD_SLURM_CONF] = named_slurm_conf(environment);
    gather_groups(facts, arena);
}
