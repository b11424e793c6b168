/*
 * forbid CALL[:ARGUMENT:BITS] ERRNO COMMAND... - COMMAND where the system call of number
 * CALL fails with ERRNO, as in a container whose filter forbids it; with BITS only where its
 * ARGUMENT, from 0, has one of them, as on a file system that lacks something. seccomp(2)
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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

enum { LOAD_WORD = 0x20, JUMP_IF_EQUAL = 0x15, JUMP_IF_BITS = 0x45, RETURN = 0x06, ARGUMENTS = 16 };

#define SECCOMP_FILTER 2
#define RESULT_ERRNO 0x00050000u
#define RESULT_ALLOW 0x7fff0000u

int main(int argc, char *argv[])
{
    unsigned call = 0, argument = 0, bits = 0;
    int parts = argc > 1 ? sscanf(argv[1], "%u:%u:%i", &call, &argument, (int *)&bits) : 0;
    struct instruction filter[] = {
        {LOAD_WORD, 0, 0, 0}, /* the number of the call */
        {JUMP_IF_EQUAL, parts == 3 ? 0 : 2, 3, call},
        {LOAD_WORD, 0, 0, ARGUMENTS + 8 * argument}, /* little-endian: its lower half */
        {JUMP_IF_BITS, 0, 1, bits},
        {RETURN, 0, 0, RESULT_ERRNO | (argc > 2 ? (uint32_t)atoi(argv[2]) : 0)},
        {RETURN, 0, 0, RESULT_ALLOW},
    };
    struct program program = {sizeof(filter) / sizeof(filter[0]), filter};

    if (argc < 4 || (parts != 1 && parts != 3)) {
        fputs("usage: forbid CALL[:ARGUMENT:BITS] ERRNO COMMAND...\n", stderr);
        return 2;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_FILTER, &program) < 0) {
        perror("forbid");
        return 2;
    }
    execvp(argv[3], argv + 3);
    perror(argv[3]);
    return 127;
}
