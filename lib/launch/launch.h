/*
 * launch - carries a plan out.
 *
 * The caller becomes the command: namespaces are made, the root is assembled,
 * privilege is given up, and execve() follows, all in the launched process.
 * Nothing stays behind: all mounts live in the new mount namespace and go with
 * its last process, and the server of a SquashFS image ends when they are gone, so
 * a launcher that dies on the way leaves nothing either.
 *
 * Needs Linux 4.18. attributes.c has what is done without mount_setattr (5.12), older.c
 * without open_tree and its kin (5.2), base/resolve.h without openat2 (5.6).
 * pieces.c has what is done on a host with many mounts (7.0).
 */
#ifndef CORACLE_LAUNCH_LAUNCH_H
#define CORACLE_LAUNCH_LAUNCH_H

#include "base/arena.h"
#include "base/err.h"
#include "image/server.h"
#include "plan/plan.h"
#include "share/meet.h"

/*
 * Executes PLAN the way that MEETING says, which is any but SHARE_ENTER. SERVER
 * serves the image where the plan says that it is served, and MEETING does not
 * bring its mount. Returns only where it failed: -1. The process is then
 * somewhere between outside and inside and can do nothing but tell why and
 * exit. At LOG_TRACE each fact of the plan is logged as it is carried out, in
 * the words of plan_print(); at LOG_WAYS also which way was taken.
 */
int launch_run(const struct plan *plan, const struct image_server *server,
               const struct share_meeting *meeting, struct arena *arena, struct err *err);

/*
 * The same in the view that MEETING found (SHARE_ENTER): nothing is mounted. What
 * needs the host's view must have been done. With --verbose only what is this
 * launch's own is logged.
 */
int launch_enter_view(const struct plan *plan, const struct share_meeting *meeting, struct arena *arena,
                      struct err *err);

#endif
