/*
 * report - where image server and broker say what went wrong: nobody reads their
 * standard error.
 *
 * To the file that CORACLE_LOG names, or else to the system's log (/dev/log), or
 * else nowhere. The descriptor is opened before the jail. So that a damaged image
 * cannot fill a disk, only the first REPORT_LIMIT lines of a process are written.
 */
#ifndef CORACLE_BASE_REPORT_H
#define CORACLE_BASE_REPORT_H

enum { REPORT_LIMIT = 50 };

/* Every line begins with PROGRAM, its pid, and NAME: what it works for. FILE: CORACLE_LOG's value or NULL. */
void report_open(const char *program, const char *name, const char *file);

/* Writes a line. Keeps errno. */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
