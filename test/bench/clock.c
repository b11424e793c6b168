/* clock - prints the time, in microseconds since 1970, as soon as it runs. */
#include <stdio.h>
#include <time.h>

int main(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    printf("%lld\n", now.tv_sec * 1000000ll + now.tv_nsec / 1000);
    return 0;
}
