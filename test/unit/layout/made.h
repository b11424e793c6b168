/*
 * made - layouts and archives, made for the tests of this folder: files by name, written to a
 * directory or to a tar archive.
 */
#ifndef CORACLE_TEST_LAYOUT_MADE_H
#define CORACLE_TEST_LAYOUT_MADE_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/remove.h"
#include "base/str.h"
#include "checksum/checksum.h"
#include "layout/blob.h"
#include "layout/layout.h"
#include "../../tap.h"

#define OCI "application/vnd.oci.image."
#define MARKER "{\"imageLayoutVersion\":\"1.0.0\"}"

static struct arena arena;
static struct err err;
static const char *scratch; /* a directory, removed by made_end() */

struct made_file {
    const char *name;
    const char *bytes;
    size_t length;
    char type; /* of tar */
    const char *target;
};

struct made {
    struct made_file files[64];
    size_t count;
};

static void __attribute__((noreturn)) made_fail(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static inline void made_begin(void)
{
    const char *base = getenv("TMPDIR");
    char *name;

    arena_init(&arena, tap_no_memory);
    name = arena_join(&arena, base ? base : "/tmp", "/coracle-test-XXXXXX", NULL);
    if (!mkdtemp(name))
        made_fail(name);
    scratch = name;
}

static inline void made_end(void)
{
    FD_CLEANUP int base = open(path_parent(&arena, scratch), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (base < 0 || remove_tree(base, path_basename(scratch)) < 0)
        made_fail(scratch);
    arena_free(&arena);
}

/* A path in the scratch directory that was not given before. */
static inline const char *made_path(const char *name)
{
    static int number;

    return arena_printf(&arena, "%s/%s-%d", scratch, name, ++number);
}

static inline void made_add_bytes(struct made *made, const char *name, const char *bytes, size_t length)
{
    if (made->count == sizeof(made->files) / sizeof(made->files[0]))
        made_fail("too many files");
    made->files[made->count++] = (struct made_file){name, bytes, length, '0', ""};
}

static inline void made_add(struct made *made, const char *name, const char *text)
{
    made_add_bytes(made, name, text, strlen(text));
}

static inline void made_add_link(struct made *made, const char *name, char type, const char *target)
{
    made_add_bytes(made, name, "", 0);
    made->files[made->count - 1].type = type;
    made->files[made->count - 1].target = target;
}

static inline struct made_file *made_find(struct made *made, const char *name)
{
    for (size_t i = 0; i < made->count; i++)
        if (strcmp(made->files[i].name, name) == 0)
            return &made->files[i];
    made_fail(name);
}

static inline const char *made_digest(const char *text)
{
    char digest[CHECKSUM_TEXT];

    return arena_strdup(&arena, checksum_of(digest, "sha256:", text, strlen(text)));
}

static inline const char *made_blob_name(const char *digest)
{
    char *name = arena_join(&arena, "blobs/", digest, NULL);

    *strchr(name, ':') = '/';
    return name;
}

/* Adds TEXT as a blob and returns a descriptor of it, with MORE members: "" or ",...". */
static inline const char *made_blob(struct made *made, const char *type, const char *text, const char *more)
{
    const char *digest = made_digest(text), *name = made_blob_name(digest);
    size_t i = 0;

    while (i < made->count && strcmp(made->files[i].name, name) != 0)
        i++;
    if (i == made->count)
        made_add(made, name, text);
    return arena_printf(&arena, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu%s}", type, digest,
                        strlen(text), more);
}

/* A configuration of layers that are these texts, a list that ends with NULL. */
static inline const char *made_config(const char *architecture, const char *const *layers)
{
    struct str out = {.arena = &arena};

    str_addf(&out, "{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[",
             architecture);
    for (size_t i = 0; layers[i]; i++)
        str_addf(&out, "%s\"%s\"", i ? "," : "", made_digest(layers[i]));
    str_add(&out, "]}}");
    return str_text(&out);
}

/* Adds an image of these layers; the descriptor of its manifest, with MORE members. */
static inline const char *made_image(struct made *made, const char *architecture, const char *const *layers,
                                     const char *more)
{
    struct str out = {.arena = &arena};

    str_addf(&out, "{\"schemaVersion\":2,\"config\":%s,\"layers\":[",
             made_blob(made, OCI "config.v1+json", made_config(architecture, layers), ""));
    for (size_t i = 0; layers[i]; i++)
        str_addf(&out, "%s%s", i ? "," : "", made_blob(made, OCI "layer.v1.tar", layers[i], ""));
    str_add(&out, "]}");
    return made_blob(made, OCI "manifest.v1+json", str_text(&out), more);
}

static inline const char *made_index(const char *entries)
{
    return arena_printf(&arena, "{\"schemaVersion\":2,\"manifests\":[%s]}", entries);
}

/* Adds what makes it an OCI layout. */
static inline void made_layout(struct made *made, const char *entries)
{
    made_add(made, "oci-layout", MARKER);
    made_add(made, "index.json", made_index(entries));
}

static inline void made_file(const char *path, const char *bytes, size_t length)
{
    FD_CLEANUP int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    if (fd < 0 || fd_write_all(fd, bytes, length) < 0)
        made_fail(path);
}

static inline const char *made_directory(const struct made *made)
{
    const char *path = made_path("layout");

    if (mkdir(path, 0755) < 0)
        made_fail(path);
    for (size_t i = 0; i < made->count; i++) {
        char *name = arena_join(&arena, path, "/", made->files[i].name, NULL);

        for (char *slash = strchr(name + strlen(path) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
            *slash = '\0';
            if (mkdir(name, 0755) < 0 && errno != EEXIST)
                made_fail(name);
            *slash = '/';
        }
        if (made->files[i].type != '2')
            made_file(name, made->files[i].bytes, made->files[i].length);
        else if (symlink(made->files[i].target, name) < 0)
            made_fail(name);
    }
    return path;
}

enum { TAR_BLOCK = 512, TAR_SIZE_AT = 124, TAR_CHECKSUM_AT = 148 };

/* Puts the checksum into a header. */
static inline void made_checksum(char block[TAR_BLOCK])
{
    unsigned sum = 0;

    memset(block + TAR_CHECKSUM_AT, ' ', 8);
    for (int i = 0; i < TAR_BLOCK; i++)
        sum += (unsigned char)block[i];
    snprintf(block + TAR_CHECKSUM_AT, 8, "%06o", sum & 0777777);
}

static inline void made_header(char block[TAR_BLOCK], const char *name, char type, const char *target,
                               uint64_t size)
{
    memset(block, 0, TAR_BLOCK);
    memcpy(block, name, strnlen(name, 100));
    memcpy(block + 100, "0000644\0000000000\0000000000", 24);
    snprintf(block + TAR_SIZE_AT, 12, "%011llo", (unsigned long long)size & 077777777777);
    memcpy(block + 136, "00000000000", 12);
    block[156] = type;
    memcpy(block + 157, target, strnlen(target, 100));
    memcpy(block + 257, "ustar\00000", 8);
    made_checksum(block);
}

static inline void made_tar_add(struct str *out, const char block[TAR_BLOCK], const char *bytes,
                                size_t length)
{
    static const char zero[TAR_BLOCK];

    str_add_bytes(out, block, TAR_BLOCK);
    str_add_bytes(out, bytes, length);
    str_add_bytes(out, zero, (TAR_BLOCK - length % TAR_BLOCK) % TAR_BLOCK);
}

/* An entry with the usual header. */
static inline void made_tar_entry(struct str *out, const char *name, char type, const char *target,
                                  const char *bytes, size_t length)
{
    char block[TAR_BLOCK];

    made_header(block, name, type, target, length);
    made_tar_add(out, block, bytes, length);
}

static inline void made_tar_end(struct str *out)
{
    static const char zero[TAR_BLOCK];

    str_add_bytes(out, zero, sizeof(zero));
    str_add_bytes(out, zero, sizeof(zero));
}

static inline const char *made_tar_file(const struct str *out)
{
    const char *path = made_path("archive");

    made_file(path, out->data ? out->data : "", out->length);
    return path;
}

static inline const char *made_archive(const struct made *made)
{
    struct str out = {.arena = &arena};

    for (size_t i = 0; i < made->count; i++)
        made_tar_entry(&out, made->files[i].name, made->files[i].type, made->files[i].target,
                       made->files[i].bytes, made->files[i].length);
    made_tar_end(&out);
    return made_tar_file(&out);
}

/* PREFIX, PATH and what follows it, opened for PLATFORM. */
static inline int made_open(struct layout_image *image, const char *prefix, const char *path,
                            const char *rest, const char *platform)
{
    const char *text = arena_join(&arena, prefix, path, rest, NULL);
    struct oci_platform wanted;
    struct reference reference;

    if (reference_parse(&reference, text, &arena, ERR_USAGE, &err) < 0 ||
        oci_platform_parse(&wanted, platform, &arena, ERR_USAGE, &err) < 0)
        return -1;
    return layout_open(image, &reference, &wanted, -1, &arena, &err);
}

/* "ARCHITECTURE: LAYER|LAYER|" as they are read from where the image says, or the error. */
static inline const char *made_show(const char *prefix, const char *path, const char *rest,
                                    const char *platform)
{
    struct str out = {.arena = &arena};
    struct layout_image image;

    if (made_open(&image, prefix, path, rest, platform) < 0) {
        layout_close(&image);
        return err.text;
    }
    str_addf(&out, "%s:", image.platform.architecture);
    for (size_t i = 0; i < image.layer_count; i++) {
        const struct layer *layer = &image.layers[i];
        char *bytes = arena_alloc(&arena, (size_t)layer->size + 1);

        if (pread(layer->fd, bytes, (size_t)layer->size, (off_t)layer->offset) != (ssize_t)layer->size)
            str_add(&out, " UNREADABLE");
        else if (strcmp(made_digest(bytes), layer->diff_id) != 0)
            str_add(&out, " DIFF_ID");
        else if (layer->digest && strcmp(layer->digest, layer->diff_id) != 0)
            str_add(&out, " DIGEST");
        str_addf(&out, "%s%s", i ? "|" : " ", bytes);
    }
    layout_close(&image);
    return str_text(&out);
}

#endif
