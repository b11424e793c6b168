/*
 * sys - system calls that the C library does not offer, or offers under headers
 * that clash (sys/mount.h against linux/mount.h in glibc 2.36).
 *
 * Each function is the call of its name, or has its way around the lack of it: -1 and
 * errno on failure.
 */
#ifndef CORACLE_BASE_SYS_H
#define CORACLE_BASE_SYS_H

#include <stdint.h>
#include <sys/types.h>

/* What a file is, whatever it is called. statx(2) */
struct sys_identity {
    uint64_t device, inode;
    uint64_t mount; /* its mount's id; 0: not told (before Linux 5.8, without /proc) */
    uint64_t size;
    int64_t mtime, ctime; /* seconds since 1970 ... */
    uint32_t mtime_ns, ctime_ns;
    uint32_t mode, uid;
};

struct sys_mount_attr {
    uint64_t set;
    uint64_t clear;
    uint64_t propagation;
    uint64_t userns_fd;
};

/* mount_setattr(2), fsmount(2) */
#define SYS_ATTR_RDONLY 0x00000001
#define SYS_ATTR_NOSUID 0x00000002
#define SYS_ATTR_NODEV 0x00000004
#define SYS_ATTR_NOEXEC 0x00000008

int sys_open_tree(int dir, const char *path, unsigned flags); /* Linux 5.2 */
int sys_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags); /* 5.2 */
int sys_fsopen(const char *type, unsigned flags);                                                 /* 5.2 */
int sys_fsconfig(int fd, unsigned command, const char *key, const char *value, int aux);          /* 5.2 */
int sys_fsmount(int fd, unsigned flags, unsigned attributes);                                     /* 5.2 */
int sys_mount_setattr(int dir, const char *path, unsigned flags,
                      const struct sys_mount_attr *attr);                     /* 5.12 */
int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t resolve); /* 5.6 */
int sys_pivot_root(const char *new_root, const char *put_old);
/*
 * The id of the mount that FD is on; 0 where nobody tells. statx(2) since Linux 5.8,
 * before that /proc/self/fdinfo: proc(5).
 */
uint64_t sys_mount_id(int fd);
/* The same where /proc may have gone: PROCESS is /proc/self, opened before. */
uint64_t sys_mount_id_by(int process, int fd);
/*
 * The identity of PATH at DIR. FLAGS: AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW. Mounts nothing:
 * AT_NO_AUTOMOUNT. Where statx(2) is missing or tells of no mounts: fstat(2) and sys_mount_id()'s way.
 */
int sys_identify(int dir, const char *path, int flags, struct sys_identity *identity); /* 4.11 */
int sys_pidfd_open(pid_t pid);                                                         /* 5.3 */
int sys_pidfd_send_signal(int pidfd, int signal);                                      /* 5.1 */
/* A record of getdents(2). */
struct sys_entry {
    uint64_t inode, offset;
    unsigned short length; /* of the record */
    unsigned char type;
    char name[];
};
/* Bytes of such records in BUFFER, 0 at the end. getdents(2) */
long sys_getdents(int fd, void *buffer, unsigned room);
/* What has the new name is not replaced: EEXIST. EINVAL: the file system cannot. renameat2(2) */
int sys_rename_new(int dir, const char *name, int new_dir, const char *new_name); /* 3.15 */
int sys_close_range(unsigned first, unsigned last, unsigned flags);               /* 5.9 */

/* Sets the caller's capabilities: permitted and effective to MASK, inheritable to none. capset(2) */
int sys_capset(uint64_t mask);

/* open_tree(2), move_mount(2) */
#define SYS_OPEN_TREE_CLONE 1u
#define SYS_OPEN_TREE_NAMESPACE 2u /* Linux 7.0 */
#define SYS_MOVE_FROM_EMPTY 0x04u
#define SYS_MOVE_TO_EMPTY 0x40u

/* fsconfig(2) */
#define SYS_FSCONFIG_SET_FLAG 0u
#define SYS_FSCONFIG_SET_STRING 1u
#define SYS_FSCONFIG_CREATE 6u
#define SYS_CLOEXEC 1u /* fsopen(2), fsmount(2) */

/* openat2(2) */
#define SYS_RESOLVE_NO_MAGICLINKS 0x02u
#define SYS_RESOLVE_NO_SYMLINKS 0x04u
#define SYS_RESOLVE_IN_ROOT 0x10u

/* capabilities(7) */
#define SYS_CAP_SYS_CHROOT 18
#define SYS_CAP_SYS_ADMIN 21

#endif
