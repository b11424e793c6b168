#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/num.h"

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

/* What statx(2) does not tell: PREFIXfdinfo/FD, of /proc/self, since Linux 3.15. proc(5) */
static uint64_t older_mount_id(int process, const char *prefix, int fd)
{
    static const char label[] = "mnt_id:\t";
    char name[48], text[256];
    uint64_t id = 0;
    const char *digit;
    ssize_t length;
    int info;

    strcpy(name, prefix);
    strcat(name, "fdinfo/");
    num_format(name + strlen(name), (uint64_t)fd);
    info = fd < 0 ? -1 : openat(process, name, O_RDONLY | O_CLOEXEC);
    if (info < 0)
        return 0;
    length = read(info, text, sizeof(text) - 1);
    close(info);
    text[length < 0 ? 0 : length] = 0;
    digit = strstr(text, label);
    for (digit = digit ? digit + strlen(label) : ""; *digit >= '0' && *digit <= '9'; digit++)
        id = id * 10 + (uint64_t)(*digit - '0');
    return id;
}

/* Without statx(2), or where it tells of no mounts. */
static int older_identify(int dir, const char *path, int flags, struct sys_identity *identity)
{
    const int itself = (flags & AT_EMPTY_PATH) && !*path;
    const int fd =
        itself ? dir : openat(dir, path, O_PATH | O_CLOEXEC | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0));
    struct stat st;
    int result, saved;

    if (fd < 0)
        return -1;
    result = fstat(fd, &st);
    saved = errno;
    if (result == 0)
        *identity = (struct sys_identity){
            .device = (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev),
            .inode = st.st_ino,
            .mount = older_mount_id(AT_FDCWD, "/proc/self/", fd),
            .size = (uint64_t)st.st_size,
            .mtime = st.st_mtim.tv_sec,
            .ctime = st.st_ctim.tv_sec,
            .mtime_ns = (uint32_t)st.st_mtim.tv_nsec,
            .ctime_ns = (uint32_t)st.st_ctim.tv_nsec,
            .mode = st.st_mode,
            .uid = st.st_uid,
        };
    if (!itself)
        close(fd);
    errno = saved;
    return result;
}

int sys_identify(int dir, const char *path, int flags, struct sys_identity *identity)
{
    enum { BASIC_AND_MOUNT_ID = 0x17ff, MOUNT_ID = 0x1000 };
    struct statx_bytes st;
    const long result = syscall(SYS_statx, dir, path, flags | AT_NO_AUTOMOUNT, BASIC_AND_MOUNT_ID, &st);

    if (result < 0 && errno != ENOSYS)
        return -1;
    if (result < 0 || !(st.mask & MOUNT_ID))
        return older_identify(dir, path, flags, identity);
    *identity = (struct sys_identity){
        .device = (uint64_t)st.dev_major << 32 | st.dev_minor,
        .inode = st.inode,
        .mount = st.mount_id,
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

uint64_t sys_mount_id_by(int process, int fd)
{
    const uint64_t id = sys_mount_id(fd);

    return id ? id : older_mount_id(process, "", fd);
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
