#include "flatten/tree.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

enum { FIRST_ROOM = 4096, DIRECTORY_MODE = S_IFDIR | 0755 };

static struct flatten_inode *implicit_directory(struct tree *tree, uint32_t mtime)
{
    struct flatten_inode *inode = arena_alloc(tree->work->arena, sizeof(*inode));

    inode->mode = DIRECTORY_MODE;
    inode->mtime = mtime;
    return inode;
}

int tree_begin(struct tree *tree, struct work *work, struct err *err)
{
    *tree = (struct tree){.work = work, .mask = FIRST_ROOM - 1};
    tree->table = calloc(FIRST_ROOM, sizeof(struct node *));
    if (!tree->table || getrandom(&tree->seed, sizeof(tree->seed), 0) != sizeof(tree->seed))
        return err_set(err, ERR_NO_MEMORY, "no memory for the names of the image");
    tree->root = arena_alloc(work->arena, sizeof(*tree->root));
    tree->root->node = (struct flatten_node){.name = "", .parent = &tree->root->node};
    tree->root->node.inode = implicit_directory(tree, 0);
    return 0;
}

void tree_free(struct tree *tree)
{
    free(tree->table);
    tree->table = NULL;
}

static uint32_t hash_name(const struct tree *tree, const struct node *dir, const char *name, size_t length)
{
    uint64_t hash = tree->seed ^ dir->number;

    for (size_t i = 0; i < length; i++) {
        unsigned __int128 product =
            (unsigned __int128)(hash ^ (unsigned char)name[i]) * UINT64_C(0x9E3779B97F4A7C15);

        hash = (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    return (uint32_t)(hash ^ hash >> 32);
}

/* The node of the name, gone or not, or NULL; *SLOT is its place in the table. */
static struct node *look_up(struct tree *tree, struct node *dir, uint32_t hash, const char *name,
                            size_t length, struct node ***slot)
{
    for (size_t i = hash & tree->mask;; i = (i + 1) & tree->mask) {
        struct node *node = tree->table[i];

        *slot = &tree->table[i];
        if (!node || (node->hash == hash && node->node.parent == &dir->node &&
                      strncmp(node->node.name, name, length) == 0 && !node->node.name[length]))
            return node;
    }
}

struct node *tree_find(struct tree *tree, struct node *dir, const char *name, size_t length)
{
    struct node **slot, *node = look_up(tree, dir, hash_name(tree, dir, name, length), name, length, &slot);

    return node && !node->gone ? node : NULL;
}

static int grow(struct tree *tree)
{
    size_t room = (tree->mask + 1) * 2;
    struct node **table = calloc(room, sizeof(struct node *));

    if (!table)
        return -1;
    for (size_t i = 0; i <= tree->mask; i++) {
        if (tree->table[i]) {
            size_t at = tree->table[i]->hash & (room - 1);

            while (table[at])
                at = (at + 1) & (room - 1);
            table[at] = tree->table[i];
        }
    }
    free(tree->table);
    tree->table = table;
    tree->mask = room - 1;
    return 0;
}

static struct node *add(struct tree *tree, struct node *dir, const char *name, size_t length, struct err *err)
{
    uint32_t hash = hash_name(tree, dir, name, length);
    struct node **slot, *node;

    if (dir->depth >= FLATTEN_DEPTH_LIMIT) {
        err_set(err, ERR_LAYER, "more than %d directories lie in each other", FLATTEN_DEPTH_LIMIT);
        return NULL;
    }
    if (tree->count * 2 > tree->mask && grow(tree) < 0) {
        err_set(err, ERR_NO_MEMORY, "no memory for the names of the image");
        return NULL;
    }
    if (work_take(tree->work, sizeof(*node) + 2 * sizeof(node) + length, err) < 0)
        return NULL;
    look_up(tree, dir, hash, name, length, &slot);
    node = arena_alloc(tree->work->arena, sizeof(*node));
    /* Most names are the end of an entry's path, which stays. */
    node->node.name = name[length] == '\0' ? name : arena_strndup(tree->work->arena, name, length);
    node->node.parent = &dir->node;
    node->depth = dir->depth + 1;
    node->hash = hash;
    node->number = (uint32_t)++tree->count;
    node->gone = 1;
    *slot = node;
    return node;
}

/* They leave the list: what is put and cleared again and again costs no more each time. */
void tree_clear(struct node *dir)
{
    if (dir->live == 0)
        return;
    for (struct flatten_node *child = dir->node.first; child; child = child->next) {
        ((struct node *)child)->gone = 1;
        ((struct node *)child)->listed = 0;
    }
    dir->node.first = NULL;
    dir->live = 0;
}

void tree_remove(struct node *node)
{
    if (node->gone)
        return;
    node->gone = 1;
    ((struct node *)node->node.parent)->live--;
}

struct node *tree_put(struct tree *tree, struct node *dir, const char *name, size_t length,
                      struct flatten_inode *inode, struct err *err)
{
    struct node **slot, *node = look_up(tree, dir, hash_name(tree, dir, name, length), name, length, &slot);

    if (!node)
        node = add(tree, dir, name, length, err);
    if (!node)
        return NULL;
    /* What was beneath stays only where a directory is listed again. */
    if (node->gone || !S_ISDIR(inode->mode) || !S_ISDIR(node->node.inode->mode))
        tree_clear(node);
    if (node->gone) {
        node->gone = 0;
        dir->live++;
    }
    if (!node->listed) {
        node->listed = 1;
        node->node.next = dir->node.first;
        dir->node.first = &node->node;
    }
    node->node.inode = inode;
    return node;
}

/* One walk along a path and the links on it. */
struct walk {
    struct tree *tree;
    const uint32_t *mtime; /* NULL: nothing is made */
    unsigned links;
    struct err *err;
};

static int walk_path(struct walk *walk, struct node *dir, const char *path, size_t length,
                     struct node **result);

/* An entry of a few bytes may lead along forty links of four thousand, and so may millions. */
static int walk_link(struct work *work, size_t length, struct err *err)
{
    work->walked += length;
    if (work->walked > FLATTEN_WALK_LIMIT)
        return err_set(err, ERR_LAYER,
                       "so many names of the image lie behind so long symbolic links that to follow them "
                       "would take hours; it was made to be slow");
    return 0;
}

/* From *DIR to its child NAME, which becomes *DIR; NULL where there is no such directory. 0 or -1. */
static int walk_name(struct walk *walk, struct node **dir, const char *name, size_t length)
{
    struct node *parent = *dir, *child = tree_find(walk->tree, parent, name, length);
    struct flatten_inode *inode = child ? child->node.inode : NULL;

    *dir = child;
    if (inode && S_ISDIR(inode->mode))
        return 0;
    if (inode && S_ISLNK(inode->mode)) {
        if (++walk->links > FLATTEN_LINK_LIMIT)
            return err_set(walk->err, ERR_LAYER, "more than %d symbolic links lead to each other at \"%s\"",
                           FLATTEN_LINK_LIMIT, child->node.name);
        if (walk_link(walk->tree->work, strlen(inode->target), walk->err) < 0)
            return -1;
        return walk_path(walk, inode->target[0] == '/' ? walk->tree->root : parent, inode->target,
                         strlen(inode->target), dir);
    }
    *dir = NULL;
    if (!walk->mtime)
        return 0;
    if (work_take(walk->tree->work, sizeof(*inode), walk->err) < 0)
        return -1;
    *dir =
        tree_put(walk->tree, parent, name, length, implicit_directory(walk->tree, *walk->mtime), walk->err);
    return *dir ? 0 : -1;
}

static int walk_path(struct walk *walk, struct node *dir, const char *path, size_t length,
                     struct node **result)
{
    const char *end = path + length;

    while (dir && path < end) {
        const char *slash = memchr(path, '/', (size_t)(end - path));
        size_t part = (size_t)((slash ? slash : end) - path);

        if (part == 2 && path[0] == '.' && path[1] == '.')
            dir = (struct node *)dir->node.parent;
        else if (part > FLATTEN_NAME_LIMIT)
            return err_set(walk->err, ERR_LAYER,
                           "a symbolic link on the way has a name of more than %d bytes", FLATTEN_NAME_LIMIT);
        else if (part && !(part == 1 && path[0] == '.') && walk_name(walk, &dir, path, part) < 0)
            return -1;
        path += part + 1;
    }
    *result = dir;
    return 0;
}

int tree_directory(struct tree *tree, const char *path, size_t length, const uint32_t *mtime,
                   struct node **dir, struct err *err)
{
    struct walk walk = {.tree = tree, .mtime = mtime, .err = err};

    return walk_path(&walk, tree->root, path, length, dir);
}

static int by_name(const void *a, const void *b)
{
    const struct flatten_node *const *left = a, *const *right = b;

    return strcmp((*left)->name, (*right)->name);
}

/* The children of DIR that are left, sorted and linked. 0 or -1. */
static int sort_children(struct node *dir, struct err *err)
{
    struct flatten_node **children;
    size_t count = 0;

    if (dir->live == 0) {
        dir->node.first = NULL;
        return 0;
    }
    children = malloc(dir->live * sizeof(*children));
    if (!children)
        return err_set(err, ERR_NO_MEMORY, "no memory for the names of the image");
    for (struct flatten_node *child = dir->node.first; child; child = child->next) {
        if (!((struct node *)child)->gone)
            children[count++] = child;
    }
    qsort(children, count, sizeof(*children), by_name);
    for (size_t i = 0; i < count; i++)
        children[i]->next = i + 1 < count ? children[i + 1] : NULL;
    dir->node.first = children[0];
    free(children);
    return 0;
}

static void count_inode(struct flatten_inode *inode, struct flatten_tree *result)
{
    if (inode->links++ == 0)
        result->inode_count++;
    if (inode->mtime > result->newest)
        result->newest = inode->mtime;
}

static int settle(struct node *dir, struct flatten_tree *result, struct err *err)
{
    if (sort_children(dir, err) < 0)
        return -1;
    dir->node.inode->links++;
    for (struct flatten_node *child = dir->node.first; child; child = child->next) {
        count_inode(child->inode, result);
        if (!S_ISDIR(child->inode->mode)) {
            child->first = NULL; /* it may have been a directory before */
            continue;
        }
        dir->node.inode->links++;
        if (settle((struct node *)child, result, err) < 0)
            return -1;
    }
    return 0;
}

int tree_settle(struct tree *tree, struct flatten_tree *result, struct err *err)
{
    *result = (struct flatten_tree){.root = &tree->root->node};
    count_inode(tree->root->node.inode, result);
    return settle(tree->root, result, err);
}
