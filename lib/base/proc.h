/*
 * proc - files of /proc about one process. proc(5)
 */
#ifndef CORACLE_BASE_PROC_H
#define CORACLE_BASE_PROC_H

#include <stddef.h>
#include <sys/types.h>

enum { PROC_PATH = 64, PROC_STAT = 512 };

/* Writes "/proc/PID/NAME" to PATH. NAME has at most 32 bytes. */
const char *proc_path(char path[PROC_PATH], pid_t pid, const char *name);

/*
 * What /proc/PID/stat says behind the name, which may hold anything: it begins with
 * the letter of the state and the number of the parent. TEXT keeps it; "" where
 * there is no such process.
 */
const char *proc_stat(char text[PROC_STAT], pid_t pid);

/* The same of the process of which DIRECTORY is /proc/PID. Where it is "" errno says why. */
const char *proc_stat_at(char text[PROC_STAT], int directory);

#endif
