#include "host/record-facts.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"
#include "host/account.h"
#include "host/config-place.h"
#include "host/record-watch.h"
#include "host/slurm-conf.h"

/* Groups that are fetched with one call; who has more pays three. */
enum { USUAL_GROUPS = 64 };

static const char *describe_file(const char *path, struct arena *arena)
{
    char stamp[RECORD_STAMP];

    record_stamp_path(path, stamp);
    return arena_strdup(arena, stamp);
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
    const struct config_place site = config_place_site(environment, arena);
    const struct config_place user = config_place_user(environment, arena);

    memset(facts, 0, sizeof(*facts));
    facts->uid = (uint32_t)getauxval(AT_EUID);
    facts->gid = (uint32_t)getauxval(AT_GID);
    facts->egid = (uint32_t)getauxval(AT_EGID);
    gather_times(facts);
    facts->inputs[RECORD_PASSWD] = describe_file("/etc/passwd", arena);
    facts->inputs[RECORD_GROUP] = describe_file("/etc/group", arena);
    facts->inputs[RECORD_NSSWITCH] = describe_file("/etc/nsswitch.conf", arena);
    facts->inputs[RECORD_SLURM_CONF] = named_slurm_conf(environment);
    facts->inputs[RECORD_SITE_CONFIG] = config_place_word(&site, arena);
    facts->inputs[RECORD_USER_CONFIG] = config_place_word(&user, arena);
    gather_groups(facts, arena);
}
