#include <elf.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "registers.h"

#if defined(__x86_64__) || defined(__aarch64__)
static int exchange(pid_t pid, int request, struct user_regs_struct *registers)
{
    struct iovec area = {.iov_base = registers, .iov_len = sizeof *registers};

    return ptrace(request, pid, (void *)NT_PRSTATUS, &area) < 0 ? -1 : 0;
}
#endif

#if defined(__x86_64__)
int registers_known(void)
{
    return 1;
}

int registers_skip_call(pid_t pid)
{
    struct user_regs_struct registers;

    if (exchange(pid, PTRACE_GETREGSET, &registers) < 0)
        return -1;
    registers.orig_rax = (unsigned long long)-1;
    return exchange(pid, PTRACE_SETREGSET, &registers);
}

int registers_set_result(pid_t pid, long result)
{
    struct user_regs_struct registers;

    if (exchange(pid, PTRACE_GETREGSET, &registers) < 0)
        return -1;
    registers.rax = (unsigned long long)result;
    return exchange(pid, PTRACE_SETREGSET, &registers);
}
#elif defined(__aarch64__)
int registers_known(void)
{
    return 1;
}

int registers_skip_call(pid_t pid)
{
    int none = -1;
    struct iovec area = {.iov_base = &none, .iov_len = sizeof none};

    return ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &area) < 0 ? -1 : 0;
}

int registers_set_result(pid_t pid, long result)
{
    struct user_regs_struct registers;

    if (exchange(pid, PTRACE_GETREGSET, &registers) < 0)
        return -1;
    registers.regs[0] = (unsigned long long)result;
    return exchange(pid, PTRACE_SETREGSET, &registers);
}
#else
int registers_known(void)
{
    return 0;
}

int registers_skip_call(pid_t pid)
{
    (void)pid;
    errno = ENOSYS;
    return -1;
}

int registers_set_result(pid_t pid, long result)
{
    (void)result;
    return registers_skip_call(pid);
}
#endif
