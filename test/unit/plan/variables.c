/* Variables that name a path: what passes is mounted, and nothing else. */
#include "plan/build.h"

#include "../../tap.h"

static struct arena arena;
static struct request request;

static char environment_of[4][64];
static char *environment[5];

/* Whether the host's NAME=VALUE reaches the command. */
static int passes(const char *entry, const char *name)
{
    struct host_facts facts = {.environment = environment};
    const struct plan_inputs in = {&request, NULL, NULL, &facts, &arena};

    snprintf(environment_of[0], sizeof(environment_of[0]), "%s", entry);
    environment[0] = environment_of[0];
    environment[1] = NULL;
    return plan_variable_passes(&in, name);
}

static void ask(const char *spec)
{
    struct err err;

    if (request_add_env(&request, spec, "--env", ERR_USAGE, &err) < 0)
        exit(EXIT_FAILURE);
}

static void ask_not(const char *pattern)
{
    struct err err;

    if (request_add_unset_env(&request, pattern, "--unset-env", ERR_USAGE, &err) < 0)
        exit(EXIT_FAILURE);
}

static void test_passes(void)
{
    request_init(&request, &arena);
    TAP_INT(passes("TMPDIR=/scratch", "TMPDIR"), 1);
    TAP_INT(passes("TMPDIR=", "TMPDIR"), 1);
    TAP_INT(passes("OTHER=/scratch", "TMPDIR"), 0);
    TAP_INT(passes("TMPDIRS=/scratch", "TMPDIR"), 0);
    ask_not("TMP*");
    TAP_INT(passes("TMPDIR=/scratch", "TMPDIR"), 0);
    ask("TMPDIR"); /* the later one counts */
    TAP_INT(passes("TMPDIR=/scratch", "TMPDIR"), 1);
    ask("TMPDIR=/elsewhere");
    TAP_INT(passes("TMPDIR=/scratch", "TMPDIR"), 0);
    TAP_INT(passes("TMPDIR=/elsewhere", "TMPDIR"), 1); /* set to what it is */
    ask_not("X*");
    TAP_INT(passes("TMPDIR=/elsewhere", "TMPDIR"), 1);
    request_init(&request, &arena);
    request.clean_env = 1;
    request.clean_env_origin = "--clean-env";
    TAP_INT(passes("XDG_SEAT=seat0", "XDG_SEAT"), 0);
    ask("XDG_SEAT");
    TAP_INT(passes("XDG_SEAT=seat0", "XDG_SEAT"), 1);
}

/* The source of the last row that the variable ENTRY brings; NULL: it brings none. */
static const char *bound(const char *entry)
{
    struct host_facts facts = {.environment = environment};
    const struct plan_inputs in = {&request, NULL, NULL, &facts, &arena};
    struct plan plan = {0};

    snprintf(environment_of[0], sizeof(environment_of[0]), "%s", entry);
    environment[0] = environment_of[0];
    environment[1] = NULL;
    plan_variable_binds(&plan, &in);
    if (plan.row_count != 1)
        return plan.row_count ? "more than one" : NULL;
    if (strcmp(plan.rows[0].source, plan.rows[0].target) != 0 || !(plan.rows[0].flags & MOUNT_OPTIONAL) ||
        strncmp(entry, plan.rows[0].origin, strlen(plan.rows[0].origin)) != 0)
        return "a wrong row";
    return plan.rows[0].source;
}

static void test_binds(void)
{
    request_init(&request, &arena);
    TAP_STR(bound("TMPDIR=/scratch/job"), "/scratch/job");
    TAP_STR(bound("XDG_RUNTIME_DIR=/run/user/1000"), "/run/user/1000");
    TAP_STR(bound("KRB5CCNAME=FILE:/tickets/one"), "/tickets/one");
    TAP_STR(bound("KRB5CCNAME=DIR:/tickets"), "/tickets");
    TAP_STR(bound("KRB5CCNAME=KEYRING:persistent:1000"), NULL);
    TAP_STR(bound("SSH_AUTH_SOCK="), NULL);
    TAP_STR(bound("SSH_AUTH_SOCK=relative/agent"), NULL);
    TAP_STR(bound("TMPDIR=/"), NULL);
    TAP_STR(bound("TMPDIR=/usr"), NULL);
    TAP_STR(bound("SOMETHING=/scratch/job"), NULL);
    ask_not("TMPDIR");
    TAP_STR(bound("TMPDIR=/scratch/job"), NULL);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_passes();
    test_binds();
    arena_free(&arena);
    return tap_done();
}
