#include "share/view.h"

#include <fcntl.h>
#include <string.h>

#include "base/str.h"

static void add_number(struct str *text, uint64_t number)
{
    str_add_bytes(text, &number, sizeof(number));
}

/* With the zero byte: no text can run into the next. */
static void add_text(struct str *text, const char *word)
{
    str_add_bytes(text, word, strlen(word) + 1);
}

/* The kernel's own file systems. */
static int only_a_mount_replaces(const struct plan_row *row)
{
    return (row->flags & MOUNT_DIRECTORY) &&
           (strcmp(row->source, "/proc") == 0 || strcmp(row->source, "/sys") == 0 ||
            strcmp(row->source, "/dev") == 0);
}

static void look_at_source(const struct plan_row *row, struct sys_identity *identity)
{
    if (row->kind != ROW_BIND || only_a_mount_replaces(row))
        return;
    sys_identify(AT_FDCWD, row->source, row->flags & MOUNT_OWN_FILE ? AT_SYMLINK_NOFOLLOW : 0, identity);
}

static void add_row(struct str *text, const struct plan_row *row, const struct sys_identity *source)
{
    add_number(text, row->kind | (uint64_t)row->flags << 32);
    add_number(text, row->size);
    add_number(text, source->device);
    add_number(text, source->inode);
    add_number(text, source->mount);
    add_text(text, row->target);
    if (row->kind == ROW_FILE)
        add_text(text, row->content);
}

/*
 * A file is another one when it was written to; a directory of which only the list of names has
 * changed too.
 */
static struct share_image image_of(const struct sys_identity *identity, int unpack)
{
    struct share_image image = {
        .device = identity->device,
        .inode = identity->inode,
        .mtime = identity->mtime,
        .mtime_ns = identity->mtime_ns,
    };

    if ((identity->mode & 0170000) != 0040000)
        image.is_served = unpack ? 2 : 1;
    if (image.is_served) {
        image.size = identity->size;
        image.ctime = identity->ctime;
        image.ctime_ns = identity->ctime_ns;
    }
    return image;
}

void share_view_take(struct share_view *view, const struct plan *plan, const struct sys_identity *image,
                     struct arena *arena)
{
    struct str text = {.arena = arena};
    struct sys_identity root = {0};

    view->image = image_of(image, plan->unpack_wanted);
    view->sources = arena_alloc(arena, plan->row_count * sizeof(*view->sources));
    /*
     * A mount is in one namespace: that of the root directory tells which it is, and a
     * chroot(2) as well. Looking into /proc/self would cost ten times as much.
     */
    sys_identify(AT_FDCWD, "/", 0, &root);
    if (!root.mount)
        sys_identify(AT_FDCWD, "/proc/self/ns/mnt", 0, &root);
    str_add_bytes(&text, &view->image, sizeof(view->image));
    add_number(&text, root.inode);
    add_number(&text, root.mount);
    add_number(&text, view->image.is_served ? 0 : image->mount);
    add_number(&text, plan->root_mode);
    for (size_t i = 0; i < plan->row_count; i++) {
        look_at_source(&plan->rows[i], &view->sources[i]);
        add_row(&text, &plan->rows[i], &view->sources[i]);
    }
    view->digest = digest_bytes(text.data, text.length);
}

int share_view_has_source(const struct share_view *view, const struct plan *plan, size_t index, int fd)
{
    const struct sys_identity *expected = &view->sources[index];
    struct sys_identity found = {0};

    if (plan->rows[index].kind != ROW_BIND || only_a_mount_replaces(&plan->rows[index]))
        return 1;
    if (fd >= 0 && sys_identify(fd, "", AT_EMPTY_PATH, &found) < 0)
        return 0;
    return found.device == expected->device && found.inode == expected->inode;
}

int share_view_is_of(const struct share_view *view, const struct sys_identity *identity)
{
    const struct share_image image = image_of(identity, view->image.is_served == 2);

    return memcmp(&image, &view->image, sizeof(image)) == 0;
}

int share_view_has_image(const struct share_view *view, int fd)
{
    struct sys_identity found;

    return sys_identify(fd, "", AT_EMPTY_PATH, &found) == 0 && share_view_is_of(view, &found);
}
