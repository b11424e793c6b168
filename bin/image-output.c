#include "image-output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "image-source.h"
#include "pack/folder.h"
#include "reference/reference.h"

/* What is removed where a signal ends the program. */
static const char *volatile unfinished;

static void remove_unfinished(int number)
{
    if (unfinished)
        unlink(unfinished);
    signal(number, SIG_DFL);
    raise(number);
}

static void watch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (signal(numbers[i], remove_unfinished) == SIG_IGN)
            signal(numbers[i], SIG_IGN);
}

static int is_there(const struct output *output, struct arena *arena, struct err *err)
{
    const char *name = str_quote(arena, output->path);
    struct stat st;

    if (lstat(output->path, &st) < 0)
        return 0;
    if (S_ISDIR(st.st_mode))
        return err_set(err, ERR_OUTPUT, "%s is a directory, which is not replaced; name another%s", name,
                       output->is_directory ? "" : " or a file in it");
    if (!output->replace || output->is_directory || !S_ISREG(st.st_mode))
        return err_set(err, ERR_OUTPUT, "%s is there already%s", name,
                       S_ISREG(st.st_mode) && !output->is_directory ? "; --force replaces it" : "");
    return 0;
}

int output_open(struct output *output, const char *destination, struct arena *arena, struct err *err)
{
    output->path = destination;
    if (strncmp(destination, "dir:", 4) == 0) {
        output->is_directory = 1;
        output->path += 4;
    } else if (strncmp(destination, "sqfs:", 5) == 0) {
        output->path += 5;
    }
    if (!*output->path)
        return err_set(err, ERR_USAGE, "%s names no file; write FILE, sqfs:FILE or dir:DIRECTORY",
                       str_quote(arena, destination));
    return is_there(output, arena, err);
}

const char *output_beside(const struct output *output, const char *suffix, struct arena *arena)
{
    const char *name = path_basename(output->path);
    const char *folder = arena_strndup(arena, output->path, (size_t)(name - output->path));

    return arena_join(arena, folder, ".", name, suffix, NULL);
}

/* Gives the complete file its name; where nothing is to be replaced, only if that is still free. */
static int publish(const struct output *output, const char *partial)
{
    if (output->replace)
        return rename(partial, output->path);
    if (link(partial, output->path) < 0) {
        struct stat st;

        /* A file system without hard links. */
        if (errno == EEXIST || lstat(output->path, &st) == 0)
            return -1;
        return rename(partial, output->path);
    }
    return unlink(partial);
}

static int cannot_write(const struct output *output, struct arena *arena, struct err *err)
{
    const char *reason = err_reason(errno);

    return err_set(err, ERR_OUTPUT, "cannot write %s: %s", str_quote(arena, output->path), reason);
}

static int write_squashfs(const struct output *output, int fd, const struct flatten_request *request,
                          struct flatten_counts *counts, struct arena *arena, struct err *err)
{
    struct flatten_sink *sink = pack_open(fd, &output->options, err);
    int result = sink ? flatten(request, sink, counts, arena, err) : -1;

    pack_close(sink);
    return result;
}

static int write_file(const struct output *output, const struct flatten_request *request,
                      struct flatten_counts *counts, struct arena *arena, struct err *err)
{
    const char *partial = output_beside(output, arena_printf(arena, ".partial-%ld", (long)getpid()), arena);
    FD_CLEANUP int fd = openat(AT_FDCWD, partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0)
        return cannot_write(output, arena, err);
    unfinished = partial;
    watch_signals();
    if (write_squashfs(output, fd, request, counts, arena, err) == 0) {
        if (publish(output, partial) == 0) {
            unfinished = NULL;
            return 0;
        }
        cannot_write(output, arena, err);
    }
    unlink(partial);
    unfinished = NULL;
    return -1;
}

static int write_directory(const struct output *output, const struct flatten_request *request,
                           struct flatten_counts *counts, struct arena *arena, struct err *err)
{
    struct flatten_sink *sink = folder_open(AT_FDCWD, output->path, err);
    int result = sink ? flatten(request, sink, counts, arena, err) : -1;

    folder_close(sink);
    return result;
}

int output_write(const struct output *output, struct flatten_request *request, struct arena *arena,
                 struct err *err)
{
    struct flatten_counts counts;

    request->config_dir = ".coracle";
    request->config_name = "config.json";
    if ((output->is_directory ? write_directory : write_file)(output, request, &counts, arena, err) < 0)
        return -1;
    if (counts.devices)
        log_warning("%llu device nodes of the image were left out: only root can make them",
                    (unsigned long long)counts.devices);
    return 0;
}

int output_write_source(const struct output *output, const struct image_source *source, struct arena *arena,
                        struct err *err)
{
    struct flatten_request request = {.layers = source->layers,
                                      .layer_count = source->layer_count,
                                      .config = source->config,
                                      .config_length = source->config_length};

    return output_write(output, &request, arena, err);
}
