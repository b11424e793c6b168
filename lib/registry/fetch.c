#include "registry/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/str.h"

enum {
    HOPS_MAX = 10,      /* redirects */
    STALLS_MIN = 2,     /* attempts that ran into a limit of time */
    ANSWERS_MAX = 2,    /* to a 401: a token that has just expired, and its successor */
    BACK_OFF_MAX = 30,  /* seconds */
    PROGRESS = 1 << 20, /* bytes: an attempt that brought as much is not counted */
};

int fetch_is_stopped(struct registry *registry)
{
    struct registry *owner = registry->owner;
    int is_stopped;

    pthread_mutex_lock(&owner->lock);
    is_stopped = owner->is_stopped;
    pthread_mutex_unlock(&owner->lock);
    return is_stopped;
}

void fetch_stop(struct registry *registry)
{
    struct registry *owner = registry->owner;

    pthread_mutex_lock(&owner->lock);
    owner->is_stopped = 1;
    pthread_cond_broadcast(&owner->stopping);
    pthread_mutex_unlock(&owner->lock);
}

static enum outcome stopped(struct fetch *fetch)
{
    err_set(fetch->err, ERR_REGISTRY, "%s: it was given up", fetch->what);
    return OUTCOME_FAILED;
}

/* Waits MS milliseconds, or until nothing more is wanted. */
static void wait_for(struct registry *registry, uint64_t ms)
{
    struct registry *owner = registry->owner;
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&owner->lock);
    while (!owner->is_stopped && pthread_cond_timedwait(&owner->stopping, &owner->lock, &until) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&owner->lock);
}

/*
 * Milliseconds before the attempt that follows the COUNT-th; spread, so that many nodes do not come
 * at once.
 */
static uint64_t back_off(const struct registry *registry, unsigned count)
{
    struct timespec time;
    uint64_t ms = registry->options.back_off_ms;

    while (--count && ms < BACK_OFF_MAX * 1000)
        ms *= 2;
    if (ms > BACK_OFF_MAX * 1000)
        ms = BACK_OFF_MAX * 1000;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return ms - ms / 4 + (uint64_t)time.tv_nsec / 1000 % (ms / 2 + 1);
}

enum outcome fetch_failure(struct fetch *fetch, const struct http_result *result, const struct url *from)
{
    if (result->end == HTTP_STOPPED)
        return stopped(fetch);
    fetch->has_waited = result->seconds > 0;
    http_error(result, from, fetch->arena, fetch->err);
    if (result->is_cut)
        return OUTCOME_AGAIN;
    if (result->code != CURLE_COULDNT_RESOLVE_HOST && result->code != CURLE_COULDNT_CONNECT &&
        result->code != CURLE_SSL_CONNECT_ERROR)
        return OUTCOME_FAILED;
    return atomic_load(&fetch->registry->has_answered) ? OUTCOME_AGAIN : OUTCOME_FAILED;
}

static int is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Moves *AT to where the response redirects. */
static int follow(struct fetch *fetch, struct url *at, const struct head *head)
{
    struct url next;
    const char *cause = "it does not say where";
    const char *here = url_origin(at, fetch->arena);

    if (!*head->location || url_read(&next, at->text, head->location, fetch->arena, &cause) < 0)
        return err_set(fetch->err, ERR_REGISTRY, "%s: %s redirects to an address that is not followed: %s",
                       fetch->what, here, cause);
    if (strcmp(at->scheme, "https") == 0 && strcmp(next.scheme, "http") == 0)
        return err_set(fetch->err, ERR_REGISTRY,
                       "%s: %s redirects to %s, which is not followed: it would be without TLS", fetch->what,
                       here, url_origin(&next, fetch->arena));
    *at = next;
    return 0;
}

/* One request to AT. OUTCOME_DONE: there is a response, of whatever status. */
static enum outcome ask(struct fetch *fetch, const struct url *at, const char *authorization)
{
    const struct http_request request = {
        .url = *at,
        .authorization = authorization,
        .headers = fetch->headers,
        .sink = fetch->sink,
        .is_small = fetch->is_small,
    };

    fetch->from = *at;
    http_perform(fetch->http, &request, &fetch->result, fetch->arena);
    if (fetch->result.end == HTTP_REFUSED)
        return fetch->refused;
    if (fetch->result.end != HTTP_COMPLETE) {
        enum outcome outcome = fetch_failure(fetch, &fetch->result, at);
        err_prefix(fetch->err, "%s", fetch->what);
        return outcome;
    }
    atomic_store(&fetch->registry->has_answered, 1);
    return OUTCOME_DONE;
}

static enum outcome judge(struct fetch *fetch, const struct url *at, int is_foreign)
{
    const int status = fetch->result.head.status;

    if (status >= 200 && status <= 299)
        return fetch->finish ? fetch->finish(fetch->opaque, fetch) : OUTCOME_DONE;
    if (status == 416 && fetch->restart) {
        fetch->restart(fetch->opaque, fetch);
        err_set(fetch->err, ERR_REGISTRY, "%s: it refuses the range that is missing (416)", fetch->what);
        return OUTCOME_AGAIN;
    }
    return status_outcome(fetch, &fetch->result, at, is_foreign);
}

/* From the registry's address through its redirects, once. */
static enum outcome attempt(struct fetch *fetch)
{
    struct registry *registry = fetch->registry;
    struct url start, at;
    const char *header, *cause;
    unsigned generation;
    int hops = 0, answers = 0, is_foreign = 0, outcome;

    fetch->retry_after = -1;
    fetch->received = 0;
    fetch->has_waited = 0;
    if (fetch->prepare)
        fetch->prepare(fetch->opaque, fetch);
    if (url_read(&start, NULL, fetch->url, fetch->arena, &cause) < 0) {
        err_set(fetch->err, ERR_REGISTRY, "its address: %s", cause);
        return OUTCOME_FAILED;
    }
    outcome = auth_current(fetch, &header, &generation);
    for (at = start; outcome == OUTCOME_DONE;) {
        outcome = ask(fetch, &at, is_foreign ? NULL : header);
        if (outcome != OUTCOME_DONE)
            break;
        if (is_redirect(fetch->result.head.status) && hops++ < HOPS_MAX) {
            if (follow(fetch, &at, &fetch->result.head) < 0)
                return OUTCOME_FAILED;
            is_foreign |= !url_same_origin(&at, &registry->base);
        } else if (fetch->result.head.status == 401 && !is_foreign) {
            if (answers++ == ANSWERS_MAX)
                return (enum outcome)auth_denied(fetch, url_origin(&at, fetch->arena), 401,
                                                 status_words(fetch, &fetch->result));
            outcome = auth_answer(fetch, generation, &fetch->result.head);
            if (outcome == OUTCOME_DONE)
                outcome = auth_current(fetch, &header, &generation);
            at = start;
        } else {
            return judge(fetch, &at, is_foreign);
        }
    }
    return (enum outcome)outcome;
}

/* Of attempts that waited in vain: a registry that is silent is given up before minutes are gone. */
static unsigned stalls_max(const struct registry_options *options)
{
    return options->attempts / 2 > STALLS_MIN ? options->attempts / 2 : STALLS_MIN;
}

/* How long the next attempt waits after COUNT, of which STALLS waited in vain; -1: it is not made, and ERR
 * says why. */
static int64_t next_wait(struct fetch *fetch, unsigned count, unsigned stalls)
{
    const struct registry_options *options = &fetch->registry->options;

    if (count >= options->attempts || stalls >= stalls_max(options))
        return err_prefix(fetch->err, "after %u attempts", count);
    if (fetch->retry_after > (int64_t)options->wait_seconds)
        return err_prefix(fetch->err, "it asks to be left alone for %lld seconds",
                          (long long)fetch->retry_after);
    if (fetch->retry_after >= 0)
        return fetch->retry_after * 1000;
    return (int64_t)back_off(fetch->registry, count);
}

int fetch_run(struct fetch *fetch)
{
    struct registry *registry = fetch->registry;
    enum outcome outcome;
    unsigned count = 0, stalls = 0;
    int64_t ms;

    for (;;) {
        outcome = attempt(fetch);
        if (outcome == OUTCOME_AGAIN && fetch_is_stopped(registry))
            outcome = stopped(fetch);
        if (outcome != OUTCOME_AGAIN)
            break;
        if (fetch->received >= PROGRESS)
            count = stalls = 0;
        count++;
        stalls += fetch->has_waited != 0;
        ms = next_wait(fetch, count, stalls);
        if (ms < 0)
            break;
        log_message(LOG_TRACE, "registry %s: %s; next attempt in %lld ms", registry->endpoint.domain,
                    fetch->err->text, (long long)ms);
        wait_for(registry, (uint64_t)ms);
        if (fetch_is_stopped(registry)) {
            outcome = stopped(fetch);
            break;
        }
    }
    if (outcome == OUTCOME_DONE)
        return 0;
    return err_prefix(fetch->err, "registry %s", registry->endpoint.domain);
}
