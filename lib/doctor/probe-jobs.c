/* What jobs need of the host: launchers, Slurm's socket, Kerberos' tickets. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/str.h"
#include "doctor/probe.h"
#include "host/record.h"

static const char krb5_conf[] = "/etc/krb5.conf", krb5_parts[] = "/etc/krb5.conf.d";

enum { CONF_LIMIT = 256 * 1024 };

static int is_in_path(const char *name, const char *path, struct arena *arena)
{
    while (path && *path) {
        const size_t length = strcspn(path, ":");
        const char *file = arena_join(arena, arena_strndup(arena, path, length), "/", name, NULL);

        if (length && access(file, X_OK) == 0)
            return 1;
        path += length + (path[length] == ':');
    }
    return 0;
}

static void find_launchers(struct doctor_facts *facts, char *const environment[], struct arena *arena)
{
    struct doctor_jobs *found = &facts->jobs;
    const char *path = env_find(environment, "PATH");
    static const char *const names[] = {"srun", "mpirun", "mpiexec", "prun",    "prterun",
                                        "flux", "jsrun",  "aprun",   "palsrun", "ibrun"};
    struct str list = {.arena = arena};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (is_in_path(names[i], path, arena))
            str_addf(&list, "%s%s", list.length ? " " : "", names[i]);
    snprintf(found->launchers, sizeof(found->launchers), "%s", str_text(&list));
    found->has_srun = is_in_path("srun", path, arena);
    found->path_is_silent = 0;
}

/* The value of default_ccache_name in FILE; NULL: it is not set there. krb5.conf(5) */
static const char *find_name(const char *file, struct arena *arena)
{
    static const char key[] = "default_ccache_name";
    size_t length;
    char *text = fd_read_file(AT_FDCWD, file, 0, CONF_LIMIT, arena, &length);

    for (char *line = text; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
        line += strspn(line, " \t");
        if (strncmp(line, key, sizeof(key) - 1) == 0) {
            char *value = line + sizeof(key) - 1;

            value += strspn(value, " \t=");
            return arena_strndup(arena, value, strcspn(value, " \t\r\n"));
        }
    }
    return NULL;
}

static const char *find_ticket(char *const environment[], struct arena *arena)
{
    const char *name = env_find(environment, "KRB5CCNAME");
    const struct dirent *entry;
    DIR *dir;

    if (name && *name)
        return name;
    name = find_name(krb5_conf, arena);
    dir = name ? NULL : opendir(krb5_parts);
    while (!name && dir && (entry = readdir(dir)))
        name = find_name(arena_join(arena, krb5_parts, "/", entry->d_name, NULL), arena);
    if (dir)
        closedir(dir);
    return name;
}

/* ccache_type; a name without one is a file. MIT Kerberos, doc/basic/ccache_def */
static enum doctor_ticket ticket_of(const char *name)
{
    static const struct {
        const char *begin;
        enum doctor_ticket ticket;
    } kinds[] = {{"KEYRING:persistent:", TICKET_KEPT_KEYRING},
                 {"KEYRING:user:", TICKET_KEPT_KEYRING},
                 {"KEYRING:", TICKET_KEYRING},
                 {"KCM:", TICKET_KCM},
                 {"FILE:", TICKET_FILE},
                 {"/", TICKET_FILE}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strncmp(name, kinds[i].begin, strlen(kinds[i].begin)) == 0)
            return kinds[i].ticket;
    return TICKET_OTHER;
}

static int connect_to(const char *directory, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    FD_CLEANUP int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return errno;
    if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", directory, name) >=
        (int)sizeof(address.sun_path))
        return ENAMETOOLONG;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 && errno != EAGAIN)
        return errno;
    return 0;
}

void probe_jobs(struct doctor_facts *facts, char *const environment[], struct arena *arena)
{
    struct doctor_jobs *found = &facts->jobs;
    const char *ticket = find_ticket(environment, arena);

    found->path_is_silent = 1;
    doctor_child_of(find_launchers, facts, environment, arena);
    if (ticket) {
        found->ticket = ticket_of(ticket);
        snprintf(found->ticket_name, sizeof(found->ticket_name), "%s", ticket);
    }
}

static void load_record(struct doctor_facts *facts, char *const environment[], struct arena *arena)
{
    struct doctor_jobs *found = &facts->jobs;
    struct host_record record;
    struct err err;
    const int failed = record_load(&record, environment, arena, &err) < 0;

    facts->record_is_silent = 0;
    if (failed) {
        snprintf(facts->record, sizeof(facts->record), "%s", err.text);
        facts->record_is_fatal = 1;
        return;
    }
    if (record.warning)
        snprintf(facts->record, sizeof(facts->record), "%s", record.warning);
    snprintf(found->slurm_conf, sizeof(found->slurm_conf), "%s", record.slurm_conf);
    snprintf(found->auth, sizeof(found->auth), "%s", record.auth);
    if (!*found->auth)
        return;
    found->auth_connects = connect_to(found->auth, "munge.socket.2");
    if (found->auth_connects == ENOENT)
        found->auth_connects = connect_to(found->auth, "sack.socket");
}

void probe_record(struct doctor_facts *facts, char *const environment[], struct arena *arena)
{
    facts->record_is_silent = 1;
    doctor_child_of(load_record, facts, environment, arena);
    if (facts->record_is_silent)
        snprintf(
            facts->record, sizeof(facts->record),
            "what a launch has to know of you and this node was not read within %d seconds; does the file "
            "system of a configuration file hang, or the name service?",
            DOCTOR_PATIENCE);
}
