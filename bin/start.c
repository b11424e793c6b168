#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "image/image.h"
#include "image-name.h"
#include "launch-mistakes.h"
#include "launch/launch.h"
#include "share/meet.h"

struct starting {
    struct launch_options *options;
    char *const *environment;
    struct arena *arena;
    struct sys_identity identity; /* of the image, as it was named; where the launch is shared */
    struct image image;
    struct plan plan;
    struct share_view view;
    struct share_meeting meeting;
};

/* The user's --root has capabilities that others must not meet. */
static int wants_to_be_alone(const struct request *request)
{
    return request->share == SHARE_NONE || request->as_root;
}

static int plan_the_view(struct starting *starting, struct err *err)
{
    const struct request *request = &starting->options->request;

    launch_options_gather(starting->options, starting->environment);
    return plan_view(&starting->plan, request, &starting->options->facts, starting->arena, err);
}

static int plan_the_process(struct starting *starting, struct err *err)
{
    return plan_process(&starting->plan, &starting->options->request, starting->image.config,
                        starting->image.foreign, &starting->options->facts, starting->arena, err);
}

static int inspect(struct starting *starting, struct err *err)
{
    return image_inspect(&starting->image, starting->options->request.image, starting->environment,
                         starting->arena, err);
}

static int check_image(void *context, struct err *err)
{
    struct starting *starting = context;

    return image_check(starting->options->request.image, &starting->identity, starting->arena, err);
}

/* What the image says, from whoever knows: another rank has read it, or we do. */
static int learn_config(struct starting *starting, struct err *err)
{
    struct share_meeting *meeting = &starting->meeting;
    const int is_there = meeting->way == SHARE_ENTER || meeting->way == SHARE_SERVED;

    starting->image = (struct image){.server.socket = -1};
    if (is_there && meeting->config >= 0)
        return image_take_config(&starting->image, meeting->config, starting->arena, err);
    if (is_there && (!meeting->has_config || starting->plan.image_is_served))
        return 0;
    if (inspect(starting, err) < 0)
        return -1;
    if (starting->image.kind == IMAGE_SQUASHFS) {
        meeting->config = image_keep_config(&starting->image);
        /* What the name leads to now is not what it led to before: for nobody else. */
        if (!share_view_is_of(&starting->view, &starting->image.identity))
            fd_close(&meeting->broker);
    }
    meeting->has_config = image_says_something(&starting->image);
    if (!is_there)
        image_warn(&starting->image, starting->options->request.image, starting->arena);
    return 0;
}

static int meet(struct starting *starting, struct err *err)
{
    const struct share_first first = {check_image, starting};

    share_view_take(&starting->view, &starting->plan, &starting->identity, starting->arena);
    return share_meet(&starting->meeting, &starting->plan, &starting->view, &first, starting->environment,
                      starting->arena, err);
}

static int start_with_others(struct starting *starting, struct err *err)
{
    struct launch_options *options = starting->options;

    if (options->is_identified)
        starting->identity = options->identity;
    else if (image_identify(options->request.image, &starting->identity, starting->arena, err) < 0)
        return -1;
    options->request.image_is_served = !S_ISDIR(starting->identity.mode);
    if (plan_the_view(starting, err) < 0 || meet(starting, err) < 0 || learn_config(starting, err) < 0 ||
        plan_the_process(starting, err) < 0)
        return -1;
    if (starting->meeting.why_alone)
        log_warning("this launch shares nothing with others: %s", starting->meeting.why_alone);
    if (starting->meeting.news)
        log_warning("%s", starting->meeting.news);
    if (starting->meeting.way == SHARE_ENTER)
        return launch_enter_view(&starting->plan, &starting->meeting, starting->arena, err);
    return launch_run(&starting->plan, &starting->image.server, &starting->meeting, starting->arena, err);
}

/* What is unpacked must be taken away when nobody needs it: a broker does that, for this launch alone. */
static int has_to_be_unpacked(const struct starting *starting)
{
    return starting->image.kind == IMAGE_SQUASHFS &&
           (starting->options->request.unpack || access("/dev/fuse", R_OK | W_OK) < 0);
}

static int start_with_own_broker(struct starting *starting, struct err *err)
{
    struct request *request = &starting->options->request;

    fd_close(&starting->image.server.socket); /* it ends; another is started when all is known */
    request->share = SHARE_NAMED;
    request->share_key = arena_printf(starting->arena, "of process %d alone", (int)getpid());
    return start_with_others(starting, err);
}

static int start_alone(struct starting *starting, struct err *err)
{
    share_alone(&starting->meeting);
    if (inspect(starting, err) < 0)
        return -1;
    if (has_to_be_unpacked(starting))
        return start_with_own_broker(starting, err);
    image_warn(&starting->image, starting->options->request.image, starting->arena);
    starting->options->request.image_is_served = starting->image.kind == IMAGE_SQUASHFS;
    if (plan_the_view(starting, err) < 0 || plan_the_process(starting, err) < 0)
        return -1;
    return launch_run(&starting->plan, &starting->image.server, &starting->meeting, starting->arena, err);
}

static int start_image(struct launch_options *options, char *const environment[], struct err *err)
{
    struct starting starting = {.options = options, .environment = environment, .arena = options->arena};

    return (wants_to_be_alone(&options->request) ? start_alone : start_with_others)(&starting, err);
}

static int start_named(struct launch_options *options, int argc, char *argv[], char *const environment[],
                       struct err *err)
{
    const struct image_name name = {options, argc, argv, environment};

    if (image_name_find(&name, err) < 0)
        return -1;
    if (start_image(options, environment, err) < 0 && err->id == ERR_IMAGE_UNKNOWN)
        image_name_convert(&name, err);
    image_name_way_out(options, err);
    return -1;
}

int start(struct launch_options *options, int argc, char *argv[], char *const environment[], struct err *err)
{
    if (start_named(options, argc, argv, environment, err) < 0)
        launch_mistakes_at_image(options, err);
    return -1;
}

static int plan_named(struct launch_options *options, char *const environment[], struct plan *plan,
                      struct err *err)
{
    const struct image_name name = {options, 0, NULL, environment};

    if (image_name_find(&name, err) < 0)
        return -1;
    if (launch_options_plan(options, environment, plan, err) < 0 &&
        (err->id != ERR_IMAGE_UNKNOWN || image_name_convert(&name, err) < 0 ||
         launch_options_plan(options, environment, plan, err) < 0)) {
        image_name_way_out(options, err);
        return -1;
    }
    return 0;
}

/* A launch that would fail for want of it looks the same otherwise. */
static void look_for_sources(struct plan *plan)
{
    struct stat st;

    for (size_t i = 0; i < plan->row_count; i++)
        if (plan->rows[i].kind == ROW_BIND && !(plan->rows[i].flags & MOUNT_OPTIONAL))
            plan->rows[i].is_missing = fstatat(AT_FDCWD, plan->rows[i].source, &st, 0) < 0 && errno == ENOENT;
}

int start_explain(struct launch_options *options, char *const environment[], struct err *err)
{
    struct plan plan;

    if (plan_named(options, environment, &plan, err) < 0) {
        launch_mistakes_at_image(options, err);
        return -1;
    }
    look_for_sources(&plan);
    return launch_options_print(options, &plan, err);
}
