#include "host/account.h"

#include <limits.h>
#include <string.h>

#include "base/num.h"

enum {
    ROOT_ID = 0,
    NOBODY_ID = 65534,
    NAME_LIMIT = 255,
};

static int is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

int account_name_usable(const char *name)
{
    size_t length = strlen(name);

    /* "+" and "-" at the start mean NIS to the old "compat" service. */
    if (!length || length > NAME_LIMIT || *name == '+' || *name == '-' || *name == '#')
        return 0;
    for (const char *p = name; *p; p++)
        if (is_control(*p) || strchr(":,/", *p))
            return 0;
    return 1;
}

static char *numbered_name(const char *prefix, uint32_t id, struct arena *arena)
{
    char digits[21];

    num_format(digits, id);
    return arena_join(arena, prefix, digits, NULL);
}

void account_set_unknown(struct account *account, uint32_t uid, uint32_t gid, struct arena *arena)
{
    account->name = uid == ROOT_ID ? "root" : uid == NOBODY_ID ? "nobody" : numbered_name("uid-", uid, arena);
    account->uid = uid;
    account->gid = gid;
    account->gecos = "";
    account->home = "";
    account->shell = "";
}

const char *account_fixed_group(uint32_t gid)
{
    return gid == ROOT_ID ? "root" : gid == NOBODY_ID ? "nogroup" : NULL;
}

const char *account_clean_field(const char *text, struct arena *arena)
{
    char *copy = arena_strdup(arena, text);
    int mended = 0;

    for (char *p = copy; *p; p++) {
        if (*p == ':' || is_control(*p)) {
            *p = ' ';
            mended = 1;
        }
    }
    return mended ? copy : text;
}

const char *account_clean_path(const char *text)
{
    if (*text != '/' || strlen(text) >= PATH_MAX)
        return "";
    for (const char *p = text; *p; p++)
        if (*p == ':' || is_control(*p))
            return "";
    return text;
}

static void add_passwd_line(struct str *out, const struct account *account)
{
    str_add(out, account->name);
    str_add(out, ":x:");
    str_add_number(out, account->uid);
    str_add_char(out, ':');
    str_add_number(out, account->gid);
    str_add_char(out, ':');
    str_add(out, account->gecos);
    str_add_char(out, ':');
    str_add(out, *account->home ? account->home : "/");
    str_add_char(out, ':');
    str_add(out, *account->shell ? account->shell : "/bin/sh");
    str_add_char(out, '\n');
}

static int shares_id_or_name(const struct account *a, const struct account *b)
{
    return a->uid == b->uid || strcmp(a->name, b->name) == 0;
}

void account_add_passwd(const struct account *account, const struct account *other, struct str *out)
{
    static const struct account root = {"root", ROOT_ID, ROOT_ID, "root", "/root", "/bin/sh"};
    static const struct account nobody = {"nobody", NOBODY_ID,      NOBODY_ID,
                                          "nobody", "/nonexistent", "/usr/sbin/nologin"};

    if (!shares_id_or_name(account, &root))
        add_passwd_line(out, &root);
    add_passwd_line(out, account);
    if (other && !shares_id_or_name(other, account) && !shares_id_or_name(other, &root) &&
        !shares_id_or_name(other, &nobody))
        add_passwd_line(out, other);
    if (!shares_id_or_name(account, &nobody))
        add_passwd_line(out, &nobody);
}

static void add_group_line(struct str *out, const struct account_group *group, const char *member)
{
    if (group->name) {
        str_add(out, group->name);
    } else {
        str_add(out, "gid-");
        str_add_number(out, group->gid);
    }
    str_add(out, ":x:");
    str_add_number(out, group->gid);
    str_add_char(out, ':');
    str_add(out, group->member ? member : "");
    str_add_char(out, '\n');
}

/* Whether none of GROUPS has NAME, and NAME can stand in the file. "gid-" is kept for our own names. */
static int is_name_free(const struct account_group *groups, size_t count, const char *name)
{
    if (!account_name_usable(name) || strncmp(name, "gid-", 4) == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (groups[i].name && strcmp(groups[i].name, name) == 0)
            return 0;
    return 1;
}

static int is_id_free(const struct account_group *groups, size_t count, uint32_t gid)
{
    for (size_t i = 0; i < count; i++)
        if (groups[i].gid == gid)
            return 0;
    return 1;
}

void account_add_group(const struct account *account, const struct account_group *groups, size_t count,
                       struct str *out)
{
    static const struct account_group root = {"root", ROOT_ID, 0};
    static const struct account_group nogroup = {"nogroup", NOBODY_ID, 0};

    if (is_id_free(groups, count, root.gid) && is_name_free(groups, count, root.name))
        add_group_line(out, &root, account->name);
    for (size_t i = 0; i < count; i++) {
        struct account_group group = groups[i];
        if (group.name && !is_name_free(groups, i, group.name))
            group.name = NULL;
        add_group_line(out, &group, account->name);
    }
    if (is_id_free(groups, count, nogroup.gid) && is_name_free(groups, count, nogroup.name))
        add_group_line(out, &nogroup, account->name);
}
