#include "registry/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "checksum/checksum.h"
#include "oci/descriptor.h"
#include "registry/partial.h"

enum { READ_SIZE = 1 << 18, REPORT_NS = 100000000 };

struct work {
    const struct blob_place *place;
    const struct registry_blob *blob;
    struct fetch fetch;
    struct partial partial;
    struct checksum hash; /* of what is in the part */
    uint64_t highest;     /* size that the part has had */
    int is_continued;     /* it holds bytes from before this call */
    int may_continue;     /* Range is asked for; 0 once that has failed */
    char etag[256];       /* of the answer that the part is from; "": not known, or of no use */
    int may_compare;      /* If-Range is sent; 0 once it has cost us the part */
    struct timespec reported;
};

int blob_check(const struct registry_blob *blob, struct arena *arena, struct err *err)
{
    if (!oci_digest_is_valid(blob->digest))
        return err_set(err, ERR_IMAGE_DAMAGED, "%s is not a digest: sha256: or sha512: and 0-9a-f",
                       str_quote(arena, blob->digest));
    if (!partial_is_name(blob->name))
        return err_set(err, ERR_SYSTEM, "%s cannot be the name of a blob's file",
                       str_quote(arena, blob->name));
    if (blob->size > INT64_MAX)
        return err_set(err, ERR_IMAGE_DAMAGED, "blob %s: no file can have %llu bytes", blob->digest,
                       (unsigned long long)blob->size);
    return 0;
}

static int report(struct work *work, int at_once)
{
    struct timespec time;
    int64_t passed;

    clock_gettime(CLOCK_MONOTONIC, &time);
    passed = (time.tv_sec - work->reported.tv_sec) * 1000000000LL + time.tv_nsec - work->reported.tv_nsec;
    if (!at_once && passed < REPORT_NS)
        return 0;
    work->reported = time;
    if (work->place->report(work->place->opaque, work->blob, work->partial.size) == 0)
        return 0;
    work->fetch.refused = OUTCOME_FAILED;
    fetch_stop(work->fetch.registry);
    return err_set(work->fetch.err, ERR_REGISTRY, "%s: it was given up", work->fetch.what);
}

/* Adds the bytes of FD to the hash, up to the blob's size. Their count; -1 and errno. */
static int64_t hash_file(struct work *work, int fd)
{
    char *buffer = malloc(READ_SIZE);
    uint64_t done = 0;
    ssize_t n = buffer ? 1 : -1;

    checksum_begin(&work->hash, work->blob->digest);
    while (n > 0 && done < work->blob->size) {
        uint64_t left = work->blob->size - done;
        n = pread(fd, buffer, left < READ_SIZE ? (size_t)left : READ_SIZE, (off_t)done);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        if (n > 0) {
            checksum_add(&work->hash, buffer, (size_t)n);
            done += (uint64_t)n;
        }
    }
    free(buffer);
    return n < 0 ? -1 : (int64_t)done;
}

static int is_right(struct work *work)
{
    char digest[CHECKSUM_TEXT];

    checksum_end(&work->hash, digest);
    return strcmp(digest, work->blob->digest) == 0;
}

/* The descriptor of the blob where its file is there and right, or -1. */
static int open_whole(struct work *work)
{
    FD_CLEANUP int fd =
        openat(work->place->directory, work->blob->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != work->blob->size)
        return -1;
    return hash_file(work, fd) == st.st_size && is_right(work) ? fd_steal(&fd) : -1;
}

static int begin_anew(struct work *work)
{
    work->is_continued = 0;
    *work->etag = 0;
    checksum_begin(&work->hash, work->blob->digest);
    return partial_empty(&work->partial, work->fetch.arena, work->fetch.err);
}

/* Opens the part and hashes what is in it. */
static int open_part(struct work *work)
{
    struct fetch *fetch = &work->fetch;
    int64_t hashed;

    if (partial_open(&work->partial, work->place->directory, work->blob->name, fetch->arena, fetch->err) < 0)
        return -1;
    if (work->partial.size == 0 || work->partial.size > work->blob->size)
        return begin_anew(work);
    hashed = hash_file(work, work->partial.fd);
    work->highest = work->partial.size;
    work->is_continued = 1;
    return hashed == (int64_t)work->partial.size ? 0 : begin_anew(work);
}

/* Asks for what is missing. */
static void prepare(void *opaque, struct fetch *fetch)
{
    struct work *work = opaque;

    fetch->headers[0] = fetch->headers[1] = NULL;
    if (!work->may_continue || work->partial.size == 0)
        return;
    fetch->headers[0] =
        arena_printf(fetch->arena, "Range: bytes=%llu-", (unsigned long long)work->partial.size);
    if (*work->etag && work->may_compare)
        fetch->headers[1] = arena_join(fetch->arena, "If-Range: ", work->etag, NULL);
}

static int refuse(struct fetch *fetch, enum outcome outcome)
{
    fetch->refused = outcome;
    return -1;
}

static int wrong_size(struct work *work, const char *says, long long size)
{
    err_set(work->fetch.err, ERR_IMAGE_DAMAGED,
            "%s: %s %lld bytes, where the manifest says %llu: the image is damaged there, or somebody is in "
            "between",
            work->fetch.what, says, size, (unsigned long long)work->blob->size);
    return refuse(&work->fetch, OUTCOME_FAILED);
}

/* 206: is it the range that was asked for? */
static int begin_range(struct work *work, const struct head *head)
{
    if (head->range_total >= 0 && head->range_total != (int64_t)work->blob->size)
        return wrong_size(work, "the server has", (long long)head->range_total);
    if (work->may_continue && head->range_start == (int64_t)work->partial.size)
        return 0;
    err_set(work->fetch.err, ERR_REGISTRY, "%s: another range than the one that was asked for came",
            work->fetch.what);
    work->may_continue = 0;
    return refuse(&work->fetch, begin_anew(work) < 0 ? OUTCOME_FAILED : OUTCOME_AGAIN);
}

static int on_begin(void *opaque, const struct head *head)
{
    struct work *work = opaque;
    struct fetch *fetch = &work->fetch;

    if (head->status == 206)
        return begin_range(work, head);
    if (head->status != 200) {
        err_set(fetch->err, ERR_REGISTRY, "%s: it answers with status %d, which is not expected", fetch->what,
                head->status);
        return refuse(fetch, OUTCOME_FAILED);
    }
    if (head->content_length >= 0 && head->content_length != (int64_t)work->blob->size)
        return wrong_size(work, "the server has", (long long)head->content_length);
    /* Another copy of the blob, behind another redirect, may have another ETag: do not compare again. */
    if (work->partial.size && *work->etag)
        work->may_compare = 0;
    if (work->partial.size && begin_anew(work) < 0)
        return refuse(fetch, OUTCOME_FAILED);
    memcpy(work->etag, head->etag, sizeof(work->etag));
    return report(work, 1);
}

static int on_data(void *opaque, const void *bytes, size_t length)
{
    struct work *work = opaque;
    struct fetch *fetch = &work->fetch;

    if (length > work->blob->size - work->partial.size)
        return wrong_size(work, "the server sends more than", (long long)work->blob->size);
    if (partial_add(&work->partial, bytes, length, fetch->arena, fetch->err) < 0)
        return refuse(fetch, OUTCOME_FAILED);
    checksum_add(&work->hash, bytes, length);
    if (work->partial.size > work->highest) { /* what comes a second time is no progress */
        fetch->received += work->partial.size - work->highest;
        work->highest = work->partial.size;
    }
    return report(work, 0);
}

/* The last byte of an answer is there. */
static enum outcome finish(void *opaque, struct fetch *fetch)
{
    struct work *work = opaque;

    if (work->partial.size < work->blob->size) {
        err_set(fetch->err, ERR_REGISTRY, "%s: only %llu of %llu bytes came", fetch->what,
                (unsigned long long)work->partial.size, (unsigned long long)work->blob->size);
        return OUTCOME_AGAIN;
    }
    if (is_right(work))
        return OUTCOME_DONE;
    err_set(fetch->err, ERR_IMAGE_DAMAGED,
            "%s: what came has another digest: the image is damaged there, or somebody is in between",
            fetch->what);
    if (!work->is_continued)
        return OUTCOME_FAILED;
    /* The bytes from before were wrong, perhaps. */
    return begin_anew(work) < 0 ? OUTCOME_FAILED : OUTCOME_AGAIN;
}

/* The range is refused: once more from the start, without one. */
static void restart(void *opaque, struct fetch *fetch)
{
    struct work *work = opaque;

    (void)fetch;
    work->may_continue = 0;
    begin_anew(work);
}

/* Makes HOST the one that is asked, for what is still missing. */
static int turn_to(struct work *work, struct registry *host, struct connections *connections)
{
    struct fetch *fetch = &work->fetch;

    fetch->registry = host;
    fetch->http = connections_get(connections, host, fetch->err);
    fetch->url = endpoint_url(&host->endpoint, "blobs", work->blob->digest, fetch->arena);
    work->is_continued = work->partial.size > 0;
    work->highest = work->partial.size;
    work->may_continue = work->may_compare = 1;
    *work->etag = 0;
    return fetch->http ? 0 : -1;
}

static int is_worth_keeping(const struct work *work, const struct err *err)
{
    return err->id != ERR_IMAGE_DAMAGED && work->partial.size > 0;
}

static int fetch_part(struct work *work, struct registry *registry, struct connections *connections)
{
    struct registry *host = NULL;

    if (work->partial.size == work->blob->size && finish(work, &work->fetch) == OUTCOME_DONE)
        return 0;
    while ((host = mirror_next(registry, host))) {
        if (turn_to(work, host, connections) < 0)
            return -1;
        if (fetch_run(&work->fetch) == 0)
            return 0;
        if (!mirror_pass_over(host, work->fetch.err) ||
            (!is_worth_keeping(work, work->fetch.err) && begin_anew(work) < 0))
            return -1;
    }
    return -1;
}

int blob_fetch(struct registry *registry, struct connections *connections, const struct blob_place *place,
               struct arena *arena, struct err *err)
{
    struct work work = {
        .place = place, .blob = place->blob, .may_continue = 1, .may_compare = 1, .partial = {.fd = -1}};
    const struct http_sink sink = {.begin = on_begin, .data = on_data, .opaque = &work};
    int result;

    work.fetch = (struct fetch){
        .registry = registry,
        .arena = arena,
        .err = err,
        .what = arena_join(arena, "blob ", place->blob->digest, NULL),
        .sink = &sink,
        .prepare = prepare,
        .finish = finish,
        .restart = restart,
        .opaque = &work,
    };
    place->blob->fd = open_whole(&work);
    if (place->blob->fd < 0 && (result = open_part(&work)) == 0 &&
        (result = fetch_part(&work, registry, connections)) == 0)
        place->blob->fd = partial_finish(&work.partial, arena, err);
    result = place->blob->fd < 0 ? -1 : 0;
    if (result == 0) {
        work.partial.size = place->blob->size;
        result = report(&work, 1);
    }
    partial_close(&work.partial, result < 0 && !is_worth_keeping(&work, err));
    checksum_drop(&work.hash);
    return result;
}
