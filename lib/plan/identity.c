#include "plan/identity.h"

#include "host/account.h"

static struct account account_inside(const struct plan *plan, const struct host_record *record)
{
    return (struct account){.name = record->user,
                            .uid = plan->uid,
                            .gid = plan->gid,
                            .gecos = "",
                            .home = record->home,
                            .shell = record->shell};
}

const char *identity_passwd(const struct plan *plan, const struct host_record *record, struct arena *arena)
{
    struct account account = account_inside(plan, record);
    struct str text = {.arena = arena};

    account_add_passwd(&account, NULL, &text);
    return str_text(&text);
}

const char *identity_group(const struct plan *plan, const struct host_record *record, struct arena *arena)
{
    struct account account = account_inside(plan, record);
    struct account_group group = {.name = account_fixed_group(plan->gid), .gid = plan->gid};
    struct str text = {.arena = arena};

    account_add_group(&account, &group, 1, &text);
    return str_text(&text);
}
