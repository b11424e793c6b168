#include "registry/mirror.h"

#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "oci/document.h"

/* A mirror is there to save time: the registry itself is next. */
enum { ATTEMPTS = 2, CONNECT_SECONDS = 10, WAIT_SECONDS = 10 };

static unsigned at_most(unsigned value, unsigned limit)
{
    return value && value < limit ? value : limit;
}

static struct registry_options options_of(const struct registry *registry,
                                          const struct registry_mirror *mirror)
{
    struct registry_options options = registry->options;

    options.plain_http = mirror->plain_http;
    options.ca_file = mirror->ca_file;
    options.attempts = options.mirror_attempts ? options.mirror_attempts : ATTEMPTS;
    options.connect_seconds = at_most(options.connect_seconds, CONNECT_SECONDS);
    options.wait_seconds = at_most(options.wait_seconds, WAIT_SECONDS);
    options.mirrors = NULL;
    options.mirror_count = 0;
    return options;
}

/* The location and the registry's repository below it. */
static int name_of(struct reference *name, const struct registry *registry, const char *location,
                   struct arena *arena, struct err *err)
{
    const char *repository = registry->endpoint.repository;
    const char *text =
        arena_join(arena, "docker://", location, "/", repository ? repository : "repository", NULL);

    if (reference_parse(name, text, arena, ERR_REGISTRY, err) == 0 && name->domain && !name->tag &&
        !name->digest)
        return 0;
    if (strchr(location, '@'))
        return err_set(err, ERR_REGISTRY,
                       "registry %s: a mirror of it is named with a user or digest; `coracle login` keeps "
                       "credentials",
                       registry->endpoint.domain);
    return err_set(err, ERR_REGISTRY,
                   "registry %s: its mirror %s is not HOST[:PORT][/PREFIX]; a host without a dot in its name "
                   "needs the port",
                   registry->endpoint.domain, str_quote(arena, location));
}

int mirrors_open(struct registry *registry, struct arena *arena, struct err *err)
{
    const size_t count = registry->options.mirror_count;
    struct registry **mirrors = arena_alloc(arena, (count + 1) * sizeof(*mirrors));

    if (count > REGISTRY_MIRRORS_MAX)
        return err_set(err, ERR_REGISTRY, "registry %s has %zu mirrors, more than %d",
                       registry->endpoint.domain, count, REGISTRY_MIRRORS_MAX);
    registry->mirrors = mirrors;
    for (size_t i = 0; i < count; i++) {
        const struct registry_mirror *mirror = &registry->options.mirrors[i];
        const struct registry_options options = options_of(registry, mirror);
        struct reference name;
        mirrors[i] = arena_alloc(arena, sizeof(*mirrors[i]));
        if (name_of(&name, registry, mirror->location, arena, err) < 0 ||
            registry_init(mirrors[i], &name, &options, mirror->credentials, arena, err) < 0)
            return -1;
        mirrors[i]->owner = registry;
        mirrors[i]->location = str_quote(arena, mirror->location);
        registry->mirror_count++;
    }
    return 0;
}

/* 0, 1, ... of the mirrors; their count of the registry itself. */
static size_t index_of(const struct registry *host)
{
    const struct registry *owner = host->owner;
    size_t index = 0;

    while (index < owner->mirror_count && owner->mirrors[index] != host)
        index++;
    return index;
}

struct registry *mirror_next(struct registry *registry, const struct registry *host)
{
    size_t index = host ? index_of(host) + 1 : 0;

    while (index < registry->mirror_count && atomic_load(&registry->mirrors[index]->is_out))
        index++;
    if (index < registry->mirror_count)
        return registry->mirrors[index];
    return host == registry ? NULL : registry;
}

static int is_of_host(enum err_id id)
{
    return id == ERR_REGISTRY || id == ERR_REGISTRY_DENIED || id == ERR_IMAGE_MISSING ||
           id == ERR_IMAGE_DAMAGED;
}

int mirror_pass_over(struct registry *host, const struct err *err)
{
    if (host->owner == host || !is_of_host(err->id) || fetch_is_stopped(host))
        return 0;
    if (!atomic_exchange(&host->is_out, 1))
        log_warning("mirror %s of %s is passed over: %s", host->location, host->owner->endpoint.domain,
                    err->text);
    return 1;
}

int mirror_judge(const struct registry *host, const struct registry_manifest *manifest, struct arena *arena,
                 struct err *err)
{
    struct oci_document document;
    struct err cause;

    if (oci_document_parse(&document, manifest->bytes, manifest->length,
                           *manifest->media_type ? manifest->media_type : NULL, arena, &cause) == 0)
        return 0;
    return err_set(err, ERR_IMAGE_DAMAGED, "registry %s: what it sends is no manifest: %s",
                   host->endpoint.domain, cause.text);
}

struct http *connections_get(struct connections *connections, struct registry *host, struct err *err)
{
    struct http **http = &connections->of[index_of(host)];

    if (!*http)
        *http = registry_connect(host);
    if (!*http)
        registry_no_memory(host, err);
    return *http;
}

void connections_close(struct connections *connections)
{
    for (size_t i = 0; i < sizeof(connections->of) / sizeof(connections->of[0]); i++)
        http_close(connections->of[i]);
}
