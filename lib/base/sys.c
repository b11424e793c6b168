#include "base/sys.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers are the same on every architecture from 424 on; older headers lack some. */
enum {
    NR_OPEN_TREE = 428,
    NR_MOVE_MOUNT = 429,
    NR_FSOPEN = 430,
    NR_FSCONFIG = 431,
    NR_FSMOUNT = 432,
    NR_CLOSE_RANGE = 436,
    NR_OPENAT2 = 437,
    NR_MOUNT_SETATTR = 442,
};

int sys_open_tree(int dir, const char *path, unsigned flags)
{
    return (int)syscall(NR_OPEN_TREE, dir, path, flags);
}

int sys_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
    return (int)syscall(NR_MOVE_MOUNT, from, from_path, to, to_path, flags);
}

int sys_fsopen(const char *type, unsigned flags)
{
    return (int)syscall(NR_FSOPEN, type, flags);
}

int sys_fsconfig(int fd, unsigned command, const char *key, const char *value, int aux)
{
    return (int)syscall(NR_FSCONFIG, fd, command, key, value, aux);
}

int sys_fsmount(int fd, unsigned flags, unsigned attributes)
{
    return (int)syscall(NR_FSMOUNT, fd, flags, attributes);
}

int sys_mount_setattr(int dir, const char *path, unsigned flags, const struct sys_mount_attr *attr)
{
    return (int)syscall(NR_MOUNT_SETATTR, dir, path, flags, attr, sizeof(*attr));
}

int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
    struct {
        uint64_t flags, mode, resolve;
    } how = {flags, 0, resolve};

    return (int)syscall(NR_OPENAT2, dir, path, &how, sizeof(how));
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

uint64_t sys_mount_id(int fd)
{
    enum { STATX_MOUNT_ID = 0x1000, MOUNT_ID_WORD = 0x90 / 8 };
    uint64_t words[32] = {0}; /* struct statx; musl 1.2.3's has no stx_mnt_id yet */

    return syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_MOUNT_ID, words) < 0 ? 0 : words[MOUNT_ID_WORD];
}

long sys_getdents(int fd, void *buffer, unsigned room)
{
    return syscall(SYS_getdents64, fd, buffer, room);
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    return (int)syscall(NR_CLOSE_RANGE, first, last, flags);
}

int sys_capset(uint64_t mask)
{
    /* linux/capability.h, version 3; written out because musl's include path has no kernel headers. */
    struct {
        uint32_t version;
        int pid;
    } header = {0x20080522, 0};
    struct {
        uint32_t effective, permitted, inheritable;
    } data[2] = {
        {(uint32_t)mask, (uint32_t)mask, 0},
        {(uint32_t)(mask >> 32), (uint32_t)(mask >> 32), 0},
    };

    return (int)syscall(SYS_capset, &header, data);
}
