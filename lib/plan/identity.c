#include "plan/identity.h"

#include <string.h>

enum { NOBODY = 65534 };

const char *identity_passwd(const struct plan *plan, const struct host_record *record, struct arena *arena)
{
    struct str text = {.arena = arena};

    if (plan->uid != 0 && strcmp(record->user, "root") != 0)
        str_add(&text, "root:x:0:0:root:/root:/bin/sh\n");
    str_addf(&text, "%s:x:%u:%u::%s:%s\n", record->user, plan->uid, plan->gid,
             *record->home ? record->home : "/", *record->shell ? record->shell : "/bin/sh");
    if (plan->uid != NOBODY)
        str_add(&text, "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
    return str_text(&text);
}

const char *identity_group(const struct plan *plan, const struct host_record *record, struct arena *arena)
{
    struct str text = {.arena = arena};

    if (plan->gid == 0 || strcmp(record->user, "root") != 0)
        str_add(&text, "root:x:0:\n");
    if (plan->gid != 0 && plan->gid != NOBODY)
        str_addf(&text, "%s:x:%u:\n", record->user, plan->gid);
    str_add(&text, "nogroup:x:65534:\n");
    return str_text(&text);
}
