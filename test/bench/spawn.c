/*
 * spawn - what it costs to start a command.
 *
 *     spawn [OPTION...] [+++ COMMAND [ARG...]]... --- NAME COMMAND [ARG...] [--- NAME COMMAND [ARG...]]...
 *
 *     --rounds N   rounds (11)
 *     --count N    launches of each command in a round, one after the other (20)
 *     --loop       the sample is the time of all of a round, not of each launch
 *     --burst      start all of a round at once and wait for all: the sample is
 *                  the time from the first start to the last end
 *     --pin        stay on one CPU
 *     --gap US     after each launch let others run for so many microseconds, so
 *                  that what a launch leaves to them is not in the next sample; in
 *                  a burst after each start
 *     --settle MS  after each turn of a command sleep for so many milliseconds
 *     --keep-going count the launches that fail instead of ending with the first
 *
 * The commands take turns round by round, so that whatever else the machine
 * does hits all alike. A command is a path, not looked up. Prints one line for
 * each, separated by tabs:
 *
 *     NAME  samples  median  minimum  p90  faults  failed
 *
 * times in microseconds from vfork to the end of wait4, faults the median of
 * the minor page faults of a launch with all that it waited for, failed how many
 * did not exit with 0.
 *
 * A command behind +++ is there as long as the run: it is started before, writes
 * something when it is ready, and ends when its input does.
 *
 * In an argument %n becomes the number of the launch, %r that of the round, once:
 * for commands that want a name of their own each time.
 *
 * A launch that does not exit with 0 ends the run: status 1.
 */
#include <fcntl.h>
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

/* An argument with %n or %r: TEXT takes its place and is written anew for each launch. */
struct numbered {
    const char *before, *mark;
    char *text;
    size_t size;
};

enum { NUMBERED_LIMIT = 4 };

struct command {
    const char *name; /* NULL: is held */
    char **argv;
    struct numbered numbered[NUMBERED_LIMIT];
    size_t numbered_count;
    unsigned long failed;
    pid_t pid; /* what is held, and the other end of its input */
    int input;
};

struct bench {
    struct command *commands;
    size_t command_count;
    long rounds, count, gap, settle;
    int burst, loop, pin, keep_going;
    struct sample *samples;
    size_t sample_count;
    unsigned long launches, round;
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
            "spawn: %s\nusage: spawn [--rounds N] [--count N] [--loop | --burst] [--pin] [--gap US] "
            "[--settle MS]\n"
            "             [--keep-going] [+++ COMMAND...]... --- NAME COMMAND...\n",
            what);
    exit(2);
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void write_number(struct numbered *argument, unsigned long launch, unsigned long round)
{
    snprintf(argument->text, argument->size, "%.*s%lu%s", (int)(argument->mark - argument->before),
             argument->before, argument->mark[1] == 'n' ? launch : round, argument->mark + 2);
}

static pid_t start(struct bench *bench, struct command *command)
{
    bench->launches++;
    for (size_t i = 0; i < command->numbered_count; i++)
        write_number(&command->numbered[i], bench->launches, bench->round);
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
static uint32_t finish(const struct bench *bench, pid_t pid, struct command *command)
{
    int status;
    struct rusage usage;
    if (wait4(pid, &status, 0, &usage) < 0)
        die("wait4");
    if (status != 0 && bench->keep_going)
        command->failed++;
    else if (status != 0) {
        fprintf(stderr, "spawn: %s: wait status 0x%x\n", command->name, (unsigned)status);
        exit(1);
    }
    return (uint32_t)usage.ru_minflt;
}

static void keep(struct bench *bench, size_t command, uint64_t nanoseconds, uint32_t faults)
{
    bench->samples[bench->sample_count++] = (struct sample){nanoseconds, (uint32_t)command, faults};
}

static void let_others_run(long microseconds)
{
    for (uint64_t end = now() + (uint64_t)microseconds * 1000; now() < end;)
        sched_yield();
}

static void run_one_by_one(struct bench *bench, size_t index)
{
    struct command *command = &bench->commands[index];
    uint64_t turn = now();
    uint32_t faults = 0;
    for (long i = 0; i < bench->count; i++) {
        uint64_t begin = now();
        faults = finish(bench, start(bench, command), command);
        if (!bench->loop)
            keep(bench, index, now() - begin, faults);
        let_others_run(bench->gap);
    }
    if (bench->loop)
        keep(bench, index, now() - turn, faults);
}

static void run_at_once(struct bench *bench, size_t index)
{
    struct command *command = &bench->commands[index];
    uint64_t begin = now();
    uint32_t faults = 0;
    for (long i = 0; i < bench->count; i++) {
        start(bench, command);
        let_others_run(bench->gap);
    }
    for (long i = 0; i < bench->count; i++)
        faults += finish(bench, -1, command);
    keep(bench, index, now() - begin, faults / (uint32_t)bench->count);
}

static void take_turn(struct bench *bench, size_t index)
{
    struct timespec pause = {bench->settle / 1000, bench->settle % 1000 * 1000000};
    (bench->burst ? run_at_once : run_one_by_one)(bench, index);
    nanosleep(&pause, NULL);
}

/* The first launch of each command is for the caches and not counted. */
static void run(struct bench *bench)
{
    for (size_t i = 0; i < bench->command_count; i++)
        if (bench->commands[i].name)
            finish(bench, start(bench, &bench->commands[i]), &bench->commands[i]);
    for (bench->round = 1; bench->round <= (unsigned long)bench->rounds; bench->round++)
        for (size_t i = 0; i < bench->command_count; i++)
            if (bench->commands[i].name)
                take_turn(bench, i);
}

/* Starts COMMAND and waits until it is ready. */
static void hold(struct command *command)
{
    int input[2], output[2];
    char ready;
    if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0)
        die("pipe2");
    command->pid = fork();
    if (command->pid < 0)
        die("fork");
    if (command->pid == 0) {
        if (dup2(input[0], 0) == 0 && dup2(output[1], 1) == 1)
            execv(command->argv[0], command->argv);
        _exit(127);
    }
    close(input[0]);
    close(output[1]);
    if (read(output[0], &ready, 1) != 1) {
        fprintf(stderr, "spawn: %s ended before it was ready\n", command->argv[0]);
        exit(1);
    }
    close(output[0]);
    command->input = input[1];
}

static void release(struct command *command)
{
    int status;
    close(command->input);
    if (waitpid(command->pid, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "spawn: %s did not stay until the end\n", command->argv[0]);
        exit(1);
    }
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
    printf("%s\t%zu\t%.1f\t%.1f\t%.1f\t%llu\t%lu\n", bench->commands[index].name, n,
           (double)times[n / 2] / 1000, (double)times[0] / 1000, (double)times[n * 9 / 10] / 1000,
           (unsigned long long)faults[n / 2], bench->commands[index].failed);
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

static int begins_command(const char *argument)
{
    return strcmp(argument, "---") == 0 || strcmp(argument, "+++") == 0;
}

static char **parse_options(char **argv, struct bench *bench)
{
    for (; *argv && !begins_command(*argv); argv++) {
        if (strcmp(*argv, "--burst") == 0)
            bench->burst = 1;
        else if (strcmp(*argv, "--loop") == 0)
            bench->loop = 1;
        else if (strcmp(*argv, "--pin") == 0)
            bench->pin = 1;
        else if (strcmp(*argv, "--keep-going") == 0)
            bench->keep_going = 1;
        else if (strcmp(*argv, "--rounds") == 0)
            bench->rounds = number(*++argv);
        else if (strcmp(*argv, "--count") == 0)
            bench->count = number(*++argv);
        else if (strcmp(*argv, "--gap") == 0)
            bench->gap = number(*++argv);
        else if (strcmp(*argv, "--settle") == 0)
            bench->settle = number(*++argv);
        else
            usage("unknown option");
    }
    return argv;
}

static void note_number(struct command *command, char **argument)
{
    const char *mark = strstr(*argument, "%n");
    if (!mark)
        mark = strstr(*argument, "%r");
    if (!mark)
        return;
    if (command->numbered_count == NUMBERED_LIMIT)
        usage("too many arguments with %n or %r");
    struct numbered *numbered = &command->numbered[command->numbered_count++];
    numbered->before = *argument;
    numbered->mark = mark;
    numbered->size = strlen(*argument) + 24;
    *argument = numbered->text = allocate(numbered->size, 1);
}

/* Cuts the argument vector at each "---" and "+++". */
static void parse_commands(char **argv, int argc, struct bench *bench)
{
    size_t held = 0;
    bench->commands = allocate((size_t)argc, sizeof *bench->commands);
    for (; *argv; argv++) {
        if (!begins_command(*argv)) {
            note_number(&bench->commands[bench->command_count - 1], argv);
            continue;
        }
        int is_held = **argv == '+';
        *argv = NULL;
        if (!argv[1] || (!is_held && !argv[2]))
            usage("--- needs a name and a command, +++ a command");
        bench->commands[bench->command_count++] =
            (struct command){.name = is_held ? NULL : argv[1], .argv = argv + (is_held ? 1 : 2)};
        held += (size_t)is_held;
    }
    if (bench->command_count == held)
        usage("no command");
    if (bench->burst && held > 0)
        usage("nothing can be held during a burst, which waits for any child");
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
    for (size_t i = 0; i < bench.command_count; i++)
        if (!bench.commands[i].name)
            hold(&bench.commands[i]);
    run(&bench);
    for (size_t i = 0; i < bench.command_count; i++)
        if (bench.commands[i].name)
            report(&bench, i);
        else
            release(&bench.commands[i]);
    free(bench.samples);
    for (size_t i = 0; i < bench.command_count; i++)
        for (size_t j = 0; j < bench.commands[i].numbered_count; j++)
            free(bench.commands[i].numbered[j].text);
    free(bench.commands);
    return 0;
}
