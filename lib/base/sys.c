#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers are the same on every architecture from 424 on; older headers lack some. */
enum {
    NR_PIDFD_SEND_SIGNAL = 424,
    NR_OPEN_TREE = 428,
    NR_MOVE_MOUNT = 429,
    NR_FSOPEN = 430,
    NR_FSCONFIG = 431,
    NR_FSMOUNT = 432,
    NR_PIDFD_OPEN = 434,
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

enum { OPENAT2_TRIES = 1000 };

int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
    struct {
        uint64_t flags, mode, resolve;
    } how = {flags, 0, resolve};

    int fd = -1;

    /* EAGAIN: something was renamed or mounted on this host while a ".." was followed. */
    for (int i = 0; i < OPENAT2_TRIES && fd < 0 && (i == 0 || errno == EAGAIN); i++)
        fd = (int)syscall(NR_OPENAT2, dir, path, &how, sizeof(how));
    return fd;
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* struct statx; the C libraries' lack what is new or clash with the kernel's. */
struct statx_time {
    int64_t seconds;
    uint32_t nanoseconds, unused;
};

struct statx_bytes {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, unused;
    uint64_t inode, size, blocks, attributes_mask;
    struct statx_time atime, btime, ctime, mtime;
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t mount_id;
    uint64_t spare[13];
};

_Static_assert(sizeof(struct statx_bytes) == 256, "statx(2)");

int sys_identify(int dir, const char *path, int flags, struct sys_identity *identity)
{
    enum { BASIC_AND_MOUNT_ID = 0x17ff, MOUNT_ID = 0x1000 };
    struct statx_bytes st;

    if (syscall(SYS_statx, dir, path, flags | AT_NO_AUTOMOUNT, BASIC_AND_MOUNT_ID, &st) < 0)
        return -1;
    *identity = (struct sys_identity){
        .device = (uint64_t)st.dev_major << 32 | st.dev_minor,
        .inode = st.inode,
        .mount = st.mask & MOUNT_ID ? st.mount_id : 0,
        .size = st.size,
        .mtime = st.mtime.seconds,
        .ctime = st.ctime.seconds,
        .mtime_ns = st.mtime.nanoseconds,
        .ctime_ns = st.ctime.nanoseconds,
        .mode = st.mode,
        .uid = st.uid,
    };
    return 0;
}

uint64_t sys_mount_id(int fd)
{
    struct sys_identity identity;

    return sys_identify(fd, "", AT_EMPTY_PATH, &identity) < 0 ? 0 : identity.mount;
}

int sys_pidfd_open(pid_t pid)
{
    return (int)syscall(NR_PIDFD_OPEN, pid, 0);
}

int sys_pidfd_send_signal(int pidfd, int signal)
{
    return (int)syscall(NR_PIDFD_SEND_SIGNAL, pidfd, signal, NULL, 0);
}

long sys_getdents(int fd, void *buffer, unsigned room)
{
    return syscall(SYS_getdents64, fd, buffer, room);
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    return (int)syscall(NR_CLOSE_RANGE, first, last, flags);
}

int sys_rename_new(int dir, const char *name, int new_dir, const char *new_name)
{
    /* RENAME_NOREPLACE of linux/fs.h */
    return (int)syscall(SYS_renameat2, dir, name, new_dir, new_name, 1);
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
