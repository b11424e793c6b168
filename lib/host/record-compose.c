#include "host/record-compose.h"

#include <string.h>

static void add_group(struct account_group *groups, size_t *count, uint32_t gid, int member)
{
    for (size_t i = 0; i < *count; i++)
        if (groups[i].gid == gid)
            return;
    if (*count == RECORD_GROUPS_LIMIT)
        return;
    groups[*count] = (struct account_group){account_fixed_group(gid), gid, member};
    ++*count;
}

static int is_supplementary(const struct record_facts *facts, uint32_t gid)
{
    for (size_t i = 0; i < facts->group_count; i++)
        if (facts->groups[i] == gid)
            return 1;
    return 0;
}

struct account_group *record_groups(const struct account *account, const struct record_facts *facts,
                                    struct arena *arena, size_t *count)
{
    struct account_group *groups = arena_alloc(arena, (facts->group_count + 3) * sizeof(*groups));

    *count = 0;
    add_group(groups, count, account->gid, 0);
    add_group(groups, count, facts->egid, is_supplementary(facts, facts->egid));
    add_group(groups, count, facts->gid, is_supplementary(facts, facts->gid));
    for (size_t i = 0; i < facts->group_count; i++)
        add_group(groups, count, facts->groups[i], 1);
    return groups;
}

void record_compose(struct record_file *file, const struct record_facts *facts, const struct account *account,
                    const struct account *other, const struct account_group *groups, size_t count,
                    struct arena *arena)
{
    struct str passwd = {.arena = arena};
    struct str group = {.arena = arena};
    uint32_t *gids = arena_alloc(arena, count * sizeof(*gids));

    account_add_passwd(account, other, &passwd);
    account_add_group(account, groups, count, &group);
    for (size_t i = 0; i < count; i++)
        gids[i] = groups[i].gid;

    memset(file, 0, sizeof(*file));
    file->uid = facts->uid;
    file->boot = facts->boot;
    file->made = facts->now;
    file->holds = RECORD_MAX_AGE;
    memcpy(file->inputs, facts->inputs, sizeof(file->inputs));
    file->groups = gids;
    file->group_count = count;
    file->user = account->name;
    file->home = account->home;
    file->shell = account->shell;
    file->slurm_conf = file->auth = file->config_error = file->directory = "";
    file->passwd = str_text(&passwd);
    file->group = str_text(&group);
}
