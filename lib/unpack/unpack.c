#include "unpack/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "unpack/work.h"

enum { BUFFER_LEAST = 256 * 1024 };

static const char *path_of(const struct work *work, const struct item *item)
{
    if (!*item->name && !item->directory)
        return "root directory";
    return str_quote(work->unpack->arena, directories_path(&work->directories, item->directory, item->name));
}

int work_go_on(const struct work *work, struct err *err)
{
    if (!work->unpack->go_on || work->unpack->go_on())
        return 0;
    return err_set(err, ERR_SERVER, "unpacking was given up: nobody waits for it");
}

int work_damaged(const struct work *work, const struct item *item, struct err *err)
{
    if (errno == ENOMEM)
        return err_set(err, ERR_NO_MEMORY, "there is no memory to read its %s", path_of(work, item));
    return err_set(err, ERR_IMAGE_DAMAGED, "its %s cannot be read", path_of(work, item));
}

static enum err_id id_of(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENAMETOOLONG:
    case EMLINK:
        return ERR_LIMIT;
    case ENOMEM:
        return ERR_NO_MEMORY;
    case EEXIST: /* a directory that has a name twice */
        return ERR_IMAGE_DAMAGED;
    default:
        return ERR_SYSTEM;
    }
}

int work_failed(const struct work *work, const struct item *item, struct err *err)
{
    const int saved = errno;

    if (saved == EEXIST)
        return err_set(err, ERR_IMAGE_DAMAGED, "its %s is there twice", path_of(work, item));
    return err_set(err, id_of(saved), "its %s cannot be unpacked: %s", path_of(work, item),
                   err_reason(saved));
}

/* The directory ITEM, which is there already, is the next whose entries are made. */
static int enter(struct work *work, const struct item *item, uint32_t parent, struct err *err)
{
    const sqfs_inode *inode = &item->node.inode;
    struct level *level = &work->levels[work->depth];
    uint32_t number;

    if (seen_get(&work->seen_directories, item->node.reference, &number))
        return err_set(err, ERR_IMAGE_DAMAGED, "its directory %s is also in another place",
                       path_of(work, item));
    if (squash_entries(work->unpack->squash, &item->node, 0, &level->entries) < 0)
        return work_damaged(work, item, err);
    number = directories_add(&work->directories, parent, item->name, (uint16_t)inode->base.mode,
                             (uint32_t)inode->base.mtime);
    seen_set(&work->seen_directories, item->node.reference, number);
    level->directory = number;
    work->depth++;
    return 0;
}

static int make_directory(struct work *work, const struct item *item, struct err *err)
{
    int fd;

    if (work->depth > DIRECTORY_DEPTH)
        return err_set(err, ERR_LIMIT, "it has more than %d directories within each other",
                       (int)DIRECTORY_DEPTH);
    if (mkdirat(item->fd, item->name, 0700) < 0)
        return work_failed(work, item, err);
    if (enter(work, item, item->directory, err) < 0)
        return -1;
    fd = directories_open(&work->directories, &work->here, work->levels[work->depth - 1].directory);
    if (fd < 0)
        return work_failed(work, item, err);
    return file_set_attributes(work, item, fd, err);
}

static int make_link(struct work *work, const struct item *item, struct err *err)
{
    const struct timespec time = {.tv_sec = (uint32_t)item->node.inode.base.mtime};
    const struct timespec times[] = {time, time};
    char text[PATH_MAX];
    int64_t length = squash_readlink(work->unpack->squash, &item->node, text, sizeof(text) - 1);

    if (length < 0)
        return work_damaged(work, item, err);
    text[length] = 0;
    if (symlinkat(text, item->fd, item->name) < 0 ||
        utimensat(item->fd, item->name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return work_failed(work, item, err);
    return 0;
}

/* Opened for reading it does not wait for a writer: O_NONBLOCK. */
static int make_fifo(struct work *work, const struct item *item, struct err *err)
{
    const sqfs_inode *inode = &item->node.inode;
    FD_CLEANUP int fd = -1;

    if (mknodat(item->fd, item->name, S_IFIFO | 0600, 0) == 0)
        fd = openat(item->fd, item->name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || file_set_mode(fd, inode->base.mode, (uint32_t)inode->base.mtime) < 0)
        return work_failed(work, item, err);
    return 0;
}

static int make_new(struct work *work, const struct item *item, struct err *err)
{
    switch (item->node.inode.base.mode & S_IFMT) {
    case S_IFREG:
        return file_make(work, item, err);
    case S_IFDIR:
        return make_directory(work, item, err);
    case S_IFLNK:
        return make_link(work, item, err);
    default:
        return make_fifo(work, item, err);
    }
}

/*
 * Another name for what was made as FIRST. 1: it is there; 0: it can have no more
 * names, so it is to be made once more; -1.
 */
static int make_name(struct work *work, const struct item *item, const struct first_name *first,
                     struct err *err)
{
    int fd = directories_open(&work->directories, &work->there, first->directory);

    if (fd >= 0 && linkat(fd, first->name, item->fd, item->name, 0) == 0)
        return 1;
    return fd >= 0 && errno == EMLINK ? 0 : work_failed(work, item, err);
}

static void note_first_name(struct work *work, const struct item *item)
{
    seen_set(&work->seen_files, item->node.reference, (uint32_t)work->first_name_count);
    work->first_names = arena_grow(work->unpack->arena, work->first_names, work->first_name_count,
                                   &work->first_name_room, sizeof(*work->first_names));
    work->first_names[work->first_name_count++] =
        (struct first_name){item->directory, arena_strdup(work->unpack->arena, item->name)};
}

/* Makes ITEM, as another name where its inode was met before. */
static int make(struct work *work, const struct item *item, struct err *err)
{
    const unsigned type = item->node.inode.base.mode & S_IFMT;
    const int has_names = type != S_IFDIR && item->node.inode.nlink > 1;
    uint32_t first;
    int linked = 0;

    if (type == S_IFCHR || type == S_IFBLK || type == S_IFSOCK) {
        work->unpack->result.skipped++;
        return 0;
    }
    if (has_names && seen_get(&work->seen_files, item->node.reference, &first)) {
        linked = make_name(work, item, &work->first_names[first], err);
        if (linked < 0)
            return -1;
    } else if (++work->inodes > work->unpack->squash->fs.sb.inodes) {
        return err_set(err, ERR_IMAGE_DAMAGED, "it has more files than it says");
    }
    if (!linked && make_new(work, item, err) < 0)
        return -1;
    if (!linked && has_names)
        note_first_name(work, item);
    work->unpack->result.files++;
    return 0;
}

/* ITEM for directory NUMBER itself, for messages about it. */
static void name_directory(const struct work *work, uint32_t number, struct item *item)
{
    item->directory = work->directories.items[number].parent;
    strcpy(item->name, work->directories.items[number].name);
}

/* The next entry of the innermost directory. 1: it is made; 0: there are no more; -1. */
static int make_next(struct work *work, struct item *item, struct err *err)
{
    struct level *level = &work->levels[work->depth - 1];
    struct squash *squash = work->unpack->squash;
    struct squash_entry entry;
    int more = squash_next(squash, &level->entries, &entry);

    if (more < 0 || (more && entry.length > SQUASH_NAME_LIMIT)) {
        name_directory(work, level->directory, item);
        return work_damaged(work, item, err);
    }
    if (!more)
        return 0;
    if (work_go_on(work, err) < 0)
        return -1;
    item->directory = level->directory;
    memcpy(item->name, entry.name, entry.length);
    item->name[entry.length] = 0;
    item->fd = directories_open(&work->directories, &work->here, level->directory);
    if (item->fd < 0)
        return work_failed(work, item, err);
    if (squash_node(squash, entry.reference, &item->node) < 0)
        return work_damaged(work, item, err);
    return make(work, item, err) < 0 ? -1 : 1;
}

static int make_root(struct work *work, struct item *item, struct err *err)
{
    *item->name = 0;
    item->directory = 0;
    if (squash_node(work->unpack->squash, squash_root(work->unpack->squash), &item->node) < 0)
        return work_damaged(work, item, err);
    work->inodes = 1;
    if (enter(work, item, 0, err) < 0)
        return -1;
    return file_set_attributes(work, item, work->unpack->root, err);
}

/* Those within others first: a directory may be closed to its owner. */
static int finish_directories(struct work *work, struct item *item, struct err *err)
{
    for (size_t i = work->directories.count; i--;) {
        const struct directory *directory = &work->directories.items[i];
        int fd;

        if (work_go_on(work, err) < 0)
            return -1;
        fd = directories_open(&work->directories, &work->here, (uint32_t)i);
        if (fd < 0 || file_set_mode(fd, S_IFDIR | directory->mode, directory->mtime) < 0) {
            name_directory(work, (uint32_t)i, item);
            return work_failed(work, item, err);
        }
    }
    return 0;
}

static int make_tree(struct work *work, struct err *err)
{
    struct item item;

    if (make_root(work, &item, err) < 0)
        return -1;
    while (work->depth) {
        int more = make_next(work, &item, err);

        if (more < 0)
            return -1;
        work->depth -= !more;
    }
    return finish_directories(work, &item, err);
}

int unpack_image(struct unpack *unpack, struct err *err)
{
    const size_t block_size = unpack->squash->fs.sb.block_size;
    struct work work = {
        .unpack = unpack,
        .directories = {.arena = unpack->arena, .root = unpack->root},
        .seen_directories = {.arena = unpack->arena},
        .seen_files = {.arena = unpack->arena},
        .buffer_size = block_size > BUFFER_LEAST ? block_size : BUFFER_LEAST,
    };
    int result;

    unpack->result = (struct unpacked){0};
    work.buffer = arena_alloc(unpack->arena, work.buffer_size);
    work.levels = arena_alloc(unpack->arena, (DIRECTORY_DEPTH + 1) * sizeof(*work.levels));
    descriptors_begin(&work.here);
    descriptors_begin(&work.there);
    result = make_tree(&work, err);
    descriptors_end(&work.here);
    descriptors_end(&work.there);
    return result;
}
