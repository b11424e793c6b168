/* The record of owners in a directory. */
#include <fcntl.h>

#include "base/remove.h"
#include "pack/owners.h"
#include "test/unit/flatten/made.h"

static struct arena arena;
static char place[] = "/tmp/coracle-test-XXXXXX";
static int top;

static struct flatten_node *node(const char *name, unsigned mode, unsigned uid, unsigned gid)
{
    struct flatten_node *made = arena_alloc(&arena, sizeof(*made));

    made->name = name;
    made->inode = arena_alloc(&arena, sizeof(*made->inode));
    made->inode->mode = mode;
    made->inode->uid = uid;
    made->inode->gid = gid;
    return made;
}

/* Writes the record of FIRST, a child of the root, and its next. */
static int write_record(struct flatten_node *first, unsigned root_uid, struct err *err)
{
    struct flatten_tree tree = {.root = node("", S_IFDIR | 0755, root_uid, 0), .newest = 7};

    tree.root->first = first;
    return owners_write(top, &tree, 0777, 01777, err);
}

static const char *record(void)
{
    size_t length;
    const char *text = fd_read_file(top, ".coracle/owners.mtree", O_NOFOLLOW, 1 << 20, &arena, &length);

    return text ? text : "none";
}

static void check_records(void)
{
    struct flatten_node *first = node("a b", S_IFREG | 04755, 0, 0);
    struct err err = {0};

    TAP_OK(write_record(node("plain", S_IFREG | 0755, 0, 0), 0, &err), err);
    TAP_STR(record(), "none");
    TAP_INT(faccessat(top, ".coracle", F_OK, 0), -1);
    first->next = node("d", S_IFDIR | 01777, 0, 0);
    first->next->first = node("\\#\xFF\n", S_IFLNK | 0777, 7, 8);
    first->next->next = node("e", S_IFDIR | 02755, 0, 0);
    TAP_OK(write_record(first, 5, &err), err);
    TAP_STR(record(), "#mtree\n"
                      ". type=dir uid=5 gid=0 mode=0755\n"
                      "./a\\040b type=file uid=0 gid=0 mode=4755\n"
                      "./d/\\134\\043\\377\\012 type=link uid=7 gid=8 mode=0777\n"
                      "./e type=dir uid=0 gid=0 mode=2755\n");
    remove_tree(top, ".coracle");
}

/* What the image has in the place of the record: nothing of it is taken for ours. */
static void check_places(void)
{
    struct flatten_node *ours = node(".coracle", S_IFDIR, 0, 0);
    struct stat st;
    struct err err = {0};
    int fd;

    mkdirat(top, ".coracle", 0);
    fchmodat(top, ".coracle", 0700, 0);
    fd = openat(top, ".coracle/owners.mtree", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    TAP_INT(fd_write_all(fd, "theirs", 6), 0);
    close(fd);
    fchmodat(top, ".coracle", 0, 0);
    TAP_OK(write_record(ours, 0, &err), err);
    TAP_INT(fstatat(top, ".coracle", &st, 0), 0);
    TAP_INT(st.st_mode & 07777, 0);
    fchmodat(top, ".coracle", 0700, 0);
    TAP_STR(record(), "none");
    mkdirat(top, ".coracle/owners.mtree", 0700);
    TAP_ERR(write_record(ours, 1, &err), err, ERR_OUTPUT, "owners.mtree");
    remove_tree(top, ".coracle");

    symlinkat("/etc", top, ".coracle");
    TAP_ERR(write_record(node(".coracle", S_IFLNK | 0777, 0, 0), 1, &err), err, ERR_LAYER, ".coracle");
    TAP_OK(write_record(node(".coracle", S_IFLNK | 0777, 0, 0), 0, &err), err);
    unlinkat(top, ".coracle", 0);
}

int main(void)
{
    if (!mkdtemp(place))
        return 1;
    top = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    arena_init(&arena, tap_no_memory);
    check_records();
    check_places();
    arena_free(&arena);
    close(top);
    rmdir(place);
    return tap_done();
}
