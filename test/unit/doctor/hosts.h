/* hosts - facts as hosts of many kinds have them: recorded, or after what their documentation says. */
#ifndef CORACLE_TEST_UNIT_DOCTOR_HOSTS_H
#define CORACLE_TEST_UNIT_DOCTOR_HOSTS_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "doctor/facts.h"

static inline struct doctor_place host_place(const char *path)
{
    struct doctor_place place = {.free = 50ull << 30, .size = 100ull << 30};

    snprintf(place.path, sizeof(place.path), "%s", path);
    return place;
}

/* Where everything works. */
static inline struct doctor_facts host_good(void)
{
    static const char *const names[] = {"coracle",        "coracle-record", "coracle-fuse",
                                        "coracle-broker", "coracle-image",  "coracle-config"};
    struct doctor_facts facts = {
        .namespaces = {.apart = DOCTOR_UNTRIED, .mount = DOCTOR_UNTRIED},
        .kernel = {.release = "6.12.1", .machine = "x86_64", .yama = 0},
        .cgroups = {.version = 2, .is_delegated = 1},
        .storage = {.tmp = host_place("/tmp"),
                    .memory = host_place("/dev/shm"),
                    .cache = host_place("/home/zoe"),
                    .cache_path = "/home/zoe/.cache/coracle"},
        .jobs = {.launchers = "mpirun"},
        .build = "1 a",
        .hardware = {.memlock = UINT64_MAX},
    };

    for (int i = 0; i < DOCTOR_PROGRAMS; i++)
        facts.programs[i] = (struct doctor_program){names[i], 1, 1, "1 a"};
    return facts;
}

/* No namespace: what needs one was not tried, and a launch says why in TEXT. */
static inline void host_lacks_namespaces(struct doctor_facts *facts, int errnum, const char *text)
{
    facts->namespaces = (struct doctor_namespaces){.together = errnum,
                                                   .maps = DOCTOR_UNTRIED,
                                                   .apart = errnum,
                                                   .mount = DOCTOR_UNTRIED,
                                                   .again = DOCTOR_UNTRIED,
                                                   .join = DOCTOR_UNTRIED};
    facts->mounts = (struct doctor_mounts){-1, -1, -1, -1, -1, -1, -1};
    facts->fuse.mount = facts->fuse.second = DOCTOR_UNTRIED;
    facts->directory.status = 125;
    snprintf(facts->directory.text, sizeof(facts->directory.text), "%s", text);
    facts->squashfs.status = DOCTOR_UNTRIED;
}

/*
 * Ubuntu 24.04, kernel.apparmor_restrict_unprivileged_userns=1 and no profile for us: the
 * process goes to the profile unprivileged_userns, which gives no capability in the new namespace.
 * discourse.ubuntu.com, "Understanding AppArmor user namespace restriction"
 */
static inline struct doctor_facts host_ubuntu(void)
{
    struct doctor_facts facts = host_good();

    host_lacks_namespaces(&facts, EPERM, "AppArmor restricts user namespaces on this node [userns-disabled]");
    facts.namespaces.apart = 0;
    facts.namespaces.maps = EPERM;
    facts.namespaces.mount = EPERM;
    facts.switches.apparmor = 1;
    facts.kernel.yama = 1;
    facts.kernel.copies = EPERM;
    return facts;
}

/* RHEL 7: user.max_user_namespaces is 0 unless the site sets it. */
static inline struct doctor_facts host_rhel7(void)
{
    struct doctor_facts facts = host_good();

    host_lacks_namespaces(&facts, ENOSPC, "user namespaces are switched off [userns-disabled]");
    facts.switches.no_user = 1;
    facts.cgroups = (struct doctor_cgroups){.version = 1};
    return facts;
}

/* EL 8, Linux 4.18: FUSE in a user namespace, and none of the newer calls. An older way is taken. */
static inline struct doctor_facts host_el8(void)
{
    struct doctor_facts facts = host_good();

    facts.mounts = (struct doctor_mounts){.open_tree = ENOSYS,
                                          .move_mount = DOCTOR_UNTRIED,
                                          .fsopen = ENOSYS,
                                          .openat2 = ENOSYS,
                                          .mount_setattr = DOCTOR_UNTRIED,
                                          .overlay = EPERM};
    facts.fuse.second = ENOSYS;
    facts.jobs.ticket = TICKET_KEPT_KEYRING;
    snprintf(facts.jobs.ticket_name, sizeof(facts.jobs.ticket_name), "KEYRING:persistent:1000");
    return facts;
}

/* A pod of Kubernetes with the profile RuntimeDefault: unshare and mount are EPERM, and shared memory is 64
 * MiB. */
static inline struct doctor_facts host_pod(void)
{
    struct doctor_facts facts = host_good();

    host_lacks_namespaces(&facts, EPERM, "this node gives you no user namespace [userns-disabled]");
    facts.switches.seccomp = 1;
    facts.fuse.node = ENOENT;
    facts.fuse.open = DOCTOR_UNTRIED;
    facts.storage.memory.size = facts.storage.memory.free = 64ull << 20;
    return facts;
}

#endif
