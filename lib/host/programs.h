/*
 * programs - where our other programs are.
 */
#ifndef CORACLE_HOST_PROGRAMS_H
#define CORACLE_HOST_PROGRAMS_H

#include "base/arena.h"

/*
 * Where the program NAME of ours may be, best first, NULL at the end: beside
 * this program (a build tree), in ../libexec/coracle from there (an installation
 * that was moved), where it was installed.
 *
 * An empty list where this program's file is not the one that its name leads to:
 * an image whose command is /proc/self/exe is running us inside itself, and what
 * has the name NAME there is the image's. Run as a child of ours it could write
 * to our file of the host, if that belongs to the user (CVE-2019-5736). To be
 * called before a mount namespace is made, in which all mounts are others.
 */
const char *const *programs_find(const char *name, struct arena *arena);

/*
 * What the message says in the end that a program of ours could not be started, for ERRNUM:
 * "; it belongs in DIRECTORY" where it is not there, "" where it is.
 */
const char *programs_place(int errnum);

#endif
