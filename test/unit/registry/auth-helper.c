#include "registry/auth-helper.h"

#include <time.h>

#include "scratch.h"
#include "../../tap.h"

static struct err err;
static struct registry_credentials credentials;

/* Runs a helper that is the shell script TEXT. */
static int get(const char *text)
{
    char *environment[] = {arena_join(&arena, "PATH=relative::", scratch, ":/usr/bin:/bin", NULL), NULL};

    scratch_write("docker-credential-x", arena_join(&arena, "#!/bin/sh\n", text, "\n", NULL), 0700);
    return auth_helper_get(&credentials, "x", "r.org:5000", 1, environment, &arena, &err);
}

static void test_answers(void)
{
    TAP_INT(get("[ $1 = get ] && read -r k; printf "
                "'{\"ServerURL\":\"%s\",\"Username\":\"u\",\"Secret\":\"s\"}' $k"),
            1);
    TAP_STR(credentials.user, "u");
    TAP_STR(credentials.password, "s");
    TAP_STR(credentials.identity_token, NULL);
    TAP_STR(credentials.origin, "docker-credential-x");
    TAP_INT(get("echo '{\"Username\":\"<token>\",\"Secret\":\"s\"}'"), 1);
    TAP_STR(credentials.user, NULL);
    TAP_STR(credentials.identity_token, "s");
    TAP_INT(get("echo credentials not found in native keychain; exit 1"), 0);
    TAP_INT(get("echo '{\"Username\":\"\",\"Secret\":\"\"}'"), 0);
    TAP_ERR(get("echo secret >&2; exit 3"), err, ERR_CREDENTIALS, "fails with status 3");
    TAP_ERR(get("kill -9 $$"), err, ERR_CREDENTIALS, "was killed by signal 9");
    TAP_ERR(get("echo '{\"Username\":\"u\"}'"), err, ERR_CREDENTIALS, "answers without");
    TAP_ERR(get("echo nonsense"), err, ERR_CREDENTIALS, "answers without");
    TAP_ERR(get(":"), err, ERR_CREDENTIALS, "answers without");
}

static void test_hostile(void)
{
    struct timespec begin, end;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    TAP_ERR(get("sleep 20"), err, ERR_CREDENTIALS, "does not answer in time");
    TAP_ERR(get("sleep 3 & exit 0"), err, ERR_CREDENTIALS, "does not answer in time");
    clock_gettime(CLOCK_MONOTONIC, &end);
    TAP_TRUE(end.tv_sec - begin.tv_sec < 6);
    TAP_ERR(
        get("exec 2>/dev/null; while echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; do :; done"),
        err, ERR_CREDENTIALS, "more than 65536 bytes");
    TAP_INT(get("exec </dev/null; echo '{\"Username\":\"u\",\"Secret\":\"s\"}'"), 1);
}

static void test_names(void)
{
    static const char *const bad[] = {"", "../x", "a/b", ".x", "-x", "a b", "a;b", "a$b"};
    char path[] = "PATH=/usr/bin", *environment[] = {path, NULL};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        TAP_ERR(auth_helper_get(&credentials, bad[i], "r", 1, environment, &arena, &err), err,
                ERR_CREDENTIALS, "cannot be the name of a credential helper");
    TAP_ERR(auth_helper_get(&credentials, "osxkeychain", "r", 1, environment, &arena, &err), err,
            ERR_CREDENTIALS, "docker-credential-osxkeychain, which keeps the credentials, is not in PATH");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    scratch_make();
    test_answers();
    test_hostile();
    test_names();
    scratch_remove();
    arena_free(&arena);
    return tap_done();
}
