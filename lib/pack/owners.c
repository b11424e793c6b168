#include "pack/owners.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define PLACE ".coracle"
#define NAME "owners.mtree"

enum { OPENED = O_NOFOLLOW | O_CLOEXEC };

struct record {
    FILE *file;
    unsigned kept_file, kept_directory;
    char path[FLATTEN_PATH_LIMIT + 1]; /* "./usr/bin" */
};

static int fail(struct err *err)
{
    return err_set(err, ERR_OUTPUT, "the record of owners, " PLACE "/" NAME ", cannot be written: %s%s",
                   err_reason(errno), err_way_out(errno));
}

static int differs(const struct record *record, const struct flatten_inode *inode)
{
    unsigned kept = S_ISDIR(inode->mode) ? record->kept_directory : record->kept_file;

    return inode->uid || inode->gid || (!S_ISLNK(inode->mode) && (inode->mode & 07777 & ~kept));
}

static int any_differs(const struct record *record, const struct flatten_node *node)
{
    if (differs(record, node->inode))
        return 1;
    for (const struct flatten_node *child = node->first; child; child = child->next)
        if (any_differs(record, child))
            return 1;
    return 0;
}

static const char *type_of(const struct flatten_inode *inode)
{
    switch (inode->mode & S_IFMT) {
    case S_IFDIR:
        return "dir";
    case S_IFLNK:
        return "link";
    case S_IFIFO:
        return "fifo";
    case S_IFSOCK:
        return "socket";
    default:
        return "file";
    }
}

static void print(struct record *record, const struct flatten_inode *inode)
{
    for (const unsigned char *c = (const unsigned char *)record->path; *c; c++) {
        if (*c > ' ' && *c < 0x7F && !strchr("\\#=*?[", *c))
            putc(*c, record->file);
        else
            fprintf(record->file, "\\%03o", *c);
    }
    fprintf(record->file, " type=%s uid=%u gid=%u mode=%04o\n", type_of(inode), inode->uid, inode->gid,
            inode->mode & 07777);
}

/* NODE, which is the path, and what is in it; LENGTH is that of the path. */
static void print_all(struct record *record, const struct flatten_node *node, size_t length)
{
    if (differs(record, node->inode))
        print(record, node->inode);
    for (const struct flatten_node *child = node->first; child; child = child->next) {
        size_t below = length + strlen(child->name) + 1;

        /* A path that is longer comes into no layer again. */
        if (below >= sizeof(record->path))
            continue;
        record->path[length] = '/';
        strcpy(record->path + length + 1, child->name);
        print_all(record, child, below);
        record->path[length] = '\0';
    }
}

static const struct flatten_node *find_place(const struct flatten_tree *tree)
{
    const struct flatten_node *node = tree->root->first;

    while (node && strcmp(node->name, PLACE) != 0)
        node = node->next;
    return node;
}

/* The directory for the record, open, whatever its mode will be. A descriptor, or -1. */
static int open_place(int root, const struct flatten_node *place, struct err *err)
{
    int fd;

    if (place && !S_ISDIR(place->inode->mode))
        return err_set(err, ERR_LAYER, "the image has a file " PLACE ", which is a directory of Coracle's");
    /* It was made by us: nobody has put a link there. */
    if (place ? fchmodat(root, PLACE, 0700, 0) < 0 : mkdirat(root, PLACE, 0700) < 0)
        return fail(err);
    fd = openat(root, PLACE, O_RDONLY | O_DIRECTORY | OPENED);
    return fd < 0 ? fail(err) : fd;
}

static int write_record(struct record *record, int place, const struct flatten_tree *tree, struct err *err)
{
    const struct timespec times[] = {{.tv_sec = tree->newest}, {.tv_sec = tree->newest}};
    FD_CLEANUP int fd = openat(place, NAME, O_WRONLY | O_CREAT | O_EXCL | OPENED, 0644);
    int failed;

    record->file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!record->file)
        return fail(err);
    fd_steal(&fd);
    strcpy(record->path, ".");
    fputs("#mtree\n", record->file);
    print_all(record, tree->root, 1);
    failed = fflush(record->file) == EOF || ferror(record->file) || futimens(fileno(record->file), times) < 0;
    return fclose(record->file) < 0 || failed ? fail(err) : 0;
}

/* Mode and time of the directory of the record. 0, or -1. */
static int settle(int fd, const struct flatten_node *place, uint32_t newest)
{
    const time_t time = place ? place->inode->mtime : newest;
    const struct timespec times[] = {{.tv_sec = time}, {.tv_sec = time}};

    return fchmod(fd, place ? place->inode->mode & 0777 : 0755) < 0 ? -1 : futimens(fd, times);
}

int owners_write(int root, const struct flatten_tree *tree, unsigned kept_file, unsigned kept_directory,
                 struct err *err)
{
    struct record record = {.kept_file = kept_file, .kept_directory = kept_directory};
    const struct flatten_node *place = find_place(tree);
    const int is_needed = any_differs(&record, tree->root);
    FD_CLEANUP int fd = -1;

    if (!is_needed && (!place || !S_ISDIR(place->inode->mode)))
        return 0;
    fd = open_place(root, place, err);
    if (fd < 0)
        return -1;
    if (unlinkat(fd, NAME, 0) < 0 && errno != ENOENT)
        return fail(err);
    if (is_needed && write_record(&record, fd, tree, err) < 0)
        return -1;
    return settle(fd, place, tree->newest) < 0 ? fail(err) : 0;
}
