/*
 * syscall-name - what a system call is called.
 */
#ifndef CORACLE_TEST_FAULT_SYSCALL_NAME_H
#define CORACLE_TEST_FAULT_SYSCALL_NAME_H

/* "openat"; "start" for none yet (-1), "other" for a number that the table lacks. */
const char *syscall_name(long number);

#endif
