/* The plan as JSON, for programs. */
#include "base/json.h"
#include "plan/plan.h"

static void write_row(struct json_writer *writer, const struct plan_row *row)
{
    static const char *const kinds[] = {[ROW_BIND] = "bind", [ROW_TMPFS] = "tmpfs", [ROW_FILE] = "file"};

    json_object(writer, NULL);
    json_text(writer, "kind", kinds[row->kind]);
    json_text(writer, "target", row->target);
    if (row->kind == ROW_BIND)
        json_text(writer, "source", row->source);
    if (row->kind == ROW_FILE)
        json_text(writer, "content", row->content);
    if (row->size)
        json_number(writer, "size", row->size);
    json_bool(writer, "readonly", (row->flags & MOUNT_READ_ONLY) != 0);
    json_bool(writer, "nosuid", (row->flags & MOUNT_NOSUID) != 0);
    json_bool(writer, "nodev", (row->flags & MOUNT_NODEV) != 0);
    json_bool(writer, "noexec", (row->flags & MOUNT_NOEXEC) != 0);
    json_bool(writer, "optional", (row->flags & MOUNT_OPTIONAL) != 0);
    if (row->is_missing)
        json_bool(writer, "missing", 1);
    json_bool(writer, "replaces_name", (row->flags & MOUNT_REPLACE) != 0);
    json_text(writer, "origin", row->origin);
    json_end(writer, '}');
}

static void write_root(struct json_writer *writer, const struct plan *plan)
{
    static const char *const modes[] = {
        [ROOT_READ_ONLY] = "readonly", [ROOT_WRITABLE_TMPFS] = "writable-tmpfs", [ROOT_WRITE] = "write"};

    json_text(writer, "image", plan->image);
    json_text(writer, "image_kind", plan->image_is_served ? "squashfs" : "directory");
    json_bool(writer, "unpacked", plan->unpack_wanted);
    json_object(writer, "root");
    json_text(writer, "mode", modes[plan->root_mode]);
    if (plan->root_size)
        json_number(writer, "size", plan->root_size);
    json_text(writer, "origin", plan->root_origin);
    json_end(writer, '}');
    json_object(writer, "share");
    if (plan->scope.shared && !plan->keep_capabilities)
        json_text(writer, "with", plan->scope.name);
    else
        json_null(writer, "with");
    json_bool(writer, "own_view", plan->own_view != NULL);
    json_text(writer, "origin", plan->keep_capabilities ? plan->ids_origin : plan->scope.origin);
    json_end(writer, '}');
    if (plan->name)
        json_text(writer, "name", plan->name);
    json_array(writer, "namespaces");
    json_text(writer, NULL, "user");
    json_text(writer, NULL, "mount");
    json_end(writer, ']');
    json_object(writer, "ids");
    json_number(writer, "host_uid", plan->host_uid);
    json_number(writer, "host_gid", plan->host_gid);
    json_number(writer, "uid", plan->uid);
    json_number(writer, "gid", plan->gid);
    json_bool(writer, "capabilities", plan->keep_capabilities);
    json_text(writer, "origin", plan->ids_origin);
    json_end(writer, '}');
}

static void write_env(struct json_writer *writer, const struct plan *plan)
{
    json_array(writer, "env");
    for (size_t i = 0; i < plan->env_change_count; i++) {
        const struct plan_env_change *change = &plan->env_changes[i];

        json_object(writer, NULL);
        json_text(writer, "name", change->name);
        if (change->value)
            json_text(writer, "value", change->value);
        else
            json_null(writer, "value");
        json_text(writer, "origin", change->origin);
        json_end(writer, '}');
    }
    json_end(writer, ']');
}

static void write_shells(struct json_writer *writer, const char *const *shells)
{
    if (!shells)
        return;
    json_array(writer, "shells");
    for (; *shells; shells++)
        json_text(writer, NULL, *shells);
    json_end(writer, ']');
}

/* What the shell is given that sources scripts, up to the command. */
static void write_sourced(struct json_writer *writer, const struct plan *plan)
{
    json_object(writer, "source");
    json_text(writer, "scripts", plan->sourced);
    write_shells(writer, plan->shells);
    json_array(writer, "argv");
    for (size_t i = 1; i < plan->sourced_argc; i++)
        json_text(writer, NULL, plan->argv[i]);
    json_end(writer, ']');
    json_text(writer, "origin", plan->sourced_origin);
    json_end(writer, '}');
}

static void write_process(struct json_writer *writer, const struct plan *plan)
{
    json_array(writer, "workdirs");
    for (size_t i = 0; i < plan->workdir_count; i++) {
        json_object(writer, NULL);
        json_text(writer, "path", plan->workdirs[i].path);
        json_text(writer, "origin", plan->workdirs[i].origin);
        json_end(writer, '}');
    }
    json_end(writer, ']');
    if (plan->image_user)
        json_text(writer, "image_user", plan->image_user);
    write_shells(writer, plan->sourced ? plan->command_shells : plan->shells);
    if (plan->sourced)
        write_sourced(writer, plan);
    json_object(writer, "command");
    json_array(writer, "argv");
    for (char *const *arg = plan->argv + (plan->sourced ? plan->sourced_argc : plan->shells != NULL); *arg;
         arg++)
        json_text(writer, NULL, *arg);
    json_end(writer, ']');
    json_text(writer, "origin", plan->command_origin);
    json_end(writer, '}');
}

void plan_json(const struct plan *plan, struct str *out)
{
    struct json_writer writer = {.out = out};

    json_object(&writer, NULL);
    write_root(&writer, plan);
    json_array(&writer, "mounts");
    for (size_t i = 0; i < plan->row_count; i++)
        write_row(&writer, &plan->rows[i]);
    json_end(&writer, ']');
    write_env(&writer, plan);
    write_process(&writer, plan);
    json_end(&writer, '}');
}
