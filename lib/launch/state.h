/*
 * state - what lives while a launch is carried out; private to the room. The
 * plan stays const.
 */
#ifndef CORACLE_LAUNCH_STATE_H
#define CORACLE_LAUNCH_STATE_H

#include <sys/resource.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "image/server.h"
#include "plan/plan.h"
#include "share/meet.h"

/* A file system of ours in the tree: mount points are made in it as they are needed. */
struct own_fs {
    dev_t device;
    int fd;           /* its mount */
    int seal;         /* it becomes read-only when all rows are there */
    const char *path; /* of the directory that it covers; of those to be sealed only */
};

/* Attributes that a mount is to get when it is attached. */
struct late_attributes {
    int mount;
    unsigned attributes, flags;
};

enum { NO_STAGE = -2 };

struct launch {
    const struct plan *plan;
    const struct image_server *server; /* where the plan says that the image is served, and we serve it */
    const struct share_meeting *meeting;
    struct arena *arena;
    int process;                  /* /proc/self, opened outside */
    struct launch_pieces *pieces; /* what was taken of the host, see pieces.c; NULL: all of its mounts */
    int *sources; /* per row: its mount, first detached, then in its place; -1: none yet, or left out */
    int root;     /* the new root directory; attached, not yet entered */
    int image;    /* the image's mount; what `root` was before anything was laid over it */
    int files;    /* a tmpfs that nobody will see, for the files of ROW_FILE; -1 where none is needed */
    struct own_fs *own;
    size_t own_count, own_room;
    int is_newer;    /* the kernel has open_tree(2), move_mount(2), fsopen(2) */
    int is_older;    /* it has none of them; neither: not known yet */
    int stage;       /* then: where mounts are that have no place yet; -1: none yet; NO_STAGE: none can be */
    unsigned staged; /* so many were there */
    int no_setattr;  /* the kernel has no mount_setattr(2): what it would do waits in `late` */
    struct late_attributes *late;
    size_t late_count, late_room;
    /* Directories that were covered by a copy of their list of names: others may enter while it holds. */
    struct share_cover covers[SHARE_COVER_LIMIT];
    int cover_fds[SHARE_COVER_LIMIT];
    size_t cover_count;
    int is_unpacked;        /* nobody serves the image: it was unpacked */
    int is_for_nobody_else; /* the view depends on what may change unseen */
    /* The directory that the last row was put in by name, and its path with a slash at the end. */
    int parent; /* -1: none */
    const char *parent_path;
    size_t parent_length;
    int parent_has_links;               /* there is a link on the way to it */
    int followed_links;                 /* some row was put in its place through a link */
    const struct plan_workdir *workdir; /* the one that was entered */
    struct rlimit open_files;           /* the caller's limit, where it had to be raised for the set-up */
    int open_files_raised;
};

/* namespaces.c: makes the namespaces and writes the id maps. */
int launch_namespaces(struct launch *launch, struct err *err);
/*
 * namespaces.c: for a command that keeps capabilities: makes the namespaces once
 * more, around what is mounted, in which the flags of all mounts are locked: it can
 * mount, but neither make a read-only mount writable nor uncover what lies below one.
 * mount_namespaces(7)
 */
int launch_lock_mounts(struct launch *launch, struct err *err);

/* namespaces.c: enters the user and mount namespace of a view that is ready. */
int launch_join_namespaces(const struct share_meeting *meeting, struct err *err);

/* pieces.c: whether it is worth while to take of the host's mounts only what the plan names, and possible. */
int launch_wants_pieces(const struct launch *launch);
/*
 * pieces.c: takes it, from within the user namespace, while the mount namespace is the host's.
 * 0; -1: something is in the way, nothing was taken, and all mounts have to be.
 */
int launch_take_pieces(struct launch *launch);
/*
 * pieces.c: as launch_clone() of the source of ROW, one of the plan's; of the image. From the host's mounts,
 * or from the piece that was taken: the process is in its namespace then.
 */
int launch_clone_source(struct launch *launch, const struct plan_row *row, unsigned flags);
int launch_clone_image(struct launch *launch);
/*
 * pieces.c: a path that leads to what is open as FD, for a call that takes none. Without /proc,
 * the current directory becomes one from where it does.
 */
const char *launch_path_of(const struct launch *launch, int fd);

/* ready.c: remembers that the list of names of DIR, which has not been read yet, is copied into the view. */
void launch_note_list(struct launch *launch, int dir);
/*
 * ready.c: gives the FUSE device to the broker as soon as it is mounted: a copy of
 * ours would keep a dead server's mount alive, and us waiting for it. 0 or -1.
 */
int launch_tell_mounted(const struct launch *launch, int device, struct err *err);
/* ready.c: tells the broker that others may enter. What cannot be told is warned of: the launch goes on. */
void launch_tell_ready(struct launch *launch);

/* root.c: clones the image and covers the old root with it. */
int launch_root(struct launch *launch, struct err *err);
/*
 * served.c: a mount of the image that its server shows, not attached. Its owner is
 * the user, its attributes are set, and the mount points of all rows are in it. A
 * descriptor, or -1.
 */
int launch_new_served(struct launch *launch, struct err *err);
/*
 * unpacked.c: the same where nobody can mount the image, for the reason WHY: a mount
 * of a directory that the server has filled.
 */
int launch_new_unpacked(struct launch *launch, const char *why, struct err *err);
/* unpacked.c: the same where another rank has unpacked it. */
int launch_again_unpacked(struct launch *launch, struct err *err);
/* served.c: makes the kernel learn, once the mount is in its place, what it need not ask the server. */
int launch_prime(struct launch *launch, struct err *err);
/* root.c: makes the new root the process's. */
int launch_enter(struct launch *launch, struct err *err);

/*
 * rows.c: clones the sources of all binds. Before the new root covers the old
 * one: from then on a ".." or a link of the host that passes "/" would come out
 * in the image.
 */
int launch_sources(struct launch *launch, struct err *err);
/* rows.c: mounts row INDEX of the plan. */
int launch_row(struct launch *launch, size_t index, struct err *err);

/* attach.c: puts MOUNT where row INDEX goes. The descriptor stays open: the exec closes it. */
int launch_attach(struct launch *launch, size_t index, int mount, struct err *err);
/* attach.c: to be called when a mount may have covered the last parent directory. */
void launch_forget_parent(struct launch *launch);

/*
 * target.c: opens the place in the tree where row INDEX goes (O_PATH). Where
 * there is none, makes one (in the image with --write only): a directory or a file, as
 * MOUNT is, which will go there. A descriptor that the caller closes, or -1.
 */
int launch_target(struct launch *launch, size_t index, int mount, struct err *err);

/* target.c: where a path of the tree stops to exist. */
struct missing_target {
    int dir;              /* the deepest directory that is there (O_PATH) */
    const char *ancestor; /* its path in the tree; absolute, free of links */
    const char *missing;  /* what is missing beneath it; relative, may be several components deep */
};
/*
 * Looks for the target of ROW. 1: it is missing, *PLACE is filled and the caller
 * closes PLACE->dir. 0: it is there. -1 and errno: it cannot be (a file on the
 * way, a loop of links, "..").
 */
int launch_find_missing(const struct launch *launch, const struct plan_row *row,
                        struct missing_target *place);

/*
 * assemble.c: makes what PLACE says is missing appear in the tree, and with it
 * what later rows than INDEX will miss in the same directory. 0 or -1.
 */
int launch_assemble(struct launch *launch, const struct missing_target *place, int is_directory, size_t index,
                    struct err *err);
/* listing.c: the names in a directory, "." and ".." left out. */
struct listing {
    const char **names;
    size_t count, room;
};
/* Lists the directory DIR (O_PATH will do). 0, or -1 and errno. */
int launch_list(struct arena *arena, int dir, struct listing *listing);

/* root.c: fills ERR and returns -1. */
int launch_image_is_empty(const struct launch *launch, struct err *err);

/* assemble.c: makes the file systems of ours read-only that are to be. */
int launch_seal(struct launch *launch, struct err *err);

/*
 * attributes.c: adds ATTRIBUTES (SYS_ATTR_*) to those of MOUNT, and with AT_RECURSIVE
 * in FLAGS to those of each mount below. Linux before 5.12 can do so only once
 * MOUNT is attached: until launch_settle() it has none of them, and stays open. 0, or -1 and errno.
 */
int launch_set_attributes(struct launch *launch, int mount, unsigned attributes, unsigned flags);
/*
 * attributes.c: gives those mounts that are attached by now the attributes that
 * they wait for; before anything of them is cloned, and, with LAST, when nothing
 * more will be attached. Does nothing on Linux 5.12 and later.
 */
int launch_settle(struct launch *launch, int last, struct err *err);

/*
 * calls.c: a clone of the mount that PATH at DIR is on, from there on, not attached. FLAGS:
 * AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, and AT_RECURSIVE with all that is mounted below. A
 * descriptor (O_PATH), or -1 and errno. Of a link, which is good for nothing but to be
 * read, older kernels give the link itself.
 */
int launch_clone(struct launch *launch, int dir, const char *path, unsigned flags);
/*
 * calls.c: puts MOUNT, which stays open, on NAME in DIR, no link followed; on DIR itself where
 * NAME is "". 0, or -1 and errno.
 */
int launch_move(struct launch *launch, int mount, int dir, const char *name);

/* An option of a file system; VALUE is NULL for a flag. A list of them ends with a KEY of NULL. */
struct mount_option {
    const char *key, *value; /* without commas, but of "source" */
};
/*
 * calls.c: a new file system of TYPE, not attached, with ATTRIBUTES as of fsmount(2). A descriptor (O_PATH),
 * or -1 and errno.
 */
int launch_create(struct launch *launch, const char *type, const struct mount_option *options,
                  unsigned attributes);

/*
 * older.c: the same on a kernel that has nothing but mount(2). A clone of what another mount covers
 * is EBUSY.
 */
int launch_older_clone(struct launch *launch, int dir, const char *path, unsigned flags);
int launch_older_move(int source, int dir, const char *name);
int launch_older_create(struct launch *launch, const char *type, const struct mount_option *options,
                        unsigned attributes);
/*
 * older.c: takes MOUNT, which stays open, from where it waits, so that nothing leads out
 * of it. 0, or -1 and errno.
 */
int launch_older_detach(int mount);

/*
 * tmpfs.c: a new tmpfs, not attached. SIZE in bytes or 0; MODE of its root
 * directory; ATTRIBUTES as of fsmount(2). A descriptor, or -1 and errno.
 */
int launch_new_tmpfs(struct launch *launch, uint64_t size, mode_t mode, unsigned attributes);

/*
 * overlay.c: a new overlay, not attached, of the paths LOWER (uppermost first,
 * colons between), UPPER and WORK; these are NULL for a read-only one. A
 * descriptor, or -1 and errno.
 */
int launch_new_overlay(struct launch *launch, const char *lower, const char *upper, const char *work,
                       unsigned attributes);
/* overlay.c: 1 with ERR filled where errno comes of a kernel that has no overlay for us (before 5.11). */
int launch_has_no_overlay(const struct launch *launch, struct err *err);

/*
 * assemble.c: remembers that FD is the mount of a file system of ours. COVERED: the
 * directory that it covers, where it is to be sealed; NULL: it stays writable.
 */
int launch_own(struct launch *launch, int fd, const char *covered, struct err *err);

/* lockdown.c: no_new_privs, and no capabilities unless the plan keeps them. */
int launch_lockdown(const struct launch *launch, struct err *err);

/* workdir.c: enters the first directory of the plan's list that can be entered. */
int launch_workdir(struct launch *launch, struct err *err);

/*
 * exec.c: looks up the command and its interpreter, and scripts that are sourced before it,
 * before others do: concurrent first look-ups of one name through FUSE can lose it. Linux 6.16 and later
 */
void launch_prime_command(const struct launch *launch);
/* diagnose.c: looks up the program PATH and its interpreter. Whether there is a PATH. */
int launch_touch_program(const char *path);

/* exec.c: executes the command; returns where that failed. */
int launch_exec(const struct launch *launch, struct err *err);

/* diagnose.c: why PATH, which exists, gave ERRNUM when it was executed. Fills ERR, returns -1. */
int launch_diagnose(const struct launch *launch, const char *path, int errnum, struct err *err);

/* diagnose.c: whether the file PATH looks like text: neither empty, nor (a piece of) a program. */
int launch_is_script(const char *path);

/*
 * error.c: fills ERR for a system call that failed with errno while doing WHAT;
 * ID unless a limit of the system is the cause. Returns -1.
 */
int launch_error(struct err *err, enum err_id id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
