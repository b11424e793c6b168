#include "host/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/proc.h"

enum { CGROUP_LIMIT = 64 * 1024 };

/* Whether $PWD is another name of the current directory. */
static int names_current_directory(const char *pwd)
{
    struct stat named, current;

    return stat(pwd, &named) == 0 && stat(".", &current) == 0 && named.st_dev == current.st_dev &&
           named.st_ino == current.st_ino;
}

static void gather_cwd(struct host_facts *facts, struct arena *arena)
{
    char buffer[512]; /* a page of stack less than PATH_MAX in most launches */
    const char *cwd = getcwd(buffer, sizeof(buffer));
    const char *pwd = env_find(facts->environment, "PWD");

    if (!cwd && errno == ERANGE)
        cwd = getcwd(arena_alloc(arena, PATH_MAX), PATH_MAX);
    /* "(unreachable)/x": a directory outside of our root. getcwd(3) */
    if (!cwd || *cwd != '/')
        return;
    facts->physical_cwd = arena_strdup(arena, cwd);
    facts->cwd = facts->physical_cwd;
    if (pwd && *pwd == '/' && strcmp(pwd, cwd) != 0 && names_current_directory(pwd))
        facts->cwd = pwd;
}

int facts_gather(struct host_facts *facts, char *const environment[], struct arena *arena, struct err *err)
{
    memset(facts, 0, sizeof(*facts));
    if (getauxval(AT_SECURE))
        return err_set(err, ERR_SYSTEM,
                       "coracle has a setuid bit or file capabilities and will not run so; remove them "
                       "(chmod u-s,g-s; setcap -r)");
    facts->uid = (uint32_t)getauxval(AT_EUID);
    facts->gid = (uint32_t)getauxval(AT_EGID);
    facts->environment = environment;
    gather_cwd(facts, arena);
    if (record_load(&facts->record, environment, arena, err) < 0)
        return -1;
    return 0;
}

void facts_gather_session(struct host_facts *facts)
{
    facts->session = getsid(0);
}

void facts_gather_launcher(struct host_facts *facts)
{
    char text[PROC_STAT];
    const char *stat = proc_stat(text, facts->session);

    /* "STATE PARENT ..." */
    for (const char *digit = *stat ? stat + 2 : ""; *digit >= '0' && *digit <= '9'; digit++)
        facts->launcher = facts->launcher * 10 + (*digit - '0');
}

void facts_gather_cgroup(struct host_facts *facts, struct arena *arena)
{
    FD_CLEANUP int fd = openat(AT_FDCWD, "/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    size_t length;

    facts->cgroup = fd < 0 ? NULL : fd_read_all(fd, CGROUP_LIMIT, arena, &length);
}
