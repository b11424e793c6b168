/* What a command must have back: its limit of open files. What it must not have: new privileges by exec, and
 * capabilities. capabilities(7), prctl(2) */
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/sys.h"
#include "launch/state.h"

int launch_lockdown(const struct launch *launch, struct err *err)
{
    if (launch->open_files_raised && setrlimit(RLIMIT_NOFILE, &launch->open_files) < 0)
        return launch_error(err, ERR_SYSTEM, "cannot put the limit of open files back");
    /* Others may have entered our user namespace: see enter_user_namespace(). */
    if (launch->meeting->broker >= 0 && launch->meeting->userns < 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return launch_error(err, ERR_SYSTEM, "cannot close this process to others");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return launch_error(err, ERR_SYSTEM, "cannot set no_new_privs");
    /* With no_new_privs an exec as uid 0 gains nothing that was given up here. */
    if (!launch->plan->keep_capabilities && sys_capset(0) < 0)
        return launch_error(err, ERR_SYSTEM, "cannot give up capabilities");
    return 0;
}
