/*
 * reader - reads all files of a directory, and says what the page cache has of them.
 *
 *     reader DIRECTORY
 *
 * Prints the number of the file system, and how many bytes of the files are in
 * memory: "DEVICE BYTES". Then it stays until its input ends, so that others can be
 * counted beside it. Two that print the same device read the same pages. mincore(2)
 * tells the truth to the owner of a file only.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void die(const char *what) __attribute__((noreturn));

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void read_all(int fd)
{
    static char buffer[1 << 20];
    ssize_t length;
    while ((length = read(fd, buffer, sizeof buffer)) > 0)
        ;
    if (length < 0)
        die("read");
}

static size_t resident(int fd, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (size + page - 1) / page, count = 0;
    unsigned char *in_memory = malloc(pages + 1);
    void *mapped = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (!in_memory || mapped == MAP_FAILED || mincore(mapped, size, in_memory) < 0)
        die("mincore");
    for (size_t i = 0; i < pages; i++)
        count += in_memory[i] & 1;
    munmap(mapped, size);
    free(in_memory);
    return count * page;
}

int main(int argc, char **argv)
{
    size_t total = 0;
    struct stat st = {0};
    struct dirent *entry;
    char byte;
    if (argc != 2) {
        fputs("usage: reader DIRECTORY\n", stderr);
        return 2;
    }
    DIR *directory = opendir(argv[1]);
    if (!directory)
        die(argv[1]);
    while ((entry = readdir(directory))) {
        int fd = openat(dirfd(directory), entry->d_name, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
            die(entry->d_name);
        if (S_ISREG(st.st_mode) && st.st_size > 0) {
            read_all(fd);
            total += resident(fd, (size_t)st.st_size);
        }
        close(fd);
    }
    closedir(directory);
    printf("%llu %zu\n", (unsigned long long)st.st_dev, total);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    return 0;
}
