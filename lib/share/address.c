#include "share/address.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "base/num.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/build-id.h"
#include "share/message.h"

static uint64_t namespace_of(const char *path)
{
    struct sys_identity identity;

    return sys_identify(AT_FDCWD, path, 0, &identity) < 0 ? 0 : identity.inode;
}

uint64_t share_user_namespace(pid_t pid)
{
    char path[PROC_PATH];

    return namespace_of(pid ? proc_path(path, pid, "ns/user") : "/proc/self/ns/user");
}

/* Which processes /proc shows: those of one pid namespace. Its own number would be dearer to have. */
static uint64_t processes(void)
{
    struct sys_identity identity;

    return sys_identify(AT_FDCWD, "/proc", 0, &identity) < 0 ? 0 : identity.device;
}

void share_key_take(struct share_key *key, const struct plan *plan, struct arena *arena)
{
    const uint32_t ids[] = {SHARE_MESSAGE_MAGIC, plan->host_uid, plan->host_gid,
                            plan->uid,           plan->gid,      (uint32_t)plan->keep_capabilities};
    const uint64_t namespaces[] = {share_user_namespace(0), processes()};
    struct str text = {.arena = arena};
    const unsigned char *build;
    const size_t length = build_id(&build);

    str_add_bytes(&text, ids, sizeof(ids));
    str_add_bytes(&text, namespaces, sizeof(namespaces));
    if (length)
        str_add_bytes(&text, build, length);
    str_add(&text, plan->scope.name);
    key->digest = digest_bytes(text.data, text.length);
    key->user_namespace = namespaces[0];
}

socklen_t share_address(struct sockaddr_un *address, uint32_t uid, const struct digest *key, int index)
{
    char *at = address->sun_path + 1; /* behind the zero byte that makes it abstract */

    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(at, SHARE_ADDRESS_PREFIX, strlen(SHARE_ADDRESS_PREFIX));
    at += strlen(SHARE_ADDRESS_PREFIX);
    at += num_format(at, uid);
    *at++ = '/';
    digest_format(at, key);
    at += DIGEST_TEXT - 1;
    *at++ = '/';
    *at++ = (char)('0' + index);
    return (socklen_t)(at - (char *)address);
}
