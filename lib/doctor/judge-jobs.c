/* What jobs need: MPI, Slurm, tickets, cgroups. */
#include <errno.h>

#include "base/str.h"
#include "doctor/verdicts.h"

static const char section[] = "jobs";

/*
 * MPI copies between ranks of a node with process_vm_readv(2). Yama's scope 1 and above
 * allows that to ancestors only. Documentation/admin-guide/LSM/Yama.rst
 */
static void judge_copies(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_kernel *found = &facts->kernel;
    struct doctor_finding finding = {.section = section, .name = "mpi-copies"};

    if (found->copies == DOCTOR_UNTRIED)
        return;
    if (found->copies == 0) {
        finding.what = "ranks of a node can copy from each other's memory (CMA)";
        doctor_add(findings, finding);
        return;
    }
    finding.verdict = DOCTOR_SLOW;
    finding.consequence = "MPI copies large messages between ranks of a node twice, inside as outside";
    finding.by = "site";
    if (found->yama > 0) {
        finding.what = arena_printf(findings->arena, "kernel.yama.ptrace_scope is %d", found->yama);
        finding.remedy = "the site can allow it: sysctl kernel.yama.ptrace_scope=0";
    } else if (found->deny_ptrace) {
        finding.what = "SELinux's boolean deny_ptrace is on";
        finding.remedy = "the site can allow it: setsebool -P deny_ptrace off";
    } else {
        finding.what = arena_printf(findings->arena, "process_vm_readv: %s", err_reason(found->copies));
        finding.remedy = "a filter or policy around us forbids it (docker: --cap-add SYS_PTRACE, or another "
                         "seccomp profile); who set that can allow it";
    }
    doctor_add(findings, finding);
}

static void judge_launchers(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    struct doctor_finding finding = {.section = section, .name = "mpi-launchers", .verdict = DOCTOR_NOTE};

    if (facts->jobs.path_is_silent) {
        finding.verdict = DOCTOR_WARN;
        finding.what = "a directory in PATH does not answer";
        finding.consequence = "commands that are looked for in PATH hang";
        finding.remedy = "leave it out of PATH, or ask the site after its server";
        finding.by = "user";
    } else if (*facts->jobs.launchers) {
        finding.verdict = DOCTOR_OK;
        finding.what = arena_printf(findings->arena, "in PATH: %s", facts->jobs.launchers);
    } else {
        finding.what = "none is in PATH";
        finding.consequence = "parallel jobs need one on the host, or one rank alone";
        finding.remedy = "module load, or apt-get install openmpi-bin";
        finding.by = "user";
    }
    doctor_add(findings, finding);
}

static void judge_slurm(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_jobs *found = &facts->jobs;
    struct doctor_finding finding = {.section = section, .name = "slurm"};

    if (!found->has_srun && !*found->slurm_conf)
        return; /* no such site */
    if (!*found->slurm_conf) {
        finding.verdict = DOCTOR_NOTE;
        finding.what = "srun is in PATH, and there is no slurm.conf";
        finding.consequence =
            "srun inside a container finds its configuration as it does outside, or not at all";
        finding.remedy = "set SLURM_CONF where srun does not find it";
        finding.by = "user";
    } else {
        finding.what =
            arena_printf(findings->arena, "%s is seen inside", str_quote(findings->arena, found->slurm_conf));
    }
    doctor_add(findings, finding);
    if (!*found->slurm_conf && !*found->auth)
        return;
    finding = (struct doctor_finding){.section = section, .name = "slurm-auth"};
    if (*found->auth && found->auth_connects == 0) {
        finding.what = arena_printf(findings->arena, "the socket in %s answers",
                                    str_quote(findings->arena, found->auth));
    } else {
        finding.verdict = DOCTOR_WARN;
        finding.consequence = "srun, squeue and sbatch fail, inside as outside";
        finding.what = *found->auth ? arena_printf(findings->arena, "the socket in %s: %s",
                                                   str_quote(findings->arena, found->auth),
                                                   err_reason(found->auth_connects))
                                    : "no socket of munged or sackd was found";
        finding.remedy = "the site can start it: systemctl start munge";
        finding.by = "site";
    }
    doctor_add(findings, finding);
}

/*
 * A keyring of the user belongs to a user namespace (user_keyring_register, Linux 5.3): in
 * another keyctl_get_persistent(3) gives another, empty one. Session keyrings are inherited.
 */
static void judge_tickets(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    struct doctor_finding finding = {.section = section, .name = "kerberos"};
    const char *name = str_quote(findings->arena, facts->jobs.ticket_name);

    switch (facts->jobs.ticket) {
    case TICKET_DEFAULT:
        return; /* nothing is said of Kerberos here */
    case TICKET_FILE:
    case TICKET_KEYRING:
        finding.what = arena_printf(findings->arena, "tickets in %s are seen inside", name);
        break;
    case TICKET_KEPT_KEYRING:
        finding.verdict = DOCTOR_WARN;
        finding.consequence =
            "tickets are not there in a container: a user namespace has another such keyring";
        finding.what = arena_printf(findings->arena, "tickets are kept in %s", name);
        finding.remedy = "export KRB5CCNAME=FILE:/tmp/krb5cc_$(id -u) before kinit";
        finding.by = "user";
        break;
    case TICKET_KCM:
        finding.verdict = DOCTOR_NOTE;
        finding.consequence = "tickets are there only where the socket of the service is";
        finding.what = arena_printf(findings->arena, "tickets are kept in %s", name);
        finding.remedy = "--bind /var/run/.heim_org.h5l.kcm-socket";
        finding.by = "user";
        break;
    case TICKET_OTHER:
        finding.verdict = DOCTOR_NOTE;
        finding.what = arena_printf(findings->arena, "tickets are kept in %s", name);
        finding.consequence = "they are there only where it leads to the same inside";
        finding.remedy = "FILE: is seen inside by itself";
        finding.by = "user";
        break;
    }
    doctor_add(findings, finding);
}

static void judge_cgroups(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_cgroups *found = &facts->cgroups;
    struct doctor_finding finding = {.section = section, .name = "cgroups"};

    if (!found->version) {
        finding.verdict = DOCTOR_NOTE;
        finding.what = "none are mounted";
        finding.consequence = "limits of jobs are somebody else's work";
    } else {
        finding.what = arena_printf(findings->arena, "version %d%s%s; a container stays in its job's",
                                    found->version, found->is_hybrid ? ", with an empty version 2" : "",
                                    found->is_delegated ? ", delegated to you" : "");
    }
    doctor_add(findings, finding);
}

void judge_jobs(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    judge_copies(facts, findings);
    judge_launchers(facts, findings);
    judge_slurm(facts, findings);
    judge_tickets(facts, findings);
    judge_cgroups(facts, findings);
}
