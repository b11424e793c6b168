/*
 * coracle-doctor - tries what this node offers and says what it means; `coracle doctor`
 * executes it.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/opt.h"
#include "build-mark.h"
#include "doctor/judge.h"
#include "doctor/print.h"
#include "doctor/probe.h"
#include "heavy.h"
#include "output.h"

struct options {
    int json;
    int quiet;
    int help;
};

static OPT_FLAG_SETTER(set_json, struct options, json);
static OPT_FLAG_SETTER(set_quiet, struct options, quiet);
static OPT_FLAG_SETTER(set_help, struct options, help);

static const struct opt_row rows[] = {
    {"--json", 0, OPT_FLAG, NULL, NULL, OPT_SINGLE, "print it as JSON", set_json},
    {"--quiet", 'q', OPT_FLAG, NULL, NULL, OPT_SINGLE, "print only what is not in order", set_quiet},
    {"--help", 'h', OPT_FLAG, NULL, NULL, OPT_SINGLE, "print this text", set_help},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static int print_help(struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};

    str_add(&out, "Usage: coracle doctor [--json | --quiet]\n\n"
                  "Tries, as you, all that a launch needs of this node, and prints a line for each: what it\n"
                  "means for jobs, what was found, and what to do. On a cluster: srun coracle doctor.\n\n");
    opt_help(rows, ROW_COUNT, &out);
    str_add(&out, "\nExit status: 0 coracle run works here; 1 it works, and something costs speed (slow);\n"
                  "2 some launches do not work (warn); 3 none does (fail); 125 the doctor itself failed.\n");
    return output_print(&out, err);
}

static void probe(struct doctor_facts *facts, struct arena *arena)
{
    probe_kernel(facts);
    probe_switches(facts);
    probe_namespaces(facts);
    probe_mounts(facts);
    probe_fuse(facts);
    probe_cgroups(facts);
    probe_storage(facts, environ, arena);
    probe_jobs(facts, environ, arena);
    probe_hardware(facts);
    probe_record(facts, environ, arena);
    probe_programs(facts, build_mark, arena);
    probe_launches(facts, environ, arena);
}

static int wants_colour(void)
{
    const char *term = env_find(environ, "TERM"), *no = env_find(environ, "NO_COLOR");

    return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0 && !(no && *no);
}

static int examine(const struct options *options, struct arena *arena, struct err *err)
{
    const struct doctor_style style = {options->quiet, wants_colour()};
    struct doctor_findings findings = {.arena = arena};
    struct doctor_facts *facts = doctor_facts_new();
    struct str out = {.arena = arena};

    if (!facts)
        return err_set(err, ERR_NO_MEMORY, "no memory: %s", err_reason(errno));
    probe(facts, arena);
    doctor_judge(facts, &findings);
    if (options->json)
        doctor_print_json(facts, &findings, &out);
    else
        doctor_print(facts, &findings, &style, &out);
    return output_print(&out, err) < 0 ? -1 : doctor_status(&findings);
}

/* Whatever the caller does with them, children are waited for, and clocks ring. */
static void settle_signals(void)
{
    sigset_t none;

    signal(SIGCHLD, SIG_DFL);
    signal(SIGALRM, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    doctor_heed_signals();
}

/* ARGV is that of coracle, from the name of the command on. */
static int run(int argc, char *argv[], struct arena *arena, struct err *err)
{
    struct options options = {0};
    const int index = opt_parse(rows, ROW_COUNT, argc, argv, &options, err);

    settle_signals();
    if (index < 0)
        return -1;
    if (options.help)
        return print_help(arena, err);
    if (index < argc)
        return err_set(err, ERR_USAGE, "coracle doctor takes options only, not %s",
                       str_quote(arena, argv[index]));
    if (options.json && options.quiet)
        return err_set(err, ERR_USAGE, "--json prints all; --quiet is for text");
    return examine(&options, arena, err);
}

int main(int argc, char *argv[])
{
    return heavy_main(argc, argv, run);
}
