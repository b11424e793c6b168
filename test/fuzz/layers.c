/*
 * Fuzz target: the layers of an image, which whoever made it could fill as he liked. In the
 * input a line is a member, "KIND PATH>TARGET" with the kind as in a tar's header, and "--"
 * begins the next layer; an input that begins with a zero byte is a layer itself, without
 * that byte. Finds crashes, leaks and trees that break the contract of lib/flatten/flatten.h.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/flatten/made.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void __attribute__((noreturn)) no_memory(void)
{
    abort();
}

static void check(int holds)
{
    if (!holds)
        abort();
}

/* A sink that counts. */
struct counter {
    struct flatten_sink sink;
    uint64_t left, files;
};

static int begin(struct flatten_sink *sink, uint64_t size, struct err *err)
{
    struct counter *counter = (struct counter *)sink;

    (void)err;
    check(size > 0);
    counter->left = size;
    return 0;
}

static int hole(struct flatten_sink *sink, uint64_t length, struct err *err)
{
    struct counter *counter = (struct counter *)sink;

    (void)err;
    check(length <= counter->left);
    counter->left -= length;
    return 0;
}

static int append(struct flatten_sink *sink, const void *bytes, size_t length, struct err *err)
{
    (void)bytes;
    return hole(sink, length, err);
}

static int end(struct flatten_sink *sink, uint64_t *handle, struct err *err)
{
    struct counter *counter = (struct counter *)sink;

    (void)err;
    check(counter->left == 0);
    *handle = ++counter->files;
    return 0;
}

static void check_directory(const struct counter *counter, const struct flatten_node *dir)
{
    const char *before = "";

    for (const struct flatten_node *node = dir->first; node; node = node->next) {
        const struct flatten_inode *inode = node->inode;

        check(node->parent == dir && strcmp(before, node->name) < 0);
        check(!strchr(node->name, '/') && strcmp(node->name, ".") != 0 && strcmp(node->name, "..") != 0);
        check(strncmp(node->name, ".wh.", 4) != 0 && strlen(node->name) <= FLATTEN_NAME_LIMIT);
        check(inode->links > 0 && inode->handle <= counter->files);
        check(!S_ISREG(inode->mode) || (inode->size == 0) == (inode->handle == 0));
        check(!S_ISCHR(inode->mode) && !S_ISBLK(inode->mode));
        check(S_ISDIR(inode->mode) || !node->first);
        before = node->name;
        check_directory(counter, node);
    }
}

static int finish(struct flatten_sink *sink, const struct flatten_tree *tree, struct err *err)
{
    (void)err;
    check(tree->root->parent == tree->root && S_ISDIR(tree->root->inode->mode));
    check_directory((struct counter *)sink, tree->root);
    return 0;
}

/* A member from the line of LENGTH bytes. */
static void add_member(int fd, const char *line, size_t length)
{
    char text[256], *target;

    if (length < 2 || length >= sizeof(text))
        return;
    memcpy(text, line, length);
    text[length] = '\0';
    target = strchr(text, '>');
    if (target)
        *target++ = '\0';
    made_member(fd, text[0], text + 2 <= text + strlen(text) ? text + 2 : "", target ? target : "", "x",
                text[0] == '0');
}

static size_t read_lines(struct layer *layers, const char *text, size_t length)
{
    const char *limit = text + length;
    size_t count = 0;
    int fd = memfd_create("layer", MFD_CLOEXEC);

    while (text < limit) {
        const char *newline = memchr(text, '\n', (size_t)(limit - text));
        size_t part = (size_t)((newline ? newline : limit) - text);

        if (part == 2 && memcmp(text, "--", 2) == 0 && count + 1 < MADE_LAYERS) {
            made_end(fd);
            layers[count++] = made_layer_of(fd);
            fd = memfd_create("layer", MFD_CLOEXEC);
        } else {
            add_member(fd, text, part);
        }
        text += part + 1;
    }
    made_end(fd);
    layers[count++] = made_layer_of(fd);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct counter counter = {.sink = {begin, append, hole, end, finish}};
    static struct arena arena;
    struct layer layers[MADE_LAYERS];
    struct flatten_request request = {.layers = layers, .layer_count = 1};
    struct err err = {.id = ERR_COUNT};

    arena_init(&arena, no_memory);
    if (length && bytes[0] == 0) {
        int fd = memfd_create("layer", MFD_CLOEXEC);

        made_write(fd, bytes + 1, length - 1);
        layers[0] = made_layer_of(fd);
        layers[0].is_tar = 1; /* for all kinds of compression */
    } else {
        request.layer_count = read_lines(layers, (const char *)bytes, length);
    }
    if (flatten(&request, &counter.sink, NULL, &arena, &err) < 0)
        check(err.id == ERR_LAYER && err.text[0]);
    for (size_t i = 0; i < request.layer_count; i++)
        close(layers[i].fd);
    arena_free(&arena);
    return 0;
}
