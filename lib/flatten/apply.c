/* Layers applied to the tree, bottom first: the rules of flatten.h. */
#include <string.h>
#include <sys/stat.h>

#include "flatten/apply.h"

/* PATH as its directory, up to LENGTH, and the name in it. */
static const char *split(const char *path, size_t *length)
{
    const char *slash = strrchr(path, '/');

    *length = slash ? (size_t)(slash - path) : 0;
    return slash ? slash + 1 : path;
}

/* Whiteouts and opaque markers: they hide what lower layers have, so they come first. */
static int hide(struct tree *tree, const struct entry *entry, struct err *err)
{
    size_t length = strlen(entry->path);
    const char *name = NULL;
    struct node *dir, *node;

    if (entry->kind == ENTRY_WHITEOUT)
        name = split(entry->path, &length);
    if (tree_directory(tree, entry->path, length, NULL, &dir, err) < 0)
        return -1;
    if (!dir)
        return 0;
    if (!name) {
        tree_clear(dir);
        return 0;
    }
    node = tree_find(tree, dir, name, strlen(name));
    if (node)
        tree_remove(node);
    return 0;
}

/* What the hard link ENTRY is a name of. NULL with ERR. */
static struct flatten_inode *link_target(struct tree *tree, const struct entry *entry, struct err *err)
{
    size_t length;
    const char *name = split(entry->target, &length);
    struct node *dir, *node = NULL;

    if (tree_directory(tree, entry->target, length, NULL, &dir, err) < 0)
        return NULL;
    if (dir && *name)
        node = tree_find(tree, dir, name, strlen(name));
    if (!node) {
        err_set(err, ERR_LAYER, "it is a hard link to /%s, which does not exist at this place of the layers",
                entry->target);
        return NULL;
    }
    if (S_ISDIR(node->node.inode->mode)) {
        err_set(err, ERR_LAYER, "it is a hard link to the directory /%s", entry->target);
        return NULL;
    }
    return node->node.inode;
}

static int put_root(struct tree *tree, const struct entry *entry, struct err *err)
{
    if (entry->kind != ENTRY_INODE || !S_ISDIR(entry->inode->mode))
        return err_set(err, ERR_LAYER, "the root of the image is not a directory there");
    tree->root->node.inode = entry->inode;
    return 0;
}

static int put(struct tree *tree, const struct entry *entry, uint32_t mtime, struct err *err)
{
    struct flatten_inode *inode = NULL;
    size_t length;
    const char *name = split(entry->path, &length);
    struct node *dir, *old;

    if (!*name)
        return put_root(tree, entry, err);
    if (entry->kind == ENTRY_LINK) {
        if (strcmp(entry->path, entry->target) == 0)
            return err_set(err, ERR_LAYER, "it is a hard link to itself");
        inode = link_target(tree, entry, err);
        if (!inode)
            return -1;
    } else if (entry->kind == ENTRY_INODE) {
        inode = entry->inode;
    }
    if (tree_directory(tree, entry->path, length, &mtime, &dir, err) < 0)
        return -1;
    if (inode)
        return tree_put(tree, dir, name, strlen(name), inode, err) ? 0 : -1;
    old = tree_find(tree, dir, name, strlen(name));
    if (old)
        tree_remove(old);
    return 0;
}

static int apply_layer(struct tree *tree, const struct journal *journal, struct err *err)
{
    uint32_t mtime = 0;

    for (size_t i = 0; i < journal->count; i++) {
        const struct entry *entry = &journal->entries[i];

        if (entry->kind != ENTRY_WHITEOUT && entry->kind != ENTRY_OPAQUE)
            continue;
        if (hide(tree, entry, err) < 0)
            return name_blame(entry->path, "the whiteout of ", err);
    }
    for (size_t i = 0; i < journal->count; i++) {
        const struct entry *entry = &journal->entries[i];

        if (entry->kind == ENTRY_WHITEOUT || entry->kind == ENTRY_OPAQUE || entry->kind == ENTRY_IGNORED)
            continue;
        if (entry->kind == ENTRY_INODE)
            mtime = entry->inode->mtime;
        if (put(tree, entry, mtime, err) < 0)
            return name_blame(entry->path, "", err);
    }
    return 0;
}

int apply_layers(struct tree *tree, struct err *err)
{
    const struct work *work = tree->work;

    for (size_t i = 0; i < work->request->layer_count; i++) {
        if (apply_layer(tree, &work->journals[i], err) < 0)
            return err_prefix(err, "layer %zu of %zu", i + 1, work->request->layer_count);
    }
    return 0;
}
