#include "fuse/greeting.h"

#include <string.h>
#include <sys/stat.h>

#include "foreign/foreign.h"
#include "image/image.h"
#include "image/server-message.h"

/* What NAME, of LENGTH bytes, is in DIRECTORY. 1, 0: there is none, -1. */
static int find(struct squash *squash, const struct squash_node *directory, const char *name, size_t length,
                struct squash_node *found)
{
    uint64_t reference;
    int result;

    if (!S_ISDIR(directory->inode.base.mode))
        return 0;
    result = squash_lookup(squash, directory, name, length, &reference);
    return result <= 0 ? result : squash_node(squash, reference, found) < 0 ? -1 : 1;
}

/* The same for PATH beneath the root; links are not followed. */
static int find_path(struct squash *squash, const char *path, struct squash_node *node)
{
    int found = squash_node(squash, squash_root(squash), node) < 0 ? -1 : 1;

    while (found > 0 && *path) {
        const size_t length = strcspn(path, "/");
        const struct squash_node directory = *node;

        found = find(squash, &directory, path, length, node);
        path += length;
        path += *path == '/';
    }
    return found;
}

/* Adds the content of NODE, a regular file. 0 or -1. */
static int add_content(struct squash *squash, const struct squash_node *node, struct str *bytes)
{
    const size_t length = (size_t)node->inode.xtra.reg.file_size;
    char *content = arena_alloc(bytes->arena, length + 1);

    if (squash_read(squash, node, 0, length, content) != (int64_t)length)
        return -1;
    str_add_bytes(bytes, content, length);
    return 0;
}

static int is_empty(struct squash *squash)
{
    struct squash_node root;
    struct squash_entries entries;
    struct squash_entry entry;

    return squash_node(squash, squash_root(squash), &root) == 0 && S_ISDIR(root.inode.base.mode) &&
           squash_entries(squash, &root, 0, &entries) == 0 && squash_next(squash, &entries, &entry) == 0;
}

static enum foreign_found read_inside(void *context, const char *path, struct str *out)
{
    struct squash *squash = context;
    struct squash_node node;
    int found = find_path(squash, path, &node);

    if (found < 0)
        return FOREIGN_UNREADABLE;
    if (found == 0 || !S_ISREG(node.inode.base.mode))
        return FOREIGN_ABSENT;
    if (!out)
        return FOREIGN_FOUND;
    if (node.inode.xtra.reg.file_size > FOREIGN_FILE_LIMIT)
        return FOREIGN_TOO_LARGE;
    return add_content(squash, &node, out) < 0 ? FOREIGN_UNREADABLE : FOREIGN_FOUND;
}

static int is_directory_inside(void *context, const char *path)
{
    struct squash_node node;

    return find_path(context, path, &node) > 0 && S_ISDIR(node.inode.base.mode);
}

static int read_foreign(struct squash *squash, struct str *bytes, struct err *err)
{
    const struct foreign_source source = {read_inside, is_directory_inside, squash};

    return foreign_collect(bytes, &source, err) < 0 ? -1 : bytes->length > 0;
}

static int is_damaged(struct err *err)
{
    return err_set(err, ERR_IMAGE_DAMAGED, "its " IMAGE_CONFIG_DIR "/" IMAGE_CONFIG_NAME " cannot be read");
}

int greeting_read(struct squash *squash, struct str *bytes, struct err *err)
{
    struct squash_node node;
    int found;

    if (is_empty(squash))
        return err_set(err, ERR_IMAGE_EMPTY, "it is an empty directory");
    found = find_path(squash, IMAGE_CONFIG_DIR "/" IMAGE_CONFIG_NAME, &node);
    if (found == 0)
        return read_foreign(squash, bytes, err);
    if (found < 0)
        return is_damaged(err);
    if (!S_ISREG(node.inode.base.mode) || node.inode.xtra.reg.file_size > SERVER_CONFIG_LIMIT)
        return err_set(err, ERR_IMAGE_CONFIG, IMAGE_CONFIG_DIR "/" IMAGE_CONFIG_NAME " is %s",
                       S_ISREG(node.inode.base.mode) ? "too large" : "not a regular file");
    return add_content(squash, &node, bytes) < 0 ? is_damaged(err) : 1;
}
