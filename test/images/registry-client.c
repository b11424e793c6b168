/*
 * Calls lib/registry for test/images/registry.py.
 *
 *     registry-client [OPTION=VALUE...] check REFERENCE
 *     registry-client [OPTION=VALUE...] manifest REFERENCE      the bytes, to standard output
 *     registry-client [OPTION=VALUE...] blobs REFERENCE DIRECTORY (DIGEST SIZE)...
 *     registry-client [OPTION=VALUE...] store|erase|find REFERENCE
 *
 * Options: plain-http ca attempts back-off connect stall parallel auth-file stop-at, and mirror, as often as
 * there are mirrors, which have the same plain-http and ca. Credentials are in CLIENT_USER,
 * CLIENT_PASSWORD and CLIENT_TOKEN, for mirror N, from 0, in MIRRORN_USER and MIRRORN_PASSWORD, or, with
 * auth-file ("" for those of the environment), in files. With config=DOMAIN, as often as there are
 * such, the registry is opened by bin/image-registry.h instead, with a configuration in which the registry
 * has the mirrors and each DOMAIN is spoken to in plain http. Notes go to standard error.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../bin/image-registry.h"
#include "base/fd.h"
#include "base/log.h"
#include "registry/auth-file.h"
#include "registry/registry.h"

extern char **environ;

struct client {
    struct registry_options options;
    struct registry_credentials credentials;
    struct registry_mirror mirrors[REGISTRY_MIRRORS_MAX + 1];
    struct registry_credentials mirror_credentials[REGISTRY_MIRRORS_MAX + 1];
    struct config_registry entries[8]; /* the first one is for the registry itself */
    size_t entry_count;
    const char *auth_file; /* NULL: not looked at */
    uint64_t stop_at;      /* bytes of a blob */
    struct reference reference;
    struct arena arena;
    struct err err;
};

static void __attribute__((noreturn)) no_memory(void)
{
    _exit(99);
}

static int fail(const struct client *client)
{
    log_error(&client->err);
    return err_exit_status(client->err.id);
}

static int set_option(struct client *client, const char *argument)
{
    const struct {
        const char *name;
        const char **text;
        unsigned *number;
    } options[] = {
        {"ca", &client->options.ca_file, NULL},
        {"auth-file", &client->auth_file, NULL},
        {"attempts", NULL, &client->options.attempts},
        {"back-off", NULL, &client->options.back_off_ms},
        {"connect", NULL, &client->options.connect_seconds},
        {"stall", NULL, &client->options.stall_seconds},
        {"parallel", NULL, &client->options.parallel},
        {"plain-http", NULL, (unsigned *)&client->options.plain_http},
    };
    const char *value = strchr(argument, '=');
    const size_t length = value ? (size_t)(value++ - argument) : 0;

    if (value && strncmp(argument, "mirror=", 7) == 0) {
        client->mirrors[client->options.mirror_count++].location = value;
        return 1;
    }
    if (value && strncmp(argument, "config=", 7) == 0 && client->entry_count < 7) {
        client->entries[++client->entry_count] = (struct config_registry){.domain = value, .plain_http = 1};
        return 1;
    }
    if (value && strncmp(argument, "stop-at=", 8) == 0) {
        client->stop_at = strtoull(value, NULL, 10);
        return 1;
    }
    for (size_t i = 0; value && i < sizeof(options) / sizeof(options[0]); i++) {
        if (strlen(options[i].name) != length || strncmp(options[i].name, argument, length) != 0)
            continue;
        if (options[i].text)
            *options[i].text = value;
        else
            *options[i].number = (unsigned)strtoul(value, NULL, 10);
        return 1;
    }
    return 0;
}

static int find_credentials(struct client *client)
{
    const char *file = client->auth_file;

    if (!file)
        return 0;
    return auth_file_find(&client->credentials, *file ? file : NULL, environ, client->reference.domain,
                          client->reference.repository, &client->arena, &client->err);
}

static int report(void *opaque, size_t index, uint64_t bytes)
{
    const struct client *client = opaque;

    fprintf(stderr, "progress %zu %llu\n", index, (unsigned long long)bytes);
    return client->stop_at && bytes >= client->stop_at;
}

static int do_manifest(struct client *client, struct registry *registry)
{
    struct registry_manifest manifest;
    const char *what = client->reference.digest ? client->reference.digest : client->reference.tag;

    if (registry_manifest(registry, what, &manifest, &client->arena, &client->err) < 0)
        return -1;
    fprintf(stderr, "type %s\ndigest %s\n", manifest.media_type, manifest.digest);
    return fd_write_all(1, manifest.bytes, manifest.length);
}

/* ':' of the digest is '-' in the name. */
static char *name_of(struct client *client, const char *digest)
{
    char *name = arena_strdup(&client->arena, digest);
    char *colon = strchr(name, ':');

    if (colon)
        *colon = '-';
    return name;
}

static int do_blobs(struct client *client, struct registry *registry, char **argv)
{
    struct registry_blob blobs[64];
    const struct registry_progress progress = {.report = report, .opaque = client};
    int directory = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC), result;
    size_t count = 0;

    for (argv++; count < 64 && argv[0] && argv[1]; argv += 2)
        blobs[count++] = (struct registry_blob){
            .digest = argv[0], .size = strtoull(argv[1], NULL, 10), .name = name_of(client, argv[0])};
    result = registry_blobs(registry, blobs, count, directory, &progress, &client->err);
    for (size_t i = 0; i < count; i++) {
        if ((blobs[i].fd < 0) != (result < 0))
            fprintf(stderr, "descriptor %zu is %d\n", i, blobs[i].fd);
        fd_close(&blobs[i].fd);
    }
    close(directory);
    return result;
}

static const char *mirror_variable(struct client *client, size_t index, const char *name)
{
    return getenv(arena_printf(&client->arena, "MIRROR%zu_%s", index, name));
}

static void set_mirrors(struct client *client)
{
    client->options.mirrors = client->mirrors;
    for (size_t i = 0; i < client->options.mirror_count; i++) {
        client->mirrors[i].plain_http = client->options.plain_http;
        client->mirrors[i].ca_file = client->options.ca_file;
        client->mirror_credentials[i].user = mirror_variable(client, i, "USER");
        client->mirror_credentials[i].password = mirror_variable(client, i, "PASSWORD");
        client->mirrors[i].credentials = &client->mirror_credentials[i];
    }
}

static int do_check(struct client *client, struct registry *registry)
{
    const char *identity;
    int asked = registry_check(registry, &identity, &client->arena, &client->err);

    if (asked >= 0)
        printf("%s %s\n", asked ? "asked" : "open", identity ? identity : "-");
    return asked;
}

static struct registry *open_configured(struct client *client)
{
    const char *locations[REGISTRY_MIRRORS_MAX + 2] = {NULL};
    const struct config config = {.registries = client->entries, .registry_count = client->entry_count + 1};
    const struct registry_overrides overrides = {.plain_http = client->options.plain_http};

    for (size_t i = 0; i < client->options.mirror_count; i++)
        locations[i] = client->mirrors[i].location;
    client->entries[0] = (struct config_registry){
        .domain = client->reference.domain, .mirrors = locations, .origin = "coracle.toml:7"};
    return registry_open_configured(&client->reference, &config, &overrides, environ, &client->arena,
                                    &client->err);
}

static struct registry *open_registry(struct client *client)
{
    if (client->entry_count)
        return open_configured(client);
    if (find_credentials(client) < 0)
        return NULL;
    set_mirrors(client);
    return registry_open(&client->reference, &client->options, &client->credentials, &client->arena,
                         &client->err);
}

static int with_registry(struct client *client, const char *command, char **argv)
{
    struct registry *registry = open_registry(client);
    int result;

    if (!registry)
        return -1;
    if (strcmp(command, "check") == 0)
        result = do_check(client, registry);
    else if (strcmp(command, "manifest") == 0)
        result = do_manifest(client, registry);
    else
        result = do_blobs(client, registry, argv);
    registry_close(registry);
    return result;
}

static int with_file(struct client *client, const char *command)
{
    struct registry_credentials found = {0};
    const char *file = client->auth_file && *client->auth_file ? client->auth_file : NULL, *name;
    int result;

    if (strcmp(command, "store") == 0)
        return auth_file_store(&client->credentials, file, environ, client->reference.domain, &client->arena,
                               &client->err)
                   ? 0
                   : -1;
    if (strcmp(command, "erase") == 0)
        return auth_file_erase(file, environ, client->reference.domain, &name, &client->arena, &client->err);
    result = auth_file_find(&found, file, environ, client->reference.domain, client->reference.repository,
                            &client->arena, &client->err);
    if (result == 1)
        printf("%s|%s|%s|%s\n", found.user ? found.user : "", found.password ? found.password : "",
               found.identity_token ? found.identity_token : "", found.origin);
    return result;
}

int main(int argc, char *argv[])
{
    struct client *client = calloc(1, sizeof(*client));
    const char *command;
    int result, status = 0;

    (void)argc;
    arena_init(&client->arena, no_memory);
    log_set_level(LOG_TRACE);
    client->credentials.user = getenv("CLIENT_USER");
    client->credentials.password = getenv("CLIENT_PASSWORD");
    client->credentials.identity_token = getenv("CLIENT_TOKEN");
    for (argv++; *argv && set_option(client, *argv); argv++)
        continue;
    command = argv[0];
    if (!command || !argv[1])
        return 98;
    if (reference_parse(&client->reference, argv[1], &client->arena, ERR_USAGE, &client->err) < 0)
        return fail(client);
    result = strcmp(command, "store") == 0 || strcmp(command, "erase") == 0 || strcmp(command, "find") == 0
                 ? with_file(client, command)
                 : with_registry(client, command, argv + 2);
    if (result < 0)
        status = fail(client);
    arena_free(&client->arena);
    free(client);
    return status;
}
