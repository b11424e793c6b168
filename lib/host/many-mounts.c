#include "host/many-mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"

int many_mounts_listed(int mountinfo)
{
    char buffer[4096];
    int count = 0;
    ssize_t length;

    while ((length = read(mountinfo, buffer, sizeof(buffer))) > 0)
        for (ssize_t i = 0; i < length; i++)
            if (buffer[i] == '\n' && ++count == MANY_MOUNTS)
                return 1;
    return 0;
}

/* No path at all: a flag that the kernel does not know is EINVAL before it is looked at. Nothing is made. */
static int has_namespace_trees(void)
{
    return sys_open_tree(AT_FDCWD, "", SYS_OPEN_TREE_NAMESPACE | O_CLOEXEC) < 0 &&
           (errno == EPERM || errno == ENOENT);
}

int many_mounts(void)
{
    FD_CLEANUP int mountinfo = openat(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

    return mountinfo >= 0 && many_mounts_listed(mountinfo) && has_namespace_trees();
}
