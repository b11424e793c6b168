/*
 * Calls bin/image-progress.h for test/images/progress.py, as lines on standard input say:
 *
 *     resolved IMAGE DIGEST PLATFORM        layers FIRST (DIGEST SIZE)...
 *     fetched INDEX BYTES                   there INDEX
 *     flatten | flattened BYTES | writing PATH | done PATH SIZE DIGEST
 *     failed TEXT | warn TEXT               to the end of the line
 *     threads COUNT                         each reports all bytes of one layer, and warns once
 *     sleep MILLISECONDS
 *
 * The one argument is "json", "quiet" or "". Errors and warnings go to standard error.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "../../bin/image-progress.h"

enum { LAYERS = 64, STEPS = 500 };

static struct arena arena;
static struct progress *progress;
static struct progress_layer layers[LAYERS];
static size_t layer_count, first;

static void __attribute__((noreturn)) no_memory(void)
{
    _exit(99);
}

static uint64_t number(const char *text)
{
    return text ? strtoull(text, NULL, 10) : 0;
}

static void do_layers(char **words)
{
    first = (size_t)number(*words++);
    for (layer_count = 0; layer_count < LAYERS && words[0] && words[1]; words += 2)
        layers[layer_count++] =
            (struct progress_layer){.digest = arena_strdup(&arena, words[0]), .size = number(words[1])};
    progress_layers(progress, layers, layer_count, first);
}

static void *work(void *opaque)
{
    const size_t index = (size_t)((struct progress_layer *)opaque - layers);

    for (uint64_t step = 0; step <= STEPS; step++) {
        progress_fetched(progress, first + index, layers[index].size * step / STEPS);
        if (step == STEPS / 2)
            log_warning("layer %zu is half here", index);
        usleep(1000);
    }
    return NULL;
}

static void do_threads(size_t count)
{
    pthread_t threads[LAYERS];

    for (size_t i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, &layers[i]) != 0)
            _exit(98);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void obey(const char *word, char **words, const char *rest)
{
    struct err err;

    if (strcmp(word, "resolved") == 0)
        progress_resolved(progress, words[0], words[1], words[2]);
    else if (strcmp(word, "layers") == 0)
        do_layers(words);
    else if (strcmp(word, "fetched") == 0)
        progress_fetched(progress, (size_t)number(words[0]), number(words[1]));
    else if (strcmp(word, "there") == 0)
        progress_there(progress, (size_t)number(words[0]));
    else if (strcmp(word, "flatten") == 0)
        progress_flatten_begin(progress);
    else if (strcmp(word, "flattened") == 0)
        progress_flattened(progress, number(words[0]));
    else if (strcmp(word, "writing") == 0)
        progress_writing(progress, rest);
    else if (strcmp(word, "done") == 0)
        progress_done(progress, words[0], number(words[1]), words[2]);
    else if (strcmp(word, "warn") == 0)
        log_warning("%s", rest);
    else if (strcmp(word, "threads") == 0)
        do_threads((size_t)number(words[0]));
    else if (strcmp(word, "sleep") == 0)
        usleep((unsigned)number(words[0]) * 1000);
    else if (strcmp(word, "failed") == 0) {
        err_set(&err, ERR_REGISTRY, "%s", rest);
        progress_failed(progress, &err);
        log_error(&err);
    } else
        _exit(97);
}

int main(int argc, char *argv[])
{
    extern char **environ;
    static char line[65536], copy[sizeof(line)];
    char *words[2 * LAYERS + 4];
    const char *how = argc > 1 ? argv[1] : "";

    arena_init(&arena, no_memory);
    progress =
        progress_open(progress_style(strcmp(how, "json") == 0, strcmp(how, "quiet") == 0, environ), &arena);
    while (fgets(line, sizeof(line), stdin)) {
        size_t count = 0;
        const char *space;
        char *save;
        line[strcspn(line, "\n")] = 0;
        memcpy(copy, line, sizeof(copy));
        for (char *word = strtok_r(copy, " ", &save); word && count < sizeof(words) / sizeof(words[0]) - 1;
             word = strtok_r(NULL, " ", &save))
            words[count++] = word;
        words[count] = NULL;
        space = strchr(line, ' ');
        if (count)
            obey(words[0], words + 1, space ? space + 1 : "");
    }
    progress_close(progress);
    arena_free(&arena);
    return 0;
}
