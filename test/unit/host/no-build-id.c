/* The same in a program that the linker gave none. */
#define NO_BUILD_ID
#include "build-id.c"
