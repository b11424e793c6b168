/* A tmpfs as a descriptor. tmpfs(5), fsopen(2) */
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "launch/state.h"

int launch_new_tmpfs(struct arena *arena, uint64_t size, mode_t mode, unsigned attributes)
{
    FD_CLEANUP int context = sys_fsopen("tmpfs", SYS_CLOEXEC);

    if (context < 0)
        return -1;
    if (size && sys_fsconfig(context, SYS_FSCONFIG_SET_STRING, "size",
                             arena_printf(arena, "%llu", (unsigned long long)size), 0) < 0)
        return -1;
    if (mode != 01777 && sys_fsconfig(context, SYS_FSCONFIG_SET_STRING, "mode",
                                      arena_printf(arena, "%o", (unsigned)mode), 0) < 0)
        return -1;
    if (sys_fsconfig(context, SYS_FSCONFIG_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return sys_fsmount(context, SYS_CLOEXEC, attributes);
}
