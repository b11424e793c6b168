/*
 * head - the header of an HTTP response, as far as it matters here.
 *
 * Source: RFC 9110; OCI distribution-spec 1.1 (Docker-Content-Digest). Of a field that is
 * there twice the last one counts, but for WWW-Authenticate, which may be repeated. A
 * value with a control character in it, or longer than its place, is as if it was missing.
 */
#ifndef CORACLE_REGISTRY_HEAD_H
#define CORACLE_REGISTRY_HEAD_H

#include <stddef.h>
#include <stdint.h>

enum { HEAD_MAX = 64 * 1024 }; /* bytes of all lines */

/* Texts that are missing are "", numbers -1. */
struct head {
    int status; /* 0: no status line yet */
    size_t bytes;
    int64_t content_length;
    int64_t range_start, range_total; /* Content-Range: bytes START-END/TOTAL; TOTAL "*" is -1 */
    int64_t retry_after;              /* seconds from now; a date that is past is none */
    char content_type[256];           /* without parameters, lower case */
    char digest[160];                 /* Docker-Content-Digest */
    char etag[256];                   /* strong ones only, with their quotes */
    char location[8192];
    char authenticate[8192]; /* WWW-Authenticate, several joined by commas */
};

/*
 * Takes one line, with its CR LF, as they come; a status line begins a new header. NOW is
 * the time for a Retry-After that is a date. 0, or -1: more than HEAD_MAX.
 */
int head_add(struct head *head, const char *line, size_t length, int64_t now);

#endif
