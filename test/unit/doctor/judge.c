/* What hosts of many kinds are told: verdicts, exit status, words of a remedy. */
#include "doctor/judge.h"

#include "../../tap.h"
#include "hosts.h"

static struct arena arena;

static struct doctor_findings judge(const struct doctor_facts *facts)
{
    struct doctor_findings findings = {.arena = &arena};

    doctor_judge(facts, &findings);
    return findings;
}

static const struct doctor_finding *find(const struct doctor_findings *findings, const char *name)
{
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->items[i].name, name) == 0)
            return &findings->items[i];
    return NULL;
}

/* FACTS have the finding NAME with VERDICT, and PART in its words or remedy; NULL: any will do. */
static void expect(const struct doctor_facts *facts, const char *name, enum doctor_verdict verdict,
                   const char *part)
{
    const struct doctor_findings findings = judge(facts);
    const struct doctor_finding *finding = find(&findings, name);

    tap.row = name;
    TAP_TRUE(finding != NULL);
    if (finding) {
        TAP_INT(finding->verdict, verdict);
        TAP_TRUE(!part || strstr(finding->what, part) || (finding->remedy && strstr(finding->remedy, part)));
        /* Whoever is told of something that is wrong is told what it means and what to do. */
        if (verdict >= DOCTOR_SLOW && strcmp(finding->section, "launch") != 0)
            TAP_TRUE(finding->consequence && finding->remedy && finding->by);
    }
    tap.row = NULL;
}

static void expect_status(const struct doctor_facts *facts, int status, const char *row)
{
    const struct doctor_findings findings = judge(facts);

    tap.row = row;
    TAP_INT(doctor_status(&findings), status);
    tap.row = NULL;
}

static void lacks_namespaces(void)
{
    struct doctor_facts facts = host_ubuntu();

    expect_status(&facts, 3, "Ubuntu 24.04");
    expect(&facts, "user-namespaces", DOCTOR_FAIL, "AppArmor restricts");
    expect(&facts, "id-maps", DOCTOR_FAIL, "AppArmor restricts");
    expect(&facts, "half-way", DOCTOR_NOTE, "no capabilities");
    expect(&facts, "mpi-copies", DOCTOR_SLOW, "kernel.yama.ptrace_scope is 1");
    facts.namespaces.maps = facts.namespaces.mount = 0;
    expect(&facts, "half-way", DOCTOR_NOTE, "not in one call");

    /* The profile names coracle alone. */
    facts.directory.status = 0;
    expect(&facts, "user-namespaces", DOCTOR_NOTE, "AppArmor restricts");

    facts = host_rhel7();
    expect_status(&facts, 3, "RHEL 7");
    expect(&facts, "user-namespaces", DOCTOR_FAIL, "user.max_user_namespaces=65536");

    facts = host_pod();
    expect_status(&facts, 3, "a pod");
    expect(&facts, "user-namespaces", DOCTOR_FAIL, "seccompProfile: Unconfined");
    expect(&facts, "/dev/fuse", DOCTOR_WARN, "module fuse");
    expect(&facts, "/dev/shm", DOCTOR_WARN, "--shm-size");

    facts = host_good();
    host_lacks_namespaces(&facts, EPERM, "no");
    facts.switches.root_only = 1;
    expect(&facts, "user-namespaces", DOCTOR_FAIL, "kernel.unprivileged_userns_clone=1");

    facts = host_good();
    facts.namespaces.together = DOCTOR_UNTRIED; /* the filter kills */
    facts.directory.status = 159;
    expect(&facts, "user-namespaces", DOCTOR_FAIL, "killed");

    facts = host_good();
    facts.namespaces.again = ENOSPC; /* one namespace was left */
    expect_status(&facts, 2, "one namespace");
    expect(&facts, "nested", DOCTOR_WARN, "limit user.max_user_namespaces");
    facts.namespaces.again = 0;
    facts.namespaces.join = EPERM;
    expect_status(&facts, 1, "no setns");
    expect(&facts, "joining", DOCTOR_SLOW, "setns");
}

static void older_kernels(void)
{
    struct doctor_facts facts = host_el8();

    expect_status(&facts, 2, "EL 8");
    expect(&facts, "open_tree", DOCTOR_SLOW, "5.2");
    expect(&facts, "openat2", DOCTOR_SLOW, "5.6");
    expect(&facts, "overlay", DOCTOR_WARN, "--tmpfs");
    expect(&facts, "second-mount", DOCTOR_SLOW, "5.15");
    expect(&facts, "kerberos", DOCTOR_WARN, "KRB5CCNAME=FILE:");
    facts.directory.status = 125; /* there was no older way */
    expect(&facts, "open_tree", DOCTOR_FAIL, "5.2");

    facts = host_good();
    facts.mounts.mount_setattr = ENOSYS; /* 5.10 */
    expect_status(&facts, 1, "no mount_setattr");
    facts.mounts.tmpfs = EPERM;
    expect(&facts, "tmpfs", DOCTOR_WARN, "filter");
}

static void storage(void)
{
    struct doctor_facts facts = host_good();

    expect(&facts, "unpacking", DOCTOR_OK, "/tmp");
    facts.storage.tmp.is_noexec = 1;
    expect(&facts, "/tmp", DOCTOR_OK, "noexec");
    expect(&facts, "unpacking", DOCTOR_OK, "/dev/shm");
    facts.storage.memory.is_noexec = 1;
    expect(&facts, "unpacking", DOCTOR_NOTE, "--unpack=DIRECTORY");
    facts.fuse.mount = EPERM; /* now it counts */
    expect(&facts, "unpacking", DOCTOR_WARN, "--unpack=DIRECTORY");
    expect(&facts, "fuse-mount", DOCTOR_SLOW, "lets nobody mount through FUSE");
    facts.squashfs.status = 125;
    expect(&facts, "fuse-mount", DOCTOR_WARN, "lets nobody mount through FUSE");
    expect_status(&facts, 2, "no FUSE");

    facts = host_good();
    facts.storage.scratch = host_place("/job/tmp");
    expect(&facts, "TMPDIR", DOCTOR_OK, "/job/tmp");
    facts.storage.scratch.is_network = 1;
    expect(&facts, "TMPDIR", DOCTOR_SLOW, "over the network");
    facts.storage.scratch.open = ENOENT;
    expect(&facts, "TMPDIR", DOCTOR_WARN, "no such file");
    facts.storage.tmp.write = EROFS;
    expect(&facts, "/tmp", DOCTOR_WARN, "--tmpfs /tmp");
    facts.storage.memory.write = EACCES;
    expect(&facts, "/dev/shm", DOCTOR_WARN, "1777");
    facts.storage.cache.write = EACCES;
    expect(&facts, "cache", DOCTOR_WARN, "--cache DIR");
    facts.storage.cache.write = 0;
    facts.storage.cache.free = 1 << 20;
    expect(&facts, "cache", DOCTOR_WARN, "coracle rm");
    snprintf(facts.storage.cache_origin, sizeof(facts.storage.cache_origin), "/etc/coracle.toml:7");
    expect(&facts, "cache", DOCTOR_WARN, "/.cache/coracle (/etc/coracle.toml:7)");
    *facts.storage.cache_path = 0;
    expect(&facts, "cache", DOCTOR_WARN, "neither HOME");
    snprintf(facts.storage.cache_problem, sizeof(facts.storage.cache_problem), "/etc/coracle.toml:7: ...");
    expect(&facts, "cache", DOCTOR_WARN, "/etc/coracle.toml:7: ");
    facts.storage.autofs = 2;
    expect(&facts, "autofs", DOCTOR_OK, "2 mounts");
    facts.storage.autofs_private = 1;
    expect(&facts, "autofs", DOCTOR_WARN, "--make-rshared");
}

static void jobs_and_hardware(void)
{
    struct doctor_facts facts = host_good();
    const struct doctor_findings without = judge(&facts);

    TAP_TRUE(!find(&without, "slurm") && !find(&without, "slurm-auth") && !find(&without, "kerberos"));
    expect(&facts, "devices", DOCTOR_NOTE, "no GPU");
    facts.kernel.copies = EPERM;
    expect(&facts, "mpi-copies", DOCTOR_SLOW, "SYS_PTRACE");
    facts.kernel.deny_ptrace = 1;
    expect(&facts, "mpi-copies", DOCTOR_SLOW, "setsebool -P deny_ptrace off");
    *facts.jobs.launchers = 0;
    expect(&facts, "mpi-launchers", DOCTOR_NOTE, "none is in PATH");
    snprintf(facts.jobs.slurm_conf, sizeof(facts.jobs.slurm_conf), "/etc/slurm/slurm.conf");
    expect(&facts, "slurm", DOCTOR_OK, "/etc/slurm/slurm.conf");
    expect(&facts, "slurm-auth", DOCTOR_WARN, "no socket");
    snprintf(facts.jobs.auth, sizeof(facts.jobs.auth), "/run/munge");
    expect(&facts, "slurm-auth", DOCTOR_OK, "/run/munge");
    facts.jobs.auth_connects = ECONNREFUSED;
    expect(&facts, "slurm-auth", DOCTOR_WARN, "systemctl start munge");
    facts.jobs.ticket = TICKET_KCM;
    expect(&facts, "kerberos", DOCTOR_NOTE, "--bind");

    facts.hardware.nvidia = (struct doctor_devices){4, 0};
    expect(&facts, "nvidia", DOCTOR_OK, "4 devices");
    expect(&facts, "nvidia-uvm", DOCTOR_WARN, "nvidia-modprobe");
    facts.hardware.nvidia_uvm.count = 1;
    facts.hardware.nvidia.closed = 3;
    expect(&facts, "nvidia", DOCTOR_WARN, "3 of 4");
    facts.hardware.infiniband.count = 1;
    facts.hardware.memlock = 64 << 10;
    expect(&facts, "memlock", DOCTOR_WARN, "64 KiB");
}

static void installation(void)
{
    struct doctor_facts facts = host_good();

    expect_status(&facts, 0, "a good node");
    expect(&facts, "programs", DOCTOR_OK, NULL);
    facts.programs[3].is_there = 0;
    expect(&facts, "coracle-broker", DOCTOR_SLOW, "not found");
    facts.programs[5].is_there = 0;
    expect(&facts, "coracle-config", DOCTOR_NOTE, "not found");
    facts.programs[2].is_same = 0;
    facts.programs[2].build[0] = 0;
    expect(&facts, "coracle-fuse", DOCTOR_WARN, "does not say");
    snprintf(facts.programs[2].build, sizeof(facts.programs[2].build), "1 b");
    expect(&facts, "coracle-fuse", DOCTOR_WARN, "of build 1 b, not of 1 a");
    facts.squashfs.status = 125;
    snprintf(facts.squashfs.text, sizeof(facts.squashfs.text), "what run said [server]");
    expect(&facts, "squashfs", DOCTOR_WARN, "what run said [server]");
    snprintf(facts.record, sizeof(facts.record), "coracle.toml:3: ...");
    expect(&facts, "configuration", DOCTOR_WARN, "coracle.toml:3");
    facts.record_is_fatal = 1;
    expect(&facts, "configuration", DOCTOR_FAIL, "coracle.toml:3");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    lacks_namespaces();
    older_kernels();
    storage();
    jobs_and_hardware();
    installation();
    arena_free(&arena);
    return tap_done();
}
