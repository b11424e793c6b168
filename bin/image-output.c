#include "image-output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "base/unfinished.h"
#include "image-destination.h"
#include "image-interrupt.h"
#include "image-source.h"
#include "pack/folder.h"
#include "reference/reference.h"

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
    /* Files that grow beyond the limit of the process are an error like a full disk: EFBIG. */
    signal(SIGXFSZ, SIG_IGN);
    output->path = destination;
    if (strncmp(destination, "dir:", 4) == 0) {
        output->is_directory = 1;
        output->path += 4;
    } else if (strncmp(destination, "sqfs:", 5) == 0) {
        output->path += 5;
    } else if (destination_check(destination, arena, err) < 0) {
        return -1;
    }
    if (!*output->path || (!output->is_directory && !*path_basename(output->path)))
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

static int cannot_write(const struct output *output, struct arena *arena, struct err *err)
{
    const int reason = errno;

    return err_set(err, ERR_OUTPUT, "cannot write %s: %s%s", str_quote(arena, output->path),
                   err_reason(reason), err_way_out(reason));
}

/* What goes wrong in a sink names the output. Returns -1. */
static int name_output(const struct output *output, struct arena *arena, struct err *err)
{
    return err->id == ERR_OUTPUT ? err_prefix(err, "%s", str_quote(arena, output->path)) : -1;
}

static int fill(const struct output *output, struct flatten_sink *sink, const struct flatten_request *request,
                struct flatten_counts *counts, struct arena *arena, struct err *err)
{
    struct interrupt_sink watched;

    interrupt_watch(&watched, sink);
    return flatten(request, &watched.sink, counts, arena, err) < 0 ? name_output(output, arena, err) : 0;
}

static int write_squashfs(const struct output *output, int fd, const struct flatten_request *request,
                          struct flatten_counts *counts, struct arena *arena, struct err *err)
{
    struct flatten_sink *sink = pack_open(fd, &output->options, err);
    int result = sink ? fill(output, sink, request, counts, arena, err) : name_output(output, arena, err);

    pack_close(sink);
    return result;
}

static int write_file(const struct output *output, const struct flatten_request *request,
                      struct flatten_counts *counts, struct arena *arena, struct err *err)
{
    const char *name = path_basename(output->path);
    const char *folder = arena_strndup(arena, output->path, (size_t)(name - output->path));
    FD_CLEANUP int parent = openat(AT_FDCWD, *folder ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct unfinished unfinished;
    int result;

    if (parent < 0)
        return cannot_write(output, arena, err);
    unfinished_sweep(parent, name);
    interrupt_begin();
    if (unfinished_file(&unfinished, parent, name) < 0) {
        cannot_write(output, arena, err);
        interrupt_obey();
        return -1;
    }
    result = write_squashfs(output, unfinished.fd, request, counts, arena, err);
    if (result == 0 && unfinished_publish(&unfinished, output->replace) < 0)
        result = cannot_write(output, arena, err);
    unfinished_close(&unfinished);
    interrupt_obey();
    return result;
}

static int write_directory(const struct output *output, const struct flatten_request *request,
                           struct flatten_counts *counts, struct arena *arena, struct err *err)
{
    struct flatten_sink *sink;
    uint64_t capabilities;
    int result;

    interrupt_begin();
    sink = folder_open(AT_FDCWD, output->path, err);
    result = sink ? fill(output, sink, request, counts, arena, err) : -1;
    capabilities = result < 0 ? 0 : folder_capabilities(sink);
    folder_close(sink);
    interrupt_obey();
    if (capabilities)
        log_warning("%llu files of the image have lost their capabilities (security.capability): only root "
                    "can give such; a SquashFS file keeps them",
                    (unsigned long long)capabilities);
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
    if (counts.is_empty)
        log_warning("the image has no files: no command can be run in it");
    return 0;
}

struct showing {
    const struct output *output;
    const struct image_source *source;
};

static int await(void *data, size_t index, struct err *err)
{
    return image_source_wait(((struct showing *)data)->source, index, err);
}

static void show_flattened(void *data, uint64_t done)
{
    progress_flattened(((struct showing *)data)->source->progress, done);
}

static void show_writing(void *data)
{
    const struct showing *showing = data;

    progress_writing(showing->source->progress, showing->output->path);
}

int output_write_source(const struct output *output, const struct image_source *source, struct arena *arena,
                        struct err *err)
{
    struct showing showing = {output, source};
    struct flatten_request request = {.layers = source->layers,
                                      .layer_count = source->layer_count,
                                      .config = source->config,
                                      .config_length = source->config_length,
                                      .needs_files = image_source_needs_files(source),
                                      .await = await,
                                      .progress = show_flattened,
                                      .finishing = show_writing,
                                      .progress_data = &showing};

    progress_flatten_begin(source->progress);
    if (output_write(output, &request, arena, err) < 0)
        return image_source_failed(source, err);
    image_source_warn(source);
    return 0;
}
