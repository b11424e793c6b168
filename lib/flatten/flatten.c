#include "flatten/flatten.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "flatten/apply.h"

/* All layers, the top one first. */
static int read_layers(struct work *work, struct err *err)
{
    const struct flatten_request *request = work->request;

    work->seen = seen_create();
    if (!work->seen)
        return err_set(err, ERR_NO_MEMORY, "no memory for the names of the image");
    for (size_t i = request->layer_count; i-- > 0;) {
        if ((request->await && request->await(request->progress_data, i, err) < 0) ||
            read_layer(work, i, err) < 0)
            return -1;
    }
    seen_destroy(work->seen);
    work->seen = NULL;
    return 0;
}

static int is_missing(const struct flatten_inode *inode)
{
    return S_ISREG(inode->mode) && inode->size > 0 && inode->handle == 0;
}

/* Marks what is in the tree and has no contents yet. Whether there is any. */
static int mark_missing(struct flatten_node *dir)
{
    int any = 0;

    for (struct flatten_node *child = dir->first; child; child = child->next) {
        if (is_missing(child->inode)) {
            child->inode->handle = HANDLE_WANTED;
            any = 1;
        }
        any |= mark_missing(child);
    }
    return any;
}

static int has_wanted(const struct journal *journal)
{
    for (size_t i = 0; i < journal->count; i++) {
        const struct entry *entry = &journal->entries[i];

        if (entry->kind == ENTRY_INODE && entry->inode->handle == HANDLE_WANTED)
            return 1;
    }
    return 0;
}

/* Reads the contents that were passed over and are needed after all. */
static int fetch_missing(struct work *work, const struct flatten_tree *tree, struct err *err)
{
    if (!mark_missing(tree->root))
        return 0;
    for (size_t i = work->request->layer_count; i-- > 0;) {
        if (!has_wanted(&work->journals[i]))
            continue;
        work->counts.reread++;
        if (reread_layer(work, i, err) < 0)
            return -1;
        if (has_wanted(&work->journals[i]))
            return err_set(err, ERR_LAYER, "layer %zu changed while it was read", i + 1);
    }
    return 0;
}

/* Last of all contents: so it is also where the layers are what a SquashFS of ours had. */
static int store_config(const struct work *work, struct err *err)
{
    const struct flatten_request *request = work->request;
    struct flatten_sink *sink = work->sink;

    if (!work->config || request->config_length == 0)
        return 0;
    if (sink->file_begin(sink, request->config_length, err) < 0 ||
        sink->file_append(sink, request->config, request->config_length, err) < 0)
        return -1;
    return sink->file_end(sink, &work->config->handle, err);
}

/* The image's configuration, in a directory of its own. */
static int add_config(struct tree *tree, struct err *err)
{
    struct work *work = tree->work;
    const struct flatten_request *request = work->request;
    struct flatten_inode *directory, *file;
    struct node *node;

    if (!request->config)
        return 0;
    directory = arena_alloc(work->arena, sizeof(*directory));
    file = arena_alloc(work->arena, sizeof(*file));
    directory->mode = S_IFDIR | 0755;
    file->mode = S_IFREG | 0644;
    file->size = request->config_length;
    work->config = file;
    node = tree_find(tree, tree->root, request->config_dir, strlen(request->config_dir));
    if (node)
        tree_remove(node);
    node = tree_put(tree, tree->root, request->config_dir, strlen(request->config_dir), directory, err);
    if (!node)
        return -1;
    return tree_put(tree, node, request->config_name, strlen(request->config_name), file, err) ? 0 : -1;
}

static void free_journals(struct work *work)
{
    for (size_t i = 0; i < work->request->layer_count; i++)
        free(work->journals[i].entries);
    free(work->journals);
}

static int apply(struct work *work, struct tree *tree, struct err *err)
{
    if (tree_begin(tree, work, err) < 0 || apply_layers(tree, err) < 0)
        return -1;
    work->counts.is_empty = tree->root->live == 0;
    if (work->counts.is_empty && work->request->needs_files)
        return layer_refuse_empty(err);
    return add_config(tree, err);
}

static int build(struct work *work, struct tree *tree, struct err *err)
{
    struct flatten_tree result;

    if (apply(work, tree, err) < 0)
        return -1;
    tree_free(tree);
    if (tree_settle(tree, &result, err) < 0 || fetch_missing(work, &result, err) < 0 ||
        store_config(work, err) < 0)
        return -1;
    if (result.root->inode->mtime == 0)
        result.root->inode->mtime = result.newest;
    if (work->request->finishing)
        work->request->finishing(work->request->progress_data);
    return work->sink->finish(work->sink, &result, err);
}

int work_take(struct work *work, uint64_t bytes, struct err *err)
{
    const uint64_t limit = work->request->memory_limit ? work->request->memory_limit : FLATTEN_MEMORY_LIMIT;

    if (bytes > limit - work->memory)
        return err_set(err, ERR_LAYER,
                       "the names of the image, with directories that none of its layers lists, would take "
                       "more than %llu MiB of memory; it was made to be too large, or by mistake",
                       (unsigned long long)(limit >> 20));
    work->memory += bytes;
    return 0;
}

int flatten(const struct flatten_request *request, struct flatten_sink *sink, struct flatten_counts *counts,
            struct arena *arena, struct err *err)
{
    struct work work = {.request = request, .sink = sink, .arena = arena};
    struct tree tree = {0};
    int result = -1;

    if (counts)
        *counts = work.counts;
    if (request->layer_count > FLATTEN_LAYER_LIMIT)
        return err_set(err, ERR_LAYER, "the image has %zu layers; up to %d are read", request->layer_count,
                       FLATTEN_LAYER_LIMIT);
    work.journals = calloc(request->layer_count + 1, sizeof(*work.journals));
    if (!work.journals)
        return err_set(err, ERR_NO_MEMORY, "no memory for the names of the image");
    if (read_layers(&work, err) == 0)
        result = build(&work, &tree, err);
    seen_destroy(work.seen);
    tree_free(&tree);
    free_journals(&work);
    if (counts)
        *counts = work.counts;
    return result;
}
