/* Which calls a server that unpacks may make, on which descriptors and with which modes. */
#include "fuse/syscalls.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tap.h"

/* OLD stands for the image and what else was open before; NEW for what was opened since. Neither is open. */
enum { OLD = 99, NEW = 100, READ = O_RDONLY, MAKE = O_WRONLY | O_CREAT };

static const struct {
    const char *text;
    long number, arguments[5];
    int unpacking, opening; /* whether it is allowed */
} rows[] = {
    {"openat", SYS_openat, {NEW, (long)"x", READ, 0}, 1, 1},
    {"openat of an old one", SYS_openat, {OLD, (long)"x", READ, 0}, 0, 0},
    {"openat with a mode", SYS_openat, {NEW, (long)"x", MAKE, 0600}, 1, 1},
    {"openat with a set-user-ID bit", SYS_openat, {NEW, (long)"x", MAKE, 04755}, 0, 0},
    {"openat with a set-group-ID bit", SYS_openat, {NEW, (long)"x", MAKE, 02755}, 0, 0},
    {"pwrite", SYS_pwrite64, {NEW, 0, 0, 0}, 1, 1},
    {"pwrite to an old one", SYS_pwrite64, {OLD, 0, 0, 0}, 0, 0},
    {"ftruncate", SYS_ftruncate, {NEW, 04000}, 1, 1},
    {"ftruncate of an old one", SYS_ftruncate, {OLD, 0}, 0, 0},
    {"fchmod", SYS_fchmod, {NEW, 01777}, 1, 1},
    {"fchmod with a set-user-ID bit", SYS_fchmod, {NEW, 04755}, 0, 0},
    {"fchmod with a set-group-ID bit", SYS_fchmod, {NEW, 02755}, 0, 0},
    {"fchmod of an old one", SYS_fchmod, {OLD, 0777}, 0, 0},
    {"fchmod of none", SYS_fchmod, {-1, 0777}, 1, 1},
    {"utimensat", SYS_utimensat, {NEW, 0, 0, 0}, 1, 1},
    {"utimensat of an old one", SYS_utimensat, {OLD, 0, 0, 0}, 0, 0},
    {"mkdirat", SYS_mkdirat, {NEW, (long)"x", 0700}, 1, 1},
    {"mkdirat in an old one", SYS_mkdirat, {OLD, (long)"x", 0700}, 0, 0},
    {"symlinkat", SYS_symlinkat, {(long)"x", NEW, (long)"y"}, 1, 1},
    {"symlinkat in an old one", SYS_symlinkat, {(long)"x", OLD, (long)"y"}, 0, 0},
    {"linkat", SYS_linkat, {NEW, (long)"x", NEW, (long)"y", 0}, 1, 1},
    {"linkat of an old one", SYS_linkat, {OLD, (long)"", NEW, (long)"y", AT_EMPTY_PATH}, 0, 0},
    {"mknodat", SYS_mknodat, {NEW, (long)"x", S_IFIFO | 0600, 0}, 1, 1},
    {"mknodat with a set-user-ID bit", SYS_mknodat, {NEW, (long)"x", S_IFREG | 04755, 0}, 0, 0},
    {"fsetxattr", SYS_fsetxattr, {NEW, (long)"user.x", 0, 0, 0}, 1, 1},
    {"fsetxattr of an old one", SYS_fsetxattr, {OLD, (long)"user.x", 0, 0, 0}, 0, 0},
    {"pread", SYS_pread64, {OLD, 0, 0, 0}, 1, 1},
    {"recvfrom", SYS_recvfrom, {OLD, 0, 0, 0, 0}, 1, 1},
    {"recvmsg", SYS_recvmsg, {OLD, 0, 0}, 0, 1},
    {"fchownat", SYS_fchownat, {NEW, (long)"x", 0, 0, 0}, 0, 0},
    {"fchmodat", SYS_fchmodat, {NEW, (long)"x", 0777}, 0, 0},
    {"unlinkat", SYS_unlinkat, {NEW, (long)"x", 0}, 0, 0},
    {"fcntl", SYS_fcntl, {NEW, F_GETFD}, 0, 0},
    {"dup", SYS_dup, {OLD}, 0, 0},
    {"socket", SYS_socket, {1, 1, 0}, 0, 0},
    {"getpid", SYS_getpid, {0}, 0, 0},
};

/* Whether a process that may do what NUMBERS says, and make files from FIRST on, may make call ROW. */
static int is_allowed(const int numbers[], int first, size_t row)
{
    const long *arguments = rows[row].arguments;
    const struct rlimit core = {0, 0};
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        setrlimit(RLIMIT_CORE, &core);
        close(OLD);
        close(NEW);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscalls_allow(numbers, first) < 0)
            syscall(SYS_exit_group, 2);
        syscall(rows[row].number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
        syscall(SYS_exit_group, 1);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return -1;
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? 0 : -1;
    return WEXITSTATUS(status) == 1 ? 1 : -1;
}

int main(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].text;
        TAP_INT(is_allowed(syscalls_unpacking, NEW, i), rows[i].unpacking);
        TAP_INT(is_allowed(syscalls_opening, NEW, i), rows[i].opening);
        TAP_INT(is_allowed(syscalls_serving, -1, i), rows[i].number == SYS_pread64);
    }
    tap.row = NULL;
    return tap_done();
}
