/* Devices: all of /dev is seen inside, so what is open outside is open inside. */
#include "base/str.h"
#include "doctor/verdicts.h"

static const char section[] = "hardware";

static void judge_kind(struct doctor_findings *findings, const char *name, const char *what,
                       const struct doctor_devices *found, const char *remedy)
{
    struct doctor_finding finding = {.section = section, .name = name};

    if (!found->count)
        return;
    finding.what = arena_printf(findings->arena, "%d %s", found->count, what);
    if (found->closed) {
        finding.verdict = DOCTOR_WARN;
        finding.what =
            arena_printf(findings->arena, "%d of %d %s are closed to you", found->closed, found->count, what);
        finding.consequence = "programs do not find them, inside as outside";
        finding.remedy = remedy;
        finding.by = "site";
    }
    doctor_add(findings, finding);
}

/* nvidia-modprobe, setuid, makes the node when the first program asks: a container has no such program. */
static void judge_uvm(const struct doctor_hardware *found, struct doctor_findings *findings)
{
    if (!found->nvidia.count || found->nvidia_uvm.count)
        return;
    doctor_add(findings,
               (struct doctor_finding){.section = section,
                                       .name = "nvidia-uvm",
                                       .verdict = DOCTOR_WARN,
                                       .what = "/dev/nvidia-uvm is not there",
                                       .consequence = "CUDA fails in a container",
                                       .remedy = "run nvidia-smi once on the host; the site can at boot: "
                                                 "nvidia-modprobe -u -c 0",
                                       .by = "user"});
}

/* Registered memory is locked memory. setrlimit(2) */
static void judge_memlock(const struct doctor_hardware *found, struct doctor_findings *findings)
{
    const uint64_t enough = 1ull << 30;

    if (!found->infiniband.count || found->memlock >= enough)
        return;
    doctor_add(findings,
               (struct doctor_finding){.section = section,
                                       .name = "memlock",
                                       .verdict = DOCTOR_WARN,
                                       .what = arena_printf(findings->arena, "ulimit -l is %s",
                                                            doctor_size(findings->arena, found->memlock)),
                                       .consequence = "MPI cannot register memory with the fabric",
                                       .remedy = "the site can raise it in limits.conf and slurmd's unit",
                                       .by = "site"});
}

void judge_hardware(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_hardware *found = &facts->hardware;
    const size_t before = findings->count;

    judge_kind(findings, "nvidia", "devices of NVIDIA GPUs", &found->nvidia,
               "inside of a job Slurm opens those that were asked for: --gpus");
    judge_uvm(found, findings);
    judge_kind(findings, "amd", "/dev/kfd", &found->amd, "the site can put you into the group render");
    judge_kind(findings, "render", "nodes in /dev/dri", &found->render,
               "the site can put you into the group render");
    judge_kind(findings, "infiniband", "verbs devices", &found->infiniband,
               "the site can open them: mode 0666 is usual");
    judge_memlock(found, findings);
    judge_kind(findings, "slingshot", "Slingshot devices", &found->slingshot,
               "the site can open them: mode 0666 is usual");
    if (findings->count == before)
        doctor_add(findings, (struct doctor_finding){.section = section,
                                                     .name = "devices",
                                                     .verdict = DOCTOR_NOTE,
                                                     .what = "no GPU and no fabric was seen"});
}
