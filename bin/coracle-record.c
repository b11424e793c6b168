/*
 * coracle-record - asks the name service who the user is, reads the configuration
 * files, keeps the answers for the ranks of this node (host/record.h) and prints
 * them on standard output.
 *
 * This is the one program of a launch that needs the system's own C library:
 * whatever nsswitch.conf names (files, sss, ldap, nis) is loaded here and
 * nowhere else. The light programs run it when they find no record that holds.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/path.h"
#include "config/config.h"
#include "config/sources.h"
#include "host/account.h"
#include "host/many-mounts.h"
#include "host/record-compose.h"
#include "host/record-facts.h"
#include "host/record-file.h"
#include "host/record-place.h"
#include "host/record-store.h"
#include "host/slurm-conf.h"

enum {
    ENTRY_ROOM = 16 * 1024,         /* first try for an entry of the name service */
    ENTRY_LIMIT = 16 * 1024 * 1024, /* a group can have very many members */
};

static void __attribute__((noreturn)) exhausted(void)
{
    struct err err;

    err_set(&err, ERR_NO_MEMORY, "coracle-record: out of memory");
    log_error(&err);
    exit(EXIT_FAILURE);
}

/* What came of all look-ups of a record, the worst of them. */
enum outcome { FOUND, NOT_FOUND, FAILED };

/*
 * The outcome of a getXXX_r() that returned ERROR. "Not found" is 0 without an
 * entry, and ENOENT or ESRCH of some services; getpwuid_r(3). ERANGE is an entry
 * beyond ENTRY_LIMIT: it will not shrink by asking again.
 */
static enum outcome judge(int found, int error)
{
    if (found)
        return FOUND;
    return error == 0 || error == ENOENT || error == ESRCH || error == ERANGE ? NOT_FOUND : FAILED;
}

static enum outcome worse(enum outcome a, enum outcome b)
{
    return a > b ? a : b;
}

static void warn(const char *what, uint32_t id, int error)
{
    log_warning("coracle-record: the name service cannot look up %s %u: %s; this launch does without, "
                "the next one asks again",
                what, id, err_reason(error));
}

/* The user as the name service has him, or as "uid-N". Strings belong to ARENA. */
static enum outcome look_up_user(const struct record_facts *facts, struct account *account,
                                 struct arena *arena)
{
    struct passwd entry, *found = NULL;
    enum outcome outcome;
    int error = ERANGE;

    for (size_t room = ENTRY_ROOM; error == ERANGE && room <= ENTRY_LIMIT; room *= 4)
        error = getpwuid_r(facts->uid, &entry, arena_alloc(arena, room), room, &found);

    account_set_unknown(account, facts->uid, facts->gid, arena);
    outcome = judge(found != NULL, error);
    if (outcome == FAILED)
        warn("uid", facts->uid, error);
    if (!found || !found->pw_name || !account_name_usable(found->pw_name))
        return outcome;
    account->name = found->pw_name;
    account->gid = found->pw_gid;
    account->gecos = account_clean_field(found->pw_gecos ? found->pw_gecos : "", arena);
    account->home = account_clean_path(found->pw_dir ? found->pw_dir : "");
    account->shell = account_clean_path(found->pw_shell ? found->pw_shell : "");
    return outcome;
}

/* Puts the name of group GID, if it has one, into *NAME. It belongs to ARENA. */
static enum outcome look_up_group(uint32_t gid, const char **name, struct arena *arena)
{
    struct group entry, *found = NULL;
    enum outcome outcome;
    int error = ERANGE;

    /* The list of members can be long and is thrown away: not from the arena. */
    for (size_t room = ENTRY_ROOM; error == ERANGE && room <= ENTRY_LIMIT; room *= 4) {
        char *buffer = malloc(room);
        if (!buffer)
            exhausted();
        error = getgrgid_r(gid, &entry, buffer, room, &found);
        if (found && found->gr_name)
            *name = arena_strdup(arena, found->gr_name);
        free(buffer);
    }
    outcome = judge(found != NULL, error);
    if (outcome == FAILED)
        warn("gid", gid, error);
    return outcome;
}

static int is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The directory of the socket by which Slurm's programs prove who calls; "" where there is none. */
static const char *auth_directory(const struct slurm_conf *conf, struct arena *arena)
{
    const char *directory = "/run/munge";

    if (strcmp(conf->auth_type, "auth/slurm") == 0)
        directory = "/run/slurm"; /* of sackd */
    else if (conf->auth_socket)
        directory = path_parent(arena, path_clean(arena, conf->auth_socket));
    return is_directory(directory) ? account_clean_path(directory) : "";
}

/* It is set up here, and may only not have been started yet. */
static int auth_may_come(const struct record_file *file)
{
    return !*file->auth && (*file->slurm_conf || is_directory("/etc/munge"));
}

/* Slurm's programs look for the user that its daemons run as, and end where nobody knows him. */
static int look_up_slurm_user(const struct slurm_conf *conf, struct account *account)
{
    const struct passwd *found;
    uint32_t uid;

    found = num_parse_id(conf->user, &uid) == 0 ? getpwuid(uid) : getpwnam(conf->user);
    if (!found || !account_name_usable(found->pw_name))
        return -1;
    *account = (struct account){found->pw_name, found->pw_uid, found->pw_gid, "", "/", "/usr/sbin/nologin"};
    return 0;
}

/* The file as it is named, where that is a path. */
static const char *named_slurm_conf(const struct record_facts *facts)
{
    const char *named = facts->inputs[RECORD_SLURM_CONF];

    return *named == '/' ? named : NULL;
}

/* Puts into FILE what the configuration says. */
static void take_configuration(struct record_file *file, const struct config *config,
                               const struct config_sources *sources, struct arena *arena)
{
    struct record_setting *settings = arena_alloc(arena, (config->setting_count + 2) * sizeof(*settings));
    size_t count = config->setting_count;

    for (size_t i = 0; i < config->setting_count; i++) {
        const struct config_setting *setting = &config->settings[i];
        settings[i] = (struct record_setting){setting->name, setting->value, setting->origin};
    }
    if (config->cache.value)
        settings[count++] = (struct record_setting){"cache", config->cache.value, config->cache.origin};
    if (config->default_registry.value)
        settings[count++] = (struct record_setting){"registry", config->default_registry.value,
                                                    config->default_registry.origin};
    file->settings = settings;
    file->setting_count = count;
    file->watches = sources->watches;
    file->watch_count = sources->watch_count;
    if (sources->is_fresh)
        file->holds = RECORD_UNKNOWN_AGE;
}

/* A record that says only that the configuration cannot be used, and ERR why. */
static void make_refusal(const struct record_facts *facts, struct record_file *file, const struct err *err,
                         struct arena *arena)
{
    struct account account;
    struct account_group *groups;
    size_t count;

    account_set_unknown(&account, facts->uid, facts->gid, arena);
    groups = record_groups(&account, facts, arena, &count);
    record_compose(file, facts, &account, NULL, groups, count, arena);
    file->config_error = arena_strdup(arena, err->text);
}

/* A new record, texts included. */
static enum outcome make(const struct record_facts *facts, struct record_file *file, struct arena *arena)
{
    struct config config;
    struct config_sources sources;
    struct err err;
    struct account account, slurm_user, *other = NULL;
    struct account_group *groups;
    struct slurm_conf conf;
    enum outcome outcome;
    size_t count;

    if (config_read(&config, &sources, environ, arena, &err) < 0) {
        make_refusal(facts, file, &err, arena);
        return FAILED;
    }
    outcome = look_up_user(facts, &account, arena);
    groups = record_groups(&account, facts, arena, &count);
    /* A service that is away would be waited for once more for each group. */
    for (size_t i = 0; i < count && outcome != FAILED; i++) {
        enum outcome of_group = look_up_group(groups[i].gid, &groups[i].name, arena);
        if (of_group == FAILED || !groups[i].name) /* we know root and nogroup ourselves */
            outcome = worse(outcome, of_group);
    }
    if (slurm_conf_read(&conf, named_slurm_conf(facts), arena) == 0 &&
        look_up_slurm_user(&conf, &slurm_user) == 0)
        other = &slurm_user;
    record_compose(file, facts, &account, other, groups, count, arena);
    file->slurm_conf = account_clean_path(conf.path);
    file->auth = auth_directory(&conf, arena);
    file->many_mounts = many_mounts();
    take_configuration(file, &config, &sources, arena);
    if (outcome == NOT_FOUND || auth_may_come(file))
        file->holds = RECORD_UNKNOWN_AGE;
    return outcome;
}

/* Keeps a record in the first place that will have it, or finds the one that another rank has made. */
static void obtain(const struct record_facts *facts, struct record_file *file, struct arena *arena)
{
    enum outcome outcome = FOUND;
    int made = 0;

    for (int rank = 0; rank < RECORD_PLACES; rank++) {
        const char *place = record_place(rank, environ, facts->uid, arena);
        struct err ignored;
        FD_CLEANUP int dir = place ? record_store_open(place, facts->uid, &ignored) : -1;

        if (dir < 0)
            continue;
        record_store_lock(dir);
        if (record_place_read(place, facts, file, arena) == 0)
            return;
        if (!made)
            outcome = make(facts, file, arena);
        made = 1;
        /* A wrong answer must not outlive the failure that caused it. */
        if (outcome == FAILED)
            return;
        if (record_store(dir, place, file, arena, &ignored) == 0)
            return;
    }
    if (!made)
        make(facts, file, arena);
}

int main(int argc, char **argv)
{
    struct arena arena;
    struct record_facts facts;
    struct record_file file;
    struct str text = {.arena = &arena};
    struct err err;

    (void)argv;
    if (argc > 1) {
        err_set(&err, ERR_USAGE, "coracle-record takes no arguments; coracle runs it by itself");
        log_error(&err);
        return EXIT_FAILURE;
    }
    log_name_node(environ);
    umask(077);
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is one more reason to keep nothing */
    arena_init(&arena, exhausted);
    record_facts_gather(&facts, environ, &arena);
    obtain(&facts, &file, &arena);
    record_file_print(&file, &text);
    if (fd_write_all(STDOUT_FILENO, text.data, text.length) < 0) {
        err_set(&err, ERR_RECORD, "coracle-record: cannot write the record: %s", err_reason(errno));
        log_error(&err);
        return EXIT_FAILURE;
    }
    arena_free(&arena);
    return EXIT_SUCCESS;
}
