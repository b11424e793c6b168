#include "plan/scope.h"

#include "../../tap.h"

static struct arena arena;

static const char extern_step[] = "9:name=systemd:/\n"
                                  "6:freezer:/slurm_node1/uid_1003/job_77/step_extern\n"
                                  "0::/\n";

/* What a launch that is asked for everything would say. */
static const struct scope_facts all_facts = {.session = 4711, .launcher = 15800, .cgroup = extern_step};

/* What must not be looked at: no answer may hold any of it. */
static const struct scope_facts poison = {
    .session = 666, .launcher = 666, .cgroup = "0::/slurm/uid_1/job_666/step_0\n"};

struct row {
    const char *what;
    const char *environment[8]; /* what bears on it */
    const char *step;           /* the name with SHARE_STEP */
    const char *origin;         /* and what said so */
    const char *job;            /* the name with SHARE_JOB */
    unsigned needs;             /* of SHARE_STEP */
};

/* Recorded: Slurm 22.05.8, Open MPI 4.1.4, MPICH 4.0.2 on Debian 12, cgroup/v1. */
static const struct row recorded[] = {
    {"srun --mpi=pmix",
     {"SLURM_JOB_ID=1", "SLURM_STEP_ID=0", "PMIX_NAMESPACE=slurm.pmix.1.0", "PMIX_RANK=0"},
     "slurm step 1.0",
     "SLURM_JOB_ID SLURM_STEP_ID",
     "slurm job 1",
     0},
    {"srun --mpi=pmi2",
     {"SLURM_JOB_ID=2", "SLURM_STEP_ID=0", "PMI_FD=11", "PMI_JOBID=2.0", "PMI_RANK=0"},
     "slurm step 2.0",
     "SLURM_JOB_ID SLURM_STEP_ID",
     "slurm job 2",
     0},
    {"srun --mpi=cray_shasta",
     {"SLURM_JOB_ID=17", "SLURM_STEP_ID=0", "PALS_APID=17.0", "PALS_RANKID=1"},
     "slurm step 17.0",
     "SLURM_JOB_ID SLURM_STEP_ID",
     "slurm job 17",
     0},
    {"srun over two components of a het job, in the first",
     {"SLURM_JOB_ID=6", "SLURM_STEP_ID=0", "SLURM_HET_SIZE=2", "PMIX_NAMESPACE=slurm.pmix.6.0"},
     "slurm step 6.0",
     "SLURM_JOB_ID SLURM_STEP_ID",
     "slurm job 6",
     0},
    /* In the cgroup of job 7, and named 6 all the same. */
    {"srun over two components of a het job, in the second",
     {"SLURM_JOB_ID=6", "SLURM_STEP_ID=0", "SLURM_HET_SIZE=2", "PMIX_NAMESPACE=slurm.pmix.6.0"},
     "slurm step 6.0",
     "SLURM_JOB_ID SLURM_STEP_ID",
     "slurm job 6",
     0},
    {"srun --het-group=1",
     {"SLURM_JOB_ID=8", "SLURM_STEP_ID=3", "SLURM_HET_SIZE=2", "SLURM_JOB_ID_HET_GROUP_0=8",
      "SLURM_JOB_ID_HET_GROUP_1=9"},
     "slurm step 8.3",
     "SLURM_JOB_ID SLURM_STEP_ID",
     "slurm job 8",
     0},
    {"srun in an element of a job array",
     {"SLURM_JOB_ID=10", "SLURM_STEP_ID=0", "SLURM_ARRAY_JOB_ID=10", "SLURM_ARRAY_TASK_ID=4"},
     "slurm step 10.0",
     "SLURM_JOB_ID SLURM_STEP_ID",
     "slurm job 10",
     0},
    {"srun within srun: the outer namespace is still there",
     {"SLURM_JOB_ID=18", "SLURM_STEP_ID=1", "PMIX_NAMESPACE=slurm.pmix.18.0"},
     "slurm step 18.1",
     "SLURM_JOB_ID SLURM_STEP_ID",
     "slurm job 18",
     0},
    {"batch script", {"SLURM_JOB_ID=4"}, "slurm job 4", "SLURM_JOB_ID", "slurm job 4", 0},
    /* sbatch passes the step on, and nothing takes it away. */
    {"batch script that a step submitted",
     {"SLURM_JOB_ID=13", "SLURM_STEP_ID=1"},
     "slurm step 13.1",
     "SLURM_JOB_ID SLURM_STEP_ID",
     "slurm job 13",
     0},
    {"shell of salloc where it was called",
     {"SLURM_JOB_ID=5"},
     "slurm job 5",
     "SLURM_JOB_ID",
     "slurm job 5",
     0},
    {"shell of salloc on a node",
     {"SLURM_JOB_ID=16", "SLURM_STEP_ID=4294967290"},
     "slurm job 16",
     "SLURM_JOB_ID",
     "slurm job 16",
     0},
    {"mpirun of Open MPI in a batch script",
     {"SLURM_JOB_ID=4", "OMPI_MCA_ess_base_jobid=2779774977", "PMIX_NAMESPACE=2779774977", "PMIX_RANK=0"},
     "slurm job 4, openmpi 42416",
     "SLURM_JOB_ID OMPI_MCA_ess_base_jobid",
     "slurm job 4",
     0},
    {"the next mpirun, of two programs, the first",
     {"SLURM_JOB_ID=4", "OMPI_MCA_ess_base_jobid=2782396417", "PMIX_NAMESPACE=2782396417",
      "OMPI_MCA_orte_app_num=0"},
     "slurm job 4, openmpi 42456",
     "SLURM_JOB_ID OMPI_MCA_ess_base_jobid",
     "slurm job 4",
     0},
    {"the next mpirun, of two programs, the second",
     {"SLURM_JOB_ID=4", "OMPI_MCA_ess_base_jobid=2782396417", "PMIX_NAMESPACE=2782396417",
      "OMPI_MCA_orte_app_num=1"},
     "slurm job 4, openmpi 42456",
     "SLURM_JOB_ID OMPI_MCA_ess_base_jobid",
     "slurm job 4",
     0},
    {"mpirun of Open MPI within a step",
     {"SLURM_JOB_ID=4", "SLURM_STEP_ID=1", "OMPI_MCA_ess_base_jobid=2784296961", "PMIX_NAMESPACE=2784296961"},
     "slurm step 4.1, openmpi 42485",
     "SLURM_JOB_ID SLURM_STEP_ID OMPI_MCA_ess_base_jobid",
     "slurm job 4",
     0},
    {"mpirun of Open MPI without a scheduler",
     {"OMPI_MCA_ess_base_jobid=2015035393", "PMIX_NAMESPACE=2015035393", "PMIX_RANK=1"},
     "openmpi 30747",
     "OMPI_MCA_ess_base_jobid",
     "openmpi 30747",
     0},
    {"mpiexec of MPICH",
     {"HYDI_CONTROL_FD=7", "MPI_LOCALNRANKS=2", "PMI_FD=6", "PMI_RANK=0", "PMI_SIZE=2"},
     "hydra 15800",
     "launcher",
     "hydra 15800",
     SCOPE_SESSION | SCOPE_LAUNCHER},
    {"mpiexec -pmi-port of MPICH",
     {"HYDI_CONTROL_FD=7", "MPI_LOCALNRANKS=2", "PMI_ID=1", "PMI_PORT=node1:36911"},
     "pmi node1:36911",
     "PMI_PORT",
     "pmi node1:36911",
     0},
    {"mpiexec of MPICH in a batch script, which starts its proxies by srun",
     {"SLURM_JOB_ID=12", "SLURM_STEP_ID=0", "MPI_LOCALNRANKS=2", "PMI_FD=5", "PMI_RANK=0"},
     "slurm step 12.0",
     "SLURM_JOB_ID SLURM_STEP_ID",
     "slurm job 12",
     0},
    {"mpiexec -launcher fork of MPICH in a batch script",
     {"SLURM_JOB_ID=12", "HYDI_CONTROL_FD=7", "MPI_LOCALNRANKS=2", "PMI_FD=6", "PMI_RANK=0"},
     "slurm job 12, hydra 15800",
     "SLURM_JOB_ID launcher",
     "slurm job 12",
     SCOPE_SESSION | SCOPE_LAUNCHER},
    {"a login shell",
     {"HOME=/home/alice", "TERM=xterm"},
     "session 4711",
     "session",
     "session 4711",
     SCOPE_SESSION},
};

/* Not recorded: made from the documents and sources that lib/plan/scope.c names. */
static const struct row documented[] = {
    {"mpirun of Open MPI 5 in a batch script",
     {"SLURM_JOB_ID=4", "PMIX_NAMESPACE=prterun-node1-4242@1", "PMIX_RANK=0", "OMPI_COMM_WORLD_RANK=0"},
     "slurm job 4, pmix prterun-node1-4242",
     "SLURM_JOB_ID PMIX_NAMESPACE",
     "slurm job 4",
     0},
    {"what an application under mpirun of Open MPI 5 spawned",
     {"SLURM_JOB_ID=4", "PMIX_NAMESPACE=prterun-node1-4242@2", "PMIX_RANK=0"},
     "slurm job 4, pmix prterun-node1-4242",
     "SLURM_JOB_ID PMIX_NAMESPACE",
     "slurm job 4",
     0},
    {"what an application under mpirun of Open MPI 4 spawned",
     {"OMPI_MCA_ess_base_jobid=2015035394", "PMIX_NAMESPACE=2015035394"},
     "openmpi 30747",
     "OMPI_MCA_ess_base_jobid",
     "openmpi 30747",
     0},
    {"mpiexec of PALS under PBS",
     {"PBS_JOBID=123.pbs", "PALS_APID=6d1b5f6c-9d6e-4c3b-8a57", "PALS_RANKID=3", "PMI_RANK=3"},
     "pbs job 123.pbs, pals 6d1b5f6c-9d6e-4c3b-8a57",
     "PBS_JOBID PALS_APID",
     "pbs job 123.pbs",
     0},
    {"PBS, an element of a job array",
     {"PBS_JOBID=12[3].pbs"},
     "pbs job 12[3].pbs",
     "PBS_JOBID",
     "pbs job 12[3].pbs",
     0},
    {"flux run in an allocation",
     {"FLUX_ENCLOSING_ID=\u0192D2e73NP", "FLUX_JOB_ID=\u0192DCB6RV", "FLUX_KVS_NAMESPACE=job-1",
      "PMI_RANK=0"},
     "flux instance \u0192D2e73NP, flux job \u0192DCB6RV",
     "FLUX_ENCLOSING_ID FLUX_JOB_ID",
     "flux instance \u0192D2e73NP",
     0},
    {"flux run on the system's instance",
     {"FLUX_JOB_ID=\u0192DCB6RV", "FLUX_TASK_RANK=0", "PMI_FD=9", "PMI_RANK=0"},
     "flux job \u0192DCB6RV",
     "FLUX_JOB_ID",
     "flux job \u0192DCB6RV",
     0},
    {"flux run -opmi=cray-pals",
     {"FLUX_JOB_ID=\u0192DCB6RV", "PALS_APID=8762756694016", "PMI_RANK=0"},
     "flux job \u0192DCB6RV, pals 8762756694016",
     "FLUX_JOB_ID PALS_APID",
     "flux job \u0192DCB6RV, pals 8762756694016",
     0},
    {"blaunch in an LSF job",
     {"LSB_JOBID=3856", "LSB_JOBINDEX=0", "LSF_PM_TASKID=2"},
     "lsf job 3856",
     "LSB_JOBID",
     "lsf job 3856",
     0},
    {"an element of an LSF job array",
     {"LSB_JOBID=3856", "LSB_JOBINDEX=4"},
     "lsf job 3856[4]",
     "LSB_JOBID LSB_JOBINDEX",
     "lsf job 3856[4]",
     0},
    {"jsrun in an LSF job",
     {"LSB_JOBID=3856", "LSB_JOBINDEX=0", "JSM_NAMESPACE_RANK=0", "PMIX_NAMESPACE=2"},
     "lsf job 3856, pmix 2",
     "LSB_JOBID PMIX_NAMESPACE",
     "lsf job 3856",
     0},
    {"an adopted ssh session, Slurm 19.05 and later",
     {"SSH_CONNECTION=192.0.2.1 50000 192.0.2.2 22", "SLURM_JOB_ID=77"},
     "slurm job 77",
     "SLURM_JOB_ID",
     "slurm job 77",
     0},
    {"an adopted ssh session that nobody told",
     {"SSH_CONNECTION=192.0.2.1 50000 192.0.2.2 22"},
     "slurm job 77",
     "cgroup",
     "slurm job 77",
     SCOPE_SESSION | SCOPE_CGROUP},
    {"mpiexec of MPICH by ssh",
     {"SSH_CONNECTION=192.0.2.1 50000 192.0.2.2 22", "PMI_FD=6", "PMI_RANK=0"},
     "hydra 15800",
     "launcher",
     "hydra 15800",
     SCOPE_SESSION | SCOPE_LAUNCHER},
    {"a Slurm job that was submitted from an LSF job",
     {"LSB_JOBID=3856", "LSB_JOBINDEX=0", "SLURM_JOB_ID=4", "SLURM_STEP_ID=0"},
     "slurm step 4.0, lsf job 3856",
     "SLURM_JOB_ID SLURM_STEP_ID LSB_JOBID",
     "slurm job 4, lsf job 3856",
     0},
};

/* The variables of LIST as a process has them. */
static char **environment_of(const char *const list[])
{
    size_t count = 0;
    char **environment;

    while (list[count])
        count++;
    environment = arena_alloc(&arena, (count + 1) * sizeof(*environment));
    for (size_t i = 0; i < count; i++)
        environment[i] = arena_strdup(&arena, list[i]);
    return environment;
}

static const char *name_of(enum share_mode mode, const char *const list[], const struct scope_facts *facts)
{
    struct scope scope;

    memset(&scope, 0xA5, sizeof(scope));
    scope_choose(&scope, mode, NULL, NULL, environment_of(list), facts, &arena);
    return scope.name;
}

/* The facts that are asked for; the others poisoned. */
static struct scope_facts asked_for(unsigned needs)
{
    struct scope_facts facts = poison;

    if (needs & SCOPE_SESSION)
        facts.session = all_facts.session;
    if (needs & SCOPE_LAUNCHER)
        facts.launcher = all_facts.launcher;
    if (needs & SCOPE_CGROUP)
        facts.cgroup = all_facts.cgroup;
    return facts;
}

static void test_row(const struct row *row)
{
    char **environment = environment_of(row->environment);
    struct scope_facts facts = asked_for(row->needs);
    struct scope scope;

    tap.row = row->what;
    TAP_INT(scope_needs(SHARE_STEP, environment), row->needs);
    scope_choose(&scope, SHARE_STEP, NULL, NULL, environment, &facts, &arena);
    TAP_INT(scope.shared, 1);
    TAP_STR(scope.name, row->step);
    TAP_STR(scope.origin, row->origin);
    facts = asked_for(scope_needs(SHARE_JOB, environment));
    TAP_STR(name_of(SHARE_JOB, row->environment, &facts), row->job);
    tap.row = NULL;
}

static void test_environments(void)
{
    for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++)
        test_row(&recorded[i]);
    for (size_t i = 0; i < sizeof(documented) / sizeof(documented[0]); i++)
        test_row(&documented[i]);
}

/* --share=job asks for nothing that it will not use. */
static void test_needs_of_job(void)
{
    const char *const hydra_in_job[] = {"SLURM_JOB_ID=12", "PMI_RANK=0", NULL};
    const char *const hydra[] = {"PMI_RANK=0", NULL};

    TAP_INT(scope_needs(SHARE_JOB, environment_of(hydra_in_job)), 0);
    TAP_INT(scope_needs(SHARE_JOB, environment_of(hydra)), SCOPE_SESSION | SCOPE_LAUNCHER);
}

/* The modes that look at no variable. */
static void test_plain_modes(void)
{
    const char *const in_step[] = {"SLURM_JOB_ID=1", "SLURM_STEP_ID=0", NULL};
    struct scope scope;

    TAP_INT(scope_needs(SHARE_SESSION, environment_of(in_step)), SCOPE_SESSION);
    TAP_INT(scope_needs(SHARE_USER, environment_of(in_step)), 0);
    TAP_INT(scope_needs(SHARE_NONE, environment_of(in_step)), 0);
    TAP_INT(scope_needs(SHARE_NAMED, environment_of(in_step)), 0);

    scope_choose(&scope, SHARE_SESSION, NULL, NULL, environment_of(in_step), &all_facts, &arena);
    TAP_STR(scope.name, "session 4711");
    TAP_STR(scope.origin, "session");

    scope_choose(&scope, SHARE_USER, NULL, "CORACLE_SHARE", environment_of(in_step), &poison, &arena);
    TAP_STR(scope.name, "user");
    TAP_STR(scope.origin, "CORACLE_SHARE");

    scope_choose(&scope, SHARE_NAMED, "my key", "--share", environment_of(in_step), &poison, &arena);
    TAP_INT(scope.shared, 1);
    TAP_STR(scope.name, "key my key");
    TAP_STR(scope.origin, "--share");

    scope_choose(&scope, SHARE_NONE, NULL, "--share", environment_of(in_step), &poison, &arena);
    TAP_INT(scope.shared, 0);
    TAP_STR(scope.name, NULL);
    TAP_STR(scope.origin, "--share");
}

/* Who chose the mode stands before what was found by it. */
static void test_origin(void)
{
    const char *const in_job[] = {"PBS_JOBID=123.pbs", NULL};
    const char *const nothing[] = {NULL};
    struct scope scope;

    scope_choose(&scope, SHARE_JOB, NULL, "--share", environment_of(in_job), &poison, &arena);
    TAP_STR(scope.origin, "--share PBS_JOBID");
    scope_choose(&scope, SHARE_JOB, NULL, "--share", environment_of(nothing), &all_facts, &arena);
    TAP_STR(scope.origin, "--share session");
}

static void test_parse(void)
{
    static const struct {
        const char *value;
        enum share_mode mode;
        int is_key;
    } rows[] = {{"step", SHARE_STEP, 0},      {"job", SHARE_JOB, 0},   {"session", SHARE_SESSION, 0},
                {"user", SHARE_USER, 0},      {"none", SHARE_NONE, 0}, {"mine", SHARE_NAMED, 1},
                {"Step", SHARE_NAMED, 1},     {"0", SHARE_NAMED, 1},   {"a b,c", SHARE_NAMED, 1},
                {"\u0192D2e", SHARE_NAMED, 1}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum share_mode mode = SHARE_NONE;
        const char *key = "unset";

        tap.row = rows[i].value;
        TAP_INT(scope_parse(rows[i].value, &mode, &key), 0);
        TAP_INT(mode, rows[i].mode);
        TAP_STR(key, rows[i].is_key ? rows[i].value : NULL);
    }
    tap.row = NULL;
}

/* LENGTH times "x" behind PREFIX. */
static char *long_text(const char *prefix, size_t length)
{
    char *text = arena_alloc(&arena, strlen(prefix) + length + 1);

    strcpy(text, prefix);
    memset(text + strlen(prefix), 'x', length);
    return text;
}

static void test_bad_keys(void)
{
    const char *const rows[] = {"",     "a\nb",     "\x1b[2J",      "a\x7f",
                                "\xff", "\xc2\x9b", "\xe2\x80\xae", long_text("", SCOPE_KEY_LIMIT + 1)};
    enum share_mode mode;
    const char *key;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        TAP_INT(scope_parse(rows[i], &mode, &key), -1);
    TAP_INT(scope_parse(long_text("", SCOPE_KEY_LIMIT), &mode, &key), 0);
}

/* What no launcher writes counts as not set: the next source is taken. */
static void test_malformed_values(void)
{
    const char *const rows[] = {"PBS_JOBID=",
                                "PBS_JOBID=1 2",
                                "PBS_JOBID=1, slurm job 2",
                                "PBS_JOBID=1,2",
                                "PBS_JOBID=1\n2",
                                "PBS_JOBID=\xff",
                                "PBS_JOBID=\x1b[2J",
                                "PBS_JOBID=\xc2\x9b",
                                "PBS_JOBID=\tpbs.1",
                                long_text("PBS_JOBID=", SCOPE_VALUE_LIMIT + 1)};
    const char *const longest[] = {long_text("PBS_JOBID=", SCOPE_VALUE_LIMIT), NULL};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const environment[] = {rows[i], "LSB_JOBID=5", NULL};
        TAP_STR(name_of(SHARE_STEP, environment, &all_facts), "lsf job 5");
    }
    TAP_INT(strlen(name_of(SHARE_STEP, longest, &all_facts)), strlen("pbs job ") + SCOPE_VALUE_LIMIT);
}

/* Numbers that are none, and ids that only look like Slurm's or PRRTE's. */
static void test_odd_ids(void)
{
    static const struct {
        const char *environment[4];
        const char *name;
    } rows[] = {
        {{"SLURM_STEP_ID=0"}, "session 4711"},
        {{"SLURM_STEP_ID=0", "PMI_RANK=0"}, "hydra 15800"},
        {{"SLURM_STEP_ID=0", "PMIX_NAMESPACE=slurm.pmix.4.0"}, "pmix slurm.pmix.4.0"},
        {{"SLURM_JOB_ID=4", "SLURM_STEP_ID=-6"}, "slurm job 4"},
        {{"SLURM_JOB_ID=4", "SLURM_STEP_ID=0x1"}, "slurm job 4"},
        {{"SLURM_JOB_ID=4", "SLURM_STEP_ID=4294967279"}, "slurm step 4.4294967279"},
        {{"SLURM_JOB_ID=4", "SLURM_STEP_ID=4294967280"}, "slurm job 4"},
        {{"SLURM_JOB_ID=4", "SLURM_STEP_ID=0", "PMIX_NAMESPACE=slurm.pmix.41.0"},
         "slurm step 4.0, pmix slurm.pmix.41.0"},
        {{"SLURM_JOB_ID=4", "SLURM_STEP_ID=0", "PALS_APID=41.0"}, "slurm step 4.0, pals 41.0"},
        {{"SLURM_JOB_ID=4", "SLURM_STEP_ID=0", "PMIX_NAMESPACE=4"}, "slurm step 4.0, pmix 4"},
        {{"OMPI_MCA_ess_base_jobid=one"}, "session 4711"},
        {{"OMPI_MCA_ess_base_jobid=4294967296"}, "session 4711"},
        {{"OMPI_MCA_ess_base_jobid=65536", "PMIX_NAMESPACE=65537"}, "openmpi 1, pmix 65537"},
        {{"PMIX_NAMESPACE=a@b"}, "pmix a@b"},
        {{"PMIX_NAMESPACE=a@"}, "pmix a@"},
        {{"PMIX_NAMESPACE=@1"}, "pmix @1"},
        {{"PMIX_NAMESPACE=a@1@2"}, "pmix a@1"},
        {{"LSB_JOBINDEX=3"}, "session 4711"},
        {{"PMI_FD=6"}, "session 4711"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        TAP_STR(name_of(SHARE_STEP, rows[i].environment, &all_facts), rows[i].name);
}

/* Where a fact that was asked for is not to be had. */
static void test_missing_facts(void)
{
    const char *const hydra[] = {"PMI_RANK=0", NULL};
    const char *const hydra_in_job[] = {"PBS_JOBID=123.pbs", "PMI_RANK=0", NULL};
    const char *const ssh[] = {"SSH_CONNECTION=192.0.2.1 50000 192.0.2.2 22", NULL};
    const struct scope_facts only_session = {.session = 4711};
    const struct scope_facts outside = {.session = 0}; /* a leader that this pid namespace does not see */

    TAP_STR(name_of(SHARE_STEP, hydra, &only_session), "session 4711");
    TAP_STR(name_of(SHARE_STEP, hydra_in_job, &only_session), "pbs job 123.pbs");
    TAP_STR(name_of(SHARE_STEP, ssh, &only_session), "session 4711");
    TAP_STR(name_of(SHARE_STEP, ssh, &outside), "session 0");
}

static void test_cgroups(void)
{
    static const struct {
        const char *cgroup;
        const char *name;
    } rows[] = {
        /* Recorded, but for the step. */
        {extern_step, "slurm job 77"},
        {"4:memory:/slurm_node1/uid_1003/job_1/step_extern/task_0\n3:cpuset:/\n", "slurm job 1"},
        /* cgroup/v1 without, cgroup/v2 without and with several slurmd on a node: xcgroup.c, cgroup_v2.c. */
        {"4:memory:/slurm/uid_1003/job_12/step_extern", "slurm job 12"},
        {"0::/system.slice/slurmstepd.scope/job_13/step_extern/user/task_special\n", "slurm job 13"},
        {"0::/system.slice/node1_slurmstepd.scope/job_14/step_extern/user/task_0\n", "slurm job 14"},
        {"0::/system.slice/slurmstepd.scope/job_15\n", "slurm job 15"},
        /* Slurm 26.11 can name the job otherwise: then it sets the variable. */
        {"0::/system.slice/slurmstepd.scope/s1A2B3C4D5E6F7/step_extern/user\n", "session 4711"},
        /* Not Slurm's. */
        {"", "session 4711"},
        {"\n\n", "session 4711"},
        {"0::/\n", "session 4711"},
        {"0::/user.slice/user-1003.slice/session-2.scope\n", "session 4711"},
        {"0::/job_5/step_0\n", "session 4711"},
        {"0::/user.slice/job_5/slurm\n", "session 4711"},
        {"0::/user.slice/slurm\n1:cpu:/job_5\n", "session 4711"},
        {"1:name=slurm:/job_5\n", "session 4711"},
        {"0::/slurm/job_\n", "session 4711"},
        {"0::/slurm/job_5x\n", "session 4711"},
        {"0::/slurm/job_4294967296\n", "session 4711"},
        {"0::/slurm/job_-1/job_6\n", "slurm job 6"},
        {"0::/slurmstepd.scop/job", "session 4711"},
    };
    const char *const ssh[] = {"SSH_CONNECTION=192.0.2.1 50000 192.0.2.2 22", NULL};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scope_facts facts = {.session = 4711, .cgroup = rows[i].cgroup};
        TAP_STR(name_of(SHARE_STEP, ssh, &facts), rows[i].name);
    }
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_environments();
    test_needs_of_job();
    test_plain_modes();
    test_origin();
    test_parse();
    test_bad_keys();
    test_malformed_values();
    test_odd_ids();
    test_missing_facts();
    test_cgroups();
    arena_free(&arena);
    return tap_done();
}
