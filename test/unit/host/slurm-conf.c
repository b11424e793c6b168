#include "host/slurm-conf.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"

static struct arena arena;
static char folder[] = "/tmp/coracle-unit-XXXXXX";

static const char *path_of(const char *name)
{
    return arena_join(&arena, folder, "/", name, NULL);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    TAP_TRUE(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static struct slurm_conf conf_of(const char *text)
{
    struct slurm_conf conf;

    write_file("slurm.conf", text);
    TAP_INT(slurm_conf_read(&conf, path_of("slurm.conf"), &arena), 0);
    TAP_STR(conf.path, path_of("slurm.conf"));
    return conf;
}

static void test_nothing_said(void)
{
    const struct slurm_conf conf = conf_of("");

    TAP_STR(conf.user, "root");
    TAP_STR(conf.auth_type, "auth/munge");
    TAP_STR(conf.auth_socket, NULL);
}

static void test_user(void)
{
    static const struct {
        const char *text, *user;
    } cases[] = {
        {"SlurmUser=slurm\n", "slurm"},
        {"SlurmUser=slurm", "slurm"},
        {"  slurmuser=slurm  \n", "slurm"},
        {"SLURMUSER=slurm # who else\n", "slurm"},
        {"#SlurmUser=slurm\n", "root"},
        {"SlurmUser=\"slurm\"\n", "slurm"},
        {"SlurmUser=slurm(64030)\n", "slurm"},
        {"SlurmUser=64030\r\n", "64030"},
        {"NodeName=a CPUs=4 SlurmUser=slurm\n", "slurm"},
        {"SlurmUser \\\n =slurm\n", "root"},
        {"ClusterName=x \\\nSlurmUser=slurm\n", "slurm"},
        {"SlurmUser=first\nSlurmUser=last\n", "last"},
        {"SlurmdUser=other\n", "root"},
        {"= = =\nSlurmUser=slurm\n", "slurm"},
        {"SlurmUser=a\\#b\n", "a#b"},
        {"Name=\"not ended\nSlurmUser=slurm\n", "slurm"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        TAP_STR(conf_of(cases[i].text).user, cases[i].user);
}

static void test_socket(void)
{
    static const struct {
        const char *text, *socket;
    } cases[] = {
        {"AuthInfo=socket=/run/munge/two\n", "/run/munge/two"},
        {"AuthInfo=/run/munge/two\n", NULL},
        {"authinfo=cred_expire=120,Socket=/mnt/m/s\n", "/mnt/m/s"},
        {"AuthInfo=socket=/mnt/m/s,ttl=10\n", "/mnt/m/s"},
        {"AuthInfo=socket=relative\n", NULL},
        {"AuthInfo=websocket=/mnt/m/s\n", NULL},
        {"AuthInfo=socket\n", NULL},
        {"AuthAltParameters=socket=/mnt/m/s\n", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        TAP_STR(conf_of(cases[i].text).auth_socket, cases[i].socket);
    TAP_STR(conf_of("AuthType=auth/slurm\n").auth_type, "auth/slurm");
}

static void test_include(void)
{
    struct slurm_conf conf;

    TAP_INT(mkdir(path_of("more"), 0755), 0);
    write_file("more/auth", "AuthInfo=socket=/mnt/m/s\n");
    write_file("user", "SlurmUser=slurm\nInclude more/auth\n");
    conf = conf_of("Include user\n");
    TAP_STR(conf.user, "slurm");
    TAP_STR(conf.auth_socket, "/mnt/m/s");
    conf = conf_of(arena_join(&arena, "include \t ", path_of("user"), " # and no more\n", NULL));
    TAP_STR(conf.user, "slurm");
    TAP_STR(conf_of("Include nowhere\nInclude\nInclude \nSlurmUser=slurm\n").user, "slurm");
    TAP_STR(conf_of("Include=user\n").user, "root");
    /* Itself: the last line is reached once for each of the files. */
    TAP_STR(conf_of("SlurmUser=first\nInclude slurm.conf\nSlurmUser=last\n").user, "last");
}

static void test_what_cannot_be_read(void)
{
    struct slurm_conf conf;

    TAP_INT(mkfifo(path_of("fifo"), 0600), 0);
    TAP_STR(conf_of("Include fifo\nSlurmUser=slurm\n").user, "slurm");
    TAP_INT(slurm_conf_read(&conf, path_of("fifo"), &arena), -1);
    TAP_INT(slurm_conf_read(&conf, folder, &arena), -1);
    TAP_INT(slurm_conf_read(&conf, path_of("nowhere"), &arena), -1);
    TAP_STR(conf.path, "");
    TAP_STR(conf.user, "root");
    TAP_STR(conf.auth_type, "auth/munge");
}

/* Two files that include each other twice would be read two to the power of the depth times: the sum is
 * limited. */
static void test_limit(void)
{
    struct slurm_conf conf;

    write_file("slurm.conf", "SlurmUser=slurm\n");
    TAP_INT(truncate(path_of("slurm.conf"), SLURM_CONF_LIMIT + 1), 0);
    TAP_INT(slurm_conf_read(&conf, path_of("slurm.conf"), &arena), 0);
    TAP_STR(conf.user, "root");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    TAP_TRUE(mkdtemp(folder));
    test_nothing_said();
    test_user();
    test_socket();
    test_include();
    test_what_cannot_be_read();
    test_limit();
    TAP_TRUE(slurm_conf_is_usual("/etc/slurm/slurm.conf"));
    TAP_TRUE(!slurm_conf_is_usual("/mnt/slurm.conf"));
    for (const char *const *name = (const char *const[]){"slurm.conf", "user", "more/auth", "fifo", NULL};
         *name; name++)
        unlink(path_of(*name));
    rmdir(path_of("more"));
    TAP_INT(rmdir(folder), 0);
    arena_free(&arena);
    return tap_done();
}
