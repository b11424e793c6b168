/*
 * build-mark - which version a program file is of, for whoever only looks at it.
 */
#ifndef CORACLE_BASE_BUILD_MARK_H
#define CORACLE_BASE_BUILD_MARK_H

/* BUILD_VERSION is PACKAGE_VERSION, which headers of libraries define too. */
#define BUILD_MARK "coracle build mark " BUILD_VERSION "."

/* Once in each program. Nothing refers to it, and it has to be in the file all the same. */
#define BUILD_MARK_KEEP static const char build_mark[] __attribute__((used, retain)) = BUILD_MARK

#endif
