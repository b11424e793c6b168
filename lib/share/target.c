#include "share/target.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/sys.h"
#include "share/address.h"

/* ioctl_ns(2) */
#define GET_OWNING_NAMESPACE _IO(0xb7, 1)
#define GET_PARENT_NAMESPACE _IO(0xb7, 2)
#define GET_OWNER_UID _IO(0xb7, 4)

static int no_container(pid_t pid, struct err *err)
{
    return err_set(err, ERR_TARGET, "the process %d is in no container of yours; coracle ps lists them",
                   (int)pid);
}

static uint64_t inode_of(int fd)
{
    struct sys_identity identity;

    return sys_identify(fd, "", AT_EMPTY_PATH, &identity) < 0 ? 0 : identity.inode;
}

/* Whether USERNS is the caller's, made by him, and some way beneath the one that he is in. */
static int is_beneath_us(int userns)
{
    const uint64_t ours = share_user_namespace(0);
    FD_CLEANUP int at = fcntl(userns, F_DUPFD_CLOEXEC, 0);
    uid_t owner;

    if (ioctl(userns, GET_OWNER_UID, &owner) < 0 || owner != geteuid() || inode_of(userns) == ours)
        return 0;
    while (at >= 0 && inode_of(at) != ours) {
        int parent = ioctl(at, GET_PARENT_NAMESPACE);

        fd_close(&at);
        at = parent;
    }
    return at >= 0;
}

static int belongs_to(int mountns, int userns)
{
    FD_CLEANUP int owner = ioctl(mountns, GET_OWNING_NAMESPACE);

    return owner >= 0 && inode_of(owner) == inode_of(userns);
}

static int check(struct share_meeting *meeting, pid_t pid, struct err *err)
{
    if (!is_beneath_us(meeting->userns) || !belongs_to(meeting->mountns, meeting->userns))
        return no_container(pid, err);
    meeting->way = SHARE_ENTER;
    return 0;
}

static int cannot_look(pid_t pid, const char *reason, struct err *err)
{
    return err_set(err, ERR_TARGET, "the process %d cannot be looked at: %s", (int)pid, reason);
}

static int from_process(struct share_meeting *meeting, pid_t pid, struct err *err)
{
    PROCESS_CLEANUP struct process process;
    const int failed = process_open(&process, pid) < 0;

    if (failed && errno == ESRCH)
        return err_set(err, ERR_TARGET, "there is no process %d; coracle ps lists your containers", (int)pid);
    if (failed)
        return cannot_look(
            pid, errno == EXDEV ? "/proc has the numbers of another pid namespace" : err_reason(errno), err);
    meeting->userns = process_open_file(&process, "ns/user", O_RDONLY);
    meeting->mountns = meeting->userns < 0 ? -1 : process_open_file(&process, "ns/mnt", O_RDONLY);
    if (meeting->mountns < 0 && errno == EACCES)
        return err_set(
            err, ERR_TARGET,
            "the process %d lets nobody look at it: it is not yours, or its program can be executed "
            "but not read",
            (int)pid);
    if (meeting->mountns < 0)
        return cannot_look(pid, err_reason(errno), err);
    if (process_has_ended(&process))
        return cannot_look(pid, "it has ended", err);
    return check(meeting, pid, err);
}

/* Asks the broker that knows PID. Whether it gave the way. */
static int from_broker(struct share_meeting *meeting, pid_t pid, const struct share_broker *broker)
{
    struct share_find find = {.message = {SHARE_MESSAGE_MAGIC, SHARE_FIND, 0, 0}, .pid = (uint32_t)pid};
    FD_CLEANUP int socket = share_connect(&broker->address, broker->length);

    if (socket < 0 || share_send(socket, &find, sizeof(find), NULL, 0) < 0 ||
        share_hear(meeting, socket) < 0 || meeting->way != SHARE_ENTER)
        return 0;
    meeting->broker = fd_steal(&socket); /* until the exec */
    return 1;
}

int share_target(struct share_meeting *meeting, pid_t pid, const struct share_brokers *brokers,
                 struct err *err)
{
    share_alone(meeting);
    for (size_t i = 0; i < brokers->line_count; i++)
        if (brokers->lines[i].item.kind == SHARE_ITEM_RANK && brokers->lines[i].item.pid == (uint32_t)pid &&
            from_broker(meeting, pid, &brokers->brokers[brokers->lines[i].broker]))
            return check(meeting, pid, err);
    return from_process(meeting, pid, err);
}
