/* Lines, their order and the sum; JSON; nothing of a terminal in what comes from elsewhere. */
#include "doctor/print.h"

#include "../../tap.h"
#include "hosts.h"

static struct arena arena;

static const char *text_of(const struct doctor_facts *facts, struct doctor_style style)
{
    struct doctor_findings findings = {.arena = &arena};
    struct str out = {.arena = &arena};

    doctor_judge(facts, &findings);
    doctor_print(facts, &findings, &style, &out);
    return str_text(&out);
}

static const char *json_of(const struct doctor_facts *facts)
{
    struct doctor_findings findings = {.arena = &arena};
    struct str out = {.arena = &arena};

    doctor_judge(facts, &findings);
    doctor_print_json(facts, &findings, &out);
    return str_text(&out);
}

int main(void)
{
    const struct doctor_style quiet = {.is_quiet = 1}, colour = {.has_colour = 1}, plain = {0};
    struct doctor_facts facts = host_good();

    arena_init(&arena, tap_no_memory);
    TAP_STR(text_of(&facts, quiet), "coracle run works here.\n");
    TAP_TRUE(strncmp(text_of(&facts, plain), "coracle ", 8) == 0);
    TAP_TRUE(strstr(text_of(&facts, plain), ", Linux 6.12.1 x86_64\nlaunch\n  ok    directory: ") != NULL);
    TAP_TRUE(!strchr(text_of(&facts, plain), '\033'));
    TAP_TRUE(strstr(text_of(&facts, colour), "  \033[32mok  \033[0m  directory: ") != NULL);

    facts.kernel.copies = EPERM;
    facts.kernel.yama = 1;
    TAP_STR(text_of(&facts, quiet),
            "jobs\n  slow  mpi-copies: MPI copies large messages between ranks of a node twice, inside as "
            "outside: "
            "kernel.yama.ptrace_scope is 1; the site can allow it: sysctl kernel.yama.ptrace_scope=0\n"
            "coracle run works here, slower than it could. Costs speed: mpi-copies.\n");
    TAP_TRUE(strstr(json_of(&facts), "\"run\": \"slower\",\n  \"status\": 1,") != NULL);

    facts.mounts.overlay = EPERM;
    TAP_TRUE(strstr(text_of(&facts, plain),
                    "not everything does. Breaks some: overlay. Costs speed: mpi-copies.\n") != NULL);
    facts = host_rhel7();
    TAP_TRUE(strstr(text_of(&facts, plain),
                    "coracle run does not work here. Breaks every launch: directory, user-namespaces.\n") !=
             NULL);
    TAP_TRUE(strstr(json_of(&facts), "\"verdict\": \"fail\"") != NULL);

    /* A directory's name is anybody's. */
    facts = host_good();
    facts.storage.scratch = host_place("/a\033[2J\n\xff");
    TAP_TRUE(!strchr(text_of(&facts, plain), '\033'));
    TAP_TRUE(strstr(text_of(&facts, plain), "$'/a\\x1b[2J\\n\\xff' has 50 GiB") != NULL);
    arena_free(&arena);
    return tap_done();
}
