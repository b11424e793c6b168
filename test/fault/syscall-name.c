#include <stddef.h>
#include <sys/syscall.h>

#include "syscall-name.h"

struct call {
    long number;
    const char *name;
};

#define CALL(name)        \
    {                     \
        SYS_##name, #name \
    }

/* What a launcher, the C library's start and a name service are likely to make. */
static const struct call calls[] = {
    CALL(bind),
    CALL(brk),
    CALL(capget),
    CALL(capset),
    CALL(chdir),
    CALL(chroot),
    CALL(clock_gettime),
    CALL(clone),
    CALL(clone3),
    CALL(close),
    CALL(close_range),
    CALL(connect),
    CALL(dup),
    CALL(dup3),
    CALL(execve),
    CALL(exit),
    CALL(exit_group),
    CALL(faccessat),
    CALL(fchdir),
    CALL(fchmod),
    CALL(fchmodat),
    CALL(fcntl),
    CALL(flock),
    CALL(fsconfig),
    CALL(fsmount),
    CALL(fsopen),
    CALL(fstat),
    CALL(fstatfs),
    CALL(fsync),
    CALL(ftruncate),
    CALL(futex),
    CALL(getcwd),
    CALL(getdents64),
    CALL(getegid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getgroups),
    CALL(getpid),
    CALL(getppid),
    CALL(getrandom),
    CALL(getsockname),
    CALL(gettid),
    CALL(getuid),
    CALL(ioctl),
    CALL(linkat),
    CALL(lseek),
    CALL(madvise),
    CALL(memfd_create),
    CALL(mkdirat),
    CALL(mknodat),
    CALL(mmap),
    CALL(mount),
    CALL(mount_setattr),
    CALL(move_mount),
    CALL(mprotect),
    CALL(munmap),
    CALL(newfstatat),
    CALL(open_tree),
    CALL(openat),
    CALL(openat2),
    CALL(pipe2),
    CALL(pivot_root),
    CALL(ppoll),
    CALL(prctl),
    CALL(pread64),
    CALL(prlimit64),
    CALL(pselect6),
    CALL(pwrite64),
    CALL(read),
    CALL(readlinkat),
    CALL(readv),
    CALL(recvfrom),
    CALL(recvmsg),
    CALL(renameat),
    CALL(renameat2),
    CALL(rseq),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(sendmsg),
    CALL(sendto),
    CALL(set_robust_list),
    CALL(set_tid_address),
    CALL(setns),
    CALL(socket),
    CALL(socketpair),
    CALL(statfs),
    CALL(statx),
    CALL(symlinkat),
    CALL(sysinfo),
    CALL(umask),
    CALL(umount2),
    CALL(uname),
    CALL(unlinkat),
    CALL(unshare),
    CALL(utimensat),
    CALL(wait4),
    CALL(waitid),
    CALL(write),
    CALL(writev),
#ifdef __x86_64__
    CALL(access),
    CALL(arch_prctl),
    CALL(chmod),
    CALL(dup2),
    CALL(fork),
    CALL(getdents),
    CALL(link),
    CALL(lstat),
    CALL(mkdir),
    CALL(mknod),
    CALL(open),
    CALL(pipe),
    CALL(poll),
    CALL(readlink),
    CALL(rename),
    CALL(rmdir),
    CALL(select),
    CALL(stat),
    CALL(symlink),
    CALL(unlink),
    CALL(vfork),
#endif
};

const char *syscall_name(long number)
{
    if (number < 0)
        return "start";
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (calls[i].number == number)
            return calls[i].name;
    return "other";
}
