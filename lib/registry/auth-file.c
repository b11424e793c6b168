#include "registry/auth-file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/str.h"
#include "oci/json-reader.h"
#include "registry/auth-helper.h"
#include "registry/endpoint.h"

struct search {
    struct registry_credentials *credentials;
    const char *file; /* that is looked at */
    char *const *environment;
    const char *domain, *repository;
    struct arena *arena;
    struct err *err;
};

/* $NAME/REST, or HOME/OTHERWISE/REST; NULL where neither is set. */
static const char *place(char *const environment[], const char *name, const char *otherwise, const char *rest,
                         struct arena *arena)
{
    const char *value = env_find(environment, name), *home = env_find(environment, "HOME");

    if (value && *value)
        return arena_join(arena, value, "/", rest, NULL);
    if (otherwise && home && *home)
        return arena_join(arena, home, "/", otherwise, "/", rest, NULL);
    return NULL;
}

static const char *runtime_file(char *const environment[], struct arena *arena)
{
    const char *file = place(environment, "XDG_RUNTIME_DIR", NULL, "containers/auth.json", arena);

    return file ? file : arena_printf(arena, "/run/containers/%u/auth.json", (unsigned)getuid());
}

static const char *asked_for(const char *file, char *const environment[])
{
    if (!file)
        file = env_find(environment, "REGISTRY_AUTH_FILE");
    return file && *file ? file : NULL;
}

const char *auth_file_primary(const char *file, char *const environment[], struct arena *arena,
                              struct err *err)
{
    const char *name = asked_for(file, environment);

    if (!name)
        name = place(environment, "XDG_RUNTIME_DIR", NULL, "containers/auth.json", arena);
    if (!name)
        err_set(err, ERR_CREDENTIALS,
                "there is no place for credentials: XDG_RUNTIME_DIR is not set; name a file with "
                "--authfile or in REGISTRY_AUTH_FILE");
    return name;
}

static int fail(const char *file, const char *cause, struct arena *arena, struct err *err)
{
    return err_set(err, ERR_CREDENTIALS, "the file with credentials %s: %s", str_quote(arena, file), cause);
}

int auth_file_read(const char *file, int is_asked_for, struct json_value **root, struct arena *arena,
                   struct err *err)
{
    size_t length;
    const char *bytes = fd_read_file(AT_FDCWD, file, 0, AUTH_FILE_MAX, arena, &length);

    if (!bytes && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (!bytes && (errno == EACCES || errno == EPERM) && !is_asked_for)
        return 0;
    if (!bytes)
        return fail(file,
                    errno == EFBIG    ? "it has more than 1 MiB"
                    : errno == EINVAL ? "it is no regular file"
                                      : err_reason(errno),
                    arena, err);
    if (strspn(bytes, " \t\r\n") == length)
        return 0;
    *root = json_read(bytes, length, arena, ERR_CREDENTIALS, err);
    if (!*root)
        return err_prefix(err, "the file with credentials %s", str_quote(arena, file));
    if ((*root)->kind != JSON_OBJECT)
        return fail(file, "it is not an object", arena, err);
    return 1;
}

const char *auth_file_key(const char *key, struct arena *arena)
{
    const char *host = strncmp(key, "https://", 8) == 0  ? key + 8
                       : strncmp(key, "http://", 7) == 0 ? key + 7
                                                         : key;
    size_t length = strlen(host);

    if (length && host[length - 1] == '/')
        length--;
    if (length > 3 &&
        (strncmp(host + length - 3, "/v1", 3) == 0 || strncmp(host + length - 3, "/v2", 3) == 0))
        length -= 3;
    return arena_strndup(arena, host, length);
}

/* OBJECT's member NAME where it has KIND; another kind is an error, absence and null are not: *MEMBER is
 * NULL. */
static int member(const struct search *search, const struct json_value *object, const char *name,
                  enum json_kind kind, const struct json_value **found)
{
    *found = json_member(object, name);
    if (*found && (*found)->kind == JSON_NULL)
        *found = NULL;
    if (*found && (*found)->kind != kind)
        return fail(search->file,
                    arena_printf(search->arena, "%s is %s", str_quote(search->arena, name),
                                 json_kind_name((*found)->kind)),
                    search->arena, search->err);
    return 0;
}

/* Splits the base64 of USER:PASSWORD: 1; 0: both are empty; -1. */
static int decode(const struct search *search, const char *key, const char *text)
{
    const size_t length = strlen(text);
    unsigned char *pair = arena_alloc(search->arena, length / 4 * 3 + 4);
    int decoded = length % 4 == 0 && length < AUTH_FILE_MAX
                      ? EVP_DecodeBlock(pair, (const unsigned char *)text, (int)length)
                      : -1;
    char *colon;

    if (decoded > 0 && text[length - 1] == '=') /* EVP_DecodeBlock() counts the padding as bytes */
        decoded -= text[length - 2] == '=' ? 2 : 1;
    if (decoded >= 0)
        pair[decoded] = 0;
    while (decoded > 0 && pair[decoded - 1] == 0) /* some programs have padded with zero bytes */
        decoded--;
    colon = decoded > 0 ? strchr((char *)pair, ':') : NULL;
    if (!colon || strlen((char *)pair) != (size_t)decoded)
        return fail(search->file,
                    arena_printf(search->arena, "\"auth\" of %s is not USER:PASSWORD in base64",
                                 str_quote(search->arena, key)),
                    search->arena, search->err);
    *colon = 0;
    search->credentials->user = (char *)pair;
    search->credentials->password = colon + 1;
    return *search->credentials->user || *search->credentials->password;
}

/* What the entry KEY of "auths" says: 1, 0 or -1. */
static int read_entry(const struct search *search, const char *key, const struct json_value *entry)
{
    const struct json_value *auth, *token;

    if (entry->kind == JSON_NULL)
        return 0;
    if (entry->kind != JSON_OBJECT)
        return fail(search->file,
                    arena_printf(search->arena, "the entry %s is %s", str_quote(search->arena, key),
                                 json_kind_name(entry->kind)),
                    search->arena, search->err);
    if (member(search, entry, "auth", JSON_STRING, &auth) < 0 ||
        member(search, entry, "identitytoken", JSON_STRING, &token) < 0)
        return -1;
    *search->credentials = (struct registry_credentials){.origin = search->file};
    if (token && *token->text) {
        search->credentials->identity_token = token->text;
        return 1;
    }
    return auth && *auth->text ? decode(search, key, auth->text) : 0;
}

/* HOST[:PORT][/NAMESPACE] as it is compared: a host has no case, and Docker Hub one name. */
static const char *canonical(const char *name, struct arena *arena)
{
    size_t length = strcspn(name, "/");
    char *host = arena_strndup(arena, name, length);

    for (char *p = host; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return arena_join(arena, endpoint_credential_domain(host), name + length, NULL);
}

int auth_file_is_key(const char *key, const char *name, struct arena *arena)
{
    return strcmp(canonical(auth_file_key(key, arena), arena), canonical(name, arena)) == 0;
}

/* The entry for exactly NAME; else one that an old program wrote. */
static int find_entry(const struct search *search, const struct json_value *auths, const char *name)
{
    const struct json_value *entry = json_member(auths, name);
    int found = entry ? read_entry(search, name, entry) : 0;

    for (entry = auths->first; entry && found == 0; entry = entry->next)
        if (auth_file_is_key(entry->name, name, search->arena))
            found = read_entry(search, entry->name, entry);
    return found;
}

/* From DOMAIN/REPOSITORY up to DOMAIN. */
static int find_in_auths(const struct search *search, const struct json_value *auths)
{
    char *name = search->repository ? arena_join(search->arena, search->domain, "/", search->repository, NULL)
                                    : arena_strdup(search->arena, search->domain);
    char *slash;
    int found;

    for (;;) {
        found = find_entry(search, auths, name);
        slash = strrchr(name, '/');
        if (found != 0 || !slash)
            return found;
        *slash = 0;
    }
}

static int ask_helper(const struct search *search, const char *name, const char *key)
{
    int found =
        auth_helper_get(search->credentials, name, key, 0, search->environment, search->arena, search->err);

    if (found < 0)
        return err_prefix(search->err, "the file with credentials %s",
                          str_quote(search->arena, search->file));
    return found;
}

static int find_in_file(const struct search *search, const struct json_value *root)
{
    const struct json_value *helpers, *auths, *store;
    int found;

    if (member(search, root, "credHelpers", JSON_OBJECT, &helpers) < 0 ||
        member(search, root, "auths", JSON_OBJECT, &auths) < 0 ||
        member(search, root, "credsStore", JSON_STRING, &store) < 0)
        return -1;
    for (const struct json_value *helper = helpers ? helpers->first : NULL; helper; helper = helper->next)
        if (helper->kind == JSON_STRING && *helper->text &&
            auth_file_is_key(helper->name, search->domain, search->arena))
            return ask_helper(search, helper->text, helper->name);
    found = auths ? find_in_auths(search, auths) : 0;
    return found == 0 && store && *store->text
               ? ask_helper(search, store->text, endpoint_helper_key(search->domain))
               : found;
}

static int search_file(struct search *search, const char *file, int is_asked_for)
{
    struct json_value *root;
    int there;

    if (!file)
        return 0;
    search->file = file;
    there = auth_file_read(file, is_asked_for, &root, search->arena, search->err);
    return there == 1 ? find_in_file(search, root) : there;
}

int auth_file_find(struct registry_credentials *credentials, const char *file, char *const environment[],
                   const char *domain, const char *repository, struct arena *arena, struct err *err)
{
    struct search search = {.credentials = credentials,
                            .environment = environment,
                            .domain = domain,
                            .repository = repository ? endpoint_repository(domain, repository, arena) : NULL,
                            .arena = arena,
                            .err = err};
    const char *only = asked_for(file, environment);
    const char *const files[] = {
        runtime_file(environment, arena),
        place(environment, "XDG_CONFIG_HOME", ".config", "containers/auth.json", arena),
        place(environment, "DOCKER_CONFIG", ".docker", "config.json", arena),
    };
    int found = 0;

    if (only) {
        found = search_file(&search, only, 1);
        /* A file of the environment may be one that a login has yet to make. */
        return found == 0 && file && access(file, F_OK) < 0 ? fail(file, err_reason(errno), arena, err)
                                                            : found;
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && found == 0; i++)
        found = search_file(&search, files[i], 0);
    return found;
}
