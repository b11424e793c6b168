#include "registry/registry.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "checksum/checksum.h"
#include "oci/descriptor.h"
#include "registry/blob.h"
#include "registry/fetch.h"
#include "registry/mirror.h"

enum { THREADS_MAX = 16 };

static const char accept_manifests[] = "Accept: application/vnd.oci.image.index.v1+json, "
                                       "application/vnd.oci.image.manifest.v1+json, "
                                       "application/vnd.docker.distribution.manifest.list.v2+json, "
                                       "application/vnd.docker.distribution.manifest.v2+json";

static void set_defaults(struct registry_options *options)
{
    const struct {
        unsigned *place, value;
    } defaults[] = {{&options->connect_seconds, 30}, {&options->stall_seconds, 30}, {&options->attempts, 6},
                    {&options->back_off_ms, 1000},   {&options->wait_seconds, 120}, {&options->parallel, 4}};

    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
        if (*defaults[i].place == 0)
            *defaults[i].place = defaults[i].value;
    if (options->parallel > THREADS_MAX)
        options->parallel = THREADS_MAX;
}

/* LINES: may be several. A key of Google's is a password, of several lines in JSON. */
static int is_header_text(const char *text, int lines)
{
    for (; text && *text; text++)
        if (((unsigned char)*text < 0x20 && !(lines && strchr("\r\n\t", *text))) || *text == 0x7F)
            return 0;
    return 1;
}

static int set_credentials(struct registry *registry, const struct registry_credentials *credentials,
                           struct arena *arena, struct err *err)
{
    struct registry_credentials *copy = &registry->credentials;
    size_t count = 0;

    if (!credentials)
        return 0;
    *copy = *credentials;
    copy->origin = copy->origin ? str_quote(arena, copy->origin) : "the caller";
    if (copy->user && !copy->password)
        copy->password = "";
    if (!is_header_text(copy->user, 0) || !is_header_text(copy->password, 1))
        return err_set(err, ERR_CREDENTIALS, "user or password from %s: there is a control character in it",
                       copy->origin);
    if (copy->user && strchr(copy->user, ':'))
        return err_set(err, ERR_CREDENTIALS,
                       "the user from %s: there is a colon in its name, which Basic "
                       "authentication cannot send",
                       copy->origin);
    if (copy->user) {
        registry->secrets[count++] = copy->password;
        registry->secrets[count++] = auth_basic(copy, arena) + strlen("Basic ");
    }
    if (copy->identity_token)
        registry->secrets[count++] = copy->identity_token;
    return 0;
}

static void init_locks(struct registry *registry)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&registry->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&registry->stopping, &attributes);
    pthread_condattr_destroy(&attributes);
    auth_init(&registry->auth);
}

int registry_init(struct registry *registry, const struct reference *reference,
                  const struct registry_options *options, const struct registry_credentials *credentials,
                  struct arena *arena, struct err *err)
{
    const char *cause;

    registry->owner = registry;
    registry->options = *options;
    registry->exhausted = arena->exhausted;
    set_defaults(&registry->options);
    endpoint_make(&registry->endpoint, reference->domain, reference->repository, options->plain_http, arena);
    if (url_read(&registry->base, NULL, registry->endpoint.base, arena, &cause) < 0)
        return err_set(err, ERR_REGISTRY, "registry %s: its address: %s", reference->domain, cause);
    if (set_credentials(registry, credentials, arena, err) < 0)
        return err_prefix(err, "registry %s", reference->domain);
    init_locks(registry);
    return 0;
}

struct registry *registry_open(const struct reference *reference, const struct registry_options *options,
                               const struct registry_credentials *credentials, struct arena *arena,
                               struct err *err)
{
    struct registry *registry = arena_alloc(arena, sizeof(*registry));

    if (registry_init(registry, reference, options, credentials, arena, err) < 0)
        return NULL;
    if (mirrors_open(registry, arena, err) == 0)
        return registry;
    registry_close(registry);
    return NULL;
}

void registry_close(struct registry *registry)
{
    if (!registry)
        return;
    for (size_t i = 0; i < registry->mirror_count; i++)
        registry_close(registry->mirrors[i]);
    auth_free(&registry->auth);
    pthread_cond_destroy(&registry->stopping);
    pthread_mutex_destroy(&registry->lock);
}

int registry_no_memory(const struct registry *registry, struct err *err)
{
    return err_set(err, ERR_NO_MEMORY, "registry %s: libcurl gets no memory", registry->endpoint.domain);
}

static int is_stopped(void *opaque)
{
    return fetch_is_stopped(opaque);
}

struct http *registry_connect(struct registry *registry)
{
    return http_open(&registry->options, is_stopped, registry);
}

/* Runs FETCH with a connection of its own. */
static int run_alone(struct registry *registry, struct fetch *fetch, struct err *err)
{
    int result;

    fetch->http = registry_connect(registry);
    if (!fetch->http)
        return registry_no_memory(registry, err);
    result = fetch_run(fetch);
    http_close(fetch->http);
    return result;
}

int registry_check(struct registry *registry, const char **identity, struct arena *arena, struct err *err)
{
    struct arena scratch;
    struct fetch fetch = {
        .registry = registry, .arena = &scratch, .err = err, .what = "its API", .is_small = 1};
    int result;

    arena_init(&scratch, registry->exhausted);
    registry->auth.wants_identity = identity != NULL;
    fetch.url = arena_join(&scratch, registry->endpoint.base, "/v2/", NULL);
    result = run_alone(registry, &fetch, err);
    if (identity)
        *identity = registry->auth.identity ? arena_strdup(arena, registry->auth.identity) : NULL;
    arena_free(&scratch);
    return result < 0 ? -1 : registry->auth.header != NULL;
}

struct manifest_text {
    struct fetch *fetch;
    struct str text;
};

static int begin_manifest(void *opaque, const struct head *head)
{
    struct manifest_text *into = opaque;

    into->text.length = 0;
    if (head->status == 200 && head->content_length <= REGISTRY_MANIFEST_MAX)
        return 0;
    into->fetch->refused = OUTCOME_FAILED;
    if (head->status != 200)
        return err_set(into->fetch->err, ERR_REGISTRY, "%s: it answers with status %d, which is not expected",
                       into->fetch->what, head->status);
    return err_set(into->fetch->err, ERR_IMAGE_DAMAGED, "%s: its manifest has %lld bytes, more than %d MiB",
                   into->fetch->what, (long long)head->content_length, REGISTRY_MANIFEST_MAX >> 20);
}

static int add_manifest(void *opaque, const void *bytes, size_t length)
{
    struct manifest_text *into = opaque;

    if (length <= REGISTRY_MANIFEST_MAX - into->text.length) {
        str_add_bytes(&into->text, bytes, length);
        return 0;
    }
    into->fetch->refused = OUTCOME_FAILED;
    return err_set(into->fetch->err, ERR_IMAGE_DAMAGED, "%s: its manifest does not end within %d MiB",
                   into->fetch->what, REGISTRY_MANIFEST_MAX >> 20);
}

static const char *digest_of(const char *bytes, size_t length, const char *like, struct arena *arena)
{
    char text[CHECKSUM_TEXT];

    return arena_strdup(arena, checksum_of(text, like, bytes, length));
}

/* Compares with what was asked for and with what the registry says. */
static int check_manifest(struct fetch *fetch, const char *what, struct registry_manifest *manifest,
                          struct arena *arena)
{
    const char *says = fetch->result.head.digest;
    const int by_digest = strchr(what, ':') != NULL;
    const char *same;

    manifest->digest = digest_of(manifest->bytes, manifest->length, by_digest ? what : "sha256:", arena);
    if (by_digest && strcmp(manifest->digest, what) != 0)
        return err_set(fetch->err, ERR_IMAGE_DAMAGED,
                       "registry %s: %s: what came has the digest %s: it is damaged there, or somebody is in "
                       "between",
                       fetch->registry->endpoint.domain, fetch->what, manifest->digest);
    if (!oci_digest_is_valid(says)) /* missing, or of an algorithm that is not known here */
        return 0;
    same = digest_of(manifest->bytes, manifest->length, says, arena);
    if (strcmp(same, says) == 0)
        return 0;
    return err_set(
        fetch->err, ERR_IMAGE_DAMAGED,
        "registry %s: %s: what came has the digest %s, not %s as the registry says: it is damaged, "
        "or somebody is in between",
        fetch->registry->endpoint.domain, fetch->what, same, says);
}

/* What a proxy, a firewall or the wrong host answers in place of the registry. */
static int refuse_page(const struct fetch *fetch)
{
    if (strcmp(fetch->result.head.content_type, "text/html") != 0)
        return 0;
    return err_set(
        fetch->err, ERR_REGISTRY,
        "registry %s: %s: a web page came (text/html) in place of a manifest: is this the name of a "
        "registry, and no proxy or login page before it?",
        fetch->registry->endpoint.domain, fetch->what);
}

static int manifest_from(struct registry *registry, const char *what, struct registry_manifest *manifest,
                         struct arena *arena, struct err *err)
{
    struct arena scratch;
    struct manifest_text into = {.text.arena = &scratch};
    const struct http_sink sink = {.begin = begin_manifest, .data = add_manifest, .opaque = &into};
    const char *separator = strchr(what, ':') ? "@" : ":";
    struct fetch fetch = {.registry = registry, .arena = &scratch, .err = err, .sink = &sink, .is_small = 1};
    int result;

    arena_init(&scratch, registry->exhausted);
    into.fetch = &fetch;
    fetch.headers[0] = accept_manifests;
    fetch.what = arena_join(&scratch, "image ", registry->endpoint.repository, separator, what, NULL);
    fetch.url = endpoint_url(&registry->endpoint, "manifests", what, &scratch);
    result = run_alone(registry, &fetch, err);
    if (result == 0)
        result = refuse_page(&fetch);
    if (result == 0) {
        manifest->bytes = arena_strndup(arena, str_text(&into.text), into.text.length);
        manifest->length = into.text.length;
        manifest->media_type = arena_strdup(arena, fetch.result.head.content_type);
        result = check_manifest(&fetch, what, manifest, arena);
        if (result == 0 && registry->owner != registry)
            result = mirror_judge(registry, manifest, &scratch, err);
    }
    arena_free(&scratch);
    return result;
}

int registry_manifest(struct registry *registry, const char *what, struct registry_manifest *manifest,
                      struct arena *arena, struct err *err)
{
    struct registry *host = NULL;

    if (strchr(what, ':') && !oci_digest_is_valid(what))
        return err_set(err, ERR_IMAGE_DAMAGED, "%s is not a digest: sha256: or sha512: and 0-9a-f",
                       str_quote(arena, what));
    while ((host = mirror_next(registry, host)))
        if (manifest_from(host, what, manifest, arena, err) == 0)
            return 0;
        else if (!mirror_pass_over(host, err))
            break;
    return -1;
}

/* What the threads share; all but the first four under the registry's lock. */
struct crew {
    struct registry *registry;
    struct registry_blob *blobs;
    size_t count;
    int directory;
    const struct registry_progress *progress;
    pthread_mutex_t reporting; /* one report at a time */
    size_t next;
    int has_failed;
    struct err *err; /* of the first failure */
};

static int report(void *opaque, const struct registry_blob *blob, uint64_t bytes)
{
    struct crew *crew = opaque;
    int result = 0;

    if (crew->progress) {
        pthread_mutex_lock(&crew->reporting);
        result = crew->progress->report(crew->progress->opaque, (size_t)(blob - crew->blobs), bytes);
        pthread_mutex_unlock(&crew->reporting);
    }
    return result;
}

/* The first blob with the name of BLOB. */
static struct registry_blob *twin(const struct crew *crew, const struct registry_blob *blob)
{
    struct registry_blob *first = crew->blobs;

    while (strcmp(first->name, blob->name) != 0)
        first++;
    return first;
}

/* The next blob that is to be fetched, or NULL. */
static struct registry_blob *take(struct crew *crew)
{
    struct registry_blob *blob = NULL;

    pthread_mutex_lock(&crew->registry->lock);
    while (!blob && !crew->registry->is_stopped && crew->next < crew->count) {
        struct registry_blob *candidate = &crew->blobs[crew->next++];
        if (twin(crew, candidate) == candidate)
            blob = candidate;
    }
    pthread_mutex_unlock(&crew->registry->lock);
    return blob;
}

static void note_failure(struct crew *crew, const struct err *err)
{
    pthread_mutex_lock(&crew->registry->lock);
    if (!crew->has_failed)
        *crew->err = *err;
    crew->has_failed = 1;
    pthread_mutex_unlock(&crew->registry->lock);
    fetch_stop(crew->registry);
}

static void *work(void *opaque)
{
    struct crew *crew = opaque;
    struct registry *registry = crew->registry;
    struct arena *arena = malloc(sizeof(*arena));
    struct connections connections = {{NULL}};
    struct blob_place place = {.directory = crew->directory, .report = report, .opaque = crew};
    struct err err;

    if (!arena) {
        registry_no_memory(registry, &err);
        note_failure(crew, &err);
    }
    while (arena && (place.blob = take(crew))) {
        arena_init(arena, registry->exhausted);
        if (blob_fetch(registry, &connections, &place, arena, &err) < 0)
            note_failure(crew, &err);
        else if (crew->progress && crew->progress->arrived)
            crew->progress->arrived(crew->progress->opaque, (size_t)(place.blob - crew->blobs));
        arena_free(arena);
    }
    connections_close(&connections);
    free(arena);
    return NULL;
}

/* Starts the threads and waits for them. Without any the caller's thread does it alone. */
static void run_crew(struct crew *crew)
{
    pthread_t threads[THREADS_MAX];
    sigset_t all, before;
    size_t count = crew->registry->options.parallel, started = 0;

    if (count > crew->count)
        count = crew->count;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* they inherit it: signals are the caller's */
    while (count > 1 && started < count && pthread_create(&threads[started], NULL, work, crew) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started)
        work(crew);
    while (started)
        pthread_join(threads[--started], NULL);
}

/* Gives blobs that are there twice a descriptor each. */
static int share_twins(struct crew *crew, struct err *err)
{
    for (size_t i = 0; i < crew->count; i++) {
        struct registry_blob *blob = &crew->blobs[i], *first = twin(crew, blob);
        if (blob == first)
            continue;
        blob->fd = fcntl(first->fd, F_DUPFD_CLOEXEC, 3);
        if (blob->fd < 0)
            return err_set(err, ERR_LIMIT, "blob %s: no further file can be opened: `ulimit -n`",
                           blob->digest);
    }
    return 0;
}

static int check_blobs(const struct crew *crew, struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < crew->count; i++) {
        const struct registry_blob *blob = &crew->blobs[i], *first = twin(crew, blob);
        if (blob_check(blob, arena, err) < 0)
            return err_prefix(err, "registry %s", crew->registry->endpoint.domain);
        if (strcmp(blob->digest, first->digest) != 0 || blob->size != first->size)
            return err_set(err, ERR_IMAGE_DAMAGED,
                           "registry %s: the manifest has blob %s with two sizes or the like",
                           crew->registry->endpoint.domain, blob->digest);
    }
    return 0;
}

int registry_blobs(struct registry *registry, struct registry_blob *blobs, size_t count, int directory,
                   const struct registry_progress *progress, struct err *err)
{
    struct crew crew = {.registry = registry,
                        .blobs = blobs,
                        .count = count,
                        .directory = directory,
                        .progress = progress,
                        .err = err};
    struct arena arena;
    int result;

    arena_init(&arena, registry->exhausted);
    for (size_t i = 0; i < count; i++)
        blobs[i].fd = -1;
    result = check_blobs(&crew, &arena, err);
    registry->is_stopped = 0;
    if (result == 0 && count) {
        pthread_mutex_init(&crew.reporting, NULL);
        run_crew(&crew);
        pthread_mutex_destroy(&crew.reporting);
        result = crew.has_failed ? -1 : share_twins(&crew, err);
    }
    for (size_t i = 0; result < 0 && i < count; i++)
        fd_close(&blobs[i].fd);
    arena_free(&arena);
    return result;
}

void registry_stop(struct registry *registry)
{
    fetch_stop(registry);
}
