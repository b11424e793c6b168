#include "registry/endpoint.h"

#include <string.h>

/* What Docker Hub is called: in references, in its API, and in files with credentials. */
static int is_docker_hub(const char *domain)
{
    return strcmp(domain, "docker.io") == 0 || strcmp(domain, "index.docker.io") == 0 ||
           strcmp(domain, "registry-1.docker.io") == 0;
}

const char *endpoint_repository(const char *domain, const char *repository, struct arena *arena)
{
    if (is_docker_hub(domain) && !strchr(repository, '/'))
        return arena_join(arena, "library/", repository, NULL);
    return repository;
}

void endpoint_make(struct endpoint *endpoint, const char *domain, const char *repository, int plain_http,
                   struct arena *arena)
{
    const char *host = is_docker_hub(domain) ? "registry-1.docker.io" : domain;

    endpoint->domain = domain;
    endpoint->base = arena_join(arena, plain_http ? "http://" : "https://", host, NULL);
    endpoint->repository = repository ? endpoint_repository(domain, repository, arena) : NULL;
}

const char *endpoint_url(const struct endpoint *endpoint, const char *kind, const char *what,
                         struct arena *arena)
{
    return arena_join(arena, endpoint->base, "/v2/", endpoint->repository, "/", kind, "/", what, NULL);
}

const char *endpoint_credential_domain(const char *domain)
{
    return is_docker_hub(domain) ? "docker.io" : domain;
}

const char *endpoint_helper_key(const char *domain)
{
    return is_docker_hub(domain) ? "https://index.docker.io/v1/" : domain;
}
