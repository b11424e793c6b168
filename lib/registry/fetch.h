/*
 * fetch - one thing from the registry: authentication, redirects, further attempts. For
 * the files of this room.
 */
#ifndef CORACLE_REGISTRY_FETCH_H
#define CORACLE_REGISTRY_FETCH_H

#include <pthread.h>
#include <stdatomic.h>

#include "registry/auth.h"
#include "registry/endpoint.h"
#include "registry/http.h"

struct registry {
    struct registry *owner; /* of a mirror: the registry that it is one of; else itself */
    struct registry *const *mirrors;
    size_t mirror_count;
    const char *location; /* of a mirror, for messages */
    atomic_int is_out;    /* of a mirror: it has failed and is not asked again */
    struct endpoint endpoint;
    struct url base;
    struct registry_options options; /* with its defaults */
    struct registry_credentials credentials;
    struct auth auth;
    const char *secrets[5]; /* that no message may hold; the last one NULL */
    void (*exhausted)(void) __attribute__((noreturn));
    pthread_mutex_t lock; /* this and the next two: the owner's */
    pthread_cond_t stopping;
    int is_stopped;          /* under lock: nothing more is wanted */
    atomic_int has_answered; /* something has come from there: DNS and address are right */
};

/* Fills REGISTRY, without its mirrors. registry.c */
int registry_init(struct registry *registry, const struct reference *reference,
                  const struct registry_options *options, const struct registry_credentials *credentials,
                  struct arena *arena, struct err *err);

/* A connection to REGISTRY, or NULL; and the error for that. registry.c */
struct http *registry_connect(struct registry *registry);
int registry_no_memory(const struct registry *registry, struct err *err);

enum outcome { OUTCOME_DONE, OUTCOME_AGAIN, OUTCOME_FAILED };

struct fetch {
    struct registry *registry;
    struct http *http;
    struct arena *arena; /* what is remembered in it may grow with each attempt */
    struct err *err;
    const char *url;
    const char *what;       /* for messages: "blob sha256:..." */
    const char *headers[4]; /* the last one NULL */
    int is_small;
    const struct http_sink *sink; /* NULL: the body is in result.text */
    /* Before each attempt, after a complete response, and after status 416; each may be NULL. */
    void (*prepare)(void *opaque, struct fetch *fetch);
    enum outcome (*finish)(void *opaque, struct fetch *fetch);
    void (*restart)(void *opaque, struct fetch *fetch);
    void *opaque;
    /* Set here: */
    struct http_result result;
    struct url from;     /* where the response came from */
    int64_t retry_after; /* seconds; -1: not said */
    int has_waited;      /* this attempt has run into a limit of time */
    /* Set by the sink: */
    enum outcome refused; /* after it has ended the transfer, and filled *err */
    uint64_t received;    /* bytes of this attempt that no other has brought */
};

/* 0, or -1 and ERR begins with the registry. */
int fetch_run(struct fetch *fetch);

/* What a response of status STATUS, not 2xx and not a redirect, means: fills ERR. status.c */
enum outcome status_outcome(struct fetch *fetch, const struct http_result *result, const struct url *from,
                            int is_foreign);

/* The server's own words in RESULT with a colon before them, or "". status.c */
const char *status_words(const struct fetch *fetch, const struct http_result *result);

/* What a failed transfer means: fills ERR. */
enum outcome fetch_failure(struct fetch *fetch, const struct http_result *result, const struct url *from);

int fetch_is_stopped(struct registry *registry);
void fetch_stop(struct registry *registry);

#endif
