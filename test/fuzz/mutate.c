/* mutate IMAGE NUMBER: damages the file IMAGE as mutation.h says. */
#include <stdio.h>
#include <stdlib.h>

#include "mutation.h"

int main(int argc, char **argv)
{
    static unsigned char bytes[16 * 1024 * 1024];
    FILE *file = argc == 3 ? fopen(argv[1], "r+b") : NULL;
    size_t length = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

    if (length < 96 || length == sizeof(bytes)) {
        fprintf(stderr, "usage: mutate IMAGE NUMBER\n");
        return EXIT_FAILURE;
    }
    mutate(bytes, length, strtoull(argv[2], NULL, 10));
    rewind(file);
    return fwrite(bytes, 1, length, file) == length && fclose(file) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
