#include "registry/auth-file.h"

#include <sys/utsname.h>

#include "scratch.h"
#include "../../tap.h"

#define AUTH_A "YTpwYQ=="        /* a:pa */
#define AUTH_B "YjpwOmI="        /* b:p:b */
#define AUTH_C "YzpwYw=="        /* c:pc */
#define AUTH_ZERO "YTpwYQAAAAA=" /* a:pa and zero bytes */

static struct err err;

/* What is found for DOMAIN and REPOSITORY: USER:PASSWORD, "token TOKEN", "none", or "error". */
static const char *found(const char *file, char *const environment[], const char *domain,
                         const char *repository)
{
    struct registry_credentials credentials = {0};
    int result = auth_file_find(&credentials, file, environment, domain, repository, &arena, &err);

    if (result < 0)
        return "error";
    if (result == 0)
        return "none";
    if (credentials.identity_token)
        return arena_join(&arena, "token ", credentials.identity_token, NULL);
    return arena_join(&arena, credentials.user, ":", credentials.password, NULL);
}

static const struct {
    const char *text, *domain, *repository, *found;
} cases[] = {
    {"{\"auths\":{\"r.org\":{\"auth\":\"" AUTH_A "\"}}}", "r.org", "x", "a:pa"},
    {"{\"auths\":{\"r.org\":{\"auth\":\"" AUTH_A "\"}}}", "r.org", NULL, "a:pa"},
    {"{\"auths\":{\"r.org\":{\"auth\":\"" AUTH_A "\"}}}", "r.org:5000", "x", "none"},
    {"{\"auths\":{\"r.org:5000\":{\"auth\":\"" AUTH_B "\"}}}", "r.org:5000", "x", "b:p:b"},
    {"{\"auths\":{\"r.org\":{\"auth\":\"" AUTH_ZERO "\"}}}", "r.org", "x", "a:pa"},
    {"{\"auths\":{\"r.org\":{\"auth\":\"" AUTH_A "\",\"identitytoken\":\"tt\"}}}", "r.org", "x", "token tt"},
    /* The longest namespace. */
    {"{\"auths\":{\"r.org\":{\"auth\":\"" AUTH_A "\"},\"r.org/x\":{\"auth\":\"" AUTH_B
     "\"},\"r.org/x/y\":{\"auth\":\"" AUTH_C "\"}}}",
     "r.org", "x/y", "c:pc"},
    {"{\"auths\":{\"r.org\":{\"auth\":\"" AUTH_A "\"},\"r.org/x\":{\"auth\":\"" AUTH_B "\"}}}", "r.org",
     "x/y/z", "b:p:b"},
    {"{\"auths\":{\"r.org\":{\"auth\":\"" AUTH_A "\"},\"r.org/x\":{\"auth\":\"" AUTH_B "\"}}}", "r.org", "xx",
     "a:pa"},
    {"{\"auths\":{\"r.org/x\":{\"auth\":\"" AUTH_B "\"}}}", "r.org", NULL, "none"},
    /* As old programs wrote it. */
    {"{\"auths\":{\"https://r.org/v1/\":{\"auth\":\"" AUTH_A "\"}}}", "r.org", "x", "a:pa"},
    {"{\"auths\":{\"http://r.org\":{\"auth\":\"" AUTH_A "\"}}}", "r.org", "x", "a:pa"},
    {"{\"auths\":{\"https://r.org/v2/\":{\"auth\":\"" AUTH_A "\"},\"r.org\":{\"auth\":\"" AUTH_B "\"}}}",
     "r.org", "x", "b:p:b"},
    {"{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"" AUTH_A "\"}}}", "docker.io", "x", "a:pa"},
    {"{\"auths\":{\"docker.io\":{\"auth\":\"" AUTH_A "\"}}}", "index.docker.io", "x", "a:pa"},
    {"{\"auths\":{\"docker.io/library\":{\"auth\":\"" AUTH_A "\"}}}", "docker.io", "debian", "a:pa"},
    {"{\"auths\":{\"https://evil.org/r.org\":{\"auth\":\"" AUTH_A "\"}}}", "r.org", "x", "none"},
    /* Other ways to write a host. */
    {"{\"auths\":{\"R.Org:5000\":{\"auth\":\"" AUTH_A "\"}}}", "r.org:5000", "x", "a:pa"},
    {"{\"auths\":{\"R.org/X\":{\"auth\":\"" AUTH_A "\"}}}", "r.org", "x", "none"},
    {"{\"auths\":{\"docker.io\":{\"auth\":\"" AUTH_A "\"},\"docker.io/x\":{\"auth\":\"" AUTH_B "\"}}}",
     "index.docker.io", "x/y", "b:p:b"},
    {"{\"auths\":{\"https://index.docker.io/v1/access-token\":{\"auth\":\"" AUTH_A "\"}}}", "docker.io", "x",
     "none"},
    /* That say nothing. */
    {"", "r.org", "x", "none"},
    {" \n", "r.org", "x", "none"},
    {"{}", "r.org", "x", "none"},
    {"{\"auths\":null}", "r.org", "x", "none"},
    {"{\"auths\":{\"r.org\":{}}}", "r.org", "x", "none"},
    {"{\"auths\":{\"r.org\":{\"auth\":\"\"}}}", "r.org", "x", "none"},
    {"{\"auths\":{\"r.org\":{\"auth\":\"Og==\"}}}", "r.org", "x", "none"},
    /* That are broken. */
    {"{", "r.org", "x", "error"},
    {"[]", "r.org", "x", "error"},
    {"{\"auths\":[]}", "r.org", "x", "error"},
    {"{\"auths\":{\"r.org\":5}}", "r.org", "x", "error"},
    {"{\"auths\":{\"r.org\":{\"auth\":5}}}", "r.org", "x", "error"},
    {"{\"auths\":{\"r.org\":{\"auth\":\"secret\"}}}", "r.org", "x", "error"},
    {"{\"auths\":{\"r.org\":{\"auth\":\"YQ==\"}}}", "r.org", "x", "error"},
    {"{\"auths\":{\"r.org\":{\"auth\":\"====\"}}}", "r.org", "x", "error"},
    {"{\"auths\":{\"r.org\":{\"auth\":\"YQA6Yg==\"}}}", "r.org", "x", "error"},
    {"{\"credsStore\":\"../x\"}", "r.org", "x", "error"},
    {"{\"credHelpers\":{\"r.org\":\"x y\"}}", "r.org", "x", "error"},
    {"{\"credHelpers\":{\"other.org\":\"x y\"}}", "r.org", "x", "none"},
};

static void test_cases(void)
{
    char *environment[] = {NULL};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *file = scratch_write("cases.json", cases[i].text, 0600);
        tap.row = cases[i].text;
        TAP_STR(found(file, environment, cases[i].domain, cases[i].repository), cases[i].found);
        if (strcmp(cases[i].found, "error") == 0) {
            TAP_INT(err.id, ERR_CREDENTIALS);
            TAP_TRUE(strstr(err.text, file) && !strstr(err.text, "secret"));
        }
    }
    tap.row = NULL;
}

static char *variable(const char *name, const char *directory)
{
    return arena_join(&arena, name, "=", scratch_path(directory), NULL);
}

/* Puts USER's password for r.org into NAME, whose folders are made. */
static void put(const char *name, const char *auth)
{
    char *path = scratch_path(name);

    for (char *slash = strchr(path + strlen(scratch) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    scratch_write(name, arena_printf(&arena, "{\"auths\":{\"r.org\":{\"auth\":\"%s\"}}}", auth), 0600);
}

static void test_order(void)
{
    char *environment[] = {variable("XDG_RUNTIME_DIR", "run"), variable("HOME", "home"), NULL, NULL};

    TAP_STR(found(NULL, environment, "r.org", "x"), "none");
    put("home/.docker/config.json", AUTH_C);
    TAP_STR(found(NULL, environment, "r.org", "x"), "c:pc");
    put("home/.config/containers/auth.json", AUTH_B);
    TAP_STR(found(NULL, environment, "r.org", "x"), "b:p:b");
    put("run/containers/auth.json", AUTH_A);
    TAP_STR(found(NULL, environment, "r.org", "x"), "a:pa");
    scratch_write("run/containers/auth.json", "{\"auths\":{\"r.org\":{}}}", 0600);
    TAP_STR(found(NULL, environment, "r.org", "x"), "b:p:b");
    environment[2] = variable("XDG_CONFIG_HOME", "elsewhere");
    TAP_STR(found(NULL, environment, "r.org", "x"), "c:pc");
    environment[2] = variable("DOCKER_CONFIG", "docker");
    unlink(scratch_path("home/.config/containers/auth.json"));
    TAP_STR(found(NULL, environment, "r.org", "x"), "none");
    put("docker/config.json", AUTH_A);
    TAP_STR(found(NULL, environment, "r.org", "x"), "a:pa");
    environment[2] = variable("REGISTRY_AUTH_FILE", "only.json");
    TAP_STR(found(NULL, environment, "r.org", "x"), "none");
    put("only.json", AUTH_B);
    TAP_STR(found(NULL, environment, "r.org", "x"), "b:p:b");
    put("run/containers/auth.json", AUTH_A);
    TAP_STR(found(scratch_path("home/.docker/config.json"), environment, "r.org", "x"), "c:pc");
}

/* Who names a file means it; one of the environment may be yet to be made. */
static void test_missing(void)
{
    const char *missing = scratch_path("missing.json");
    char *const environment[] = {arena_join(&arena, "REGISTRY_AUTH_FILE=", missing, NULL), NULL};

    TAP_STR(found(missing, environment, "r.org", "x"), "error");
    TAP_ERR(-1, err, ERR_CREDENTIALS, "missing.json: no such file or directory");
    TAP_STR(found(NULL, environment, "r.org", "x"), "none");
}

static void test_helpers(void)
{
    char *environment[] = {arena_join(&arena, "PATH=", scratch, ":/usr/bin:/bin", NULL), NULL};
    const char *file = scratch_write(
        "helpers.json",
        "{\"credHelpers\":{\"r.org\":\"one\",\"broken.org\":\"missing\"},\"credsStore\":\"all\","
        "\"auths\":{\"r.org\":{\"auth\":\"" AUTH_A "\"},\"s.org\":{\"auth\":\"" AUTH_B "\"}}}",
        0600);

    scratch_write("docker-credential-one",
                  "#!/bin/sh\nread -r k; echo '{\"Username\":\"u\",\"Secret\":\"'$1,$k'\"}'\n", 0700);
    scratch_write("docker-credential-all",
                  "#!/bin/sh\nread -r k; [ $k = t.org ] || { echo credentials not found in native "
                  "keychain; exit 1; }\necho '{\"Username\":\"<token>\",\"Secret\":\"tt\"}'\n",
                  0700);
    TAP_STR(found(file, environment, "r.org", "x"), "u:get,r.org");
    TAP_STR(found(file, environment, "s.org", "x"), "b:p:b");
    TAP_STR(found(file, environment, "t.org", "x"), "token tt");
    TAP_STR(found(file, environment, "u.org", "x"), "none");
    TAP_STR(found(file, environment, "broken.org", "x"), "error");
    TAP_TRUE(strstr(err.text, "docker-credential-missing, which keeps the credentials, is not in PATH") !=
             NULL);
}

/* Docker and podman keep what is for Docker Hub under different names: each under the one it writes. */
static void test_helper_key(void)
{
    char *environment[] = {arena_join(&arena, "PATH=", scratch, ":/usr/bin:/bin", NULL), NULL};
    const char *file = scratch_write("helper-key.json", "{\"credHelpers\":{\"docker.io\":\"one\"}}", 0600);

    TAP_STR(found(file, environment, "docker.io", "x"), "u:get,docker.io");
    scratch_write("helper-key.json", "{\"credHelpers\":{\"https://index.docker.io/v1/\":\"one\"}}", 0600);
    TAP_STR(found(file, environment, "docker.io", "x"), "u:get,https://index.docker.io/v1/");
    scratch_write("helper-key.json", "{\"credsStore\":\"one\"}", 0600);
    TAP_STR(found(file, environment, "docker.io", "x"), "u:get,https://index.docker.io/v1/");
}

static const char *this_node(void)
{
    struct utsname system;

    return uname(&system) < 0 ? "" : arena_strdup(&arena, system.nodename);
}

static void test_store(void)
{
    const struct registry_credentials user = {.user = "a", .password = "pa"},
                                      token = {.identity_token = "tt"};
    char *environment[] = {variable("XDG_RUNTIME_DIR", "new"), NULL};
    const char *file = scratch_path("new/containers/auth.json"), *name;
    struct stat st;

    TAP_STR(auth_file_store(&user, NULL, environment, "r.org", &arena, &err), file);
    TAP_STR(scratch_read(file),
            "{\n  \"auths\": {\n    \"r.org\": {\n      \"auth\": \"" AUTH_A "\"\n    }\n  }\n}\n");
    TAP_INT(stat(file, &st), 0);
    TAP_INT(st.st_mode & 07777, 0600);
    TAP_STR(auth_file_store(&token, NULL, environment, "s.org", &arena, &err), file);
    TAP_STR(found(NULL, environment, "r.org", NULL), "a:pa");
    TAP_STR(found(NULL, environment, "s.org", NULL), "token tt");
    TAP_INT(auth_file_erase(NULL, environment, "r.org", &name, &arena, &err), 1);
    TAP_STR(name, file);
    TAP_INT(auth_file_erase(NULL, environment, "r.org", &name, &arena, &err), 0);
    TAP_STR(found(NULL, environment, "r.org", NULL), "none");
    TAP_STR(found(NULL, environment, "s.org", NULL), "token tt");
}

/* What a killed one has left goes, and is in nobody's way. */
static void test_store_after_a_kill(void)
{
    const struct registry_credentials user = {.user = "a", .password = "pa"};
    const char *lock = scratch_write("new/containers/.auth.json.lock", "", 0600);
    const char *partial = scratch_write(
        arena_join(&arena, "new/containers/", ".auth.json.partial-", this_node(), "-0123abcd", NULL),
        "secret", 0600);
    char *environment[] = {variable("XDG_RUNTIME_DIR", "new"), NULL};

    TAP_STR(auth_file_store(&user, NULL, environment, "t.org", &arena, &err),
            scratch_path("new/containers/auth.json"));
    TAP_INT(access(lock, F_OK), -1);
    TAP_INT(access(partial, F_OK), -1);
    TAP_STR(found(NULL, environment, "t.org", NULL), "a:pa");
    TAP_STR(found(NULL, environment, "s.org", NULL), "token tt");
}

static void test_store_keeps(void)
{
    const struct registry_credentials user = {.user = "a", .password = "pa"};
    const char *target =
        scratch_write("target.json",
                      "{\"x\": 1.50e3, \"auths\": {\"k\\\"1\": {\"auth\": \"zz\", \"email\": null}, "
                      "\"https://r.org/v1/\": {}}, \"HttpHeaders\": {\"a\": [true]}}",
                      0644);
    const char *link = scratch_path("link.json"), *name;
    char *environment[] = {NULL};
    struct stat st;

    TAP_INT(symlink(target, link), 0);
    TAP_STR(auth_file_store(&user, link, environment, "r.org", &arena, &err), link);
    TAP_STR(scratch_read(target),
            "{\n  \"x\": 1.50e3,\n  \"auths\": {\n    \"k\\\"1\": {\n      \"auth\": "
            "\"zz\",\n      \"email\": null\n    },"
            "\n    \"https://r.org/v1/\": {},\n    \"r.org\": {\n      \"auth\": \"" AUTH_A
            "\"\n    }\n  },\n  \"HttpHeaders\": {\n    \"a\": [\n      true\n    ]\n  }\n}\n");
    TAP_TRUE(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
    TAP_TRUE(stat(link, &st) == 0 && (st.st_mode & 07777) == 0600);
    /* Both keys of r.org go. */
    TAP_INT(auth_file_erase(link, environment, "r.org", &name, &arena, &err), 2);
    TAP_TRUE(strstr(scratch_read(target), "r.org") == NULL && strstr(scratch_read(target), "1.50e3") != NULL);
}

/* With an identity token the user stands beside it: podman passes an entry without "auth" over. */
static void test_store_identity(void)
{
    const struct registry_credentials both = {.user = "a", .password = "", .identity_token = "tt"};
    const char *file = scratch_path("identity.json");
    char *environment[] = {NULL};

    TAP_STR(auth_file_store(&both, file, environment, "r.org", &arena, &err), file);
    TAP_STR(scratch_read(file), "{\n  \"auths\": {\n    \"r.org\": {\n      \"auth\": \"YTo=\",\n      "
                                "\"identitytoken\": \"tt\"\n    }\n  }\n}\n");
    TAP_STR(found(file, environment, "r.org", NULL), "token tt");
}

static void test_erase(void)
{
    const char *file = scratch_write("erase.json",
                                     "{\"auths\": {\"https://index.docker.io/v1/\": {}, \"docker.io\": {}, "
                                     "\"r.org/n\": {}, \"r.org\": {}}, \"x\": 1}",
                                     0600);
    const char *helped = scratch_write(
        "erase-helped.json", "{\"credHelpers\": {\"https://r.org/v1/\": \"x\"}, \"auths\": {}}", 0600);
    char *environment[] = {NULL};
    const char *name;

    TAP_INT(auth_file_erase(file, environment, "docker.io", &name, &arena, &err), 2);
    TAP_INT(auth_file_erase(file, environment, "r.org/n", &name, &arena, &err), 1);
    TAP_TRUE(strstr(scratch_read(file), "r.org") != NULL);
    TAP_INT(auth_file_erase(file, environment, NULL, &name, &arena, &err), 1);
    TAP_INT(auth_file_erase(file, environment, NULL, &name, &arena, &err), 0);
    TAP_STR(scratch_read(file), "{\n  \"auths\": {},\n  \"x\": 1\n}\n");
    TAP_ERR(auth_file_erase(helped, environment, "r.org/n", &name, &arena, &err), err, ERR_CREDENTIALS,
            "docker-credential-x");
    TAP_STR(auth_file_target(file, environment, "r.org", &arena, &err), file);
    TAP_TRUE(auth_file_target(helped, environment, "r.org", &arena, &err) == NULL);
}

static void test_store_refused(void)
{
    const struct registry_credentials user = {.user = "a", .password = "secret"};
    char *environment[] = {NULL};
    const char *broken = scratch_write("broken.json", "{\"auths\": {", 0600);
    const char *helped = scratch_write("helped.json", "{\"credsStore\": \"x\"}", 0600);
    const char *fifo = scratch_path("fifo");

    TAP_ERR(auth_file_store(&user, broken, environment, "r.org", &arena, &err) ? 0 : -1, err, ERR_CREDENTIALS,
            broken);
    TAP_STR(scratch_read(broken), "{\"auths\": {");
    TAP_INT(mkfifo(fifo, 0600), 0);
    TAP_ERR(auth_file_store(&user, fifo, environment, "r.org", &arena, &err) ? 0 : -1, err, ERR_CREDENTIALS,
            "no regular file");
    TAP_ERR(auth_file_store(&user, helped, environment, "r.org", &arena, &err) ? 0 : -1, err, ERR_CREDENTIALS,
            "it gives r.org to docker-credential-x");
    TAP_ERR(auth_file_store(&user, NULL, environment, "r.org", &arena, &err) ? 0 : -1, err, ERR_CREDENTIALS,
            "XDG_RUNTIME_DIR is not set");
    TAP_ERR(auth_file_store(&user, "/proc/x/auth.json", environment, "r.org", &arena, &err) ? 0 : -1, err,
            ERR_CREDENTIALS, "cannot be written");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    scratch_make();
    test_cases();
    test_order();
    test_missing();
    test_helpers();
    test_helper_key();
    test_store();
    test_store_after_a_kill();
    test_store_keeps();
    test_store_identity();
    test_erase();
    test_store_refused();
    scratch_remove();
    arena_free(&arena);
    return tap_done();
}
