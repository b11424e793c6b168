/* What `docker save` writes, in its forms. */
#include "made.h"

static const char *const one[] = {"layer one", NULL};
static const char *const two[] = {"layer one", "layer two", NULL};

static void check(const struct made *made, const char *rest, const char *expected)
{
    const char *shown = made_show("docker-archive:", made_archive(made), rest, "amd64");

    tap.row = arena_printf(&arena, "%s", rest);
    if (strstr(shown, expected))
        TAP_TRUE(strstr(shown, expected) != NULL);
    else
        TAP_STR(shown, expected);
    tap.row = NULL;
}

/* The name that a configuration has in older forms. */
static const char *config_name(const char *config)
{
    return arena_join(&arena, made_digest(config) + strlen("sha256:"), ".json", NULL);
}

/* The form of Docker up to 24: two images, the second of which shares a layer by a link. */
static struct made old_form(void)
{
    const char *first = made_config("amd64", one), *second = made_config("arm64", two);
    struct made made = {.count = 0};

    made_add(&made, "aaaa/layer.tar", "layer one");
    made_add_link(&made, "bbbb/layer.tar", '2', "../aaaa/layer.tar");
    made_add(&made, "cccc/layer.tar", "layer two");
    made_add(&made, config_name(first), first);
    made_add(&made, config_name(second), second);
    made_add(&made, "manifest.json",
             arena_printf(&arena,
                          "[{\"Config\":\"%s\",\"RepoTags\":[\"busybox:latest\",\"busybox:1\"],\"Layers\":["
                          "\"aaaa/layer.tar\"]},"
                          "{\"Config\":\"%s\",\"RepoTags\":[\"localhost:5000/x/y:z\"],\"Layers\":[\"bbbb/"
                          "layer.tar\",\"cccc/layer.tar\"]}]",
                          config_name(first), config_name(second)));
    made_add(&made, "repositories", "{}");
    return made;
}

static void test_old_form(void)
{
    const struct made made = old_form();

    check(&made, ":busybox:latest", "amd64: layer one");
    check(&made, ":busybox:1", "amd64: layer one");
    check(&made, ":busybox", "amd64: layer one");
    check(&made, ":docker.io/library/busybox:1", "amd64: layer one");
    check(&made, ":docker.io/busybox:1", "amd64: layer one");
    check(&made, ":localhost:5000/x/y:z", "arm64: layer one|layer two");
    check(&made, ":localhost:5000/x/y", "arm64: layer one|layer two");
    check(&made, ":@0", "amd64: layer one");
    check(&made, ":@1", "arm64: layer one|layer two");
    check(&made, "",
          "it holds several images: name one of busybox:latest, busybox:1, localhost:5000/x/y:z, after");
    check(&made, ":@2", "it does not hold that image; it holds busybox:latest, ");
    check(&made, ":busybox:2", "it does not hold that image; it holds busybox:latest, ");
    check(&made, ":busy", "it does not hold that image");
    check(&made, ":quay.io/busybox:1", "it does not hold that image");
    check(&made, ":localhost:5000/x/y:zz", "it does not hold that image");
}

/* The form of Docker from 25 on: an OCI layout, whose index.json we do not look at. */
static void test_new_form(void)
{
    const char *config = made_config("amd64", two);
    struct made made = {.count = 0};

    made_blob(&made, "", "layer one", "");
    made_blob(&made, "", "layer two", "");
    made_blob(&made, "", config, "");
    made_add(&made, "oci-layout", MARKER);
    made_add(&made, "index.json", made_index(""));
    made_add(
        &made, "manifest.json",
        arena_printf(&arena,
                     "[{\"Config\":\"%s\",\"RepoTags\":null,\"Layers\":[\"%s\",\"%s\"],\"LayerSources\":{}}]",
                     made_blob_name(made_digest(config)), made_blob_name(made_digest("layer one")),
                     made_blob_name(made_digest("layer two"))));
    check(&made, "", "amd64: layer one|layer two");
    check(&made, ":@0", "amd64: layer one|layer two");
    check(&made, ":x:y", "it does not hold that image; it holds @0");
    made_find(&made, made_blob_name(made_digest(config)))->bytes = arena_join(&arena, " ", config + 1, NULL);
    check(&made, "", "it was changed; copy it again");
}

/* An archive of one image with this configuration's name and this list of layers. */
static struct made with(const char *config, const char *layers)
{
    struct made made = {.count = 0};

    made_add(&made, "config", made_config("amd64", one));
    made_add(&made, "a/layer.tar", "layer one");
    made_add_link(&made, "hard", '1', "./a/layer.tar");
    made_add_link(&made, "out", '2', "../../../../../../etc/passwd");
    made_add_link(&made, "absolute", '2', "/etc/passwd");
    made_add_link(&made, "loop", '2', "loop");
    made_add_link(&made, "dangling", '2', "nowhere");
    made_add_link(&made, "device", '3', "");
    made_add(&made, "../escaped", "layer one");
    made_add(&made, "/rooted", "layer one");
    made_add(&made, "manifest.json",
             arena_printf(&arena, "[{\"Config\":\"%s\",\"Layers\":[%s]}]", config, layers));
    return made;
}

static void test_layers(void)
{
    static const struct {
        const char *config, *layers, *expected;
    } rows[] = {
        {"config", "\"a/layer.tar\"", "amd64: layer one"},
        {"./config", "\".//a/./layer.tar\"", "amd64: layer one"},
        {"config", "\"hard\"", "amd64: layer one"},
        {"config", "", "the manifest has 0 layers, and the configuration rootfs.diff_ids of 1"},
        {"config", "\"a/layer.tar\",\"a/layer.tar\"", "the manifest has 2 layers"},
        {"config", "\"none\"", "layer none is missing: the archive is not complete"},
        {"none.json", "\"a/layer.tar\"", "none.json is missing: the archive is not complete"},
        {"config", "\"out\"", "out is a link that leads out of the archive"},
        {"config", "\"absolute\"", "absolute is a link that leads out of the archive"},
        {"config", "\"loop\"", "loop leads through too many links"},
        {"config", "\"dangling\"", "dangling is a link to nowhere, which is not there"},
        {"config", "\"device\"", "device is no file"},
        {"config", "\"../escaped\"",
         "the name ../escaped is absolute, leads out of the archive or is too long"},
        {"config", "\"/rooted\"", "the name /rooted is absolute"},
        {"config", "\"rooted\"", "layer rooted is missing"},
        {"/etc/passwd", "\"a/layer.tar\"", "the name /etc/passwd is absolute"},
        {"../../etc/passwd", "\"a/layer.tar\"", "the name ../../etc/passwd is absolute"},
        {"a/layer.tar", "\"a/layer.tar\"", "image configuration: line 1, column 1"},
        {"config", "7", "manifest.json: [0].Layers[0] must be a string and is a number"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct made made = with(rows[i].config, rows[i].layers);

        check(&made, "", rows[i].expected);
    }
}

/* As go-containerregistry names a configuration. */
static void test_digest_as_name(void)
{
    const char *config = made_config("amd64", one), *digest = made_digest(config);
    struct made made = {.count = 0};

    made_add(&made, digest, config);
    made_add(&made, "x.tar.gz", "layer one");
    made_add(&made, "manifest.json",
             arena_printf(&arena, "[{\"Config\":\"%s\",\"RepoTags\":[\"a:b\"],\"Layers\":[\"x.tar.gz\"]}]",
                          digest));
    check(&made, "", "amd64: layer one");
    made_find(&made, digest)->bytes = arena_join(&arena, " ", config + 1, NULL);
    check(&made, "", "it was changed; copy it again");
}

/* Other tools' names say no digest: it is that of what is there. */
static void test_config_digest(void)
{
    const struct made made = with("config", "\"a/layer.tar\"");
    struct layout_image image;

    TAP_OK(made_open(&image, "docker-archive:", made_archive(&made), "", "amd64"), err);
    TAP_STR(image.config_digest, made_digest(made_config("amd64", one)));
    TAP_STR(image.config, made_config("amd64", one));
    TAP_INT(image.config_length, strlen(image.config));
    TAP_STR(image.digest, NULL);
    TAP_STR(image.layers[0].digest, NULL);
    TAP_STR(image.layers[0].diff_id, made_digest("layer one"));
    layout_close(&image);
}

static void test_no_docker_archive(void)
{
    struct made oci = {.count = 0}, old = {.count = 0}, other = {.count = 0}, twice = old_form();

    made_layout(&oci, made_image(&oci, "amd64", one, ""));
    check(&oci, "", "it has no manifest.json but an index.json: this is an oci-archive:");
    made_add(&old, "repositories", "{}");
    check(&old, "", "Docker before 1.10 wrote it, which is too old");
    made_add(&other, "usr/bin/true", "");
    check(&other, "", "it has no manifest.json: `docker save` did not write it");
    made_add(&twice, "./manifest.json", "[]");
    check(&twice, "", "it has manifest.json twice, and readers differ on which of them counts");
    made_add(&other, "manifest.json", "[]");
    check(&other, "", "its manifest.json lists no image");
}

int main(void)
{
    made_begin();
    test_old_form();
    test_new_form();
    test_layers();
    test_digest_as_name();
    test_config_digest();
    test_no_docker_archive();
    made_end();
    return tap_done();
}
