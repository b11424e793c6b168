#include "fuse/syscalls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
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

/* Always: the image, the log, memory (see memory.c), the watch's signal, the end. */
#define ALWAYS SYS_pread64, SYS_write, SYS_mmap, SYS_rt_sigreturn, SYS_restart_syscall, SYS_exit_group
/* Serving: requests and answers. */
#define SERVING ALWAYS, SYS_read, SYS_writev

const int syscalls_opening[] = {SERVING,   SYS_sendto,    SYS_recvmsg, SYS_recvfrom,
                                SYS_close, SYS_prlimit64, SYS_prctl,   -1};
const int syscalls_serving[] = {SERVING, -1};
const int syscalls_unpacking[] = {ALWAYS, SYS_close, SYS_recvfrom, SYS_sendto, -1};

/* What makes and changes files: which argument is the descriptor that it is done to, and which is a mode. */
static const struct making {
    int number, descriptor, mode; /* mode -1: none */
} makings[] = {
    {SYS_openat, 0, 3},     {SYS_pwrite64, 0, -1},  {SYS_ftruncate, 0, -1}, {SYS_fchmod, 0, 1},
    {SYS_utimensat, 0, -1}, {SYS_mkdirat, 0, 2},    {SYS_symlinkat, 1, -1}, {SYS_linkat, 0, -1},
    {SYS_mknodat, 0, 2},    {SYS_fsetxattr, 0, -1},
};

enum { FILTER_ROOM = 128, MAKING_ROOM = 7, MAKINGS = sizeof(makings) / sizeof(makings[0]), SET_IDS = 06000 };

#define LOAD(offset) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset))
#define RETURN(value) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (value))
#define TEST(how, value, if_true, if_false) \
    (struct sock_filter) BPF_JUMP(BPF_JMP | (how) | BPF_K, (uint32_t)(value), (if_true), (if_false))

/* Where the lower half of an argument is: the kernel takes that of a descriptor and of a mode. */
static size_t argument(int index)
{
    const size_t low = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : sizeof(uint32_t);

    return offsetof(struct seccomp_data, args) + (size_t)index * sizeof(uint64_t) + low;
}

/* Adds MAKING_ROOM steps. A call that is another's goes on behind them. */
static void add_making(struct sock_fprog *program, const struct making *making, int first)
{
    struct sock_filter *next = program->filter + program->len;

    *next++ = TEST(BPF_JEQ, making->number, 0, MAKING_ROOM - 1);
    *next++ = LOAD(argument(making->descriptor));
    *next++ = TEST(BPF_JGE, first, 0, 3);
    *next++ = LOAD(making->mode < 0 ? argument(making->descriptor) : argument(making->mode));
    *next++ = TEST(BPF_JSET, making->mode < 0 ? 0 : SET_IDS, 1, 0);
    *next++ = RETURN(SECCOMP_RET_ALLOW);
    *next++ = RETURN(SECCOMP_RET_KILL_PROCESS);
    program->len = (unsigned short)(next - program->filter);
}

int syscalls_allow(const int numbers[], int first)
{
    struct sock_filter filter[FILTER_ROOM] = {
        LOAD(offsetof(struct seccomp_data, arch)),
        TEST(BPF_JEQ, OUR_ARCH, 1, 0),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        LOAD(offsetof(struct seccomp_data, nr)),
    };
    struct sock_fprog program = {.len = 4, .filter = filter};
    const int room = FILTER_ROOM - 2 - MAKING_ROOM * MAKINGS;

    for (; *numbers >= 0 && program.len < room; numbers++) {
        filter[program.len++] = TEST(BPF_JEQ, *numbers, 0, 1);
        filter[program.len++] = RETURN(SECCOMP_RET_ALLOW);
    }
    if (*numbers >= 0) {
        errno = E2BIG;
        return -1;
    }
    for (size_t i = 0; first >= 0 && i < MAKINGS; i++)
        add_making(&program, &makings[i], first);
    filter[program.len++] = RETURN(SECCOMP_RET_KILL_PROCESS);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
