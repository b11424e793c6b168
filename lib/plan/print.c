/* The plan as text: one line a fact, its origin behind it. */
#include <sched.h>

#include "plan/plan.h"

enum { KEYWORD_COLUMN = 12, ORIGIN_COLUMN = 64 };

static size_t begin(struct str *out, const char *keyword)
{
    size_t start = out->length;

    str_add(out, keyword);
    str_pad(out, start, KEYWORD_COLUMN);
    return start;
}

static void end(struct str *out, size_t start, const char *origin)
{
    str_pad(out, start, ORIGIN_COLUMN);
    str_addf(out, "[%s]\n", origin);
}

static void add_flags(struct str *out, unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *word;
    } words[] = {
        {MOUNT_REPLACE, " replaces-name"}, {MOUNT_READ_ONLY, " ro"},  {MOUNT_NOSUID, " nosuid"},
        {MOUNT_NODEV, " nodev"},           {MOUNT_NOEXEC, " noexec"}, {MOUNT_OPTIONAL, " optional"},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (flags & words[i].flag)
            str_add(out, words[i].word);
}

void plan_print_row(const struct plan_row *row, struct str *out)
{
    static const char *const keywords[] = {[ROW_BIND] = "bind", [ROW_TMPFS] = "tmpfs", [ROW_FILE] = "file"};
    size_t start = begin(out, keywords[row->kind]);

    str_add_quoted(out, row->target);
    if (row->kind == ROW_BIND) {
        str_add(out, " from ");
        str_add_quoted(out, row->source);
    }
    if (row->size)
        str_addf(out, " size=%llu", (unsigned long long)row->size);
    add_flags(out, row->flags);
    if (row->is_missing)
        str_add(out, " missing");
    end(out, start, row->origin);
}

static void print_ids(const struct plan *plan, struct str *out)
{
    size_t start = begin(out, "ids");

    str_addf(out, "uid %u is %u, gid %u is %u, ", plan->host_uid, plan->uid, plan->host_gid, plan->gid);
    str_add(out, plan->keep_capabilities ? "capabilities of the namespace" : "no capabilities");
    end(out, start, plan->ids_origin);
}

static void print_scope(const struct plan *plan, struct str *out)
{
    size_t start = begin(out, "share");

    if (plan->keep_capabilities) {
        str_add(out, "nothing: what has capabilities is alone");
        end(out, start, plan->ids_origin);
        return;
    }
    str_add(out, plan->scope.shared ? "with " : "nothing");
    if (plan->scope.shared)
        str_add(out, plan->scope.name);
    if (plan->scope.shared && plan->own_view)
        str_addf(out, ", but a view of its own for %s", plan->own_view);
    end(out, start, plan->scope.origin);
}

static void print_name(const struct plan *plan, struct str *out)
{
    size_t start = begin(out, "name");

    str_add(out, plan->name);
    end(out, start, plan->name_origin);
}

void plan_print_head(const struct plan *plan, struct str *out)
{
    static const char *const modes[] = {
        [ROOT_READ_ONLY] = "read-only",
        [ROOT_WRITABLE_TMPFS] = "writable, changes are lost at the end",
        [ROOT_WRITE] = "writable, changes go to the image",
    };
    size_t start = begin(out, "image");

    str_add_quoted(out, plan->image);
    if (plan->image_is_served)
        str_add(out, plan->unpack_wanted ? " unpacked" : " served by coracle-fuse");
    end(out, start, plan->unpack_wanted ? plan->unpack_origin : plan->image_origin);
    start = begin(out, "root");
    str_add(out, modes[plan->root_mode]);
    if (plan->root_size)
        str_addf(out, " size=%llu", (unsigned long long)plan->root_size);
    end(out, start, plan->root_origin);
    print_scope(plan, out);
    if (plan->name)
        print_name(plan, out);
    start = begin(out, "namespaces");
    str_add(out, "user mount");
    end(out, start, "default");
    print_ids(plan, out);
}

static void print_env(const struct plan *plan, struct str *out)
{
    for (size_t i = 0; i < plan->env_change_count; i++) {
        const struct plan_env_change *change = &plan->env_changes[i];
        size_t start = begin(out, change->value ? "env" : "unset");

        str_add_quoted(out, change->name);
        if (change->value) {
            str_add_char(out, '=');
            str_add_quoted(out, change->value);
        }
        end(out, start, change->origin);
    }
}

static void print_choice(const char *const *shells, struct str *out)
{
    str_add(out, " in the first of");
    for (; *shells; shells++) {
        str_add_char(out, ' ');
        str_add_quoted(out, *shells);
    }
}

/* What a shell does before it becomes the command. */
static void print_sourced(const struct plan *plan, struct str *out)
{
    size_t start = begin(out, "source");

    str_add(out, plan->sourced);
    print_choice(plan->shells, out);
    end(out, start, plan->sourced_origin);
}

static void print_command(const struct plan *plan, struct str *out)
{
    size_t start = begin(out, "command");
    const char *const *shells = plan->sourced ? plan->command_shells : plan->shells;
    char *const *first = plan->argv + (plan->sourced ? plan->sourced_argc : shells != NULL);

    if (!*first && !shells)
        str_add(out, "none: the image names none, and run wants one");
    for (char *const *arg = first; *arg; arg++) {
        if (arg != first || shells)
            str_add_char(out, ' ');
        str_add_quoted(out, *arg);
    }
    if (shells)
        print_choice(shells, out);
    end(out, start, plan->command_origin);
}

void plan_print_tail(const struct plan *plan, struct str *out)
{
    size_t start;

    print_env(plan, out);
    for (size_t i = 0; i < plan->workdir_count; i++) {
        start = begin(out, i ? "or" : "workdir");
        str_add_quoted(out, plan->workdirs[i].path);
        end(out, start, plan->workdirs[i].origin);
    }
    if (plan->image_user) {
        start = begin(out, "user");
        str_add_quoted(out, plan->image_user);
        str_add(out, " of the image is not obeyed: you stay who you are");
        end(out, start, "image");
    }
    if (plan->sourced)
        print_sourced(plan, out);
    print_command(plan, out);
}

void plan_print(const struct plan *plan, struct str *out)
{
    plan_print_head(plan, out);
    for (size_t i = 0; i < plan->row_count; i++)
        plan_print_row(&plan->rows[i], out);
    plan_print_tail(plan, out);
}
