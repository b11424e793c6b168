#include "host/record.h"

#include <string.h>

#include "host/account.h"
#include "host/programs.h"
#include "host/record-compose.h"
#include "host/record-facts.h"
#include "host/record-file.h"
#include "host/record-make.h"
#include "host/record-place.h"

/*
 * No further than to a record, even if it does not hold: ranks that found another one
 * behind it, until that ends as well, would bind other files than those before and after.
 */
static int read_kept(const struct record_facts *facts, char *const environment[], struct record_file *file,
                     struct arena *arena)
{
    int result = -1;

    for (int rank = 0; rank < RECORD_PLACES && result < 0; rank++) {
        const char *place = record_place(rank, environment, facts->uid, arena);
        result = place ? record_place_read(place, facts, file, arena) : -1;
    }
    return result;
}

/* What can be said without the name service. $USER and $HOME are not asked: anyone can set them. */
static void compose_unknown(const struct record_facts *facts, struct record_file *file, struct arena *arena)
{
    struct account account;
    struct account_group *groups;
    size_t count;

    account_set_unknown(&account, facts->uid, facts->gid, arena);
    groups = record_groups(&account, facts, arena, &count);
    record_compose(file, facts, &account, NULL, groups, count, arena);
}

/* Puts what the user should know into *WARNING. */
static int make(const struct record_facts *facts, char *const environment[], struct record_file *file,
                const char **warning, struct arena *arena, struct err *err)
{
    int result = record_make(programs_find("coracle-record", arena), environment, file, arena, err);

    if (result < 0)
        return -1;
    if (result > 0) {
        compose_unknown(facts, file, arena);
        *warning = arena_printf(
            arena,
            "user and group names are unknown inside, you are %s, and no configuration file is read: %s",
            file->user, err->text);
    }
    return *file->config_error ? err_set(err, ERR_CONFIG, "%s", file->config_error) : 0;
}

static void fill(struct host_record *record, const struct record_file *file, struct arena *arena)
{
    memset(record, 0, sizeof(*record));
    record->user = file->user;
    record->home = file->home;
    record->shell = file->shell;
    record->slurm_conf = file->slurm_conf;
    record->auth = file->auth;
    record->many_mounts = file->many_mounts;
    record->settings = file->settings;
    record->setting_count = file->setting_count;
    record->is_kept = *file->directory != 0;
    if (*file->directory) {
        record->passwd_path = arena_join(arena, file->directory, "/passwd", NULL);
        record->group_path = arena_join(arena, file->directory, "/group", NULL);
    } else {
        record->passwd = file->passwd;
        record->group = file->group;
    }
}

int record_load(struct host_record *record, char *const environment[], struct arena *arena, struct err *err)
{
    struct record_facts facts;
    struct record_file file;
    const char *warning = NULL;

    record_facts_gather(&facts, environment, arena);
    if (read_kept(&facts, environment, &file, arena) != 0 &&
        make(&facts, environment, &file, &warning, arena, err) < 0)
        return -1;
    fill(record, &file, arena);
    record->warning = warning;
    return 0;
}
