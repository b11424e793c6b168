#include "fuse/serve.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuse/answer.h"
#include "base/report.h"

/* The oldest protocol whose messages are laid out as ours. Linux 5.4 */
enum { OLDEST_MINOR = 31 };

static int send_answer(const struct serve *serve, uint64_t unique, int error, const void *bytes,
                       size_t length)
{
    struct fuse_out_header header = {
        .len = (uint32_t)(sizeof(header) + length), .error = -error, .unique = unique};
    const struct iovec parts[] = {{&header, sizeof(header)}, {(void *)(uintptr_t)bytes, length}};

    /* ENOENT: the caller was killed meanwhile. */
    if (writev(serve->device, parts, length ? 2 : 1) < 0 && errno != ENOENT && errno != EINTR)
        return -1;
    return 0;
}

/* The first request: both sides say what they can. */
static int initialize(struct serve *serve, const struct fuse_in_header *header, const char *body,
                      size_t length)
{
    struct fuse_init_in in = {0};
    struct fuse_init_out out = {
        .major = FUSE_KERNEL_VERSION,
        .minor = FUSE_KERNEL_MINOR_VERSION,
        .max_background = 64,
        .congestion_threshold = 48,
        .max_write = 4096,
        .time_gran = 1000000000,
        .max_pages = SERVE_DATA_LIMIT / 4096,
    };

    memcpy(&in, body, length < sizeof(in) ? length : sizeof(in));
    if (in.major != FUSE_KERNEL_VERSION || in.minor < OLDEST_MINOR) {
        report("the kernel speaks version %u.%u of the FUSE protocol; 7.%d is needed", in.major, in.minor,
               OLDEST_MINOR);
        return send_answer(serve, header->unique, EPROTO, NULL, 0);
    }
    out.max_readahead = in.max_readahead;
    out.flags =
        in.flags & (FUSE_ASYNC_READ | FUSE_PARALLEL_DIROPS | FUSE_DO_READDIRPLUS | FUSE_CACHE_SYMLINKS |
                    FUSE_MAX_PAGES | FUSE_NO_OPEN_SUPPORT | FUSE_NO_OPENDIR_SUPPORT);
    if (out.minor > in.minor)
        out.minor = in.minor;
    return send_answer(serve, header->unique, 0, &out, sizeof(out));
}

static void report_damage(const struct fuse_in_header *header)
{
    report("damaged or unreadable: request %u for node %llu", header->opcode,
           (unsigned long long)header->nodeid);
}

/* One request of LENGTH bytes. -1: the device is gone or broken. */
static int answer(struct serve *serve, size_t length)
{
    struct fuse_in_header header;
    const char *body = serve->request + sizeof(header);
    operation *run;
    int64_t result;

    memcpy(&header, serve->request, sizeof(header));
    length -= sizeof(header);
    serve->request[sizeof(header) + length] = 0;
    if (header.opcode == FUSE_INIT)
        return initialize(serve, &header, body, length);
    if (header.opcode == FUSE_FORGET || header.opcode == FUSE_BATCH_FORGET || header.opcode == FUSE_INTERRUPT)
        return 0; /* no answer is expected */
    if (header.opcode == FUSE_DESTROY)
        return send_answer(serve, header.unique, 0, NULL, 0);
    run = operation_of(header.opcode);
    result = run ? run(serve, &header, body, length) : -ENOSYS;
    if (result == -EIO)
        report_damage(&header);
    return result < 0 ? send_answer(serve, header.unique, (int)-result, NULL, 0)
                      : send_answer(serve, header.unique, 0, serve->answer, (size_t)result);
}

int serve_run(struct serve *serve)
{
    for (;;) {
        ssize_t n = read(serve->device, serve->request, SERVE_REQUEST_SIZE - 1);

        if (n < 0 && errno == ENODEV)
            return 0;
        /* ENOENT: the request was taken back. */
        if (n < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT)
            return -1;
        if (n < (ssize_t)sizeof(struct fuse_in_header))
            continue;
        (*serve->requests)++;
        if (answer(serve, (size_t)n) < 0)
            return errno == ENODEV || errno == ENOTCONN ? 0 : -1;
        (*serve->requests)++;
    }
}
