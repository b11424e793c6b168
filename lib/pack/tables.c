/* What stands behind the data of a SquashFS: inodes, directories, ids, attributes. */
#include <errno.h>
#include <sqfs/dir_writer.h>
#include <sqfs/error.h>
#include <sqfs/id_table.h>
#include <sqfs/meta_writer.h>
#include <sqfs/xattr_writer.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pack/squashfs.h"

enum { NO_ATTRIBUTES = -1, DEVICE_BLOCK = 4096, ID_ROOM = 1 << 17 };

struct tables {
    struct packer *packer;
    sqfs_id_table_t *ids;
    sqfs_xattr_writer_t *attributes;
    sqfs_meta_writer_t *inodes, *directories;
    sqfs_dir_writer_t *directory;
    uint32_t last_number;
    uint64_t *places;    /* by number: where the inode stands, or NOT_WRITTEN */
    struct id *seen_ids; /* ID_ROOM: the library looks through all that it has */
};

struct id {
    uint32_t id;
    uint16_t index;
    uint16_t used;
};

/* Of an inode, sink_data is its number: from 1, where a number has been given. */
#define NOT_WRITTEN UINT64_MAX

static sqfs_u32 number_of(const struct flatten_inode *inode)
{
    return (sqfs_u32)inode->sink_data;
}

static int id_index(struct tables *tables, uint32_t id, sqfs_u16 *index)
{
    size_t at = (id * UINT32_C(0x9E3779B1)) >> 15;
    int result;

    while (tables->seen_ids[at].used && tables->seen_ids[at].id != id)
        at = (at + 1) % ID_ROOM;
    if (!tables->seen_ids[at].used) {
        result = sqfs_id_table_id_to_index(tables->ids, id, index);
        if (result)
            return result;
        tables->seen_ids[at] = (struct id){id, *index, 1};
    }
    *index = tables->seen_ids[at].index;
    return 0;
}

static int attribute_index(struct tables *tables, const struct flatten_inode *inode, sqfs_u32 *index)
{
    int result;

    *index = (sqfs_u32)NO_ATTRIBUTES;
    if (inode->attribute_count == 0)
        return 0;
    result = sqfs_xattr_writer_begin(tables->attributes, 0);
    for (uint32_t i = 0; i < inode->attribute_count && result == 0; i++)
        result = sqfs_xattr_writer_add(tables->attributes, inode->attributes[i].name,
                                       inode->attributes[i].value, inode->attributes[i].length);
    return result ? result : sqfs_xattr_writer_end(tables->attributes, index);
}

/* Of a file without contents (NULL), or of a part of a shared block. */
static sqfs_inode_generic_t *small_inode(const struct tables *tables, const struct content *content)
{
    sqfs_inode_generic_t *made = calloc(1, sizeof(*made));

    if (!made)
        return NULL;
    made->base.type = SQFS_INODE_FILE;
    sqfs_inode_set_frag_location(made, 0xFFFFFFFF, 0xFFFFFFFF);
    if (content) {
        const struct content *block = contents_get(tables->packer->contents, content->shared);

        sqfs_inode_set_file_size(made, content->length);
        sqfs_inode_set_frag_location(made, block->fragment - 1, content->offset);
    }
    return made;
}

static sqfs_inode_generic_t *copy_inode(const sqfs_inode_generic_t *made)
{
    sqfs_inode_generic_t *copy = calloc(1, sizeof(*copy) + made->payload_bytes_used);

    if (copy) {
        memcpy(copy, made, sizeof(*copy) + made->payload_bytes_used);
        copy->payload_bytes_available = made->payload_bytes_used;
    }
    return copy;
}

static sqfs_inode_generic_t *file_inode(struct tables *tables, const struct flatten_inode *inode)
{
    const struct content *content = NULL;
    sqfs_inode_generic_t *made;

    if (inode->handle)
        content = contents_get(tables->packer->contents, inode->handle);
    made = content && content->inode ? copy_inode(content->inode) : small_inode(tables, content);
    if (made && inode->links > 1)
        sqfs_inode_make_extended(made);
    if (made && made->base.type == SQFS_INODE_EXT_FILE)
        made->data.file_ext.nlink = inode->links;
    return made;
}

static sqfs_inode_generic_t *other_inode(const struct flatten_inode *inode)
{
    size_t length = S_ISLNK(inode->mode) ? strlen(inode->target) : 0;
    sqfs_inode_generic_t *made = calloc(1, sizeof(*made) + length);

    if (!made)
        return NULL;
    if (S_ISLNK(inode->mode)) {
        made->base.type = SQFS_INODE_SLINK;
        made->data.slink.nlink = inode->links;
        made->data.slink.target_size = (sqfs_u32)length;
        made->payload_bytes_available = made->payload_bytes_used = (sqfs_u32)length;
        memcpy(made->extra, inode->target, length);
    } else {
        made->base.type = S_ISFIFO(inode->mode) ? SQFS_INODE_FIFO : SQFS_INODE_SOCKET;
        made->data.ipc.nlink = inode->links;
    }
    return made;
}

/* Writes MADE as INODE and notes where. Frees MADE. 0 or an error. */
static int write_inode(struct tables *tables, const struct flatten_inode *inode, sqfs_inode_generic_t *made)
{
    sqfs_u32 attributes, offset;
    sqfs_u64 block;
    int result;

    if (!made)
        return SQFS_ERROR_ALLOC;
    made->base.mode = (sqfs_u16)inode->mode;
    made->base.mod_time = inode->mtime;
    made->base.inode_number = number_of(inode);
    result = attribute_index(tables, inode, &attributes);
    if (result == 0)
        result = sqfs_inode_set_xattr_index(made, attributes);
    if (result == 0)
        result = id_index(tables, inode->uid, &made->base.uid_idx);
    if (result == 0)
        result = id_index(tables, inode->gid, &made->base.gid_idx);
    sqfs_meta_writer_get_position(tables->inodes, &block, &offset);
    tables->places[number_of(inode)] = block << 16 | offset;
    if (result == 0)
        result = sqfs_meta_writer_write_inode(tables->inodes, made);
    free(made);
    return result;
}

static int write_directory(struct tables *tables, const struct flatten_node *dir)
{
    const struct flatten_inode *inode = dir->inode;
    sqfs_inode_generic_t *made;
    int result = sqfs_dir_writer_begin(tables->directory, 0);

    for (const struct flatten_node *child = dir->first; child && result == 0; child = child->next) {
        sqfs_u32 number = number_of(child->inode);

        result = sqfs_dir_writer_add_entry(tables->directory, child->name, number, tables->places[number],
                                           (sqfs_u16)child->inode->mode);
    }
    if (result == 0)
        result = sqfs_dir_writer_end(tables->directory);
    if (result)
        return result;
    /* With attributes the inode has to be of the long form from the start. */
    made = sqfs_dir_writer_create_inode(tables->directory, 0, inode->attribute_count ? 0 : 0xFFFFFFFF,
                                        number_of(dir->parent->inode));
    if (made && made->base.type == SQFS_INODE_DIR)
        made->data.dir.nlink = inode->links;
    else if (made)
        made->data.dir_ext.nlink = inode->links;
    return write_inode(tables, inode, made);
}

/* Numbers what is in DIR, one after the other: directories store differences. */
static void number_children(struct tables *tables, const struct flatten_node *dir)
{
    for (struct flatten_node *child = dir->first; child; child = child->next) {
        if (!child->inode->sink_data)
            child->inode->sink_data = ++tables->last_number;
    }
}

/* DIR with all that is in it: what it names before itself. 0 or an error. */
static int write_tree(struct tables *tables, const struct flatten_node *dir)
{
    int result = 0;

    number_children(tables, dir);
    for (const struct flatten_node *child = dir->first; child && result == 0; child = child->next) {
        if (S_ISDIR(child->inode->mode))
            result = write_tree(tables, child);
        else if (tables->places[number_of(child->inode)] == NOT_WRITTEN)
            result = write_inode(tables, child->inode,
                                 S_ISREG(child->inode->mode) ? file_inode(tables, child->inode)
                                                             : other_inode(child->inode));
    }
    return result ? result : write_directory(tables, dir);
}

static int write_inodes(struct tables *tables, const struct flatten_tree *tree)
{
    struct packer *packer = tables->packer;
    sqfs_file_t *file = &packer->output.file;
    int result;

    packer->super.inode_table_start = file->get_size(file);
    tree->root->inode->sink_data = ++tables->last_number;
    result = write_tree(tables, tree->root);
    if (result == 0)
        result = sqfs_meta_writer_flush(tables->inodes);
    if (result == 0)
        result = sqfs_meta_writer_flush(tables->directories);
    packer->super.root_inode_ref = tables->places[number_of(tree->root->inode)];
    packer->super.directory_table_start = file->get_size(file);
    return result ? result : sqfs_meta_write_write_to_file(tables->directories);
}

/* Loop devices and the kernel want whole blocks; what dropped blocks have left behind goes. */
static int fill_up(struct image_file *output)
{
    uint64_t size = (output->size + DEVICE_BLOCK - 1) / DEVICE_BLOCK * DEVICE_BLOCK;

    if (ftruncate(output->fd, (off_t)output->size) == 0 && ftruncate(output->fd, (off_t)size) == 0)
        return 0;
    output->failed = errno;
    return SQFS_ERROR_IO;
}

static int write_all(struct tables *tables, const struct flatten_tree *tree)
{
    struct packer *packer = tables->packer;
    sqfs_file_t *file = &packer->output.file;
    sqfs_super_t *super = &packer->super;
    int result = write_inodes(tables, tree);

    super->inode_count = tables->last_number;
    super->modification_time = tree->newest;
    if (result == 0)
        result = sqfs_frag_table_write(packer->fragments, file, super, packer->compressor);
    if (result == 0)
        result = sqfs_id_table_write(tables->ids, file, super, packer->compressor);
    if (result == 0)
        result = sqfs_xattr_writer_flush(tables->attributes, file, super, packer->compressor);
    super->bytes_used = file->get_size(file);
    if (result == 0)
        result = sqfs_super_write(super, file);
    return result ? result : fill_up(&packer->output);
}

static int tables_create(struct tables *tables, const struct flatten_tree *tree)
{
    struct packer *packer = tables->packer;
    sqfs_file_t *file = &packer->output.file;

    if (tree->inode_count >= UINT32_MAX)
        return SQFS_ERROR_OVERFLOW;
    tables->places = malloc((tree->inode_count + 1) * sizeof(*tables->places));
    tables->seen_ids = calloc(ID_ROOM, sizeof(*tables->seen_ids));
    tables->ids = sqfs_id_table_create(0);
    tables->attributes = sqfs_xattr_writer_create(0);
    tables->inodes = sqfs_meta_writer_create(file, packer->compressor, 0);
    tables->directories = sqfs_meta_writer_create(file, packer->compressor, SQFS_META_WRITER_KEEP_IN_MEMORY);
    if (!tables->places || !tables->seen_ids || !tables->ids || !tables->attributes || !tables->inodes ||
        !tables->directories)
        return SQFS_ERROR_ALLOC;
    memset(tables->places, 0xFF, (tree->inode_count + 1) * sizeof(*tables->places));
    tables->directory = sqfs_dir_writer_create(tables->directories, 0);
    return tables->directory ? 0 : SQFS_ERROR_ALLOC;
}

int tables_write(struct packer *packer, const struct flatten_tree *tree, struct err *err)
{
    struct tables tables = {.packer = packer};
    int result = tables_create(&tables, tree);

    if (result == 0)
        result = write_all(&tables, tree);
    sqfs_destroy(tables.directory);
    sqfs_destroy(tables.directories);
    sqfs_destroy(tables.inodes);
    sqfs_destroy(tables.attributes);
    sqfs_destroy(tables.ids);
    free(tables.seen_ids);
    free(tables.places);
    return result ? packer_failed(packer, result, err) : 0;
}
