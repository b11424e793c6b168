#include "host/record-facts.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../tap.h"

static struct arena arena;

static void test_ids(const struct record_facts *facts)
{
    int count = getgroups(0, NULL);
    gid_t *groups = arena_alloc(&arena, (size_t)count * sizeof(*groups));

    TAP_INT(facts->uid, geteuid());
    TAP_INT(facts->gid, getgid());
    TAP_INT(facts->egid, getegid());
    TAP_INT(facts->group_count, getgroups(count, groups));
    TAP_TRUE(!count || memcmp(groups, facts->groups, (size_t)count * sizeof(*groups)) == 0);
}

static void test_times(const struct record_facts *facts)
{
    struct timespec now; /* time(2) lags behind it */

    TAP_INT(clock_gettime(CLOCK_REALTIME, &now), 0);
    TAP_TRUE(facts->now <= (uint64_t)now.tv_sec && facts->now + 60 > (uint64_t)now.tv_sec);
    TAP_TRUE(facts->boot <= facts->now);
}

/* An input is one word, and the same file gives the same. */
static void test_inputs(const struct record_facts *facts)
{
    struct record_facts again;
    struct stat st;

    record_facts_gather(&again, environ, &arena);
    for (int i = 0; i < RECORD_INPUTS; i++) {
        TAP_TRUE(*facts->inputs[i] && !strpbrk(facts->inputs[i], " \n\\"));
        TAP_STR(again.inputs[i], facts->inputs[i]);
    }
    if (stat("/etc/passwd", &st) == 0) {
        const char *id = arena_printf(&arena, "%ju:%ju:%jd:", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
                                      (intmax_t)st.st_size);
        TAP_INT(strncmp(facts->inputs[RECORD_PASSWD], id, strlen(id)), 0);
    } else {
        TAP_STR(facts->inputs[RECORD_PASSWD], "absent");
    }
}

static void test_slurm_conf(const char *variable, const char *expected)
{
    char *const environment[] = {arena_strdup(&arena, variable), NULL};
    struct record_facts facts;

    record_facts_gather(&facts, environment, &arena);
    TAP_STR(facts.inputs[RECORD_SLURM_CONF], expected);
}

int main(void)
{
    struct record_facts facts;

    arena_init(&arena, tap_no_memory);
    record_facts_gather(&facts, environ, &arena);
    test_ids(&facts);
    test_times(&facts);
    test_inputs(&facts);
    test_slurm_conf("NOTHING=1", "default");
    test_slurm_conf("SLURM_CONF=", "default");
    test_slurm_conf("SLURM_CONF=slurm.conf", "default");
    test_slurm_conf("SLURM_CONF=/etc/slurm/slurm.conf", "default");
    test_slurm_conf("SLURM_CONF=/mnt/two\nlines", "default");
    test_slurm_conf("SLURM_CONF=/mnt/slurm.conf", "/mnt/slurm.conf");
    arena_free(&arena);
    return tap_done();
}
