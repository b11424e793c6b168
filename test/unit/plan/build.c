/* The two halves of a plan, and which views are one launch's own. */
#include "plan/build.h"

#include <sched.h>

#include "../../tap.h"

static struct arena arena;

static char *const no_environment[] = {NULL};

static struct host_facts facts_of(char *const environment[])
{
    return (struct host_facts){
        .uid = 1000,
        .gid = 1001,
        .cwd = "/work",
        .physical_cwd = "/work",
        .environment = environment,
        .session = 4711,
        .record = {.user = "a", .home = "/home/a", .shell = "/bin/sh", .slurm_conf = "", .auth = ""}};
}

static struct request request_of(const char *image)
{
    struct request request;

    request_init(&request, &arena);
    request.image = image;
    request.share_origin = "default";
    return request;
}

static struct plan view_of(const struct request *request)
{
    const struct host_facts facts = facts_of(no_environment);
    struct plan plan;
    struct err err;

    TAP_OK(plan_view(&plan, request, &facts, &arena, &err), err);
    return plan;
}

static void test_own_view(void)
{
    struct request request = request_of("image");
    struct err err;

    TAP_STR(view_of(&request).own_view, NULL);
    TAP_OK(request_add_bind(&request, "/data", "--bind", ERR_USAGE, &err), err);
    TAP_STR(view_of(&request).own_view, NULL);
    TAP_OK(request_add_tmpfs(&request, "/scratch:size=1M", "--tmpfs", ERR_USAGE, &err), err);
    TAP_STR(view_of(&request).own_view, "--tmpfs");
    request.root_mode = ROOT_WRITABLE_TMPFS;
    request.root_origin = "--writable-tmpfs";
    TAP_STR(view_of(&request).own_view, "--writable-tmpfs");
    request.root_mode = ROOT_WRITE;
    request.root_origin = "--write";
    TAP_STR(view_of(&request).own_view, "--write");
    request.as_root = 1;
    request.as_root_origin = "--root";
    TAP_STR(view_of(&request).own_view, "--root");
}

/* The view alone is complete before anything of the image is known. */
static void test_view(void)
{
    struct request request = request_of("images/one");
    struct plan plan = view_of(&request);

    TAP_STR(plan.image, "images/one");
    TAP_STR(plan.image_path, "/work/images/one");
    TAP_INT(plan.host_uid, 1000);
    TAP_INT(plan.gid, 1001);
    TAP_INT(plan.namespaces, CLONE_NEWUSER | CLONE_NEWNS);
    TAP_TRUE(plan.row_count > 0);
    TAP_TRUE(plan.environment == NULL && plan.argv == NULL);
    TAP_INT(plan.workdir_count, 0);
    TAP_TRUE(plan.scope.name != NULL);
    request.image = "/images/one";
    TAP_STR(view_of(&request).image_path, "/images/one");
}

static void test_contradictions(void)
{
    const struct host_facts facts = facts_of(no_environment);
    struct request request = request_of("image");
    struct plan plan;
    struct err err;

    request.image_is_served = 1;
    request.root_mode = ROOT_WRITE;
    request.root_origin = "--write";
    TAP_ERR(plan_view(&plan, &request, &facts, &arena, &err), err, ERR_ROOT_WRITABLE, "--write");
    request = request_of("image");
    request.as_root = request.uid_given = 1;
    request.as_root_origin = "--root";
    request.uid = 5;
    request.uid_origin = "--uid";
    TAP_ERR(plan_view(&plan, &request, &facts, &arena, &err), err, ERR_USAGE, "--root");
    request.uid = 0;
    TAP_OK(plan_view(&plan, &request, &facts, &arena, &err), err);
}

/* A process for a view that is there mounts nothing. */
static void test_join(void)
{
    char variable[] = "A=b";
    char *const environment[] = {variable, NULL};
    const struct host_facts facts = facts_of(environment);
    char command[] = "true";
    char *const argv[] = {command, NULL};
    struct request request = request_of("");
    struct plan plan;
    struct err err;

    request.command = argv;
    TAP_OK(plan_join(&plan, &request, NULL, NULL, &facts, &arena, &err), err);
    TAP_INT(plan.row_count, 0);
    TAP_STR(plan.argv[0], "true");
    TAP_STR(plan.own_view, NULL);
    TAP_STR(plan.image_origin, "running");
    TAP_TRUE(plan.environment && plan.environment[0]);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_own_view();
    test_view();
    test_contradictions();
    test_join();
    arena_free(&arena);
    return tap_done();
}
