/*
 * Images that were unpacked, and are to be taken away.
 *
 * That lasts as long as there are files in them: it is done a little at a time, while nobody has
 * anything to say. The lock on the directory is kept until nothing is left. One that is left
 * because we are killed is taken away by the next who unpacks (lib/launch/unpacked.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/remove.h"
#include "base/report.h"
#include "base/sys.h"
#include "broker/state.h"

/* For how long somebody who has something to say waits for that, in milliseconds. */
enum { STEP = 2 };

/* Whether NAME is a directory of PARENT, made to unpack an image to, and is what is open as DIR. */
static int is_in(int parent, const char *name, int dir)
{
    struct sys_identity named, opened;

    return strncmp(name, SHARE_DIRECTORY_PREFIX, strlen(SHARE_DIRECTORY_PREFIX)) == 0 && !strchr(name, '/') &&
           parent >= 0 && dir >= 0 && sys_identify(parent, name, AT_SYMLINK_NOFOLLOW, &named) == 0 &&
           sys_identify(dir, "", AT_EMPTY_PATH, &opened) == 0 && named.device == opened.device &&
           named.inode == opened.inode;
}

static void forget(struct unpacked *unpacked)
{
    fd_close(&unpacked->directory);
    fd_close(&unpacked->parent);
    free(unpacked->path);
    free(unpacked->name);
    *unpacked = UNPACKED_NONE;
}

void broker_unpacking(struct rank *rank, const struct share_message *message, const char *path,
                      const char *name, int *fds, size_t count)
{
    struct image *image = rank->view ? rank->view->image : NULL;
    struct unpacked *unpacked = image ? &image->unpacked : NULL;

    if (!image || image->lead != rank || unpacked->parent >= 0)
        return;
    image->has_config = message->has_config != 0;
    unpacked->directory = share_take(message, SHARE_DIRECTORY, fds, count);
    unpacked->parent = share_take(message, SHARE_PARENT, fds, count);
    unpacked->path = strdup(path);
    unpacked->name = strdup(name);
    /* What is not known for sure is not taken away. */
    if (!unpacked->path || !unpacked->name || !is_in(unpacked->parent, name, unpacked->directory))
        forget(unpacked);
}

/* Goes on with it, at most for a step where it IS_INTERRUPTIBLE. Whether something is left to do. */
static int take_away(const struct unpacked *unpacked, int is_interruptible)
{
    int left;

    if (!is_in(unpacked->parent, unpacked->name, unpacked->directory))
        return 0;
    left = is_interruptible ? remove_some(unpacked->parent, unpacked->name, STEP)
                            : remove_tree(unpacked->parent, unpacked->name);
    if (left < 0)
        report("the unpacked image %s cannot be removed: %s", unpacked->path, err_reason(errno));
    return left > 0;
}

void broker_take_away(struct broker *broker, struct image *image)
{
    struct leftover *leftover;

    if (image->unpacked.parent < 0)
        return;
    leftover = malloc(sizeof(*leftover));
    if (leftover) {
        *leftover = (struct leftover){broker->leftovers, image->unpacked};
        broker->leftovers = leftover;
        image->unpacked = UNPACKED_NONE;
    } else {
        take_away(&image->unpacked, 0);
        forget(&image->unpacked);
    }
}

static void drop_first(struct broker *broker)
{
    struct leftover *leftover = broker->leftovers;

    broker->leftovers = leftover->next;
    forget(&leftover->unpacked);
    free(leftover);
}

void broker_take_some_away(struct broker *broker)
{
    if (broker->leftovers && !take_away(&broker->leftovers->unpacked, 1))
        drop_first(broker);
}

void broker_take_all_away(struct broker *broker)
{
    while (broker->leftovers) {
        take_away(&broker->leftovers->unpacked, 0);
        drop_first(broker);
    }
}
