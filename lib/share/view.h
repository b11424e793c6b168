/*
 * view - which views are equal.
 *
 * A view is what a plan mounts where. Two are equal where the image, every source,
 * and the root directory and mount namespace that they were taken from are the same
 * things: by device, inode and mount, never by name. A path whose directory was replaced between
 * two launches names another.
 */
#ifndef CORACLE_SHARE_VIEW_H
#define CORACLE_SHARE_VIEW_H

#include "base/sys.h"
#include "plan/plan.h"
#include "share/message.h"

struct share_view {
    struct share_image image;
    struct sys_identity *sources; /* per row of the plan; all zero where it has none, or was not looked at */
    struct digest digest;
};

/*
 * Looks at every source of PLAN, whose image is IMAGE. A system call for each, and
 * one more; those that only a mount can replace are not looked at (the broker
 * drops a view when the host's mounts change).
 */
void share_view_take(struct share_view *view, const struct plan *plan, const struct sys_identity *image,
                     struct arena *arena);

/* Whether the mount FD, which row INDEX was given, shows what the view was taken for. */
int share_view_has_source(const struct share_view *view, const struct plan *plan, size_t index, int fd);

/* Whether IDENTITY is that of the image that the view was taken for. */
int share_view_is_of(const struct share_view *view, const struct sys_identity *identity);

/* Whether the open image FD is the one that the view was taken for. */
int share_view_has_image(const struct share_view *view, int fd);

#endif
