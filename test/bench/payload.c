/*
 * payload - the least that can be run: exits at once, without the C library's
 * start-up. What the launch bench launches, so that it measures the launch.
 */
#include <unistd.h>

void _start(void) __attribute__((noreturn));

void _start(void)
{
    _exit(0);
}
