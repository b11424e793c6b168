/* A SquashFS as a stream, as flatten() sees it; and what libsquashfuse is asked besides. */
#include "stream/stream.h"
#include "test/unit/flatten/made.h"
#include "test/unit/squash/made.h"

static struct arena arena;
static struct made_sink sink;
static struct stream_counts counts;

static int run(const char *name, int details, struct err *err)
{
    int fd = open(in_scratch(name), O_RDONLY | O_CLOEXEC);
    struct stream *stream = stream_of_file(fd, name, &arena, err);
    struct layer layer;
    struct flatten_request request = {.layers = &layer, .layer_count = 1};
    int result = -1;

    made_sink_init(&sink);
    sink.details = details;
    if (stream) {
        layer = stream_layer(stream);
        result = flatten(&request, &sink.sink, NULL, &arena, err);
        stream_count(stream, &counts);
    }
    stream_close(stream);
    close(fd);
    return result;
}

static void make_tree(void)
{
    make_directory("tree");
    make_directory("tree/d");
    make_directory("tree/.coracle");
    make_file("tree/.coracle/config.json", "{\"a\":1}");
    make_file("tree/a", "1");
    make_file("tree/d/x", "3");
    make_file("tree/empty", "");
    shell("cd tree; ln a d/y; ln -s nowhere l; ln l d/l2; mkfifo -m 640 p; chmod 6711 a; chmod 400 d/x");
    shell("cd tree; find . -exec touch -hd @1000 {} +");
    make_image("image", "tree",
               "-comp gzip -root-uid 5 -root-gid 6 -p 'n c 666 0 0 1 3' -p 'o d 700 70000 80000'");
}

static void check_tree(void)
{
    struct err err = {0};

    TAP_OK(run("image", 0, &err), err);
    TAP_STR(sink.text, "a=1*2 d/ d/l2>nowhere d/x=3 d/y=1*2 empty= l>nowhere o/ p|");
    TAP_INT(counts.devices, 1);
    TAP_INT(counts.entries, 10);
    TAP_OK(run("image", 1, &err), err);
    TAP_TRUE(strstr(sink.text, " o/(700,70000:80000,") != NULL);
    TAP_TRUE(strstr(sink.text, "a=1(6711,") != NULL);
    TAP_TRUE(strstr(sink.text, "d/x=3(400,") != NULL);
}

static void check_config(void)
{
    int fd = open(in_scratch("image"), O_RDONLY | O_CLOEXEC);
    struct err err = {0};
    struct stream *stream = stream_of_file(fd, "image", &arena, &err);
    const char *bytes = NULL;
    size_t length = 0;

    TAP_INT(stream_config(stream, &bytes, &length, &arena, &err), 1);
    TAP_STR(bytes, "{\"a\":1}");
    TAP_INT(length, 7);
    stream_close(stream);
    close(fd);
    shell("rm -r tree/.coracle; ln -s tree tree/.coracle");
    make_image("image", "tree", "-comp gzip");
    fd = open(in_scratch("image"), O_RDONLY | O_CLOEXEC);
    stream = stream_of_file(fd, "image", &arena, &err);
    TAP_INT(stream_config(stream, &bytes, &length, &arena, &err), 0);
    stream_close(stream);
    close(fd);
    shell("rm tree/.coracle; mkdir -p tree/.coracle/config.json");
    make_image("image", "tree", "-comp gzip");
    fd = open(in_scratch("image"), O_RDONLY | O_CLOEXEC);
    stream = stream_of_file(fd, "image", &arena, &err);
    TAP_ERR(stream_config(stream, &bytes, &length, &arena, &err), err, ERR_IMAGE_CONFIG, "config.json");
    stream_close(stream);
    close(fd);
}

/* The extents of a file of 4096-byte blocks as text: "d4096 h8192". */
static const char *extents(const char *path)
{
    static char text[256];
    struct squash_node node;
    uint64_t length, size;

    text[0] = '\0';
    if (find(path, &node) != 1)
        return "missing";
    size = node.inode.xtra.reg.file_size;
    for (uint64_t at = 0; at < size; at += length) {
        int is_data = squash_extent(&squash, &node, at, &length);

        if (is_data < 0 || !length)
            return "error";
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%c%llu", at ? " " : "",
                 is_data ? 'd' : 'h', (unsigned long long)length);
    }
    return text;
}

static void check_extents(void)
{
    struct squash_node node;
    uint64_t length;

    shell("mkdir holes; cd holes; truncate -s 20000 all; seq 1 300 >small; seq 1 3000 >data");
    shell("cd holes; truncate -s 12288 middle; seq 1 2000 | head -c 4096 >block");
    shell("cd holes; cat block middle block small >mixed; cat middle small >end; cat small middle >begin");
    make_image("sparse", "holes", "-comp gzip -b 4096 -no-duplicates");
    make_image("tails", "holes", "-comp gzip -b 4096 -no-duplicates -always-use-fragments");
    for (int i = 0; i < 2; i++) {
        open_image(i ? "tails" : "sparse");
        TAP_STR(extents("all"), "h20000");
        TAP_STR(extents("small"), "d1092");
        TAP_STR(extents("data"), "d13893");
        TAP_STR(extents("middle"), "h12288");
        TAP_STR(extents("mixed"), "d4096 h12288 d5188");
        TAP_STR(extents("end"), "h12288 d1092");
        TAP_INT(find("small", &node), 1);
        TAP_INT(squash_extent(&squash, &node, 1092, &length), -1);
        TAP_INT(squash_extent(&squash, &node, 1, &length), -1);
        TAP_INT(squash_extent(&squash, &node, 8192, &length), -1);
        TAP_INT(find("", &node), 1);
        TAP_INT(squash_extent(&squash, &node, 0, &length), -1);
        close_image();
    }
}

static void check_bad(void)
{
    struct err err = {0};

    make_file("text", "this is no image, however long it may be");
    TAP_ERR(run("text", 0, &err), err, ERR_IMAGE_UNKNOWN, "text: it is neither");
    make_file("short", "hsqs");
    TAP_ERR(run("short", 0, &err), err, ERR_IMAGE_DAMAGED, "short");
    TAP_ERR(run("missing", 0, &err), err, ERR_IMAGE_UNREADABLE, "missing");
}

int main(void)
{
    scratch_begin();
    arena_init(&arena, tap_no_memory);
    make_tree();
    check_tree();
    check_config();
    check_extents();
    check_bad();
    arena_free(&arena);
    return tap_done();
}
