#include "fuse/syscalls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define OUR_ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define OUR_ARCH AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define OUR_ARCH AUDIT_ARCH_S390X
#else
#error "name this machine's AUDIT_ARCH here"
#endif

/* Serving: requests and answers, the image, the log, memory (see memory.c), the watch's signal, the end. */
#define SERVING                                                                                    \
    SYS_read, SYS_write, SYS_writev, SYS_pread64, SYS_mmap, SYS_rt_sigreturn, SYS_restart_syscall, \
        SYS_exit_group

const int syscalls_opening[] = {SERVING,   SYS_sendto,    SYS_recvmsg, SYS_recvfrom,
                                SYS_close, SYS_prlimit64, SYS_prctl,   -1};
const int syscalls_serving[] = {SERVING, -1};

enum { FILTER_ROOM = 64 };

int syscalls_allow(const int numbers[])
{
    struct sock_filter filter[FILTER_ROOM] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    struct sock_fprog program = {.len = 4, .filter = filter};

    for (; *numbers >= 0 && program.len < FILTER_ROOM - 2; numbers++) {
        filter[program.len++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)*numbers, 0, 1);
        filter[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    if (*numbers >= 0) {
        errno = E2BIG;
        return -1;
    }
    filter[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
