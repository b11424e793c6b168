/* An overlay as a descriptor. Linux 5.11 allows it in a user namespace. */
#include <errno.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "launch/state.h"

/*
 * Without "userxattr" the overlay looks for trusted.* attributes, which it
 * cannot read without privilege: an image cannot steer a read-only one. With an
 * upper directory it must mark what was removed, in user.* attributes.
 */
int launch_new_overlay(struct launch *launch, const char *lower, const char *upper, const char *work,
                       unsigned attributes)
{
    const struct mount_option readable[] = {{"lowerdir", lower}, {NULL, NULL}};
    const struct mount_option writable[] = {
        {"lowerdir", lower}, {"upperdir", upper}, {"workdir", work}, {"userxattr", NULL}, {NULL, NULL}};

    return launch_create(launch, "overlay", upper ? writable : readable, attributes);
}

/* Whether the kernel RELEASE ("5.10.0-32-amd64") came before 5.11. */
static int is_too_old(const char *release)
{
    char *end;
    long major = strtol(release, &end, 10);

    return major > 0 && *end == '.' && (major < 5 || (major == 5 && strtol(end + 1, NULL, 10) < 11));
}

int launch_has_no_overlay(const struct launch *launch, struct err *err)
{
    const int saved = errno;
    struct utsname node;

    if ((saved == EPERM || saved == EINVAL || saved == ENODEV) && uname(&node) == 0 &&
        is_too_old(node.release)) {
        err_set(
            err, ERR_ROOT_WRITABLE,
            "%s: this node runs Linux %s, where an ordinary user cannot make an overlay; that needs Linux "
            "5.11; put a --tmpfs where the command writes",
            launch->plan->root_origin, node.release);
        return 1;
    }
    errno = saved;
    return 0;
}
