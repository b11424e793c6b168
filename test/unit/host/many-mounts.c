#include "host/many-mounts.h"

#include <stdio.h>
#include <unistd.h>

#include "../../tap.h"

/* Of a file with so many lines as mountinfo has. */
static int listed(int lines)
{
    FILE *file = tmpfile();
    int many;

    for (int i = 0; i < lines; i++)
        fprintf(file, "%d 1 0:%d / /mnt/%d rw,relatime shared:%d - tmpfs none rw\n", i, i, i, i);
    fflush(file);
    lseek(fileno(file), 0, SEEK_SET);
    many = many_mounts_listed(fileno(file));
    fclose(file);
    return many;
}

int main(void)
{
    TAP_INT(listed(0), 0);
    TAP_INT(listed(24), 0);
    TAP_INT(listed(MANY_MOUNTS - 1), 0);
    TAP_INT(listed(MANY_MOUNTS), 1);
    TAP_INT(listed(10000), 1);
    TAP_INT(many_mounts_listed(-1), 0);
    return tap_done();
}
