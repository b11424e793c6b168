#include "image-name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/magic.h"
#include "base/str.h"
#include "cache/name.h"
#include "cache/store.h"
#include "heavy.h"
#include "image/image.h"
#include "reference/reference.h"

/* "app.sqfs", "images/app": a name in a registry, or the path of a file. */
static int is_there(struct launch_options *options)
{
    options->is_identified = sys_identify(AT_FDCWD, options->request.image, 0, &options->identity) == 0;
    return options->is_identified;
}

/* coracle executes itself again: by which name? */
static const char *own_path(struct arena *arena)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path));

    return length > 0 && length < (ssize_t)sizeof(path) ? arena_strndup(arena, path, (size_t)length) : NULL;
}

/* Returns only where it failed: -1. */
static int bring(const struct image_name *name, const char *directory, const char *text, struct err *err)
{
    const struct launch_options *options = name->options;
    struct arena *arena = options->arena;
    char **line = arena_alloc(arena, ((size_t)name->argc + 9) * sizeof(*line));
    const char *self = own_path(arena);
    int count = 0;

    if (!self)
        return err_set(err, ERR_SYSTEM, "cannot find out which program this is: /proc/self/exe: %s",
                       err_reason(errno));
    line[count++] = arena_strdup(arena, "coracle-image");
    line[count++] = arena_strdup(arena, "launch");
    line[count++] = arena_strdup(arena, options->pull == PULL_ALWAYS ? "always" : "missing");
    line[count++] = arena_strdup(arena, directory);
    line[count++] = arena_strdup(arena, options->registry ? options->registry : "");
    line[count++] = arena_strdup(arena, text);
    line[count++] = arena_printf(arena, "%d", options->image_index);
    line[count++] = arena_strdup(arena, self);
    for (int i = 0; i < name->argc; i++)
        line[count++] = name->argv[i];
    return heavy_execute("coracle-image", line, name->environment, arena, err);
}

static int find_in(const struct image_name *name, const char *directory, const struct reference *reference,
                   const char *text, struct err *err)
{
    struct launch_options *options = name->options;
    const char *path;
    int trusted;

    if (cache_name(&path, directory, reference, options->arena, err) < 0)
        return -1;
    trusted = store_check(directory, options->arena, err);
    if (trusted < 0)
        return -1;
    if (trusted && (options->pull != PULL_ALWAYS || !name->argv) &&
        sys_identify(AT_FDCWD, path, 0, &options->identity) == 0) {
        options->is_identified = 1;
        options->request.image = path;
        options->cached = text;
        return store_check_image(path, options->identity.uid, options->identity.mode, options->arena, err);
    }
    if (options->pull == PULL_NEVER)
        return err_set(
            err, ERR_IMAGE_MISSING, "the image %s is not in the cache %s, and %s forbids to bring it there",
            str_quote(options->arena, text), str_quote(options->arena, directory), options->pull_origin);
    if (!name->argv)
        return err_set(err, ERR_IMAGE_MISSING,
                       "the image %s is not in the cache %s; coracle run or coracle pull brings it there",
                       str_quote(options->arena, text), str_quote(options->arena, directory));
    return bring(name, directory, text, err);
}

/* TEXT is none of a path's. */
static int find_reference(const struct image_name *name, struct reference *reference, const char *text,
                          struct err *err)
{
    struct launch_options *options = name->options;
    const char *directory = cache_directory(options->cache, name->environment, options->arena);

    if (options->cache_problem)
        return err_set(err, ERR_CONFIG, "the image %s needs a cache: %s; CORACLE_CACHE may name another",
                       str_quote(options->arena, text), options->cache_problem);
    if (!directory)
        return err_set(err, ERR_CONFIG,
                       "the image %s needs a cache: neither HOME nor XDG_CACHE_HOME is set; name one with "
                       "CORACLE_CACHE",
                       str_quote(options->arena, text));
    if (reference->transport == REFERENCE_REGISTRY &&
        cache_complete(reference, options->registry, options->arena, err) < 0)
        return -1;
    return find_in(name, directory, reference, text, err);
}

/* "oci:", "docker://": what is written so is no path. RESULT is that of reading TEXT as REFERENCE. */
static int has_transport(const char *text, const struct reference *reference, int result)
{
    return strncmp(text, "docker://", strlen("docker://")) == 0 ||
           (result == 0 && reference->transport != REFERENCE_REGISTRY);
}

/* Neither a file, nor written like anything else: it was meant as a path. */
static int is_path(const struct launch_options *options, const char *text, const struct reference *reference,
                   int result)
{
    return !strchr(text, ':') && !strchr(text, '@') &&
           (result < 0 || (!reference->domain && !options->registry));
}

int image_name_find(const struct image_name *name, struct err *err)
{
    struct launch_options *options = name->options;
    const char *text = options->request.image;
    struct reference reference;
    int result;

    if (*text == '/' || *text == '.' || !*text)
        return 0;
    result = reference_parse(&reference, text, options->arena, ERR_USAGE, err);
    if (!has_transport(text, &reference, result) && is_there(options))
        return 0;
    if (is_path(options, text, &reference, result))
        return image_identify(text, &options->identity, options->arena, err);
    if (result < 0)
        return -1;
    if (reference.transport != REFERENCE_DIR && reference.transport != REFERENCE_SQFS &&
        reference.transport != REFERENCE_SIF)
        return find_reference(name, &reference, text, err);
    options->request.image = reference.path;
    return 0;
}

/* Whether PATH begins like a tar, compressed or not. */
static int is_tar(const char *path)
{
    FD_CLEANUP int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char head[512];
    const ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof(head), 0);
    const size_t length = n < 0 ? 0 : (size_t)n;

    return magic_is(head, length, MAGIC_TAR_OFFSET, MAGIC_TAR) || magic_is(head, length, 0, MAGIC_GZIP) ||
           magic_is(head, length, 0, MAGIC_ZSTD) || magic_is(head, length, 0, MAGIC_XZ) ||
           magic_is(head, length, 0, MAGIC_BZIP2);
}

/* The same command anew, with the image that was found: what is open is closed by that. */
static int execute_again(const struct image_name *name, struct err *err)
{
    const struct launch_options *options = name->options;
    struct arena *arena = options->arena;
    char **line = arena_alloc(arena, ((size_t)name->argc + 2) * sizeof(*line));
    const char *self = own_path(arena);

    line[0] = arena_strdup(arena, "coracle");
    memcpy(line + 1, name->argv, (size_t)name->argc * sizeof(*line));
    line[1 + options->image_index] = arena_strdup(arena, options->request.image);
    if (self)
        execve(self, line, name->environment);
    return err_set(err, ERR_SYSTEM, "coracle cannot execute itself again: %s", err_reason(errno));
}

int image_name_convert(const struct image_name *name, struct err *err)
{
    struct launch_options *options = name->options;
    const char *text = options->request.image;
    struct reference reference;

    if (!is_tar(text))
        return -1;
    /* As a path is written. */
    if (*text != '/' && strncmp(text, "./", 2) != 0 && strncmp(text, "../", 3) != 0)
        text = arena_join(options->arena, "./", text, NULL);
    if (reference_parse(&reference, text, options->arena, ERR_USAGE, err) < 0 ||
        find_reference(name, &reference, text, err) < 0)
        return -1;
    return name->argv ? execute_again(name, err) : 0;
}

void image_name_way_out(const struct launch_options *options, struct err *err)
{
    const char *name = options->cached ? str_quote(options->arena, options->cached) : NULL;
    const size_t length = strlen(err->text);

    if (!name || (err->id != ERR_IMAGE_DAMAGED && err->id != ERR_IMAGE_UNKNOWN))
        return;
    snprintf(err->text + length, sizeof(err->text) - length,
             "; it was damaged in the cache, and --pull=always, or coracle rm %s and the next launch, makes "
             "it anew",
             name);
}
