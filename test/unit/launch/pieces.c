#include <fcntl.h>
#include <unistd.h>

#include "../../tap.h"
#include "launch/state.h"

static struct arena arena;

/*
 * Whether a launch takes pieces: of a host with many mounts, a directory, or what another rank has
 * mounted.
 */
static void test_decision(void)
{
    static const struct {
        const char *name;
        struct plan plan;
        struct share_meeting meeting;
        int wants;
    } rows[] = {
        {"few mounts", {.host_has_many_mounts = 0}, {.way = SHARE_ALONE, .directory = -1}, 0},
        {"a directory", {.host_has_many_mounts = 1}, {.way = SHARE_ALONE, .directory = -1}, 1},
        {"a directory with others", {.host_has_many_mounts = 1}, {.way = SHARE_BUILD, .directory = -1}, 1},
        {"--root", {.host_has_many_mounts = 1, .keep_capabilities = 1}, {.directory = -1}, 0},
        {"first of a SquashFS",
         {.host_has_many_mounts = 1, .image_is_served = 1},
         {.way = SHARE_LEAD, .directory = -1},
         0},
        {"alone with one",
         {.host_has_many_mounts = 1, .image_is_served = 1},
         {.way = SHARE_ALONE, .directory = -1},
         0},
        {"not its first",
         {.host_has_many_mounts = 1, .image_is_served = 1},
         {.way = SHARE_SERVED, .directory = -1},
         1},
        {"an unpacked one",
         {.host_has_many_mounts = 1, .image_is_served = 1},
         {.way = SHARE_SERVED, .directory = 5},
         0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct launch launch = {.plan = &rows[i].plan, .meeting = &rows[i].meeting};

        tap.row = rows[i].name;
        TAP_INT(launch_wants_pieces(&launch), rows[i].wants);
    }
    tap.row = NULL;
}

/* In the host's user namespace the kernel gives an ordinary user none, or it knows none: all is as before. */
static void test_refused(void)
{
    struct plan_row row = {.kind = ROW_BIND, .source = "/dev/null"};
    struct plan plan = {.image = "/", .rows = &row, .row_count = 1};
    struct launch launch = {.plan = &plan, .arena = &arena, .process = -1};
    const int before = dup(0);
    int after;

    close(before);
    TAP_INT(launch_take_pieces(&launch), -1);
    TAP_TRUE(!launch.pieces);
    after = dup(0);
    close(after);
    TAP_INT(after, before);
}

int main(void)
{
    arena_init(&arena, NULL);
    test_decision();
    if (geteuid() != 0)
        test_refused();
    arena_free(&arena);
    return tap_done();
}
