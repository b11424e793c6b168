/*
 * machine - what this node's processor is: for choosing among an image's platforms.
 */
#ifndef CORACLE_HOST_MACHINE_H
#define CORACLE_HOST_MACHINE_H

struct host_machine {
    char name[65]; /* "x86_64", "aarch64"; "" where it is not told. uname(2) */
    int level;     /* of x86-64 that processor and kernel can do, 1 to 4 (x86-64-v3: 3); else 0 */
};

/*
 * The levels are those of the x86-64 psABI, 1.0, section 3.1.1. Instructions that use wider
 * registers count where the kernel keeps those (XGETBV).
 */
void host_machine_find(struct host_machine *machine);

#endif
