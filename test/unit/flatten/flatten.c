/* The rules of layers, a row each: layers, the lowest first, and what they become. */
#include "test/unit/flatten/made.h"

struct rule {
    const char *name;
    const char *layers[4];
    const char *expected; /* NULL: an error with this text */
    const char *error;
    int reread; /* layers that must be read twice */
};

static const struct rule rules[] = {
    {"no layer", {NULL}, "", NULL, 0},
    {"an empty layer", {""}, "", NULL, 0},
    {"one layer", {"d:etc f:etc/a=1 l:b>etc p:q"}, "b>etc etc/ etc/a=1 q|", NULL, 0},
    {"sorted as bytes", {"f:b=1 f:a.b=2 f:a=3 f:B=4"}, "B=4 a=3 a.b=2 b=1", NULL, 0},
    {"an upper file replaces", {"f:a=1", "f:a=2"}, "a=2", NULL, 0},
    {"layers that are the same", {"f:a=1 d:d", "f:a=1 d:d"}, "a=1 d/", NULL, 0},
    {"whiteout of a file", {"f:a=1 f:b=2", "w:a"}, "b=2", NULL, 0},
    {"whiteout of a directory", {"d:d f:d/a=1 f:e=2", "w:d"}, "e=2", NULL, 0},
    {"whiteout in the middle", {"f:a=1", "w:a", "f:b=3"}, "b=3", NULL, 0},
    {"whiteout, then again", {"f:a=1", "w:a", "f:a=3"}, "a=3", NULL, 0},
    {"whiteout of nothing", {"f:a=1", "w:x w:y/z"}, "a=1", NULL, 0},
    {"whiteout in its own layer, after", {"f:b=1", "f:a=2 w:a"}, "a=2 b=1", NULL, 0},
    {"whiteout in its own layer, before", {"f:a=1", "w:a f:a=2"}, "a=2", NULL, 0},
    {"whiteout of a directory that is made anew", {"d:d f:d/x=1", "w:d f:d/y=2"}, "d/ d/y=2", NULL, 0},
    {"the same, whiteout last", {"d:d f:d/x=1", "f:d/y=2 w:d"}, "d/ d/y=2", NULL, 0},
    {"opaque", {"d:d f:d/x=1 f:e=1", "d:d f:d/.wh..wh..opq= f:d/y=2"}, "d/ d/y=2 e=1", NULL, 0},
    {"opaque after its siblings", {"d:d f:d/x=1", "d:d f:d/y=2 f:d/.wh..wh..opq="}, "d/ d/y=2", NULL, 0},
    {"opaque of the root", {"f:a=1 d:d f:d/x=1", "f:.wh..wh..opq= f:b=2"}, "b=2", NULL, 0},
    {"opaque of nothing", {"f:a=1", "f:d/.wh..wh..opq="}, "a=1", NULL, 0},
    {"opaque hides two layers", {"f:d/x=1", "f:d/y=2", "f:d/.wh..wh..opq= f:d/z=3"}, "d/ d/z=3", NULL, 0},
    {"file over directory", {"d:d f:d/x=1", "f:d=2"}, "d=2", NULL, 0},
    {"directory over file", {"f:d=1", "d:d f:d/x=2"}, "d/ d/x=2", NULL, 0},
    {"below a lower file", {"f:d=1", "f:d/x=2"}, "d/ d/x=2", NULL, 0},
    {"directory, file, directory", {"d:d f:d/x=1", "f:d=2", "d:d f:d/y=3"}, "d/ d/y=3", NULL, 0},
    {"directory, whiteout, directory", {"d:d f:d/x=1", "w:d", "d:d f:d/y=3"}, "d/ d/y=3", NULL, 0},
    {"directory, file, child", {"d:d f:d/x=1", "f:d=2", "f:d/y=3"}, "d/ d/y=3", NULL, 0},
    {"twice in a layer", {"f:a=1 f:a=2"}, "a=2", NULL, 0},
    {"twice in a lower layer", {"f:a=1 f:a=2", "f:b=3"}, "a=2 b=3", NULL, 0},
    {"directory, then file, in a layer", {"d:a f:a/x=1 f:a=2"}, "a=2", NULL, 0},
    {"file, then directory, in a layer", {"f:a=1 d:a f:a/x=2"}, "a/ a/x=2", NULL, 0},

    {"names are cleaned",
     {"f:/a=1 f:./b=2 f:x/../c=3 f:../../d=4 f:e//f=5"},
     "a=1 b=2 c=3 d=4 e/ e/f=5",
     NULL,
     0},
    {"the root is named", {"d:./ f:./a=1"}, "a=1", NULL, 0},
    {"the root as a file", {"f:.=1"}, NULL, "the root of the image is not a directory", 0},
    {"the root as a link", {"l:/>etc"}, NULL, "the root of the image is not a directory", 0},

    {"below a lower link",
     {"d:usr/lib f:usr/lib/a=1 l:lib>usr/lib", "f:lib/b=2"},
     "lib>usr/lib usr/ usr/lib/ usr/lib/a=1 usr/lib/b=2",
     NULL,
     0},
    {"below an absolute link",
     {"d:usr/lib l:lib>/usr/lib", "f:lib/b=2"},
     "lib>/usr/lib usr/ usr/lib/ usr/lib/b=2",
     NULL,
     0},
    {"the link is listed again", {"d:u l:lib>u", "f:lib/b=2", "l:lib>u"}, "lib>u u/ u/b=2", NULL, 1},
    {"a whiteout below a link", {"d:u f:u/a=1 f:u/b=1 l:lib>u", "w:lib/a"}, "lib>u u/ u/b=1", NULL, 0},
    {"an explicit directory replaces a link",
     {"d:u f:u/a=1 l:lib>u", "d:lib f:lib/b=2"},
     "lib/ lib/b=2 u/ u/a=1",
     NULL,
     0},
    {"a link out of the tree", {"l:lib>../../../../u", "f:lib/b=2"}, "lib>../../../../u u/ u/b=2", NULL, 0},
    {"a link to nothing",
     {"l:lib>no/where", "f:lib/b=2"},
     "lib>no/where no/ no/where/ no/where/b=2",
     NULL,
     0},
    {"a link in the same layer", {"l:lib>u f:lib/b=2"}, "lib>u u/ u/b=2", NULL, 0},
    {"a loop of links", {"l:a>b l:b>a f:a/x=1"}, NULL, "/a/x: more than 40 symbolic links", 0},
    {"a link to itself", {"l:a>a", "f:a/x=1"}, NULL, "more than 40 symbolic links", 0},
    {"a link replaces a directory", {"d:d f:d/x=1 d:e", "l:d>e"}, "d>e e/", NULL, 0},

    {"hard links", {"f:a=1 h:b>a h:d/c>a"}, "a=1*3 b=1*3 d/ d/c=1*3", NULL, 0},
    {"a hard link into a lower layer", {"f:a=1", "h:b>a"}, "a=1*2 b=1*2", NULL, 0},
    {"the version of that layer", {"f:a=1", "h:b>a", "f:a=3"}, "a=3 b=1", NULL, 0},
    {"a hard link to what is hidden above", {"f:a=1 h:b>a", "w:a"}, "b=1", NULL, 1},
    {"a hard link to what is replaced above", {"f:a=1 h:b>a", "f:a=2"}, "a=2 b=1", NULL, 1},
    {"a hard link to what it hides itself", {"f:a=1", "h:b>a w:c", "w:a"}, "b=1", NULL, 0},
    {"a hard link whose target is replaced", {"f:a=1 h:b>a f:a=2"}, "a=2 b=1", NULL, 0},
    {"a hard link to a symbolic link", {"l:a>x h:b>a"}, "a>x*2 b>x*2", NULL, 0},
    {"a hard link by a link", {"d:u f:u/a=1 l:v>u h:b>v/a"}, "b=1*2 u/ u/a=1*2 v>u", NULL, 0},
    {"a hard link outside is one inside", {"f:a=1 h:b>../../a"}, "a=1*2 b=1*2", NULL, 0},
    {"a hard link that points forward",
     {"h:b>a f:a=1"},
     NULL,
     "/b: it is a hard link to /a, which does not",
     0},
    {"a hard link to itself", {"f:b=1 h:b>./b"}, NULL, "hard link to itself", 0},
    {"a hard link to nothing", {"h:b>etc/shadow"}, NULL, "which does not exist", 0},
    {"a hard link to a directory", {"d:a h:b>a"}, NULL, "to the directory /a", 0},
    {"a hard link to the root", {"h:b>/"}, NULL, "which does not exist", 0},
    {"a hard link to a whiteout's", {"f:a=1", "w:a h:b>a"}, NULL, "which does not exist", 0},

    {"whiteout without a name", {"f:.wh.="}, NULL, "layer 1 of 1: /.wh.: the whiteout", 0},
    {"whiteout of .", {"f:d/.wh..="}, NULL, "would remove a directory itself", 0},
    {"whiteout of ..", {"f:d/.wh...="}, NULL, "would remove a directory itself", 0},
    {"a directory with a whiteout's name", {"f:.wh.d/x=1"}, NULL, "cannot be a directory", 0},
    {"what aufs keeps", {"f:.wh..wh.plnk/1=1 d:.wh..wh.orph f:.wh..wh.aufs= f:a=1"}, "a=1", NULL, 0},
    {"what eStargz keeps",
     {"f:stargz.index.json=x f:.prefetch.landmark=x f:d/.prefetch.landmark=1"},
     "d/ d/.prefetch.landmark=1",
     NULL,
     0},
    {"a device hides", {"f:a=1 f:b=1", "c:a"}, "b=1", NULL, 0},
    {"a file over a device", {"c:a", "f:a=2"}, "a=2", NULL, 0},
};

static struct arena arena;

static int run(const struct layer *layers, size_t count, struct made_sink *sink,
               struct flatten_counts *counts, struct err *err)
{
    struct flatten_request request = {.layers = layers, .layer_count = count};

    return flatten(&request, &sink->sink, counts, &arena, err);
}

static void check_rule(const struct rule *rule)
{
    static struct made_sink sink;
    struct layer layers[MADE_LAYERS];
    struct flatten_counts counts;
    struct err err = {0};
    size_t count = 0;

    made_sink_init(&sink);
    arena_init(&arena, tap_no_memory);
    while (count < 4 && rule->layers[count]) {
        layers[count] = made_layer(rule->layers[count]);
        count++;
    }
    tap.row = rule->name;
    if (rule->error) {
        TAP_ERR(run(layers, count, &sink, &counts, &err), err, ERR_LAYER, rule->error);
        TAP_INT(sink.finished, 0);
    } else {
        TAP_OK(run(layers, count, &sink, &counts, &err), err);
        TAP_STR(sink.text, rule->expected);
        TAP_INT(counts.reread, rule->reread);
    }
    tap.row = NULL;
    for (size_t i = 0; i < count; i++)
        close(layers[i].fd);
    arena_free(&arena);
}

/* Of a directory that an upper layer does not list, the lower one's mode stays. */
static void check_metadata(void)
{
    static struct made_sink sink;
    struct layer layers[] = {made_layer("d:d f:d/a=1"), made_layer("f:d/b=2 f:e/c=3 f:d/.wh..wh..opq=")};
    struct err err = {0};

    made_sink_init(&sink);
    sink.details = 1;
    arena_init(&arena, tap_no_memory);
    TAP_OK(run(layers, 2, &sink, NULL, &err), err);
    TAP_STR(sink.text, "/(755,0:0,512) d/(750,1000:1001,512) d/b=2(640,1000:1001,512) e/(755,0:0,512) "
                       "e/c=3(640,1000:1001,512)");
    arena_free(&arena);
    close(layers[0].fd);
    close(layers[1].fd);
}

/* Contents that an upper layer hides never reach the sink. */
static void check_hidden(void)
{
    static struct made_sink sink;
    struct layer layers[] = {made_layer("f:a=1 f:b=1 d:d f:d/x=1 d:e f:e/x=1 f:f=1 f:keep=1"),
                             made_layer("f:a=2 w:b w:d f:e/.wh..wh..opq= d:f c:null")};
    struct flatten_counts counts;
    struct err err = {0};

    made_sink_init(&sink);
    arena_init(&arena, tap_no_memory);
    TAP_OK(run(layers, 2, &sink, &counts, &err), err);
    TAP_STR(sink.text, "a=2 e/ f/ keep=1");
    TAP_INT(counts.stored, 2);
    TAP_INT(counts.devices, 1);
    TAP_INT(counts.entries, 14);
    arena_free(&arena);
    close(layers[0].fd);
    close(layers[1].fd);
}

/* A directory that is filled, then a file and a directory again and again: no look at all each time. */
static void check_again_and_again(void)
{
    enum { FILES = 20000, TIMES = 20000 };
    static struct made_sink sink;
    struct err err = {0};
    struct layer layer;
    int fd = made_file();
    char name[32];

    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "d/%d", i);
        made_member(fd, '0', name, "", "", 0);
    }
    for (int i = 0; i < TIMES; i++) {
        made_member(fd, '0', "d", "", "", 0);
        made_member(fd, '0', "d/x", "", "", 0);
    }
    made_end(fd);
    layer = made_layer_of(fd);
    made_sink_init(&sink);
    arena_init(&arena, tap_no_memory);
    alarm(60);
    TAP_OK(run(&layer, 1, &sink, NULL, &err), err);
    alarm(0);
    TAP_STR(sink.text, "d/ d/x=");
    arena_free(&arena);
    close(fd);
}

static void check_config(void)
{
    static struct made_sink sink;
    struct layer layer = made_layer("l:.coracle>etc d:etc f:etc/config.json=theirs");
    struct flatten_request request = {.layers = &layer,
                                      .layer_count = 1,
                                      .config = "{}",
                                      .config_length = 2,
                                      .config_dir = ".coracle",
                                      .config_name = "config.json"};
    struct err err = {0};

    made_sink_init(&sink);
    arena_init(&arena, tap_no_memory);
    TAP_OK(flatten(&request, &sink.sink, NULL, &arena, &err), err);
    TAP_STR(sink.text, ".coracle/ .coracle/config.json={} etc/ etc/config.json=theirs");
    arena_free(&arena);
    close(layer.fd);
}

/*
 * A stream is read once. As the topmost layer, and so as the only one, it is never needed again:
 * nothing above it hides what it has. Below others it may be.
 */
static void check_streams(void)
{
    static const char text[] = "f:a=1 h:b>a f:a=2 d:d f:d/x=3 w:d l:l>d f:l/y=4 h:c>d/y";
    static struct made_sink sink;
    struct layer whole = made_layer("f:d=1 d:d f:d/x=1 h:q>d/x"), upper = made_layer("w:a d:d");
    struct layer stream = made_layer(text), below = made_layer("f:a=1 h:z>a f:d=x");
    struct layer_pipe pipe;
    struct layer layers[2];
    struct flatten_counts counts;
    struct err err = {0};

    for (int with_lower = 0; with_lower <= 1; with_lower++) {
        lseek(stream.fd, 0, SEEK_SET);
        layers[0] = whole;
        layers[with_lower] = layer_of_pipe(&pipe, stream.fd);
        made_sink_init(&sink);
        arena_init(&arena, tap_no_memory);
        TAP_OK(run(layers, (size_t)with_lower + 1, &sink, &counts, &err), err);
        TAP_TRUE(strstr(sink.text, "c=4*2") != NULL);
        arena_free(&arena);
    }
    /* a's first name is hidden, and z is what it was. */
    lseek(below.fd, 0, SEEK_SET);
    layers[0] = layer_of_pipe(&pipe, below.fd);
    layers[1] = upper;
    made_sink_init(&sink);
    arena_init(&arena, tap_no_memory);
    TAP_ERR(run(layers, 2, &sink, &counts, &err), err, ERR_LAYER, "layer 1 of 2: it is needed a second time");
    TAP_INT(sink.finished, 0);
    arena_free(&arena);
    close(whole.fd);
    close(upper.fd);
    close(stream.fd);
    close(below.fd);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        check_rule(&rules[i]);
    check_metadata();
    check_hidden();
    check_config();
    check_streams();
    check_again_and_again();
    return tap_done();
}
