#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/str.h"
#include "base/unfinished.h"
#include "registry/auth-file.h"
#include "registry/json-tree.h"

static int fail(const char *file, const char *cause, struct arena *arena, struct err *err)
{
    return err_set(err, ERR_CREDENTIALS, "the file with credentials %s cannot be written: %s",
                   str_quote(arena, file), cause);
}

/* Makes the directories that FILE is in, for its owner alone. What goes wrong, opening it will tell. */
static void make_directories(const char *file, struct arena *arena)
{
    char *copy = arena_strdup(arena, file);

    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(copy, 0700);
        *slash = '/';
    }
}

/* What FILE leads to, where it is a symbolic link. */
static const char *resolve(const char *file, struct arena *arena)
{
    char real[PATH_MAX];

    return realpath(file, real) ? arena_strdup(arena, real) : file;
}

/* The file that is changed, while nobody else does. */
struct place {
    const char *file;   /* as it is named */
    const char *target; /* what that leads to */
    const char *lock_name;
    int lock;
};

static int busy(const char *file, struct arena *arena, struct err *err)
{
    return fail(file,
                arena_printf(arena,
                             "another process has been about to change it for %d seconds and does not end; "
                             "end it and try again",
                             LOCK_PATIENCE),
                arena, err);
}

/* 0, or -1 and errno. release() in any case. */
static int take(struct place *place, const char *file, struct arena *arena)
{
    const char *target = resolve(file, arena), *name = path_basename(target);
    const char *folder = arena_strndup(arena, target, (size_t)(name - target));

    *place = (struct place){
        .file = file, .target = target, .lock_name = arena_join(arena, folder, ".", name, ".lock", NULL)};
    place->lock = lock_file(place->lock_name, LOCK_PATIENCE);
    return place->lock < 0 ? -1 : 0;
}

static void release(struct place *place)
{
    lock_drop(place->lock_name, &place->lock);
}

static int fill(int fd, const struct str *text)
{
    return fchmod(fd, 0600) == 0 && fd_write_all(fd, text->data, text->length) == 0 && fsync(fd) == 0 ? 0
                                                                                                      : -1;
}

/* TEXT becomes the file NAME of PARENT at once. 0, or -1 and errno. */
static int write_text(int parent, const char *name, const struct str *text)
{
    struct unfinished unfinished;
    int result, saved;

    unfinished_sweep(parent, name);
    if (unfinished_file(&unfinished, parent, name) < 0)
        return -1;
    result = fill(unfinished.fd, text) < 0 ? -1 : unfinished_publish(&unfinished, 1);
    saved = errno;
    unfinished_close(&unfinished);
    errno = saved;
    return result;
}

/* Puts the tree at the file's place. */
static int replace(const struct place *place, const struct json_value *root, struct arena *arena,
                   struct err *err)
{
    const char *name = path_basename(place->target);
    const char *folder = arena_strndup(arena, place->target, (size_t)(name - place->target));
    FD_CLEANUP int parent = -1;
    struct str text = {.arena = arena};

    json_tree_write(&text, root);
    if (text.length > AUTH_FILE_MAX)
        return fail(place->file, "it would have more than 1 MiB", arena, err);
    parent = openat(AT_FDCWD, *folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0 || write_text(parent, name, &text) < 0)
        return fail(place->file, err_reason(errno), arena, err);
    return 0;
}

/* OBJECT's member NAME, an object, made where it is missing. NULL where it is something else. */
static struct json_value *object_member(struct json_value *object, const char *name, struct arena *arena)
{
    for (struct json_value *member = object->first; member; member = member->next)
        if (strcmp(member->name, name) == 0 && member->kind != JSON_NULL)
            return member->kind == JSON_OBJECT ? member : NULL;
    json_tree_set(object, name, json_tree_new(JSON_OBJECT, NULL, arena), arena);
    return object_member(object, name, arena);
}

static struct json_value *make_entry(const struct registry_credentials *credentials, struct arena *arena)
{
    struct json_value *entry = json_tree_new(JSON_OBJECT, NULL, arena);
    const char *pair;
    char *auth;

    if (credentials->user) {
        pair = arena_join(arena, credentials->user, ":", credentials->password, NULL);
        auth = arena_alloc(arena, (strlen(pair) + 2) / 3 * 4 + 1);
        EVP_EncodeBlock((unsigned char *)auth, (const unsigned char *)pair, (int)strlen(pair));
        json_tree_set(entry, "auth", json_tree_new(JSON_STRING, auth, arena), arena);
    }
    if (credentials->identity_token)
        json_tree_set(entry, "identitytoken", json_tree_new(JSON_STRING, credentials->identity_token, arena),
                      arena);
    return entry;
}

/* Whether ROOT gives DOMAIN (NULL: all of them) to a helper: its name, or NULL. */
static const char *helper_of(const struct json_value *root, const char *domain, struct arena *arena)
{
    const struct json_value *helpers = json_member(root, "credHelpers"),
                            *helper = json_member(root, "credsStore");
    const char *bare = domain ? arena_strndup(arena, domain, strcspn(domain, "/")) : NULL;

    if (helpers && helpers->kind == JSON_OBJECT && bare)
        for (const struct json_value *one = helpers->first; one; one = one->next)
            if (auth_file_is_key(one->name, bare, arena))
                helper = one;
    return helper && helper->kind == JSON_STRING && *helper->text ? helper->text : NULL;
}

/* The tree of the file, an empty object where there is none, and its "auths". */
static int open_tree(const char *file, const char *domain, struct json_value **root,
                     struct json_value **auths, struct arena *arena, struct err *err)
{
    int there = auth_file_read(file, 1, root, arena, err);
    const char *helper;

    if (there < 0)
        return -1;
    if (there == 0)
        *root = json_tree_new(JSON_OBJECT, NULL, arena);
    helper = helper_of(*root, domain, arena);
    if (helper)
        return fail(file,
                    arena_printf(arena,
                                 "it gives %s to docker-credential-%s: log in and out with the program that "
                                 "has set this up, or name another file with --authfile",
                                 domain ? domain : "all registries", str_quote(arena, helper)),
                    arena, err);
    *auths = object_member(*root, "auths", arena);
    return *auths ? 0 : fail(file, "\"auths\" in it is not an object", arena, err);
}

const char *auth_file_target(const char *file, char *const environment[], const char *domain,
                             struct arena *arena, struct err *err)
{
    struct json_value *root, *auths;

    file = auth_file_primary(file, environment, arena, err);
    return file && open_tree(file, domain, &root, &auths, arena, err) == 0 ? file : NULL;
}

static int store(const struct place *place, const struct registry_credentials *credentials,
                 const char *domain, struct arena *arena, struct err *err)
{
    struct json_value *root, *auths;

    if (open_tree(place->file, domain, &root, &auths, arena, err) < 0)
        return -1;
    json_tree_set(auths, domain, make_entry(credentials, arena), arena);
    return replace(place, root, arena, err);
}

const char *auth_file_store(const struct registry_credentials *credentials, const char *file,
                            char *const environment[], const char *domain, struct arena *arena,
                            struct err *err)
{
    struct place place;
    int result;

    file = auth_file_primary(file, environment, arena, err);
    if (!file)
        return NULL;
    make_directories(resolve(file, arena), arena);
    if (take(&place, file, arena) < 0)
        result = errno == EWOULDBLOCK ? busy(file, arena, err) : fail(file, err_reason(errno), arena, err);
    else
        result = store(&place, credentials, domain, arena, err);
    release(&place);
    return result < 0 ? NULL : file;
}

static int erase(const struct place *place, const char *domain, struct arena *arena, struct err *err)
{
    struct json_value *root, *auths, *next;
    int removed = 0;

    if (open_tree(place->file, domain, &root, &auths, arena, err) < 0)
        return -1;
    for (struct json_value *entry = auths->first; entry; entry = next) {
        next = entry->next;
        if (!domain || auth_file_is_key(entry->name, domain, arena))
            removed += json_tree_remove(auths, entry->name);
    }
    return removed && replace(place, root, arena, err) < 0 ? -1 : removed;
}

int auth_file_erase(const char *file, char *const environment[], const char *domain, const char **name,
                    struct arena *arena, struct err *err)
{
    struct place place;
    int result;

    *name = auth_file_primary(file, environment, arena, err);
    if (!*name)
        return -1;
    /* Where there can be no lock there is no file, or none that can be changed, which is told then. */
    if (take(&place, *name, arena) < 0 && errno == EWOULDBLOCK)
        result = busy(*name, arena, err);
    else
        result = erase(&place, domain, arena, err);
    release(&place);
    return result;
}
