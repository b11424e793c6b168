/*
 * build-id - which build of this program is running.
 */
#ifndef CORACLE_HOST_BUILD_ID_H
#define CORACLE_HOST_BUILD_ID_H

#include <stddef.h>

/*
 * The bytes that the linker put into this program (ld(1), --build-id) and their
 * number; 0 where it put none. Read from memory: no system call.
 */
size_t build_id(const unsigned char **bytes);

#endif
