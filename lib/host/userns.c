#include "host/userns.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/num.h"

static int begins_with(const char *file, char c)
{
    char text[2];

    fd_read_head(file, text, sizeof(text));
    return *text == c;
}

/* proc(5): the line is there since Linux 3.8; 2 is a filter. */
static int has_filter(void)
{
    char text[4096];
    const char *line;

    fd_read_head("/proc/self/status", text, sizeof(text));
    line = strstr(text, "\nSeccomp:\t");
    return line && line[sizeof("\nSeccomp:\t") - 1] == '2';
}

/* What mountinfo calls "/" is the mount that is the caller's root; a plain directory has no line. proc(5) */
static int is_chroot(void)
{
    char text[65536];
    char *next;

    fd_read_head("/proc/self/mountinfo", text, sizeof(text));
    if (!*text)
        return 0;
    for (char *line = text; line; line = next) {
        next = strchr(line, '\n');
        if (!next)
            break; /* cut off: not known */
        *next++ = 0;
        for (int field = 0; field < 4 && line; field++) {
            line = strchr(line, ' ');
            line = line ? line + 1 : NULL;
        }
        if (line && line[0] == '/' && line[1] == ' ')
            return 0;
        if (!*next)
            return 1;
    }
    return 0;
}

void userns_look(struct userns_switches *switches)
{
    *switches = (struct userns_switches){
        .no_user = begins_with("/proc/sys/user/max_user_namespaces", '0'),
        .no_mount = begins_with("/proc/sys/user/max_mnt_namespaces", '0'),
        .root_only = begins_with("/proc/sys/kernel/unprivileged_userns_clone", '0'),
        .apparmor = begins_with("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1'),
        .selinux = begins_with("/sys/fs/selinux/enforce", '1'),
        .seccomp = has_filter(),
        .is_chroot = is_chroot(),
    };
}

const char *userns_format_map(char text[USERNS_MAP], uint32_t inside, uint32_t outside)
{
    int n = num_format(text, inside);

    text[n++] = ' ';
    n += num_format(text + n, outside);
    memcpy(text + n, " 1", 3);
    return text;
}

static int refused(int (*why)(const struct userns_switches *, int, struct refusal *), int errnum,
                   struct err *err)
{
    struct userns_switches switches;
    struct refusal refusal;

    userns_look(&switches);
    return why(&switches, errnum, &refusal) ? refusal_set(&refusal, err) : 0;
}

int userns_refused(int errnum, struct err *err)
{
    return refused(refusal_of_namespaces, errnum, err);
}

int userns_fuse_device_refused(int errnum, struct err *err)
{
    return refused(refusal_of_fuse_device, errnum, err);
}

int userns_fuse_mount_refused(int errnum, struct err *err)
{
    return refused(refusal_of_fuse_mount, errnum, err);
}

int userns_map_refused(int errnum, struct err *err)
{
    return refused(refusal_of_id_map, errnum, err);
}
