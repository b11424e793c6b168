/*
 * A SquashFS image on a node where nobody may mount it: it is unpacked to the
 * node's own storage, for as long as somebody uses it.
 *
 * The broker is told of the directory before anything is in it, and takes it away
 * with the last rank, or with us if we die. It holds a lock on it: one without is
 * what a broker that was killed has left, and is taken away by the next who unpacks.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/remove.h"
#include "base/str.h"
#include "base/sys.h"
#include "launch/state.h"

static const char tree[] =
    "root"; /* within the directory, which is closed to others whatever the image says */

/* The broker hands the path on to others. */
enum { NAMES = 100, PLACE_LIMIT = SHARE_TEXT_LIMIT - 64 };

/* A directory for one image: PLACE/coracle-image-UID-N. */
struct store {
    const char *place, *name, *path;
    int parent;
    int dir; /* locked */
};

static void close_store(struct store *store)
{
    fd_close(&store->parent);
    fd_close(&store->dir);
}

static const char *name_of(const struct launch *launch, int number)
{
    return arena_printf(launch->arena, SHARE_DIRECTORY_PREFIX "%u-%d", launch->plan->host_uid, number);
}

/* Takes away what nobody holds any more. */
static void clean_up(const struct launch *launch, int parent)
{
    const char *ours = arena_printf(launch->arena, SHARE_DIRECTORY_PREFIX "%u-", launch->plan->host_uid);
    struct listing listing = {0};

    if (launch_list(launch->arena, parent, &listing) < 0)
        return;
    for (size_t i = 0; i < listing.count; i++) {
        FD_CLEANUP int dir = -1;
        struct stat st;

        if (strncmp(listing.names[i], ours, strlen(ours)) != 0)
            continue;
        dir = openat(parent, listing.names[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir >= 0 && fstat(dir, &st) == 0 && st.st_uid == launch->plan->uid &&
            flock(dir, LOCK_EX | LOCK_NB) == 0)
            remove_tree(parent, listing.names[i]);
    }
}

/* Why PLACE will not do; NULL: it will. */
static const char *unfit(const char *place, int parent)
{
    struct statvfs fs;

    if (strlen(place) > PLACE_LIMIT)
        return err_reason(ENAMETOOLONG);
    if (fstatvfs(parent, &fs) < 0)
        return err_reason(errno);
    if (fs.f_flag & ST_NOEXEC)
        return "nothing can be executed there (noexec)";
    if (fs.f_flag & ST_RDONLY)
        return "it is read-only";
    return NULL;
}

static int make_directory(const struct launch *launch, struct store *store)
{
    for (int number = 0; number < NAMES; number++) {
        store->name = name_of(launch, number);
        if (mkdirat(store->parent, store->name, 0700) < 0 && errno == EEXIST)
            continue;
        store->dir = openat(store->parent, store->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (store->dir < 0 || flock(store->dir, LOCK_EX | LOCK_NB) < 0 || mkdirat(store->dir, tree, 0700) < 0)
            return -1;
        store->path = arena_join(launch->arena, store->place, "/", store->name, "/", tree, NULL);
        return 0;
    }
    return -1;
}

/* A directory in PLACE. 0, or -1 and the reason as one more line of REASONS. */
static int open_store(const struct launch *launch, struct store *store, const char *place,
                      struct str *reasons)
{
    const char *reason;

    *store = (struct store){.place = place, .dir = -1};
    store->parent = openat(AT_FDCWD, place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    reason = store->parent < 0 ? err_reason(errno) : unfit(place, store->parent);
    if (!reason) {
        clean_up(launch, store->parent);
        if (make_directory(launch, store) == 0)
            return 0;
        reason = err_reason(errno);
    }
    str_addf(reasons, "%s%s: %s", reasons->length ? "; " : "", str_quote(launch->arena, place), reason);
    close_store(store);
    return -1;
}

/* From now on the broker takes it away. */
static int tell_broker(const struct launch *launch, const struct store *store)
{
    const struct share_message message = {SHARE_MESSAGE_MAGIC, SHARE_UNPACKING,
                                          SHARE_DIRECTORY | SHARE_PARENT, launch->meeting->config >= 0};
    const int fds[] = {store->dir, store->parent};
    struct str text = {.arena = launch->arena};

    str_add_bytes(&text, &message, sizeof(message));
    str_add_bytes(&text, store->path, strlen(store->path) + 1);
    str_add_bytes(&text, store->name, strlen(store->name) + 1);
    return share_send(launch->meeting->broker, text.data, text.length, fds, 2);
}

/* A mount of the tree at PATH, as the image's root has to be; -1 and errno. */
static int mount_tree(struct launch *launch, const char *path)
{
    FD_CLEANUP int mount = launch_clone(launch, AT_FDCWD, path, AT_RECURSIVE);

    if (mount < 0 || launch_set_attributes(launch, mount, SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_RDONLY,
                                           AT_RECURSIVE) < 0)
        return -1;
    return fd_steal(&mount);
}

static int fill(struct launch *launch, const struct store *store, struct unpacked *result, struct err *err)
{
    FD_CLEANUP int mount = launch_clone(launch, AT_FDCWD, store->path, 0);
    FD_CLEANUP int root = mount < 0 ? -1 : openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (root < 0 || (launch->is_older && launch_older_detach(mount) < 0))
        return launch_error(err, ERR_SYSTEM, "cannot open %s", str_quote(launch->arena, store->path));
    return image_server_unpack(launch->server, root, result, err);
}

/* In order: what was asked for, the job's scratch, the node's, its memory. */
static const char *place_of(const struct launch *launch, int rank)
{
    const struct plan *plan = launch->plan;

    if (plan->unpack_place)
        return rank == 0 ? plan->unpack_place : NULL;
    if (rank == 0)
        return plan->scratch ? plan->scratch : "";
    return rank == 1 ? "/tmp" : rank == 2 ? "/dev/shm" : NULL;
}

static int no_place(const struct launch *launch, const char *why, const struct str *reasons, struct err *err)
{
    return err_set(err, ERR_LIMIT,
                   "%s, and there is no place on this node to unpack the image %s to: %s; name one: "
                   "--unpack=DIRECTORY",
                   why, str_quote(launch->arena, launch->plan->image), str_text(reasons));
}

static void say(const struct launch *launch, const char *why, const struct store *store)
{
    if (launch->plan->unpack_wanted)
        log_message(LOG_WAYS, "way: the image is unpacked to %s", store->path);
    else
        log_warning("%s: the image %s is unpacked to %s until the last process in it has ended", why,
                    str_quote(launch->arena, launch->plan->image), store->path);
}

int launch_new_unpacked(struct launch *launch, const char *why, struct err *err)
{
    struct str reasons = {.arena = launch->arena};
    struct unpacked result;
    struct store store;
    const char *place;
    int mount;

    /* Once its server has begun it cannot begin anew elsewhere: the first place that takes it has to do. */
    for (int rank = 0; (place = place_of(launch, rank)); rank++)
        if (*place && open_store(launch, &store, place, &reasons) == 0)
            break;
    if (!place)
        return no_place(launch, why, &reasons, err);
    say(launch, why, &store);
    if (tell_broker(launch, &store) < 0) {
        remove_tree(store.parent, store.name);
        close_store(&store);
        return err_set(err, ERR_SERVER, "coracle-broker, which would remove the unpacked image, has ended");
    }
    if (fill(launch, &store, &result, err) < 0) {
        close_store(&store);
        return err->id == ERR_LIMIT ? err_prefix(err, "unpacking to %s (--unpack=DIRECTORY names another)",
                                                 str_quote(launch->arena, place))
                                    : -1;
    }
    close_store(&store);
    mount = mount_tree(launch, store.path);
    if (mount < 0)
        return launch_error(err, ERR_MOUNT, "cannot mount the image %s, which was unpacked to %s",
                            str_quote(launch->arena, launch->plan->image), store.path);
    return mount;
}

int launch_again_unpacked(struct launch *launch, struct err *err)
{
    const struct share_meeting *meeting = launch->meeting;
    FD_CLEANUP int mount = mount_tree(launch, meeting->directory_path);
    struct sys_identity named, told;

    if (mount < 0 || sys_identify(mount, "", AT_EMPTY_PATH, &named) < 0 ||
        sys_identify(meeting->directory, tree, AT_SYMLINK_NOFOLLOW, &told) < 0)
        return launch_error(err, ERR_MOUNT,
                            "cannot mount the image %s, which another rank has unpacked to %s",
                            str_quote(launch->arena, launch->plan->image), meeting->directory_path);
    if (named.device != told.device || named.inode != told.inode)
        return err_set(err, ERR_MOUNT,
                       "the image %s was unpacked to %s, which is another directory where this rank looks; "
                       "use --share=none",
                       str_quote(launch->arena, launch->plan->image), meeting->directory_path);
    return fd_steal(&mount);
}
