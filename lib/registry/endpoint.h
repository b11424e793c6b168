/*
 * endpoint - where the registry of a domain is, and under which names.
 *
 * The one place that knows of Docker Hub: "docker.io" is served by registry-1.docker.io,
 * a repository of one component is below "library/" there, and files with credentials
 * call it "https://index.docker.io/v1/". Source: distribution project, reference
 * (familiar names); containers-auth.json(5).
 */
#ifndef CORACLE_REGISTRY_ENDPOINT_H
#define CORACLE_REGISTRY_ENDPOINT_H

#include "base/arena.h"

struct endpoint {
    const char *domain;     /* as in the reference, for messages */
    const char *base;       /* "https://registry-1.docker.io", no slash at the end */
    const char *repository; /* as the registry calls it; NULL: none */
};

/* REPOSITORY may be NULL. All texts belong to ARENA, or are the caller's. */
void endpoint_make(struct endpoint *endpoint, const char *domain, const char *repository, int plain_http,
                   struct arena *arena);

/* BASE/v2/REPOSITORY/KIND/WHAT: KIND is "manifests" or "blobs", WHAT a tag or digest. */
const char *endpoint_url(const struct endpoint *endpoint, const char *kind, const char *what,
                         struct arena *arena);

/* REPOSITORY of DOMAIN as the registry calls it. */
const char *endpoint_repository(const char *domain, const char *repository, struct arena *arena);

/*
 * The name of DOMAIN for credentials: what a key of a file, written with or without scheme
 * and path, is compared with, and what helpers are asked for.
 */
const char *endpoint_credential_domain(const char *domain);
const char *endpoint_helper_key(const char *domain);

#endif
