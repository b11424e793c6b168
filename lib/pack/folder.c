#include "pack/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/unfinished.h"
#include "pack/owners.h"

enum { NUMBER = 24, DIRECTORY = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* What of a mode is kept. */
enum { FILE_BITS = 0777, DIRECTORY_BITS = 01777 };

struct folder {
    struct flatten_sink sink;
    int parent; /* where it will be */
    char name[FLATTEN_NAME_LIMIT + 1];
    struct unfinished unfinished; /* in parent: "contents", "root" */
    int contents;                 /* files by number, until they get their names */
    int current;                  /* the directory that is being filled */
    int file;
    uint64_t last;           /* number */
    uint64_t size, position; /* of the file that is being written */
    uint64_t capabilities;   /* left out */
};

static struct folder *from_sink(struct flatten_sink *sink)
{
    return (struct folder *)sink;
}

/* The name in contents/ for a number. */
static const char *number_name(char name[NUMBER], uint64_t number)
{
    name[num_format(name, number)] = '\0';
    return name;
}

static int fail(const char *what, const char *name, struct err *err)
{
    return err_set(err, ERR_OUTPUT, "%s \"%s\" cannot be made in the directory: %s%s", what, name,
                   err_reason(errno), err_way_out(errno));
}

static int file_begin(struct flatten_sink *sink, uint64_t size, struct err *err)
{
    struct folder *folder = from_sink(sink);
    char name[NUMBER];

    folder->size = size;
    folder->position = 0;
    number_name(name, ++folder->last);
    folder->file = openat(folder->contents, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return folder->file < 0 ? fail("a file", "", err) : 0;
}

static int file_append(struct flatten_sink *sink, const void *bytes, size_t length, struct err *err)
{
    struct folder *folder = from_sink(sink);

    if (length > folder->size - folder->position)
        return err_set(err, ERR_LAYER, "a file has more bytes than it said");
    folder->position += length;
    if (fd_write_all(folder->file, bytes, length) < 0)
        return err_set(err, ERR_OUTPUT, "a file cannot be written: %s%s", err_reason(errno),
                       err_way_out(errno));
    return 0;
}

static int file_hole(struct flatten_sink *sink, uint64_t length, struct err *err)
{
    struct folder *folder = from_sink(sink);

    if (length > folder->size - folder->position)
        return err_set(err, ERR_LAYER, "a file has more bytes than it said");
    folder->position += length;
    if (lseek(folder->file, (off_t)folder->position, SEEK_SET) < 0)
        return err_set(err, ERR_OUTPUT, "a file cannot be written: %s%s", err_reason(errno),
                       err_way_out(errno));
    return 0;
}

static int file_end(struct flatten_sink *sink, uint64_t *handle, struct err *err)
{
    struct folder *folder = from_sink(sink);
    int result = ftruncate(folder->file, (off_t)folder->size); /* a hole may be at its end */

    if (close(folder->file) < 0)
        result = -1;
    folder->file = -1;
    *handle = folder->last;
    if (result < 0)
        return err_set(err, ERR_OUTPUT, "a file cannot be written: %s%s", err_reason(errno),
                       err_way_out(errno));
    return 0;
}

/* Makes what INODE is, without contents, as NAME in DIR. 0, or -1 and errno. */
static int make(int dir, const char *name, const struct flatten_inode *inode)
{
    FD_CLEANUP int fd = -1;

    switch (inode->mode & S_IFMT) {
    case S_IFLNK:
        return symlinkat(inode->target, dir, name);
    case S_IFREG:
        fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 ? -1 : 0;
    default:
        return mknodat(dir, name, (inode->mode & S_IFMT) | 0600, 0);
    }
}

/* Attributes that the file system has no place for are left out. */
static void set_attributes(struct folder *folder, int dir, const char *name,
                           const struct flatten_inode *inode)
{
    FD_CLEANUP int fd = -1;

    for (uint32_t i = 0; i < inode->attribute_count; i++)
        folder->capabilities += strcmp(inode->attributes[i].name, "security.capability") == 0;
    if (inode->attribute_count == 0 || !(S_ISREG(inode->mode) || S_ISDIR(inode->mode)))
        return;
    fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    for (uint32_t i = 0; fd >= 0 && i < inode->attribute_count; i++) {
        if (strncmp(inode->attributes[i].name, "user.", strlen("user.")) == 0)
            fsetxattr(fd, inode->attributes[i].name, inode->attributes[i].value, inode->attributes[i].length,
                      0);
    }
}

/* Attributes, mode and time of NAME in DIR. 0, or -1 and errno. */
static int set_metadata(struct folder *folder, int dir, const char *name, const struct flatten_inode *inode)
{
    struct timespec times[] = {{.tv_sec = inode->mtime}, {.tv_sec = inode->mtime}};
    mode_t mode = inode->mode & (S_ISDIR(inode->mode) ? DIRECTORY_BITS : FILE_BITS);

    set_attributes(folder, dir, name, inode);
    /* It is no link, and nobody else can have put one there. */
    if (!S_ISLNK(inode->mode) && fchmodat(dir, name, mode, 0) < 0)
        return -1;
    return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
}

/* A file of any kind but a directory gets its name. 0, or -1 and errno. */
static int place(struct folder *folder, const struct flatten_node *node)
{
    struct flatten_inode *inode = node->inode;
    char number[NUMBER];
    int result;

    if (inode->links == 1) {
        result = inode->handle ? renameat(folder->contents, number_name(number, inode->handle),
                                          folder->current, node->name)
                               : make(folder->current, node->name, inode);
        return result < 0 ? -1 : set_metadata(folder, folder->current, node->name, inode);
    }
    /* Of several names each becomes a link to what lies in contents/. */
    if (inode->sink_data == 0) {
        inode->sink_data = inode->handle ? inode->handle : ++folder->last;
        number_name(number, inode->sink_data);
        if ((!inode->handle && make(folder->contents, number, inode) < 0) ||
            set_metadata(folder, folder->contents, number, inode) < 0)
            return -1;
    }
    return linkat(folder->contents, number_name(number, inode->sink_data), folder->current, node->name, 0);
}

/* The directory NAME of the current one becomes the current one: one descriptor for any depth. */
static int enter(struct folder *folder, const char *name)
{
    int fd = openat(folder->current, name, O_RDONLY | DIRECTORY);

    if (fd < 0)
        return -1;
    close(folder->current);
    folder->current = fd;
    return 0;
}

/* What is in DIR into the current directory. 0 or -1. */
static int fill(struct folder *folder, const struct flatten_node *dir, struct err *err)
{
    for (const struct flatten_node *node = dir->first; node; node = node->next) {
        if (!S_ISDIR(node->inode->mode)) {
            if (place(folder, node) < 0)
                return fail("the file", node->name, err);
            continue;
        }
        if (mkdirat(folder->current, node->name, 0700) < 0 || enter(folder, node->name) < 0)
            return fail("the directory", node->name, err);
        if (fill(folder, node, err) < 0)
            return -1;
        if (enter(folder, "..") < 0 || set_metadata(folder, folder->current, node->name, node->inode) < 0)
            return fail("the directory", node->name, err);
    }
    return 0;
}

/* root/ of the unfinished directory gets its place and name. 0 or -1. */
static int give_name(struct folder *folder, struct err *err)
{
    return unfinished_name(folder->unfinished.fd, "root", folder->parent, folder->name) < 0
               ? fail("the directory", folder->name, err)
               : 0;
}

static int finish(struct flatten_sink *sink, const struct flatten_tree *tree, struct err *err)
{
    struct folder *folder = from_sink(sink);
    const struct flatten_inode *root = tree->root->inode;

    if (fill(folder, tree->root, err) < 0 ||
        owners_write(folder->current, tree, FILE_BITS, DIRECTORY_BITS, err) < 0)
        return -1;
    if ((root->mode & S_IWUSR) && set_metadata(folder, folder->unfinished.fd, "root", root) < 0)
        return fail("the directory", folder->name, err);
    if (give_name(folder, err) < 0)
        return -1;
    /* Only now: a root that its owner may not write to could not be moved. */
    if (!(root->mode & S_IWUSR) && set_metadata(folder, folder->parent, folder->name, root) < 0)
        return fail("the directory", folder->name, err);
    return 0;
}

static int cannot_make(const char *path, struct err *err)
{
    return err_set(err, ERR_OUTPUT, "cannot make the directory %s: %s%s", path, err_reason(errno),
                   err_way_out(errno));
}

/* Makes the unfinished directory beside the place. 0 or -1. */
static int make_temporary(struct folder *folder, const char *path, struct err *err)
{
    struct unfinished *unfinished = &folder->unfinished;

    unfinished_sweep(folder->parent, folder->name);
    if (unfinished_directory(unfinished, folder->parent, folder->name) < 0 ||
        mkdirat(unfinished->fd, "contents", 0700) < 0 || mkdirat(unfinished->fd, "root", 0700) < 0)
        return cannot_make(path, err);
    folder->contents = openat(unfinished->fd, "contents", O_RDONLY | DIRECTORY);
    folder->current = openat(unfinished->fd, "root", O_RDONLY | DIRECTORY);
    return folder->contents < 0 || folder->current < 0 ? cannot_make(path, err) : 0;
}

/* PATH's directory into parent, its last component into name. 0 or -1. */
static int find_place(struct folder *folder, int parent, const char *path, struct err *err)
{
    size_t length = strlen(path), start;
    char *directory;

    while (length > 1 && path[length - 1] == '/')
        length--;
    for (start = length; start && path[start - 1] != '/'; start--)
        ;
    if (length == start || length - start > FLATTEN_NAME_LIMIT || strcmp(path + start, ".") == 0 ||
        strcmp(path + start, "..") == 0)
        return err_set(err, ERR_OUTPUT, "\"%s\" is not a name for a new directory", path);
    memcpy(folder->name, path + start, length - start);
    directory = start ? strndup(path, start) : strdup(".");
    if (!directory)
        return err_set(err, ERR_NO_MEMORY, "no memory to make a directory");
    folder->parent = openat(parent, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    if (folder->parent < 0)
        return cannot_make(path, err);
    if (faccessat(folder->parent, folder->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return err_set(err, ERR_OUTPUT, "%s exists already; remove it or choose another name", path);
    return 0;
}

struct flatten_sink *folder_open(int parent, const char *path, struct err *err)
{
    struct folder *folder = calloc(1, sizeof(*folder));

    if (!folder) {
        err_set(err, ERR_NO_MEMORY, "no memory to make a directory");
        return NULL;
    }
    folder->sink = (struct flatten_sink){file_begin, file_append, file_hole, file_end, finish};
    folder->parent = folder->contents = folder->current = folder->file = folder->unfinished.fd = -1;
    if (find_place(folder, parent, path, err) == 0 && make_temporary(folder, path, err) == 0)
        return &folder->sink;
    folder_close(&folder->sink);
    return NULL;
}

uint64_t folder_capabilities(const struct flatten_sink *sink)
{
    return ((const struct folder *)sink)->capabilities;
}

void folder_close(struct flatten_sink *sink)
{
    struct folder *folder = sink ? from_sink(sink) : NULL;

    if (!folder)
        return;
    fd_close(&folder->file);
    fd_close(&folder->contents);
    fd_close(&folder->current);
    unfinished_close(&folder->unfinished);
    fd_close(&folder->parent);
    free(folder);
}
