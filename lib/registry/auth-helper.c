#include "registry/auth-helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/str.h"
#include "oci/json-reader.h"

static int is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return *name && !strchr("._-", *name) && strlen(name) <= 64 && strspn(name, letters) == strlen(name);
}

/* The program along PATH, or NULL. Relative directories are passed over. */
static const char *find_program(const char *program, char *const environment[], struct arena *arena)
{
    const char *path = env_find(environment, "PATH");
    char *copy, *rest, *file;

    copy = arena_strdup(arena, path ? path : "/usr/local/bin:/usr/bin:/bin");
    for (char *dir = strtok_r(copy, ":", &rest); dir; dir = strtok_r(NULL, ":", &rest)) {
        file = arena_join(arena, dir, "/", program, NULL);
        if (*dir == '/' && access(file, X_OK) == 0)
            return file;
    }
    return NULL;
}

static int start(const char *file, int in, int out, char *const environment[], pid_t *pid,
                 struct arena *arena)
{
    char *argv[] = {arena_strdup(arena, file), arena_strdup(arena, "get"), NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t signals;
    int errnum;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    errnum = posix_spawn(pid, file, &actions, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return errnum;
}

/* Reads FD to its end, until UNTIL. 0; ETIME, EFBIG or another errno. */
static int read_answer(int fd, int64_t until, struct str *answer)
{
    char buffer[4096];

    for (;;) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int64_t left = until - clock_milliseconds();
        ssize_t n;
        if (left <= 0 || poll(&poll_fd, 1, (int)left) == 0)
            return ETIME;
        n = read(fd, buffer, sizeof(buffer));
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return n < 0 ? errno : 0;
        if (answer->length + (size_t)n > AUTH_HELPER_MAX)
            return EFBIG;
        str_add_bytes(answer, buffer, (size_t)n);
    }
}

/* Waits until UNTIL for PID to end, and kills it then. Its status. */
static int reap(pid_t pid, int64_t until)
{
    const struct timespec pause = {0, 10000000};
    int status = 0;
    pid_t ended;

    while ((ended = waitpid(pid, &status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) {
        if (clock_milliseconds() >= until) {
            kill(pid, SIGKILL);
            while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                continue;
            break;
        }
        nanosleep(&pause, NULL);
    }
    return ended < 0 ? 0 : status; /* where the caller ignores SIGCHLD there is none: the answer tells */
}

static const char *member(const struct json_value *object, const char *name)
{
    const struct json_value *value = object->kind == JSON_OBJECT ? json_member(object, name) : NULL;

    return value && value->kind == JSON_STRING ? value->text : NULL;
}

static int take(struct registry_credentials *credentials, const char *program, const struct str *answer,
                struct arena *arena, struct err *err)
{
    struct err cause;
    const struct json_value *object =
        json_read(str_text(answer), answer->length, arena, ERR_CREDENTIALS, &cause);
    const char *user = object ? member(object, "Username") : NULL;
    const char *secret = object ? member(object, "Secret") : NULL;

    if (!user || !secret)
        return err_set(err, ERR_CREDENTIALS, "%s answers without \"Username\" and \"Secret\"", program);
    if (!*user && !*secret)
        return 0;
    *credentials = (struct registry_credentials){.origin = program};
    if (strcmp(user, "<token>") == 0) {
        credentials->identity_token = secret;
    } else {
        credentials->user = user;
        credentials->password = secret;
    }
    return 1;
}

static int judge(struct registry_credentials *credentials, const char *program, int errnum, int status,
                 const struct str *answer, struct arena *arena, struct err *err)
{
    if (errnum == ETIME)
        return err_set(err, ERR_CREDENTIALS, "%s does not answer in time and was killed", program);
    if (errnum == EFBIG)
        return err_set(err, ERR_CREDENTIALS, "%s answers with more than %d bytes", program, AUTH_HELPER_MAX);
    if (errnum)
        return err_set(err, ERR_CREDENTIALS, "%s cannot be read from: %s", program, err_reason(errnum));
    if (WIFSIGNALED(status))
        return err_set(err, ERR_CREDENTIALS, "%s was killed by signal %d", program, WTERMSIG(status));
    if (WEXITSTATUS(status) == 0)
        return take(credentials, program, answer, arena, err);
    if (strstr(str_text(answer), "credentials not found"))
        return 0;
    return err_set(err, ERR_CREDENTIALS, "%s fails with status %d", program, WEXITSTATUS(status));
}

int auth_helper_get(struct registry_credentials *credentials, const char *name, const char *key,
                    unsigned seconds, char *const environment[], struct arena *arena, struct err *err)
{
    const int64_t until = clock_milliseconds() + (seconds ? seconds : AUTH_HELPER_SECONDS) * 1000LL;
    const char *program = arena_join(arena, "docker-credential-", name, NULL), *file;
    FD_CLEANUP int in = -1, out_read = -1, out_write = -1;
    struct str answer = {.arena = arena};
    int in_pipe[2], out_pipe[2], errnum;
    pid_t pid;

    if (!is_name(name))
        return err_set(err, ERR_CREDENTIALS, "%s cannot be the name of a credential helper",
                       str_quote(arena, name));
    file = find_program(program, environment, arena);
    if (!file)
        return err_set(err, ERR_CREDENTIALS, "%s, which keeps the credentials, is not in PATH", program);
    /* The key is shorter than any pipe, so it is written before there is a reader. */
    if (strlen(key) > 4096 || pipe2(in_pipe, O_CLOEXEC) < 0)
        return err_set(err, ERR_LIMIT, "%s: no pipe", program);
    in = in_pipe[0];
    (void)!fd_write_all(in_pipe[1], key, strlen(key));
    close(in_pipe[1]);
    if (pipe2(out_pipe, O_CLOEXEC) < 0)
        return err_set(err, ERR_LIMIT, "%s: no pipe", program);
    out_read = out_pipe[0];
    out_write = out_pipe[1];
    errnum = start(file, in, out_write, environment, &pid, arena);
    fd_close(&out_write);
    if (errnum)
        return err_set(err, ERR_CREDENTIALS, "%s cannot be executed: %s", program, err_reason(errnum));
    errnum = read_answer(out_read, until, &answer);
    return judge(credentials, program, errnum, reap(pid, errnum ? 0 : until), &answer, arena, err);
}
