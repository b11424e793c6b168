/*
 * forbid CALL[:ARGUMENT:BITS] ERRNO COMMAND... - COMMAND where the system call of number
 * CALL fails with ERRNO, as in a container whose filter forbids it; with BITS only where its
 * ARGUMENT, from 0, has one of them, as on a file system that lacks something.
 *
 * forbid KERNEL COMMAND... - COMMAND as on that kernel: linux-4.18, linux-5.11; see forbid.h.
 *
 * Compiled with KERNEL and PROGRAM it stands in front of that program: all arguments are the program's.
 */
#include "../forbid.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef KERNEL
static const char *const in_front_of = PROGRAM, *const always_on = KERNEL;
#else
static const char *const in_front_of, *const always_on;
#endif

/* Reads "CALL[:ARGUMENT:BITS]" and "ERRNO". Whether they are that. */
static int read_call(struct forbidden *call, const char *text, const char *errnum)
{
    int parts = sscanf(text, "%u:%u:%i", &call->first, &call->argument, (int *)&call->value);

    call->last = call->first;
    call->when = parts == 3 ? FORBID_WHERE_ANY_BIT : FORBID_ALWAYS;
    call->errnum = atoi(errnum);
    return parts == 1 || parts == 3;
}

int main(int argc, char *argv[])
{
    struct forbidden call = {0};
    const char *kernel = always_on, *command = in_front_of;

    if (!command) {
        const int is_call = argc > 3 && read_call(&call, argv[1], argv[2]);

        kernel = is_call || argc < 3 ? NULL : argv[1];
        argv += is_call ? 3 : 2;
        command = is_call || kernel ? *argv : NULL;
    }
    if (!command) {
        fputs("usage: forbid CALL[:ARGUMENT:BITS] ERRNO COMMAND...\n       forbid KERNEL COMMAND...\n",
              stderr);
        return 2;
    }
    if ((kernel ? forbid_later_than(kernel) : forbid(&call, 1)) < 0) {
        perror(kernel ? kernel : "forbid");
        return 2;
    }
    execvp(command, argv);
    perror(command);
    return 127;
}
