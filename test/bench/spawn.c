/*
 * spawn - what it costs to start a command.
 *
 *     spawn [OPTION...] --- NAME COMMAND [ARG...] [--- NAME COMMAND [ARG...]]...
 *
 *     --rounds N   rounds (11)
 *     --count N    launches of each command in a round, one after the other (20)
 *     --burst      start all of a round at once and wait for all: the sample is
 *                  the time from the first start to the last end
 *     --pin        stay on one CPU
 *
 * The commands take turns round by round, so that whatever else the machine
 * does hits all alike. A command is a path, not looked up. Prints one line for
 * each, separated by tabs:
 *
 *     NAME  samples  median  minimum  p90  faults
 *
 * times in microseconds from vfork to the end of wait4, faults the median of
 * the minor page faults of a launch with all that it waited for.
 *
 * An argument that is %n becomes the number of the launch, for commands that
 * want a name of their own each time.
 *
 * A launch that does not exit with 0 ends the run: status 1.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct sample {
    uint64_t nanoseconds;
    uint32_t command, faults;
};

struct command {
    const char *name;
    char **argv;
    char **numbered; /* the argument that is %n, or NULL */
};

struct bench {
    struct command *commands;
    size_t command_count;
    long rounds, count;
    int burst, pin;
    struct sample *samples;
    size_t sample_count;
    unsigned long launches;
};

static void die(const char *what) __attribute__((noreturn));

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        die("memory");
    return memory;
}

static void usage(const char *what) __attribute__((noreturn));

static void usage(const char *what)
{
    fprintf(stderr,
            "spawn: %s\nusage: spawn [--rounds N] [--count N] [--burst] [--pin] --- NAME COMMAND...\n", what);
    exit(2);
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static pid_t start(struct bench *bench, const struct command *command)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%lu", ++bench->launches);
    if (command->numbered)
        *command->numbered = digits;
    pid_t pid = vfork();
    if (pid < 0)
        die("vfork");
    if (pid == 0) {
        execv(command->argv[0], command->argv);
        _exit(127);
    }
    return pid;
}

/* Waits for PID, or any child for -1; the number of its page faults. */
static uint32_t finish(pid_t pid, const struct command *command)
{
    int status;
    struct rusage usage;
    if (wait4(pid, &status, 0, &usage) < 0)
        die("wait4");
    if (status != 0) {
        fprintf(stderr, "spawn: %s: wait status 0x%x\n", command->name, (unsigned)status);
        exit(1);
    }
    return (uint32_t)usage.ru_minflt;
}

static void keep(struct bench *bench, size_t command, uint64_t nanoseconds, uint32_t faults)
{
    bench->samples[bench->sample_count++] = (struct sample){nanoseconds, (uint32_t)command, faults};
}

static void run_one_by_one(struct bench *bench, size_t index)
{
    const struct command *command = &bench->commands[index];
    for (long i = 0; i < bench->count; i++) {
        uint64_t begin = now();
        uint32_t faults = finish(start(bench, command), command);
        keep(bench, index, now() - begin, faults);
    }
}

static void run_at_once(struct bench *bench, size_t index)
{
    const struct command *command = &bench->commands[index];
    uint64_t begin = now();
    uint32_t faults = 0;
    for (long i = 0; i < bench->count; i++)
        start(bench, command);
    for (long i = 0; i < bench->count; i++)
        faults += finish(-1, command);
    keep(bench, index, now() - begin, faults / (uint32_t)bench->count);
}

/* The first launch of each command is for the caches and not counted. */
static void run(struct bench *bench)
{
    for (size_t i = 0; i < bench->command_count; i++)
        finish(start(bench, &bench->commands[i]), &bench->commands[i]);
    for (long round = 0; round < bench->rounds; round++)
        for (size_t i = 0; i < bench->command_count; i++)
            (bench->burst ? run_at_once : run_one_by_one)(bench, i);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void report(const struct bench *bench, size_t index)
{
    uint64_t *times = allocate(bench->sample_count, sizeof *times);
    uint64_t *faults = allocate(bench->sample_count, sizeof *faults);
    size_t n = 0;
    for (size_t i = 0; i < bench->sample_count; i++) {
        const struct sample *sample = &bench->samples[i];
        if (sample->command != index)
            continue;
        times[n] = sample->nanoseconds;
        faults[n++] = sample->faults;
    }
    qsort(times, n, sizeof *times, by_value);
    qsort(faults, n, sizeof *faults, by_value);
    printf("%s\t%zu\t%.1f\t%.1f\t%.1f\t%llu\n", bench->commands[index].name, n, (double)times[n / 2] / 1000,
           (double)times[0] / 1000, (double)times[n * 9 / 10] / 1000, (unsigned long long)faults[n / 2]);
    free(times);
    free(faults);
}

static long number(const char *text)
{
    char *end;
    long value = text ? strtol(text, &end, 10) : 0;
    if (value < 1 || value > 1000000 || *end)
        usage("a number from 1 to 1000000 is missing");
    return value;
}

static char **parse_options(char **argv, struct bench *bench)
{
    for (; *argv && strcmp(*argv, "---") != 0; argv++) {
        if (strcmp(*argv, "--burst") == 0)
            bench->burst = 1;
        else if (strcmp(*argv, "--pin") == 0)
            bench->pin = 1;
        else if (strcmp(*argv, "--rounds") == 0)
            bench->rounds = number(*++argv);
        else if (strcmp(*argv, "--count") == 0)
            bench->count = number(*++argv);
        else
            usage("unknown option");
    }
    return argv;
}

/* Cuts the argument vector at each "---". */
static void parse_commands(char **argv, int argc, struct bench *bench)
{
    bench->commands = allocate((size_t)argc, sizeof *bench->commands);
    for (; *argv; argv++) {
        if (strcmp(*argv, "%n") == 0 && bench->command_count > 0)
            bench->commands[bench->command_count - 1].numbered = argv;
        if (strcmp(*argv, "---") != 0)
            continue;
        *argv = NULL;
        if (!argv[1] || !argv[2])
            usage("--- needs a name and a command");
        bench->commands[bench->command_count++] = (struct command){.name = argv[1], .argv = argv + 2};
    }
    if (bench->command_count == 0)
        usage("no command");
}

static void pin(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)sched_getcpu(), &set);
    if (sched_setaffinity(0, sizeof set, &set) < 0)
        die("sched_setaffinity");
}

int main(int argc, char **argv)
{
    struct bench bench = {.rounds = 11, .count = 20};
    parse_commands(parse_options(argv + 1, &bench), argc, &bench);
    size_t launches = (size_t)(bench.rounds * (bench.burst ? 1 : bench.count));
    bench.samples = allocate(launches * bench.command_count, sizeof *bench.samples);
    if (bench.pin)
        pin();
    run(&bench);
    for (size_t i = 0; i < bench.command_count; i++)
        report(&bench, i);
    free(bench.samples);
    free(bench.commands);
    return 0;
}
