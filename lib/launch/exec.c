/*
 * The command is looked up as execvp(3) does it, in the container and with the PATH of its own
 * environment.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "foreign/foreign.h"
#include "base/path.h"
#include "base/sys.h"
#include "launch/state.h"

static const char standard_path[] = "/usr/local/bin:/bin:/usr/bin";

/*
 * A file without a #! line that is no program of this machine is a script for
 * /bin/sh: POSIX wants it. A damaged or foreign program is not, nor an empty file.
 */
static void execute(const struct launch *launch, const char *path)
{
    char *const *argv = launch->plan->argv;
    char *const *environment = launch->plan->environment;
    size_t count = 0;
    const char **sh;
    int saved;

    execve(path, argv, environment);
    if (errno != ENOEXEC || !launch_is_script(path))
        return;
    saved = errno;
    while (argv[count])
        count++;
    sh = arena_alloc(launch->arena, (count + 2) * sizeof(*sh));
    sh[0] = "sh";
    sh[1] = path;
    for (size_t i = 1; i <= count; i++)
        sh[i + 1] = argv[i];
    execve("/bin/sh", (char *const *)(uintptr_t)sh, environment);
    errno = saved;
}

static int goes_on(int errnum)
{
    return errnum == ENOENT || errnum == ENOTDIR || errnum == EACCES || errnum == ESTALE ||
           errnum == ENODEV || errnum == ETIMEDOUT || errnum == ENAMETOOLONG;
}

/* The next file to try for NAME: the directory at *DIR, which moves behind it. NULL at the end. */
static const char *next_candidate(const struct launch *launch, const char **dir, const char *name)
{
    const char *start = *dir;
    size_t length;

    if (!start)
        return NULL;
    length = strcspn(start, ":");
    *dir = start[length] ? start + length + 1 : NULL;
    return arena_join(launch->arena, length ? arena_strndup(launch->arena, start, length) : ".", "/", name,
                      NULL);
}

/* Whoever writes `coracle run IMAGE --bind X` gets "--bind" as the command. */
static int looks_like_option(const char *name)
{
    return name[0] == '-' && name[1];
}

static int refuse_option(const struct launch *launch, const char *name, struct err *err)
{
    const int is_run = launch->plan->row_count != 0; /* exec enters what others have mounted */

    return err_set(err, ERR_COMMAND_NOT_FOUND,
                   "command %s is not in the container; options go before the %s: coracle %s -- COMMAND",
                   str_quote(launch->arena, name), is_run ? "image" : "container",
                   is_run ? "run [OPTIONS] IMAGE" : "exec [OPTIONS] CONTAINER");
}

/* No directory of PATH had a NAME that can be executed. One that is there but has a defect is the better
 * answer. */
static int not_found(const struct launch *launch, const char *path, const char *name, struct err *err)
{
    const char *file;

    for (const char *dir = path; (file = next_candidate(launch, &dir, name));) {
        if (access(file, F_OK) < 0)
            continue;
        execute(launch, file);
        return launch_diagnose(launch, file, errno, err);
    }
    if (looks_like_option(name))
        return refuse_option(launch, name, err);
    return err_set(err, ERR_COMMAND_NOT_FOUND, "command %s is not in the container; PATH is %s",
                   str_quote(launch->arena, name), str_quote(launch->arena, path));
}

/* Executes NAME from the first directory of PATH that has it. */
static int search(const struct launch *launch, const char *path, const char *name, struct err *err)
{
    const char *file;

    for (const char *dir = path; (file = next_candidate(launch, &dir, name));) {
        execute(launch, file);
        if (!goes_on(errno))
            return launch_diagnose(launch, file, errno, err);
    }
    return not_found(launch, path, name, err);
}

/* By its own name busybox is no shell: it takes the first argument for the applet to be. */
static const char *shell_name(const char *shell)
{
    return strcmp(path_basename(shell), "busybox") == 0 ? "sh" : shell;
}

static int execute_shell(const struct launch *launch, struct err *err)
{
    for (const char *const *shell = launch->plan->shells; *shell; shell++) {
        launch->plan->argv[0] = arena_strdup(launch->arena, shell_name(*shell));
        execute(launch, *shell);
        if (!goes_on(errno))
            return launch_diagnose(launch, *shell, errno, err);
    }
    if (launch->plan->sourced)
        return err_set(
            err, ERR_COMMAND_NOT_FOUND,
            "the environment of the image %s is in shell scripts (%s), and it has no shell to read them; run "
            "what it was made of: coracle pull or coracle convert",
            str_quote(launch->arena, launch->plan->image), launch->plan->sourced);
    return err_set(
        err, ERR_COMMAND_NOT_FOUND,
        "the image %s has no shell that we know; run one of its programs: coracle run IMAGE -- COMMAND",
        str_quote(launch->arena, launch->plan->image));
}

static void prime_program(const struct launch *launch, const char *name)
{
    const char *path = env_find(launch->plan->environment, "PATH");
    const char *file;

    if (strchr(name, '/')) {
        launch_touch_program(name);
        return;
    }
    for (const char *dir = path ? path : standard_path; (file = next_candidate(launch, &dir, name));)
        if (launch_touch_program(file))
            return;
}

/* What every rank's shell looks up before the command: itself, and the scripts. */
static void prime_sourced(const struct launch *launch)
{
    FD_CLEANUP int dir = openat(AT_FDCWD, FOREIGN_SCRIPTS_DIR, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct listing listing = {0};

    for (const char *const *shell = launch->plan->shells; *shell; shell++)
        if (launch_touch_program(*shell))
            break;
    if (dir < 0 || launch_list(launch->arena, dir, &listing) < 0)
        return;
    for (size_t i = 0; i < listing.count; i++)
        if (faccessat(dir, listing.names[i], F_OK, 0) < 0)
            continue; /* glibc's fortified header wants it looked at */
}

void launch_prime_command(const struct launch *launch)
{
    const struct plan *plan = launch->plan;
    char *const *command = plan->argv + (plan->sourced ? plan->sourced_argc : 0);

    if (!plan->image_is_served)
        return;
    if (plan->sourced)
        prime_sourced(launch);
    if ((plan->sourced ? plan->command_shells : plan->shells) || !*command || !**command)
        return;
    prime_program(launch, *command);
    if (command[1] && *command[1] == '/') /* a script for it: /etc/rc */
        access(command[1], F_OK);
}

int launch_exec(const struct launch *launch, struct err *err)
{
    const char *name = launch->plan->argv[0];
    const char *path;

    if (launch->plan->shells)
        return execute_shell(launch, err);
    if (!*name)
        return err_set(err, ERR_COMMAND_NOT_FOUND, "the name of the command is empty");
    if (strchr(name, '/')) {
        execute(launch, name);
        if ((errno == ENOENT || errno == ENOTDIR) && looks_like_option(name) && access(name, F_OK) < 0)
            return refuse_option(launch, name, err);
        return launch_diagnose(launch, name, errno, err);
    }
    path = env_find(launch->plan->environment, "PATH");
    return search(launch, path ? path : standard_path, name, err);
}
