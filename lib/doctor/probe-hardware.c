/* Device nodes that programs of the kernel's drivers are reached by. */
#include <glob.h>
#include <sys/resource.h>
#include <unistd.h>

#include "doctor/probe.h"

static struct doctor_devices count(const char *pattern)
{
    struct doctor_devices found = {0};
    glob_t names;

    if (glob(pattern, GLOB_NOSORT, NULL, &names) != 0)
        return found;
    for (size_t i = 0; i < names.gl_pathc; i++) {
        found.count++;
        found.closed += access(names.gl_pathv[i], R_OK | W_OK) < 0;
    }
    globfree(&names);
    return found;
}

void probe_hardware(struct doctor_facts *facts)
{
    struct doctor_hardware *found = &facts->hardware;
    struct rlimit limit;

    found->nvidia = count("/dev/nvidia[0-9]*");
    found->nvidia_uvm = count("/dev/nvidia-uvm");
    found->amd = count("/dev/kfd");
    found->render = count("/dev/dri/renderD*");
    found->infiniband = count("/dev/infiniband/uverbs*");
    found->slingshot = count("/dev/cxi[0-9]*");
    found->memlock = getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
                         ? limit.rlim_cur
                         : UINT64_MAX;
}
