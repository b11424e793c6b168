#include "image-registry.h"

#include <string.h>

#include "base/log.h"
#include "base/num.h"
#include "base/str.h"
#include "registry/auth-file.h"
#include "registry/endpoint.h"

int registry_name_parse(struct reference *name, const char **key, const char *text, struct arena *arena,
                        struct err *err)
{
    const char *last;

    if (strstr(text, "://") || strchr(text, '@'))
        return err_set(
            err, ERR_USAGE,
            "a registry is written as HOST[:PORT][/NAMESPACE], without docker://, https:// or user");
    if (reference_parse(name, arena_join(arena, "docker://", text, "/x", NULL), arena, ERR_USAGE, err) < 0 ||
        !name->domain || name->tag || name->digest)
        return err_set(
            err, ERR_USAGE,
            "%s is not HOST[:PORT][/NAMESPACE]; a host without a dot in its name needs the port, and "
            "Docker Hub is docker.io",
            str_quote(arena, text));
    last = strrchr(name->repository, '/');
    name->repository =
        last ? arena_strndup(arena, name->repository, (size_t)(last - name->repository)) : NULL;
    *key = last ? arena_join(arena, name->domain, "/", name->repository, NULL) : name->domain;
    return 0;
}

void registry_configure(struct registry_options *options, const char *domain, const struct config *config,
                        const struct registry_overrides *overrides)
{
    const struct config_registry *registry = config ? config_registry(config, domain) : NULL;
    uint64_t seconds = overrides->timeout;

    *options = (struct registry_options){0};
    if (!seconds && config && config->timeout.value)
        num_parse(config->timeout.value, CONFIG_TIMEOUT_MAX, &seconds);
    options->connect_seconds = options->stall_seconds = (unsigned)seconds;
    options->plain_http = overrides->plain_http || (registry && registry->plain_http);
    options->ca_file = overrides->ca_file ? overrides->ca_file : registry ? registry->ca_file : NULL;
}

/* Who opens a registry. */
struct opening {
    const struct reference *reference;
    const struct config *config;
    const char *auth_file;
    char *const *environment;
    struct arena *arena;
};

/* The credentials for REPOSITORY of DOMAIN, or NULL in *FOUND. 0 or -1. */
static int find_credentials(const struct opening *opening, const char *domain, const char *repository,
                            const struct registry_credentials **found, struct err *err)
{
    struct registry_credentials *credentials = arena_alloc(opening->arena, sizeof(*credentials));
    int result = auth_file_find(credentials, opening->auth_file, opening->environment, domain, repository,
                                opening->arena, err);

    *found = result == 1 ? credentials : NULL;
    return result < 0 ? -1 : 0;
}

/* How MIRROR->location is to be spoken to. */
static int set_mirror(struct registry_mirror *mirror, const struct opening *opening, struct err *err)
{
    static const struct registry_overrides none;
    const struct reference *reference = opening->reference;
    const char *repository = endpoint_repository(reference->domain, reference->repository, opening->arena);
    struct registry_options options;
    struct reference name;
    const char *key;

    if (registry_name_parse(&name, &key, mirror->location, opening->arena, err) < 0)
        return -1;
    registry_configure(&options, name.domain, opening->config, &none);
    mirror->plain_http = options.plain_http;
    mirror->ca_file = options.ca_file;
    if (name.repository)
        repository = arena_join(opening->arena, name.repository, "/", repository, NULL);
    return find_credentials(opening, name.domain, repository, &mirror->credentials, err);
}

static void set_mirrors(struct registry_options *options, const struct opening *opening)
{
    const struct config_registry *registry =
        (opening->config ? config_registry(opening->config, opening->reference->domain) : NULL);
    const char *const *locations = registry ? registry->mirrors : NULL;
    struct registry_mirror *mirrors =
        arena_alloc(opening->arena, (REGISTRY_MIRRORS_MAX + 1) * sizeof(*mirrors));
    size_t count = 0;
    struct err err;

    for (; locations && *locations; locations++) {
        mirrors[count] = (struct registry_mirror){.location = *locations};
        if (count < REGISTRY_MIRRORS_MAX && set_mirror(&mirrors[count], opening, &err) == 0) {
            count++;
            continue;
        }
        if (count == REGISTRY_MIRRORS_MAX)
            err_set(&err, ERR_CONFIG, "no more than %d are asked", REGISTRY_MIRRORS_MAX);
        log_warning("a mirror of %s (%s) is passed over: %s", registry->domain,
                    registry->origin ? registry->origin : "configuration", err.text);
    }
    options->mirrors = mirrors;
    options->mirror_count = count;
}

struct registry *registry_open_configured(const struct reference *reference, const struct config *config,
                                          const struct registry_overrides *overrides,
                                          char *const environment[], struct arena *arena, struct err *err)
{
    const struct opening opening = {.reference = reference,
                                    .config = config,
                                    .auth_file = overrides->auth_file,
                                    .environment = environment,
                                    .arena = arena};
    const struct registry_credentials *credentials;
    struct registry_options options;

    registry_configure(&options, reference->domain, config, overrides);
    if (find_credentials(&opening, reference->domain, reference->repository, &credentials, err) < 0)
        return NULL;
    set_mirrors(&options, &opening);
    return registry_open(reference, &options, credentials, arena, err);
}
