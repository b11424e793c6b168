/* A tmpfs as a descriptor. tmpfs(5), fsopen(2) */
#include "base/num.h"
#include "launch/state.h"

enum { DEFAULT_MODE = 01777 };

/* MODE in octal, by hand: printf() costs a launch two pages. */
static void format_mode(char text[6], mode_t mode)
{
    for (int i = 4; i >= 0; i--, mode >>= 3)
        text[i] = (char)('0' + (mode & 7));
    text[5] = 0;
}

int launch_new_tmpfs(struct launch *launch, uint64_t size, mode_t mode, unsigned attributes)
{
    struct mount_option options[3] = {{0}};
    char size_text[21], mode_text[6];
    size_t count = 0;

    num_format(size_text, size);
    format_mode(mode_text, mode);
    if (size)
        options[count++] = (struct mount_option){"size", size_text};
    if (mode != DEFAULT_MODE)
        options[count++] = (struct mount_option){"mode", mode_text};
    return launch_create(launch, "tmpfs", options, attributes);
}
