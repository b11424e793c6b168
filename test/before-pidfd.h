/*
 * before_pidfd - makes the calling process and its children one of a kernel before
 * Linux 5.1: a filter lets every system call from number 424 on fail with ENOSYS, and
 * the socket option SO_PEERPIDFD with ENOPROTOOPT. Nothing takes that back. seccomp(2)
 */
#ifndef CORACLE_TEST_BEFORE_PIDFD_H
#define CORACLE_TEST_BEFORE_PIDFD_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* 0, or -1 and errno. */
static inline int before_pidfd(void)
{
    enum { FIRST_NEW = 424, PEERPIDFD = 77, OPTION = 2 };
    const int is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    const unsigned option =
        offsetof(struct seccomp_data, args) + OPTION * sizeof(__u64) + (is_big ? sizeof(__u32) : 0);
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_NEW, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsockopt, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, option),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PEERPIDFD, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOPROTOOPT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

#endif
