#include "config/sources.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "config/safe.h"
#include "config/text.h"
#include "host/config-place.h"
#include "toml/toml.h"

enum { FRESH = 2 /* seconds; clocks of file systems are coarse, and not quite ours */ };

struct loading {
    struct config_builder builder;
    struct config_sources *sources;
    struct arena *arena;
    struct err *err;
};

static void add_file(struct loading *loading, const char *path, const char *what, const char *named,
                     int exists)
{
    struct config_sources *sources = loading->sources;

    sources->files = arena_grow(loading->arena, sources->files, sources->file_count, &sources->file_room,
                                sizeof(*sources->files));
    sources->files[sources->file_count++] = (struct config_file){path, what, named, exists};
}

static void add_watch(struct loading *loading, struct record_watch watch)
{
    struct config_sources *sources = loading->sources;

    for (size_t i = 0; i < sources->watch_count; i++)
        if (strcmp(sources->watches[i].path, watch.path) == 0 &&
            strcmp(sources->watches[i].lacks, watch.lacks) == 0)
            return;
    sources->watches = arena_grow(loading->arena, sources->watches, sources->watch_count,
                                  &sources->watch_room, sizeof(*sources->watches));
    sources->watches[sources->watch_count++] = watch;
}

/* A watch for PATH as it was when it was opened. */
static void watch_opened(struct loading *loading, const char *path, const struct stat *status)
{
    char stamp[RECORD_STAMP];

    record_stamp(status, stamp);
    if (status->st_ctime >= time(NULL) - FRESH)
        loading->sources->is_fresh = 1;
    add_watch(loading, (struct record_watch){path, arena_strdup(loading->arena, stamp), ""});
}

static int take_text(struct loading *loading, const char *path, int fd)
{
    size_t length;
    const char *text = fd_read_all(fd, TOML_SIZE_MAX, loading->arena, &length);

    if (!text && errno == EFBIG)
        return err_set(loading->err, ERR_CONFIG,
                       "%s is too large for a configuration file: %d bytes are the limit",
                       str_quote(loading->arena, path), TOML_SIZE_MAX);
    if (!text)
        return err_set(loading->err, ERR_CONFIG, "the configuration %s cannot be read: %s",
                       str_quote(loading->arena, path), err_reason(errno));
    return config_add_text(&loading->builder, path, text, length, loading->err);
}

/* Reads PATH where it is there. NAMED is the variable that says it is, or NULL. 0 or -1. */
static int load_file(struct loading *loading, const char *path, const char *what, struct config_kind kind,
                     const char *named)
{
    struct stat status;
    FD_CLEANUP int fd = config_open(path, kind, &status, loading->arena, loading->err);

    add_file(loading, path, what, named, fd != CONFIG_ABSENT);
    if (fd == CONFIG_ABSENT && named)
        return err_set(loading->err, ERR_CONFIG,
                       "%s names %s, which does not exist; where it is empty there is none", named,
                       str_quote(loading->arena, path));
    if (fd == CONFIG_ABSENT)
        add_watch(loading, record_watch_absent(path, loading->arena));
    if (fd < 0)
        return fd == CONFIG_ABSENT ? 0 : -1;
    watch_opened(loading, path, &status);
    return take_text(loading, path, fd);
}

static int is_drop_in(const char *name)
{
    const size_t length = strlen(name);

    return *name != '.' && length > 5 && strcmp(name + length - 5, ".toml") == 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of the drop-ins in the directory FD, which is closed, sorted. Their number, or -1. */
static int list_drop_ins(struct loading *loading, const char *directory, int fd, const char **names)
{
    DIR *entries = fdopendir(fd);
    const struct dirent *entry;
    int count = 0;

    if (!entries)
        fd_close(&fd);
    while (entries && (errno = 0, entry = readdir(entries))) {
        if (!is_drop_in(entry->d_name))
            continue;
        if (count == CONFIG_DROP_INS_MAX) {
            closedir(entries);
            return err_set(loading->err, ERR_CONFIG, "%s holds more than %d files NAME.toml",
                           str_quote(loading->arena, directory), CONFIG_DROP_INS_MAX);
        }
        names[count++] = arena_strdup(loading->arena, entry->d_name);
    }
    if (!entries || errno)
        count = err_set(loading->err, ERR_CONFIG, "the configuration %s cannot be read: %s",
                        str_quote(loading->arena, directory), err_reason(errno));
    else
        qsort(names, (size_t)count, sizeof(*names), compare_names);
    if (entries)
        closedir(entries);
    return count;
}

static int load_drop_ins(struct loading *loading, const char *directory)
{
    const struct config_kind kind = {.type = S_IFDIR, .is_site = 1},
                             of_site = {.type = S_IFREG, .is_site = 1};
    const char *names[CONFIG_DROP_INS_MAX];
    struct stat status;
    const int fd = config_open(directory, kind, &status, loading->arena, loading->err);
    int count;

    if (fd == CONFIG_ABSENT) {
        add_watch(loading, record_watch_absent(directory, loading->arena));
        return 0;
    }
    if (fd < 0)
        return -1;
    watch_opened(loading, directory, &status);
    count = list_drop_ins(loading, directory, fd, names);
    for (int i = 0; i < count; i++) {
        const char *path = path_join(loading->arena, directory, names[i]);

        if (!config_place_is_usable(path))
            return err_set(loading->err, ERR_CONFIG, "%s cannot be the name of a configuration file",
                           str_quote(loading->arena, path));
        if (load_file(loading, path, "drop-in", of_site, NULL) < 0)
            return -1;
    }
    return count < 0 ? -1 : 0;
}

/* The file of PLACE, clean, in *FILE, NULL: none. 0, or -1 where it cannot be one. */
static int take_place(struct loading *loading, struct config_place place, const char **file)
{
    *file = NULL;
    if (!place.file)
        return 0;
    if (!config_place_is_usable(place.file))
        return err_set(loading->err, ERR_CONFIG, "%s is %s; it must be the absolute path of a file, or empty",
                       place.named ? place.named : "SYSCONFDIR", str_quote(loading->arena, place.file));
    *file = path_clean(loading->arena, place.file);
    return 0;
}

static int load_all(struct loading *loading, char *const environment[])
{
    const struct config_place site = config_place_site(environment, loading->arena);
    const struct config_place user = config_place_user(environment, loading->arena);
    const struct config_kind of_site = {.type = S_IFREG, .is_site = 1};
    const struct config_kind of_user = {.type = S_IFREG, .may_be_hidden = !user.named};
    const char *site_file, *user_file;

    if (take_place(loading, site, &site_file) < 0 || take_place(loading, user, &user_file) < 0)
        return -1;
    if (site_file && (load_file(loading, site_file, "site", of_site, site.named) < 0 ||
                      load_drop_ins(loading, path_join(loading->arena, path_parent(loading->arena, site_file),
                                                       "coracle.d")) < 0))
        return -1;
    return user_file ? load_file(loading, user_file, "user", of_user, user.named) : 0;
}

int config_read(struct config *config, struct config_sources *sources, char *const environment[],
                struct arena *arena, struct err *err)
{
    struct loading loading = {.builder.arena = arena, .sources = sources, .arena = arena, .err = err};

    memset(sources, 0, sizeof(*sources));
    if (load_all(&loading, environment) < 0)
        return -1;
    config_build(&loading.builder, config);
    return 0;
}

int config_read_file(struct config *config, const char *path, struct arena *arena, struct err *err)
{
    struct loading loading = {.builder.arena = arena, .arena = arena, .err = err};
    FD_CLEANUP int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        return err_set(err, ERR_CONFIG, "the configuration %s cannot be read: %s", str_quote(arena, path),
                       err_reason(errno));
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_CONFIG, "%s is not a regular file", str_quote(arena, path));
    if (take_text(&loading, path, fd) < 0)
        return -1;
    config_build(&loading.builder, config);
    return 0;
}
