/* A directory as a stream, as flatten() sees it. */
#include <fcntl.h>
#include <sys/xattr.h>

#include "base/remove.h"
#include "stream/stream.h"
#include "test/unit/flatten/made.h"

static struct arena arena;
static char place[] = "/tmp/coracle-test-XXXXXX";
static int top;
static struct made_sink sink;
static struct stream_counts counts;
static int details;

static void file(const char *name, mode_t mode, const char *text)
{
    int fd = openat(top, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    made_write(fd, text, strlen(text));
    fchmod(fd, mode);
    close(fd);
}

static int run(const char *path, struct err *err)
{
    struct stream *stream;
    struct layer layer;
    struct flatten_request request = {.layers = &layer, .layer_count = 1};
    int result;

    made_sink_init(&sink);
    sink.details = details;
    stream = stream_of_directory(path, &arena, err);
    if (!stream)
        return -1;
    layer = stream_layer(stream);
    result = flatten(&request, &sink.sink, NULL, &arena, err);
    stream_count(stream, &counts);
    stream_close(stream);
    return result;
}

static void check_tree(void)
{
    struct stat st;
    struct err err = {0};

    file("a", 04755, "1");
    file("closed", 0, "2");
    mkdirat(top, "d", 0700);
    file("d/x", 0640, "3");
    linkat(top, "a", top, "d/y", 0);
    symlinkat("/etc/passwd", top, "l");
    mkfifoat(top, "p", 0600);
    mkdirat(top, ".coracle", 0700);
    file(".coracle/config.json", 0600, "{}");
    fchmodat(top, "d", 0, 0);
    TAP_OK(run(place, &err), err);
    TAP_STR(sink.text, "a=1*2 closed=2 d/ d/x=3 d/y=1*2 l>/etc/passwd p|");
    TAP_INT(counts.entries, 8);
    TAP_INT(fstatat(top, "d", &st, 0), 0);
    TAP_INT(st.st_mode & 07777, 0);
    TAP_INT(fstatat(top, "closed", &st, 0), 0);
    TAP_INT(st.st_mode & 07777, 0);
    fchmodat(top, "d", 0700, 0);
}

static void check_owners(void)
{
    struct err err = {0};

    if (geteuid() == 0)
        return; /* root's own directory stays as it is */
    details = 1;
    file(".coracle/owners.mtree", 0600,
         "#mtree\n./a type=file uid=7 gid=8 mode=6755\n./d type=file uid=9 gid=9\n./l type=link uid=5 "
         "gid=6\n");
    TAP_OK(run(place, &err), err);
    TAP_TRUE(strncmp(sink.text, "/(700,0:0,", 10) == 0);
    TAP_TRUE(strstr(sink.text, " a=1(6755,7:8,") != NULL);
    TAP_TRUE(strstr(sink.text, " closed=2(0,0:0,") != NULL);
    TAP_TRUE(strstr(sink.text, " d/(700,0:0,") != NULL); /* it is no file */
    TAP_TRUE(strstr(sink.text, " l>/etc/passwd(777,5:6,") != NULL);
    details = 0;
    unlinkat(top, ".coracle/owners.mtree", 0);
}

/* Closed before all was read, or not read at all: the thread ends, and modes are as before. */
static void check_close(void)
{
    struct stream *stream = stream_of_directory(place, &arena, &(struct err){0});
    const char *config = NULL;
    size_t length = 0;
    struct layer_reader *reader;
    struct layer layer;
    const void *bytes;
    struct stat st;
    struct err err = {0};
    int fd = openat(top, "d/large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    TAP_INT(posix_fallocate(fd, 0, 8 << 20), 0);
    close(fd);
    fchmodat(top, "d", 0, 0);
    TAP_INT(stream_config(stream, &config, &length, &arena, &err), 1);
    TAP_STR(config, "{}");
    TAP_INT(length, 2);
    stream_close(stream);
    stream = stream_of_directory(place, &arena, &err);
    layer = stream_layer(stream);
    reader = layer_open(&layer, &err);
    TAP_OK(layer_read(reader, &bytes, &length, &err), err);
    layer_close(reader);
    alarm(60);
    stream_close(stream);
    alarm(0);
    TAP_INT(fstatat(top, "d", &st, 0), 0);
    TAP_INT(st.st_mode & 07777, 0);
    fchmodat(top, "d", 0700, 0);
    stream_close(NULL);
}

static void check_bad(void)
{
    struct err err = {0};

    TAP_ERR(run("/nowhere/at/all", &err), err, ERR_IMAGE_MISSING, "/nowhere/at/all");
    TAP_ERR(run("/dev/null", &err), err, ERR_IMAGE_UNREADABLE, "/dev/null");
    file(".coracle/owners.mtree", 0600, "#mtree\n./a uid=-7\n");
    TAP_ERR(run(place, &err), err, ERR_IMAGE_DAMAGED, "owners.mtree");
    TAP_INT(sink.finished, 0);
}

int main(void)
{
    int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (!mkdtemp(place))
        return 1;
    top = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    arena_init(&arena, tap_no_memory);
    check_tree();
    check_owners();
    check_close();
    check_bad();
    close(top);
    TAP_INT(remove_tree(tmp, place + 5), 0);
    close(tmp);
    arena_free(&arena);
    return tap_done();
}
