/*
 * http - one request and its response, through libcurl: no redirect, no authentication,
 * no second try. For the files of this room.
 */
#ifndef CORACLE_REGISTRY_HTTP_H
#define CORACLE_REGISTRY_HTTP_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "registry/head.h"
#include "registry/registry.h"
#include "registry/url.h"

enum { HTTP_TEXT_MAX = 1024 * 1024 }; /* bytes of an answer that is kept as text */

/* Takes the body of a response with status 2xx. Both: 0, or -1 to end the transfer. */
struct http_sink {
    int (*begin)(void *opaque, const struct head *head);
    int (*data)(void *opaque, const void *bytes, size_t length);
    void *opaque;
};

struct http_request {
    struct url url;
    const char *authorization;    /* value of the field; NULL: none */
    const char *const *headers;   /* further lines, the last one NULL; NULL: none */
    const char *form;             /* POST of application/x-www-form-urlencoded; NULL: GET */
    const struct http_sink *sink; /* NULL: the body is kept as text */
    int is_small;                 /* the whole of it must be there after four times stall_seconds */
};

enum http_end {
    HTTP_COMPLETE, /* a response is there; where the status is not 2xx its body may be cut */
    HTTP_REFUSED,  /* the sink ended it */
    HTTP_STOPPED,  /* the caller wants no more */
    HTTP_FAILED,   /* see http_error() */
};

struct http_result {
    enum http_end end;
    struct head head;
    unsigned seconds; /* HTTP_FAILED: the limit of time that it ran into; 0: none */
    int is_connected; /* then: it was the limit of a connection that was there */
    int is_cut;       /* HTTP_FAILED: a connection that was there, so that another try may help */
    char *text;       /* body where it did not go to the sink; a zero byte follows */
    size_t length;
    int code;        /* HTTP_FAILED: CURLcode */
    long proxy;      /* HTTP_FAILED: the status with which a proxy refuses to connect; 0: none does */
    long tls;        /* of the certificate's verification, X509_V_...; 0: none */
    char cause[256]; /* libcurl's words */
};

struct http; /* a connection, kept for the next request; used by one thread at a time */

/* IS_STOPPED may be NULL. NULL where libcurl has no memory. */
struct http *http_open(const struct registry_options *options, int (*is_stopped)(void *), void *opaque);
void http_close(struct http *http);

/* Carries REQUEST out. Texts of RESULT belong to ARENA. */
void http_perform(struct http *http, const struct http_request *request, struct http_result *result,
                  struct arena *arena);

/* What a proxy's STATUS means in place of the answer that was wanted, and the way out. */
const char *http_proxy_refusal(long status, struct arena *arena);

/* Why a request to URL has failed: fills ERR, with ERR_REGISTRY, and returns -1. */
int http_error(const struct http_result *result, const struct url *url, struct arena *arena, struct err *err);

#endif
