/* Which launches meet, from what schedulers and launchers say in the environment. */
#include "plan/scope.h"

#include <string.h>

#include "base/env.h"
#include "base/num.h"
#include "base/str.h"

/*
 * Every variable is the same for all ranks of a run on a node, and each says where
 * that is written.
 */
enum variable {
    SLURM_JOB,
    SLURM_STEP,
    LSF_JOB,
    LSF_INDEX,
    PBS_JOB,
    FLUX_INSTANCE,
    FLUX_JOB,
    PALS_RUN,
    OPENMPI_JOB,
    PMIX_NAMESPACE,
    PMI_PORT,
    PMI_RANK,
    VARIABLE_COUNT,
};

static const char *const names[VARIABLE_COUNT] = {
    /* srun(1), sbatch(1), salloc(1), pam_slurm_adopt.c. Of a heterogeneous job every component gets the
       number of the first one (slurmstepd/task.c), whichever cgroup it is in. */
    [SLURM_JOB] = "SLURM_JOB_ID",
    /* srun(1): one srun, over all components of a heterogeneous job. Not in a batch script. */
    [SLURM_STEP] = "SLURM_STEP_ID",
    /* IBM Spectrum LSF, "Environment variables set for job execution". blaunch numbers its tasks
       (LSF_PM_TASKID) but not its runs. */
    [LSF_JOB] = "LSB_JOBID",
    [LSF_INDEX] = "LSB_JOBINDEX", /* element of a job array; 0: none */
    /* qsub(1B); "12[3].server" in a job array. PBS knows no runs within a job. */
    [PBS_JOB] = "PBS_JOBID",
    /* flux-environment(7): the job that is the allocation (flux alloc, flux batch), and each flux run in it.
       FLUX_KVS_NAMESPACE says the same as the second. */
    [FLUX_INSTANCE] = "FLUX_ENCLOSING_ID",
    [FLUX_JOB] = "FLUX_JOB_ID",
    /* One aprun or mpiexec of HPE's PALS; flux-shell-cray-pals(1); mpi_cray_shasta.c of Slurm. The job
       around it is of PBS. */
    [PALS_RUN] = "PALS_APID",
    /* Open MPI up to 4: the job of the rank, orte/mca/plm/base/plm_base_jobid.c */
    [OPENMPI_JOB] = "OMPI_MCA_ess_base_jobid",
    /* PMIx_server_setup_fork(3): Open MPI, PRRTE, srun --mpi=pmix, jsrun */
    [PMIX_NAMESPACE] = "PMIX_NAMESPACE",
    /* mpiexec -pmi-port: the HOST:PORT where the node's proxy listens; hydra/proxy/pmip_cb.c */
    [PMI_PORT] = "PMI_PORT",
    /* PMI-1: hydra/proxy/pmip_cb.c, flux-environment(7), mpi_pmi2.c of Slurm */
    [PMI_RANK] = "PMI_RANK",
};

struct identity {
    enum variable variable;
    const char *label;
};

/* In the order in which they stand in a name. */
static const struct identity jobs[] = {
    {SLURM_JOB, "slurm job "},
    {LSF_JOB, "lsf job "},
    {PBS_JOB, "pbs job "},
    {FLUX_INSTANCE, "flux instance "},
};

static const struct identity runs[] = {
    {FLUX_JOB, "flux job "},   {PALS_RUN, "pals "}, {OPENMPI_JOB, "openmpi "},
    {PMIX_NAMESPACE, "pmix "}, {PMI_PORT, "pmi "},
};

enum { JOBS = sizeof(jobs) / sizeof(jobs[0]), RUNS = sizeof(runs) / sizeof(runs[0]) };

struct finding {
    const char *values[VARIABLE_COUNT]; /* NULL: not set, malformed, or says nothing new */
    struct str name;
    struct str origin;
};

/* Whether TEXT has 1 to LIMIT bytes of UTF-8, no control character, and none of REFUSED. */
static int is_plain(const char *text, size_t limit, const char *refused)
{
    size_t left = strlen(text);

    if (!left || left > limit)
        return 0;
    while (left) {
        size_t n = str_utf8_length(text, left);

        if (!n || str_is_control(text, n) || (n == 1 && strchr(refused, *text)))
            return 0;
        text += n;
        left -= n;
    }
    return 1;
}

/*
 * Drops an id with which Slurm only repeats job and step: PMIX_NAMESPACE is
 * "slurm.pmix.12.0", PALS_APID "12.0". One of an outer step stays behind in an inner
 * one, so the step need not be the same.
 */
static void drop_of_slurm(const char *values[], enum variable variable, const char *prefix)
{
    const char *value = values[variable], *job = values[SLURM_JOB];
    size_t n = strlen(prefix);

    if (!value || !values[SLURM_STEP] || strncmp(value, prefix, n) != 0)
        return;
    if (strncmp(value + n, job, strlen(job)) == 0 && value[n + strlen(job)] == '.')
        values[variable] = NULL;
}

/*
 * A step is a number up to 4294967279. Those above (SLURM_MAX_NORMAL_STEP_ID in
 * slurm.h) are batch script, salloc's shell on a node and adopted sessions: not runs,
 * but the job from within, in which runs are started.
 */
static void check_step(const char *values[])
{
    uint64_t number;

    if (values[SLURM_STEP] && (!values[SLURM_JOB] || num_parse(values[SLURM_STEP], 4294967279u, &number) < 0))
        values[SLURM_STEP] = NULL;
}

static void read_environment(const char *values[], char *const environment[])
{
    uint64_t number;

    for (int i = 0; i < VARIABLE_COUNT; i++) {
        values[i] = env_find(environment, names[i]);
        if (values[i] && !is_plain(values[i], SCOPE_VALUE_LIMIT, " ,"))
            values[i] = NULL;
    }
    check_step(values);
    drop_of_slurm(values, PMIX_NAMESPACE, "slurm.pmix.");
    drop_of_slurm(values, PALS_RUN, "");
    if (values[LSF_INDEX] && strcmp(values[LSF_INDEX], "0") == 0)
        values[LSF_INDEX] = NULL;
    if (values[OPENMPI_JOB] && num_parse(values[OPENMPI_JOB], UINT32_MAX, &number) < 0)
        values[OPENMPI_JOB] = NULL;
    /* Open MPI up to 4 says its job twice. */
    if (values[OPENMPI_JOB] && values[PMIX_NAMESPACE] &&
        strcmp(values[OPENMPI_JOB], values[PMIX_NAMESPACE]) == 0)
        values[PMIX_NAMESPACE] = NULL;
}

static int has_any(const char *const values[], const struct identity *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (values[list[i].variable])
            return 1;
    return 0;
}

/*
 * Hydra (mpiexec of MPICH and Intel MPI) gives its ranks nothing that names the run,
 * and each a session of its own (setsid() in hydra/lib/utils/launch.c, before the exec).
 * What they have in common is the proxy that started them: the parent of each rank's
 * session leader, with a script between them or not. It is asked only where nothing
 * better is known: under Slurm, Hydra starts its proxies by srun.
 */
static int needs_launcher(enum share_mode mode, const char *const values[])
{
    if (!values[PMI_RANK] || values[SLURM_STEP] || has_any(values, runs, RUNS))
        return 0;
    return mode == SHARE_STEP || !has_any(values, jobs, JOBS);
}

/*
 * An ssh session is the one place where a job may be known by nothing but its cgroup:
 * pam_slurm_adopt before Slurm 19.05, or an sshd that keeps the variables of PAM back.
 */
static int needs_cgroup(const char *const values[], char *const environment[])
{
    return !values[PMI_RANK] && !has_any(values, jobs, JOBS) && !has_any(values, runs, RUNS) &&
           env_find(environment, "SSH_CONNECTION");
}

const char *const scope_words[SHARE_NAMED] = {
    [SHARE_STEP] = "step", [SHARE_JOB] = "job",   [SHARE_SESSION] = "session",
    [SHARE_USER] = "user", [SHARE_NONE] = "none",
};

int scope_parse(const char *value, enum share_mode *mode, const char **key)
{
    if (!is_plain(value, SCOPE_KEY_LIMIT, ""))
        return -1;
    *key = NULL;
    for (size_t i = 0; i < SHARE_NAMED; i++)
        if (strcmp(value, scope_words[i]) == 0) {
            *mode = (enum share_mode)i;
            return 0;
        }
    *mode = SHARE_NAMED;
    *key = value;
    return 0;
}

unsigned scope_needs(enum share_mode mode, char *const environment[])
{
    const char *values[VARIABLE_COUNT];

    if (mode == SHARE_SESSION)
        return SCOPE_SESSION;
    if (mode != SHARE_STEP && mode != SHARE_JOB)
        return 0;
    read_environment(values, environment);
    if (needs_launcher(mode, values))
        return SCOPE_SESSION | SCOPE_LAUNCHER;
    if (needs_cgroup(values, environment))
        return SCOPE_SESSION | SCOPE_CGROUP;
    return has_any(values, jobs, JOBS) || has_any(values, runs, RUNS) ? 0 : SCOPE_SESSION;
}

static void add_origin(struct finding *finding, const char *origin)
{
    if (finding->origin.length)
        str_add_char(&finding->origin, ' ');
    str_add(&finding->origin, origin);
}

/* Begins a part of the name: "slurm job ". */
static void add_label(struct finding *finding, const char *label, const char *origin)
{
    if (finding->name.length)
        str_add(&finding->name, ", ");
    str_add(&finding->name, label);
    add_origin(finding, origin);
}

/*
 * PRRTE numbers the jobs of one prterun, or of one DVM, behind the last "@"
 * (plm_base_jobid.c). Processes that an application spawns are a further job and
 * talk to the first, so the number does not count.
 */
static size_t pmix_length(const char *value)
{
    const char *at = strrchr(value, '@');
    uint64_t number;

    return at && at != value && num_parse(at + 1, UINT32_MAX, &number) == 0 ? (size_t)(at - value)
                                                                            : strlen(value);
}

static void add_run(struct finding *finding, const struct identity *run)
{
    const char *value = finding->values[run->variable];
    uint64_t job = 0;

    add_label(finding, run->label, names[run->variable]);
    if (run->variable == PMIX_NAMESPACE) {
        str_add_bytes(&finding->name, value, pmix_length(value));
    } else if (run->variable == OPENMPI_JOB && num_parse(value, UINT32_MAX, &job) == 0) {
        /* One mpirun in the upper half, its jobs in the lower: as with PRRTE. */
        str_add_number(&finding->name, job >> 16);
    } else {
        str_add(&finding->name, value);
    }
}

static void add_runs(struct finding *finding)
{
    for (size_t i = 0; i < RUNS; i++)
        if (finding->values[runs[i].variable])
            add_run(finding, &runs[i]);
}

/* Adds what is within a job as BEFORE VALUE AFTER, where there is such a thing. */
static void add_part(struct finding *finding, enum variable variable, const char *before, const char *after)
{
    if (!finding->values[variable])
        return;
    str_add(&finding->name, before);
    str_add(&finding->name, finding->values[variable]);
    str_add(&finding->name, after);
    add_origin(finding, names[variable]);
}

static void add_jobs(struct finding *finding, enum share_mode mode)
{
    for (size_t i = 0; i < JOBS; i++) {
        enum variable variable = jobs[i].variable;
        int with_step = variable == SLURM_JOB && mode == SHARE_STEP && finding->values[SLURM_STEP];

        if (!finding->values[variable])
            continue;
        add_label(finding, with_step ? "slurm step " : jobs[i].label, names[variable]);
        str_add(&finding->name, finding->values[variable]);
        if (with_step)
            add_part(finding, SLURM_STEP, ".", "");
        if (variable == LSF_JOB)
            add_part(finding, LSF_INDEX, "[", "]");
    }
}

static void add_number(struct finding *finding, const char *label, int64_t number, const char *origin)
{
    add_label(finding, label, origin);
    str_addf(&finding->name, "%lld", (long long)number);
}

/* Whether the LENGTH bytes are a directory in which Slurm keeps its jobs: cgroup/v1 and v2 of Slurm. */
static int is_slurms(const char *text, size_t length)
{
    static const char v1[] = "slurm", v2[] = "slurmstepd.scope";
    size_t n = sizeof(v2) - 1;

    return (length >= sizeof(v1) - 1 && strncmp(text, v1, sizeof(v1) - 1) == 0) ||
           (length >= n && strncmp(text + length - n, v2, n) == 0);
}

/*
 * The job in one line of /proc/self/cgroup, cgroups(7); NULL where there is none:
 *     6:freezer:/slurm_NODE/uid_U/job_J/step_extern
 *     0::/system.slice/NODE_slurmstepd.scope/job_J/step_extern/user/task_special
 */
static const char *job_in_line(const char *line, size_t length, struct arena *arena)
{
    static const char job[] = "job_";
    const char *end = line + length, *next;
    uint64_t number;
    int inside = 0;

    for (const char *part = line; part < end; part = next + 1) {
        size_t n = strcspn(part, "/\n");

        next = part + n;
        if (inside && strncmp(part, job, sizeof(job) - 1) == 0) {
            const char *text = arena_strndup(arena, part + sizeof(job) - 1, n - (sizeof(job) - 1));
            if (num_parse(text, UINT32_MAX, &number) == 0)
                return text;
        }
        inside |= is_slurms(part, n);
    }
    return NULL;
}

static void add_adopted(struct finding *finding, const char *cgroup, struct arena *arena)
{
    const char *job = NULL;

    while (cgroup && *cgroup && !job) {
        size_t length = strcspn(cgroup, "\n");

        job = job_in_line(cgroup, length, arena);
        cgroup += length + (cgroup[length] == '\n');
    }
    if (!job)
        return;
    add_label(finding, "slurm job ", "cgroup");
    str_add(&finding->name, job);
}

static void find(struct finding *finding, enum share_mode mode, char *const environment[],
                 const struct scope_facts *facts, struct arena *arena)
{
    read_environment(finding->values, environment);
    add_jobs(finding, mode);
    if (mode == SHARE_STEP || !finding->name.length)
        add_runs(finding);
    if (needs_launcher(mode, finding->values) && facts->launcher > 0)
        add_number(finding, "hydra ", facts->launcher, "launcher");
    if (needs_cgroup(finding->values, environment))
        add_adopted(finding, facts->cgroup, arena);
    if (!finding->name.length)
        add_number(finding, "session ", facts->session, "session");
}

void scope_choose(struct scope *scope, enum share_mode mode, const char *key, const char *origin,
                  char *const environment[], const struct scope_facts *facts, struct arena *arena)
{
    struct finding finding = {.name.arena = arena, .origin.arena = arena};

    if (origin)
        add_origin(&finding, origin);
    switch (mode) {
    case SHARE_NONE:
        break;
    case SHARE_USER:
        str_add(&finding.name, "user");
        break;
    case SHARE_NAMED:
        str_add(&finding.name, "key ");
        str_add(&finding.name, key);
        break;
    case SHARE_SESSION:
        add_number(&finding, "session ", facts->session, "session");
        break;
    case SHARE_STEP:
    case SHARE_JOB:
        find(&finding, mode, environment, facts, arena);
        break;
    }
    scope->shared = mode != SHARE_NONE;
    scope->name = finding.name.data;
    scope->origin = str_text(&finding.origin);
}
