/*
 * costs - what a command costs, with all that it waits for.
 *
 *     costs OUTPUT COMMAND [ARG...]
 *
 * Adds a line to the file OUTPUT: wall-clock seconds, CPU-seconds (user and system), the
 * resident size in KiB of the largest of its processes, and MB given to the file system
 * (proc(5), write_bytes; -1 where nobody counts). The status is the command's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Of this process and of all that it has waited for. */
static double megabytes_written(void)
{
    FILE *io = fopen("/proc/self/io", "re");
    char line[128];
    double bytes = -1e6;

    while (io && fgets(line, sizeof(line), io))
        sscanf(line, "write_bytes: %lf", &bytes);
    if (io)
        fclose(io);
    return bytes / 1e6;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char *argv[])
{
    struct rusage usage;
    double begin, wall;
    int status;
    FILE *out;
    pid_t pid;

    if (argc < 3) {
        fputs("usage: costs OUTPUT COMMAND [ARG...]\n", stderr);
        return 2;
    }
    begin = now();
    pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        perror("costs");
        return 2;
    }
    wall = now() - begin;
    getrusage(RUSAGE_CHILDREN, &usage);
    out = fopen(argv[1], "ae");
    if (!out) {
        perror(argv[1]);
        return 2;
    }
    fprintf(out, "%.3f\t%.3f\t%ld\t%.1f\n", wall, seconds(usage.ru_utime) + seconds(usage.ru_stime),
            usage.ru_maxrss, megabytes_written());
    fclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
