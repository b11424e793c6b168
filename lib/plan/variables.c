/* Variables that name a path: what passes through must find it. */
#include <string.h>

#include "base/env.h"
#include "plan/build.h"

static const char *const path_variables[] = {
    "TMPDIR",             /* scratch of the job */
    "XDG_RUNTIME_DIR",    /* sockets of the login session */
    "PMIX_SERVER_TMPDIR", /* rendezvous with the PMIx server */
    "PMIX_SYSTEM_TMPDIR",
    "KRB5CCNAME",    /* Kerberos tickets: FILE:PATH, DIR:PATH or a path; kinit(1) */
    "SSH_AUTH_SOCK", /* ssh-agent(1) */
    "XAUTHORITY",    /* xauth(1) */
    "SLURM_CONF",    /* slurm.conf(5) */
};

/* The path in VALUE, "" where there is none. */
static const char *path_of(const char *value)
{
    if (strncmp(value, "FILE:", 5) == 0)
        return value + 5;
    if (strncmp(value, "DIR:", 4) == 0)
        return value + 4;
    return value;
}

void plan_variable_binds(struct plan *plan, const struct plan_inputs *in)
{
    for (size_t i = 0; i < sizeof(path_variables) / sizeof(path_variables[0]); i++) {
        const char *value = env_find(in->facts->environment, path_variables[i]);

        /* A variable that was dropped or set anew does not pass: its path is not the host's. */
        if (value && plan_variable_passes(in, path_variables[i]))
            plan_bind_in_place(plan, in->arena, path_of(value), path_variables[i]);
    }
}
