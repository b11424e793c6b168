/*
 * forbid - lets system calls fail in the calling process and all that it starts, as a
 * filter around us does, or as a kernel that has not learned them yet. Nothing takes
 * that back. seccomp(2)
 *
 * linux/filter.h and linux/seccomp.h are not used: musl does not bring them.
 */
#ifndef CORACLE_TEST_FORBID_H
#define CORACLE_TEST_FORBID_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/*
 * Calls from number FIRST to LAST fail with ERRNUM; where WHEN says so, only those whose ARGUMENT,
 * from 0, equals VALUE or has one of its bits.
 */
struct forbidden {
    uint32_t first, last;
    enum { FORBID_ALWAYS, FORBID_WHERE_EQUAL, FORBID_WHERE_ANY_BIT } when;
    unsigned argument;
    uint32_t value;
    int errnum;
};

enum { FORBID_LIMIT = 4 };

/* What a kernel lacks. */
struct forbid_kernel {
    const char *name;
    size_t count;
    struct forbidden calls[FORBID_LIMIT];
};

enum {
    FORBID_SINCE_5_1 = 424,  /* pidfd_send_signal(2) */
    FORBID_SINCE_5_12 = 442, /* mount_setattr(2) */
    FORBID_STATX_MASK = 3,   /* an argument */
    FORBID_STATX_MNT_ID = 0x1000,
    FORBID_OPTION = 2, /* an argument of getsockopt(2) */
    FORBID_SO_PEERPIDFD = 77,
};

/*
 * System calls have one number on all architectures from FORBID_SINCE_5_1 on: pidfd_*, open_tree,
 * move_mount, fsopen and its kin, clone3, close_range, openat2, faccessat2. Those before have learned what
 * matters here: statx(2) the id of a mount, with 5.8, getsockopt(2) SO_PEERPIDFD, with 6.5.
 */
static const struct forbid_kernel forbid_kernels[] = {
    {"linux-4.18", /* of Enterprise Linux 8 */
     3,
     {{FORBID_SINCE_5_1, UINT32_MAX, FORBID_ALWAYS, 0, 0, ENOSYS},
      {SYS_statx, SYS_statx, FORBID_WHERE_ANY_BIT, FORBID_STATX_MASK, FORBID_STATX_MNT_ID, ENOSYS},
      {SYS_getsockopt, SYS_getsockopt, FORBID_WHERE_EQUAL, FORBID_OPTION, FORBID_SO_PEERPIDFD, ENOPROTOOPT}}},
    {"linux-5.11", 1, {{FORBID_SINCE_5_12, UINT32_MAX, FORBID_ALWAYS, 0, 0, ENOSYS}}},
};

/* linux/filter.h, linux/seccomp.h */
struct forbid_instruction {
    uint16_t code;
    uint8_t if_true, if_false;
    uint32_t value;
};

struct forbid_program {
    unsigned short length;
    struct forbid_instruction *filter;
};

enum {
    FORBID_LOAD = 0x20,
    FORBID_JUMP_IF_EQUAL = 0x15,
    FORBID_JUMP_IF_MORE = 0x25,
    FORBID_JUMP_FROM = 0x35,
    FORBID_JUMP_IF_BITS = 0x45,
    FORBID_RETURN = 0x06,
    FORBID_NUMBER_AT = 0,
    FORBID_ARGUMENTS_AT = 16,
    FORBID_MODE_FILTER = 2,
    FORBID_EACH = 6, /* instructions for a call */
};

#define FORBID_RESULT_ERRNO 0x00050000u
#define FORBID_RESULT_ALLOW 0x7fff0000u

/* Of an argument its lower half is looked at. */
static inline void forbid_translate(struct forbid_instruction *to, const struct forbidden *call)
{
    const uint32_t lower = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
    const uint16_t jump = call->when == FORBID_WHERE_ANY_BIT ? FORBID_JUMP_IF_BITS : FORBID_JUMP_IF_EQUAL;
    const uint8_t skip = call->when == FORBID_ALWAYS ? 2 : 0;

    to[0] = (struct forbid_instruction){FORBID_LOAD, 0, 0, FORBID_NUMBER_AT};
    to[1] = (struct forbid_instruction){FORBID_JUMP_FROM, 0, 4, call->first};
    to[2] = (struct forbid_instruction){FORBID_JUMP_IF_MORE, 3, skip, call->last};
    to[3] = (struct forbid_instruction){FORBID_LOAD, 0, 0, FORBID_ARGUMENTS_AT + 8 * call->argument + lower};
    to[4] = (struct forbid_instruction){jump, 0, 1, call->value};
    to[5] = (struct forbid_instruction){FORBID_RETURN, 0, 0, FORBID_RESULT_ERRNO | (uint32_t)call->errnum};
}

/* COUNT calls, at most FORBID_LIMIT. 0, or -1 and errno. */
static inline int forbid(const struct forbidden *calls, size_t count)
{
    struct forbid_instruction filter[FORBID_LIMIT * FORBID_EACH + 1];
    struct forbid_program program = {0, filter};

    for (size_t i = 0; i < count && i < FORBID_LIMIT; i++, program.length += FORBID_EACH)
        forbid_translate(filter + program.length, calls + i);
    filter[program.length++] = (struct forbid_instruction){FORBID_RETURN, 0, 0, FORBID_RESULT_ALLOW};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, FORBID_MODE_FILTER, &program);
}

/* As on the kernel NAME. 0, or -1 and errno: EINVAL where there is none. */
static inline int forbid_later_than(const char *name)
{
    for (size_t i = 0; i < sizeof(forbid_kernels) / sizeof(forbid_kernels[0]); i++)
        if (strcmp(name, forbid_kernels[i].name) == 0)
            return forbid(forbid_kernels[i].calls, forbid_kernels[i].count);
    errno = EINVAL;
    return -1;
}

#endif
