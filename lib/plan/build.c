#include "plan/build.h"

#include <sched.h>
#include <string.h>

#include "base/env.h"
#include "base/path.h"

/* The image, its root and the namespaces. */
static void plan_root(struct plan *plan, const struct plan_inputs *in)
{
    const struct request *request = in->request;

    plan->image = request->image;
    plan->image_path = in->facts->physical_cwd ? path_join(in->arena, in->facts->physical_cwd, request->image)
                                               : request->image;
    plan->image_origin = "argument";
    plan->image_is_served = request->image_is_served;
    plan->unpack_wanted = request->image_is_served && request->unpack;
    plan->unpack_place = request->unpack_place;
    plan->unpack_origin = request->unpack_origin;
    plan->scratch = env_find(in->facts->environment, "TMPDIR");
    plan->root_mode = request->root_mode;
    plan->root_size = request->root_size;
    plan->root_origin = request->root_origin ? request->root_origin : "default";
    plan->namespaces = CLONE_NEWUSER | CLONE_NEWNS;
    plan->host_has_many_mounts = in->facts->record.many_mounts;
}

void plan_ids(struct plan *plan, const struct plan_inputs *in)
{
    const struct request *request = in->request;

    plan->host_uid = plan->uid = in->facts->uid;
    plan->host_gid = plan->gid = in->facts->gid;
    plan->ids_origin = "default";
    if (request->as_root) {
        plan->uid = plan->gid = 0;
        plan->keep_capabilities = 1;
        plan->ids_origin = request->as_root_origin;
    }
    if (request->uid_given) {
        plan->uid = request->uid;
        plan->ids_origin = request->uid_origin;
    }
    if (request->gid_given) {
        plan->gid = request->gid;
        plan->ids_origin = request->gid_origin;
    }
}

static int check_request(const struct request *request, struct err *err)
{
    if (request->image_is_served && request->root_mode == ROOT_WRITE)
        return err_set(
            err, ERR_ROOT_WRITABLE,
            "%s: a SquashFS image cannot be changed; keep changes for one run with --writable-tmpfs, or "
            "unpack the image: coracle convert FILE dir:DIRECTORY",
            request->root_origin);
    if (request->as_root && request->uid_given && request->uid != 0)
        return err_set(err, ERR_USAGE, "%s makes the user root and %s makes it %u; give one of them",
                       request->as_root_origin, request->uid_origin, request->uid);
    if (request->as_root && request->gid_given && request->gid != 0)
        return err_set(err, ERR_USAGE, "%s makes the group root and %s makes it %u; give one of them",
                       request->as_root_origin, request->gid_origin, request->gid);
    return 0;
}

static void plan_scope(struct plan *plan, const struct plan_inputs *in)
{
    const struct request *request = in->request;
    const struct scope_facts facts = {in->facts->session, in->facts->launcher, in->facts->cgroup};

    scope_choose(&plan->scope, request->share, request->share_key, request->share_origin,
                 in->facts->environment, &facts, in->arena);
    plan->name = request->name;
    plan->name_origin = request->name_origin;
}

/*
 * What is writable for one launch alone cannot be another's, nor what a command with capabilities
 * can change.
 */
static const char *own_view(const struct plan *plan)
{
    if (plan->keep_capabilities)
        return plan->ids_origin;
    if (plan->root_mode != ROOT_READ_ONLY)
        return plan->root_origin;
    for (size_t i = 0; i < plan->row_count; i++)
        if (plan->rows[i].kind == ROW_TMPFS)
            return plan->rows[i].origin;
    return NULL;
}

int plan_view(struct plan *plan, const struct request *request, const struct host_facts *facts,
              struct arena *arena, struct err *err)
{
    const struct plan_inputs in = {request, NULL, NULL, facts, arena};

    memset(plan, 0, sizeof(*plan));
    if (check_request(request, err) < 0)
        return -1;
    plan_root(plan, &in);
    plan_ids(plan, &in);
    plan_binds(plan, &in);
    plan_scope(plan, &in);
    plan->own_view = own_view(plan);
    return 0;
}

int plan_process(struct plan *plan, const struct request *request, const struct oci_image_config *config,
                 const struct foreign *foreign, const struct host_facts *facts, struct arena *arena,
                 struct err *err)
{
    const struct plan_inputs in = {request, config, foreign, facts, arena};

    plan_environment(plan, &in);
    plan_workdirs(plan, &in);
    if (plan_command(plan, &in, err) < 0)
        return -1;
    if (foreign && foreign->has_scripts)
        plan_source(plan, &in);
    return 0;
}

int plan_join(struct plan *plan, const struct request *request, const struct oci_image_config *config,
              const struct foreign *foreign, const struct host_facts *facts, struct arena *arena,
              struct err *err)
{
    const struct plan_inputs in = {request, config, foreign, facts, arena};

    memset(plan, 0, sizeof(*plan));
    plan_root(plan, &in);
    plan_ids(plan, &in);
    plan->image_origin = "running";
    plan->scope.origin = "running";
    return plan_process(plan, request, config, foreign, facts, arena, err);
}

int plan_build(struct plan *plan, const struct request *request, const struct oci_image_config *config,
               const struct foreign *foreign, const struct host_facts *facts, struct arena *arena,
               struct err *err)
{
    if (plan_view(plan, request, facts, arena, err) < 0)
        return -1;
    return plan_process(plan, request, config, foreign, facts, arena, err);
}
