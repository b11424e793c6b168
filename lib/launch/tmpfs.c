/* A tmpfs as a descriptor. tmpfs(5), fsopen(2) */
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/sys.h"
#include "launch/state.h"

enum { DEFAULT_MODE = 01777 };

/* MODE in octal, by hand: printf() costs a launch two pages. */
static void format_mode(char text[6], mode_t mode)
{
    for (int i = 4; i >= 0; i--, mode >>= 3)
        text[i] = (char)('0' + (mode & 7));
    text[5] = 0;
}

int launch_new_tmpfs(uint64_t size, mode_t mode, unsigned attributes)
{
    FD_CLEANUP int context = sys_fsopen("tmpfs", SYS_CLOEXEC);
    char size_text[21], mode_text[6];

    num_format(size_text, size);
    format_mode(mode_text, mode);
    if (context < 0)
        return -1;
    if (size && sys_fsconfig(context, SYS_FSCONFIG_SET_STRING, "size", size_text, 0) < 0)
        return -1;
    if (mode != DEFAULT_MODE && sys_fsconfig(context, SYS_FSCONFIG_SET_STRING, "mode", mode_text, 0) < 0)
        return -1;
    if (sys_fsconfig(context, SYS_FSCONFIG_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return sys_fsmount(context, SYS_CLOEXEC, attributes);
}
