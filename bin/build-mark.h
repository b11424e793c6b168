/*
 * build-mark - which build a program file is of, for whoever only looks at it.
 */
#ifndef CORACLE_BUILD_MARK_H
#define CORACLE_BUILD_MARK_H

/*
 * "coracle build mark VERSION DIGEST", once in each program. Nothing but the doctor refers to
 * it, and it is in the file all the same. Made by build-mark.sh.
 */
extern const char build_mark[];

#endif
