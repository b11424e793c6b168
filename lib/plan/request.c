#include "plan/request.h"

#include <string.h>

#include "base/num.h"
#include "base/path.h"
#include "base/str.h"

void request_init(struct request *request, struct arena *arena)
{
    static char *const no_command[] = {NULL};

    memset(request, 0, sizeof(*request));
    request->arena = arena;
    request->command = no_command;
}

static struct mount_request *add_mount(struct request *request)
{
    request->mounts = arena_grow(request->arena, request->mounts, request->mount_count, &request->mount_room,
                                 sizeof(*request->mounts));
    return &request->mounts[request->mount_count++];
}

/*
 * Takes the text up to SEPARATOR from *REST, without the backslashes that
 * escape a colon, comma or backslash; NULL where *REST is NULL. *REST is then
 * behind the separator, or NULL at the end.
 */
static char *take_field(struct arena *arena, const char **rest, char separator)
{
    struct str field = {.arena = arena};
    const char *p = *rest;

    if (!p)
        return NULL;
    for (; *p && *p != separator; p++) {
        if (*p == '\\' && p[1] && strchr(":,\\", p[1]))
            p++;
        str_add_char(&field, *p);
    }
    *rest = *p ? p + 1 : NULL;
    str_add(&field, "");
    return field.data;
}

static const struct {
    const char *word;
    unsigned flag; /* 0: it is so anyway */
    int for_tmpfs; /* --tmpfs takes it: it says something about a new and empty directory */
} flag_words[] = {
    {"ro", MOUNT_READ_ONLY, 0},
    {"readonly", MOUNT_READ_ONLY, 0},
    {"rw", 0, 0},
    {"bind", 0, 0},
    {"rbind", 0, 0},
    {"nosuid", MOUNT_NOSUID, 1},
    {"nodev", MOUNT_NODEV, 1},
    {"noexec", MOUNT_NOEXEC, 1},
    {"optional", MOUNT_OPTIONAL, 0},
};

/* Applies one flag word to MOUNT. 0, or -1 where it is none, or none for --tmpfs with ONLY_TMPFS. */
static int apply_flag(struct mount_request *mount, const char *word, int only_tmpfs)
{
    for (size_t i = 0; i < sizeof(flag_words) / sizeof(flag_words[0]); i++) {
        if (strcmp(word, flag_words[i].word) != 0 || (only_tmpfs && !flag_words[i].for_tmpfs))
            continue;
        if (strcmp(word, "rw") == 0)
            mount->flags &= ~(unsigned)MOUNT_READ_ONLY;
        mount->flags |= flag_words[i].flag;
        return 0;
    }
    return -1;
}

static int set_size(struct request *request, struct mount_request *mount, const char *value, enum err_id id,
                    struct err *err)
{
    if (num_parse_size(value, &mount->size) < 0 || mount->size == 0)
        return err_set(err, id, "%s: size %s is not a number of bytes; write 512M or 2G", mount->origin,
                       str_quote(request->arena, value));
    return 0;
}

/* What every mount must satisfy, however it was written. */
static int check_mount(struct request *request, const struct mount_request *mount, enum err_id id,
                       struct err *err)
{
    const char *target = mount->target ? mount->target : mount->source;

    if (mount->source && !*mount->source)
        return err_set(err, id, "%s: the source is empty; write SRC:DST", mount->origin);
    if (mount->target && !*mount->target)
        return err_set(err, id, "%s: the target is empty; write SRC:DST, or SRC alone", mount->origin);
    if (mount->target && *mount->target != '/')
        return err_set(err, id, "%s: the target %s must be an absolute path of the container", mount->origin,
                       str_quote(request->arena, mount->target));
    if (strcmp(path_clean(request->arena, target), "/") == 0)
        return err_set(err, id,
                       "%s: nothing can be mounted on /: that is the image; name a target beneath it",
                       mount->origin);
    return 0;
}

int request_add_bind(struct request *request, const char *spec, const char *origin, enum err_id id,
                     struct err *err)
{
    struct mount_request *mount = add_mount(request);
    const char *rest = spec, *options;

    mount->origin = origin;
    mount->source = take_field(request->arena, &rest, ':');
    mount->target = take_field(request->arena, &rest, ':');
    options = rest;
    if (options && mount->target && !*mount->target)
        mount->target = NULL; /* SRC::OPTIONS */
    while (options) {
        const char *word = take_field(request->arena, &options, ',');
        if (apply_flag(mount, word, 0) < 0)
            return err_set(err, id,
                           "%s: unknown option %s in %s; known are ro rw rbind nosuid nodev noexec optional "
                           "(a colon in a path is written \\:)",
                           origin, str_quote(request->arena, word), str_quote(request->arena, spec));
    }
    return check_mount(request, mount, id, err);
}

static int is_word(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

/* One KEY=VALUE or flag of --mount. */
static int apply_mount_key(struct request *request, struct mount_request *mount, char *key, const char **type,
                           enum err_id id, struct err *err)
{
    char *equals = strchr(key, '=');
    const char *value = equals ? equals + 1 : NULL;

    if (equals)
        *equals = 0;
    if (!value && apply_flag(mount, key, 0) == 0)
        return 0;
    if (value && strcmp(key, "type") == 0)
        *type = value;
    else if (value && is_word(key, "source", "src", "src"))
        mount->source = value;
    else if (value && is_word(key, "target", "dst", "destination"))
        mount->target = value;
    else if (value && is_word(key, "size", "tmpfs-size", "size"))
        return set_size(request, mount, value, id, err);
    else
        return err_set(
            err, id,
            "%s: unknown key %s; known are type source target size ro rw nosuid nodev noexec optional",
            mount->origin, str_quote(request->arena, key));
    return 0;
}

int request_add_mount(struct request *request, const char *spec, const char *origin, enum err_id id,
                      struct err *err)
{
    struct mount_request *mount = add_mount(request);
    const char *rest = spec, *type = NULL;

    mount->origin = origin;
    while (rest)
        if (apply_mount_key(request, mount, take_field(request->arena, &rest, ','), &type, id, err) < 0)
            return -1;
    if (!type || (strcmp(type, "bind") != 0 && strcmp(type, "tmpfs") != 0))
        return err_set(err, id, "%s: type is %s; it can be type=bind or type=tmpfs", origin,
                       type ? str_quote(request->arena, type) : "missing");
    if (strcmp(type, "bind") == 0 && mount->size)
        return err_set(err, id, "%s: size= is for type=tmpfs", origin);
    if (strcmp(type, "bind") == 0 && (!mount->source || !mount->target))
        return err_set(err, id, "%s: a bind needs source=PATH and target=PATH", origin);
    if (strcmp(type, "tmpfs") == 0 && (mount->source || !mount->target))
        return err_set(err, id, "%s: a tmpfs needs target=PATH and no source", origin);
    return check_mount(request, mount, id, err);
}

int request_add_tmpfs(struct request *request, const char *spec, const char *origin, enum err_id id,
                      struct err *err)
{
    struct mount_request *mount = add_mount(request);
    const char *options = spec;

    mount->origin = origin;
    mount->target = take_field(request->arena, &options, ':');
    while (options) {
        const char *word = take_field(request->arena, &options, ',');
        if (strncmp(word, "size=", 5) == 0) {
            if (set_size(request, mount, word + 5, id, err) < 0)
                return -1;
        } else if (apply_flag(mount, word, 1) < 0) {
            return err_set(err, id, "%s: unknown option %s; known are size=SIZE nosuid nodev noexec", origin,
                           str_quote(request->arena, word));
        }
    }
    return check_mount(request, mount, id, err);
}

static struct env_request *add_env(struct request *request, enum env_operation operation, const char *origin)
{
    struct env_request *env;

    request->env = arena_grow(request->arena, request->env, request->env_count, &request->env_room,
                              sizeof(*request->env));
    env = &request->env[request->env_count++];
    env->operation = operation;
    env->origin = origin;
    return env;
}

int request_add_env(struct request *request, const char *spec, const char *origin, enum err_id id,
                    struct err *err)
{
    size_t length = strcspn(spec, "=");
    struct env_request *env;
    char *name;

    if (!length)
        return err_set(err, id, "%s: %s has no name; write NAME=VALUE, or NAME for the host's value", origin,
                       str_quote(request->arena, spec));
    name = arena_strndup(request->arena, spec, length);
    /* No shell could use such a variable: what was meant is "export NAME=VALUE" or "NAME = VALUE". */
    if (name[strcspn(name, " \t")])
        return err_set(err, id, "%s: the name %s has a blank in it; write NAME=VALUE, and nothing before it",
                       origin, str_quote(request->arena, name));
    env = add_env(request, spec[length] ? ENV_SET : ENV_PASS, origin);
    env->name = name;
    env->value = spec[length] ? spec + length + 1 : NULL;
    return 0;
}

int request_add_env_lines(struct request *request, const char *text, const char *file, const char *origin,
                          enum err_id id, struct err *err)
{
    for (unsigned number = 1; *text; number++) {
        size_t length = strcspn(text, "\n");
        size_t kept = length && text[length - 1] == '\r' ? length - 1 : length;
        char *line = arena_strndup(request->arena, text, kept);

        line += strspn(line, " \t");
        if (*line && *line != '#' && request_add_env(request, line, origin, id, err) < 0)
            return err_prefix(err, "%s, line %u", str_quote(request->arena, file), number);
        text += length;
        text += *text == '\n';
    }
    return 0;
}

int request_add_unset_env(struct request *request, const char *pattern, const char *origin, enum err_id id,
                          struct err *err)
{
    if (!*pattern || strchr(pattern, '='))
        return err_set(err, id, "%s: %s is not the name of a variable, nor a pattern for names", origin,
                       str_quote(request->arena, pattern));
    add_env(request, ENV_UNSET, origin)->name = pattern;
    return 0;
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int request_set_name(struct request *request, const char *name)
{
    const size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+");

    if (!is_letter(*name) || name[length] || length > REQUEST_NAME_LIMIT)
        return -1;
    request->name = name;
    return 0;
}
