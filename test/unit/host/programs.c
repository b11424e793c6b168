#include "host/programs.h"

#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tap.h"

static struct arena arena;

static void test_candidates(void)
{
    const char *const *programs = programs_find("coracle-record", &arena);
    char here[4096];
    ssize_t length = readlink("/proc/self/exe", here, sizeof(here) - 1);
    char *slash;

    here[length > 0 ? length : 0] = 0;
    slash = strrchr(here, '/');
    TAP_TRUE(slash);
    *slash = 0;
    TAP_STR(programs[0], arena_join(&arena, here, "/coracle-record", NULL));
    TAP_STR(programs[1], arena_join(&arena, here, "/../libexec/coracle/coracle-record", NULL));
    TAP_STR(programs[2], PKGLIBEXECDIR "/coracle-record");
    TAP_STR(programs[3], NULL);
}

/* The same file by name and inode, but on another mount, as a container would show it. */
static void test_another_mount(void)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
            _exit(2);
        _exit(programs_find("coracle-record", &arena)[0] != NULL);
    }
    waitpid(child, &status, 0);
    TAP_INT(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_candidates();
    test_another_mount();
    arena_free(&arena);
    return tap_done();
}
