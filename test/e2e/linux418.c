/*
 * linux418 COMMAND... - COMMAND, and all that it starts, as on Linux 4.18, the kernel of
 * Enterprise Linux 8: what came later answers ENOSYS. Its name is told at compile time
 * where PROGRAM is defined: then all arguments are that program's. seccomp(2)
 *
 * System calls have one number on all architectures from 424 on, pidfd_send_signal(2),
 * which came with Linux 5.1: pidfd_*, open_tree, move_mount, fsopen and its kin,
 * clone3, close_range, openat2, faccessat2, mount_setattr ... Those before have learned
 * what matters here: statx(2) the id of a mount, with 5.8, getsockopt(2) SO_PEERPIDFD, with 6.5.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/filter.h and linux/seccomp.h, which musl does not bring. */
struct instruction {
    uint16_t code;
    uint8_t if_true, if_false;
    uint32_t value;
};

struct program {
    unsigned short length;
    struct instruction *filter;
};

enum { LOAD_WORD = 0x20, JUMP_IF_EQUAL = 0x15, JUMP_FROM = 0x35, JUMP_IF_BITS = 0x45, RETURN = 0x06 };
enum {
    ARGUMENTS = 16,
    SECCOMP_FILTER = 2,
    FIRST_NEW = 424,
    STATX_MASK = 3,
    STATX_MOUNT_ID = 0x1000,
    OPTION_NAME = 2,
    PEER_PIDFD = 77,
};

#define RESULT_ERRNO 0x00050000u
#define RESULT_ALLOW 0x7fff0000u

/* Of arguments, which are little-endian, the lower half. */
static struct instruction filter[] = {
    {LOAD_WORD, 0, 0, 0}, /* the number of the call */
    {JUMP_FROM, 3, 0, FIRST_NEW},
    {JUMP_IF_EQUAL, 0, 4, SYS_statx},
    {LOAD_WORD, 0, 0, ARGUMENTS + 8 * STATX_MASK},
    {JUMP_IF_BITS, 0, 1, STATX_MOUNT_ID},
    {RETURN, 0, 0, RESULT_ERRNO | ENOSYS},
    {RETURN, 0, 0, RESULT_ALLOW},
    {JUMP_IF_EQUAL, 0, 3, SYS_getsockopt},
    {LOAD_WORD, 0, 0, ARGUMENTS + 8 * OPTION_NAME},
    {JUMP_IF_EQUAL, 0, 1, PEER_PIDFD},
    {RETURN, 0, 0, RESULT_ERRNO | ENOPROTOOPT},
    {RETURN, 0, 0, RESULT_ALLOW},
};

int main(int argc, char *argv[])
{
    struct program program = {sizeof(filter) / sizeof(filter[0]), filter};
#ifdef PROGRAM
    const char *command = PROGRAM;
#else
    const char *command = *++argv;
#endif

    if (argc < 1 || !command) {
        fputs("usage: linux418 COMMAND...\n", stderr);
        return 2;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_FILTER, &program) < 0) {
        perror("linux418");
        return 2;
    }
    execvp(command, argv);
    perror(command);
    return 127;
}
