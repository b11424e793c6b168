#include "image-interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

enum { NUMBER_COUNT = sizeof(numbers) / sizeof(numbers[0]) };

static volatile sig_atomic_t interrupted;

static void note(int number)
{
    interrupted = number;
}

int interrupt_came(void)
{
    return interrupted != 0;
}

int interrupt_check(struct err *err)
{
    return interrupted ? err_set(err, ERR_OUTPUT, "it was interrupted") : 0;
}

static struct flatten_sink *other(struct flatten_sink *sink, struct err *err)
{
    return interrupt_check(err) < 0 ? NULL : ((struct interrupt_sink *)sink)->other;
}

static int file_begin(struct flatten_sink *sink, uint64_t size, struct err *err)
{
    sink = other(sink, err);
    return sink ? sink->file_begin(sink, size, err) : -1;
}

static int file_append(struct flatten_sink *sink, const void *bytes, size_t length, struct err *err)
{
    sink = other(sink, err);
    return sink ? sink->file_append(sink, bytes, length, err) : -1;
}

static int file_hole(struct flatten_sink *sink, uint64_t length, struct err *err)
{
    sink = other(sink, err);
    return sink ? sink->file_hole(sink, length, err) : -1;
}

static int file_end(struct flatten_sink *sink, uint64_t *handle, struct err *err)
{
    sink = other(sink, err);
    return sink ? sink->file_end(sink, handle, err) : -1;
}

static int finish(struct flatten_sink *sink, const struct flatten_tree *tree, struct err *err)
{
    sink = other(sink, err);
    return sink ? sink->finish(sink, tree, err) : -1;
}

void interrupt_begin(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)(SA_RESTART | SA_RESETHAND)}, old;

    for (size_t i = 0; i < NUMBER_COUNT; i++)
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
}

void interrupt_watch(struct interrupt_sink *sink, struct flatten_sink *given)
{
    *sink = (struct interrupt_sink){{file_begin, file_append, file_hole, file_end, finish}, given};
}

void interrupt_obey(void)
{
    struct sigaction old;

    for (size_t i = 0; i < NUMBER_COUNT; i++)
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            signal(numbers[i], SIG_DFL);
    if (interrupted)
        raise(interrupted);
}
