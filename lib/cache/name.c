#include "cache/name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/env.h"
#include "base/path.h"
#include "base/str.h"
#include "host/machine.h"

/* Of a path in a name; its end is what tells paths apart for a reader. A dot would hide the name. */
enum { PATH_ROOM = 180 };
#define ELLIPSIS "\xE2\x80\xA6"

const char *cache_directory(const char *configured, char *const environment[], struct arena *arena)
{
    const char *home = env_find(environment, "HOME"), *caches = env_find(environment, "XDG_CACHE_HOME");

    if (configured)
        return path_clean(arena, configured);
    if (caches && *caches == '/')
        return path_join(arena, caches, "coracle");
    return home && *home == '/' ? path_join(arena, home, ".cache/coracle") : NULL;
}

int cache_complete(struct reference *reference, const char *registry, struct arena *arena, struct err *err)
{
    if (!reference->domain && !registry)
        return err_set(err, ERR_USAGE,
                       "%s names no registry; at Docker Hub it would be docker.io/%s, and --registry "
                       "says where names without one are looked for",
                       str_quote(arena, reference_print(reference, arena)),
                       reference_print(reference, arena));
    if (!reference->domain)
        reference->domain = registry;
    if (strcmp(reference->domain, "docker.io") == 0 && !strchr(reference->repository, '/'))
        reference->repository = arena_join(arena, "library/", reference->repository, NULL);
    if (!reference->tag && !reference->digest)
        reference->tag = "latest";
    return 0;
}

static const char *machine_name(struct arena *arena)
{
    struct host_machine machine;

    host_machine_find(&machine);
    return machine.level ? arena_printf(arena, "%s-v%d", machine.name, machine.level)
                         : arena_strdup(arena, machine.name);
}

/* A digest says more than a tag beside it. */
static const char *registry_name(const struct reference *reference, struct arena *arena)
{
    return arena_join(arena, reference->domain, "/", reference->repository, reference->digest ? "@" : ":",
                      reference->digest ? reference->digest : reference->tag, NULL);
}

/* PATH as one name. */
static const char *escape(const char *path, struct arena *arena)
{
    struct str out = {.arena = arena};
    const char *text;

    for (; *path; path++) {
        if (*path == '/' || *path == '%' || *path == '@' || (unsigned char)*path < ' ')
            str_addf(&out, "%%%02X", (unsigned)(unsigned char)*path);
        else
            str_add_char(&out, *path);
    }
    text = str_text(&out);
    return out.length <= PATH_ROOM ? text : arena_join(arena, ELLIPSIS, text + out.length - PATH_ROOM, NULL);
}

/* What follows the path: which of its images. */
static const char *inner_name(const struct reference *reference, struct arena *arena)
{
    struct reference inner = *reference;
    const char *whole;

    if (reference->transport == REFERENCE_PATH)
        return "";
    inner.path = "";
    whole = reference_print(&inner, arena);
    return whole + strlen(reference_transport_name(reference->transport)) + 1;
}

static int missing(const struct reference *reference, struct arena *arena, struct err *err)
{
    const char *name = str_quote(arena, reference_print(reference, arena));
    const int reason = errno;

    if (reason == ENOENT || reason == ENOTDIR)
        return err_set(err, ERR_IMAGE_MISSING, "the image %s does not exist", name);
    return err_set(err, ERR_IMAGE_UNREADABLE, "cannot look at the image %s: %s", name, err_reason(reason));
}

/* The index of a layout: what is there in its place is no layout. */
static int missing_index(const struct reference *reference, const char *path, struct arena *arena,
                         struct err *err)
{
    const int reason = errno;
    struct stat st;

    if ((reason == ENOENT || reason == ENOTDIR) && stat(path, &st) == 0)
        return err_set(err, ERR_IMAGE_UNKNOWN, "image %s: %s",
                       str_quote(arena, reference_print(reference, arena)),
                       S_ISDIR(st.st_mode) ? "it has no file index.json: this is no OCI image layout"
                                           : "it is no directory; a layout in a tar is an oci-archive:");
    errno = reason;
    return missing(reference, arena, err);
}

static const char *absolute(const char *path, struct arena *arena)
{
    char cwd[PATH_MAX];

    return *path != '/' && getcwd(cwd, sizeof(cwd)) ? path_join(arena, cwd, path) : path_clean(arena, path);
}

static int file_name(const char **name, const struct reference *reference, struct arena *arena,
                     struct err *err)
{
    const char *transport = reference_transport_name(reference->transport);
    const char *path = absolute(reference->path, arena), *inner = inner_name(reference, arena);
    const char *watched = reference->transport == REFERENCE_OCI ? path_join(arena, path, "index.json") : path;
    char stamp[DIGEST_TEXT];
    struct digest digest;
    const char *text;
    struct stat st;

    if (stat(watched, &st) < 0)
        return watched == path ? missing(reference, arena, err) : missing_index(reference, path, arena, err);
    text = arena_printf(arena, "%s:%s:%s %llu %llu %lld.%09ld", transport, path, inner,
                        (unsigned long long)st.st_ino, (unsigned long long)st.st_size,
                        (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    digest = digest_bytes(text, strlen(text));
    digest_format(stamp, &digest);
    *name = arena_join(arena, *transport ? transport : "path", "/",
                       escape(arena_join(arena, path, inner, NULL), arena), "@", stamp, NULL);
    return 0;
}

int cache_name(const char **name, const char *directory, const struct reference *reference,
               struct arena *arena, struct err *err)
{
    const char *inner = NULL;

    if (reference->transport == REFERENCE_REGISTRY)
        inner = registry_name(reference, arena);
    else if (file_name(&inner, reference, arena, err) < 0)
        return -1;
    if (strlen(path_basename(inner)) > NAME_MAX)
        return err_set(err, ERR_USAGE, "%s: the last part of the name is too long to be kept as a file's",
                       str_quote(arena, inner));
    *name = arena_join(arena, directory, "/" CACHE_NAMES "/", machine_name(arena), "/", inner, NULL);
    return 0;
}
