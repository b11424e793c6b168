#include "host/machine.h"

#include <fcntl.h>
#include <sys/utsname.h>

#include "base/fd.h"
#include "../../tap.h"

static struct arena arena;

/* Whether the first processor of /proc/cpuinfo has all FLAGS, separated by blanks. */
static int has_flags(const char *cpuinfo, const char *flags)
{
    const char *line = strstr(cpuinfo, "\nflags");
    char *copy = arena_strdup(&arena, flags), *present;

    if (!line)
        return 0;
    present = arena_join(&arena, " ", arena_strndup(&arena, line + 1, strcspn(line + 1, "\n")), " ", NULL);
    for (char *flag = strtok(copy, " "); flag; flag = strtok(NULL, " "))
        if (!strstr(present, arena_join(&arena, " ", flag, " ", NULL)))
            return 0;
    return 1;
}

/*
 * The level by what the kernel says that the processor can do, of which it leaves out what it does
 * not keep. Without abm, which some kernels of virtual machines leave out though programs have it: no
 * processor has the rest of its level alone.
 */
static int expected_level(void)
{
    static const char *const levels[] = {
        "pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm",
        "fma movbe avx f16c bmi1 avx2 bmi2",
        "avx512f avx512dq avx512cd avx512bw avx512vl",
    };
    size_t length;
    const char *cpuinfo;
    FD_CLEANUP int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    int level = 1;

    cpuinfo = fd < 0 ? NULL : fd_read_all(fd, 1 << 24, &arena, &length);
    if (!cpuinfo)
        return -1;
    while (level < 4 && has_flags(cpuinfo, levels[level - 1]))
        level++;
    return level;
}

int main(void)
{
    struct host_machine machine;
    struct utsname name;

    arena_init(&arena, tap_no_memory);
    host_machine_find(&machine);
    TAP_INT(uname(&name), 0);
    TAP_STR(machine.name, name.machine);
#if defined(__x86_64__)
    TAP_INT(machine.level, expected_level());
#else
    (void)expected_level;
    TAP_INT(machine.level, 0);
#endif
    arena_free(&arena);
    return tap_done();
}
