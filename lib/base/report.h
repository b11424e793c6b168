/*
 * report - where an image server says what went wrong: nobody reads its
 * standard error.
 *
 * To the file that CORACLE_LOG names, or else to the system's log (/dev/log), or
 * else nowhere. The descriptor is opened before the jail. So that a damaged image
 * cannot fill a disk, only the first REPORT_LIMIT lines of a server are written.
 */
#ifndef CORACLE_FUSE_REPORT_H
#define CORACLE_FUSE_REPORT_H

enum { REPORT_LIMIT = 50 };

/* NAME: of the image, for every line. FILE: CORACLE_LOG's value or NULL. */
void report_open(const char *name, const char *file);

/* Writes a line. Keeps errno. */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
