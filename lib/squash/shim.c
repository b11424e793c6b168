/*
 * What libsquashfuse's archive needs and a C library may not have: it was
 * compiled for glibc with _FORTIFY_SOURCE. It prints nothing that we want.
 */
#include <stdio.h>

#ifndef __GLIBC__
int __fprintf_chk(FILE *file, int flag, const char *format, ...);

int __fprintf_chk(FILE *file, int flag, const char *format, ...)
{
    (void)file, (void)flag, (void)format;
    return 0;
}
#endif
