#include "made.h"

#define RC "mkdir -p \"/\" 2> /dev/null\ncd \"/\" && unset OLDPWD || exit 1\n"

/* What bears no mark costs three look-ups and gives nothing. */
static void test_nothing(void)
{
    struct made_file plain[] = {{.path = "etc/environment", .text = "LANG=C\n"}, {.path = NULL}};
    struct made_file other[] = {{.path = "etc/rc", .text = "#!/bin/sh\n# of BSD\n"}, {.path = NULL}};
    struct str bytes;

    TAP_OK(collect_made(&bytes, plain), err);
    TAP_INT(bytes.length, 0);
    TAP_INT(look_ups, 3);
    TAP_OK(collect_made(&bytes, other), err);
    TAP_INT(bytes.length, 0);
}

static enum foreign_system system_of(struct made_file *files)
{
    TAP_OK(parse_made(files), err);
    return foreign.system;
}

static void test_order(void)
{
    struct made_file all[] = {{.path = ".singularity.d"},
                              {.path = "ch/environment", .text = ""},
                              {.path = "etc/rc", .text = RC},
                              {.path = NULL}};

    TAP_INT(system_of(all), FOREIGN_SINGULARITY);
    TAP_INT(system_of(all + 1), FOREIGN_CHARLIECLOUD);
    TAP_INT(system_of(all + 2), FOREIGN_ENROOT);
}

static void test_refused(void)
{
    struct made_file large[] = {{.path = "ch/environment", .text = "", .found = FOREIGN_TOO_LARGE},
                                {.path = NULL}};
    struct made_file closed[] = {{.path = "etc/rc", .text = RC},
                                 {.path = "etc/environment", .text = "", .found = FOREIGN_UNREADABLE},
                                 {.path = NULL}};
    struct made_file not_ours[] = {{.path = "etc/rc", .text = "", .found = FOREIGN_UNREADABLE},
                                   {.path = NULL}};
    struct str bytes;

    TAP_ERR(collect_made(&bytes, large), err, ERR_IMAGE_CONFIG, "/ch/environment is larger");
    TAP_ERR(collect_made(&bytes, closed), err, ERR_IMAGE_CONFIG, "/etc/environment cannot be read");
    TAP_OK(collect_made(&bytes, not_ours), err);
    TAP_INT(bytes.length, 0);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_nothing();
    test_order();
    test_refused();
    arena_free(&arena);
    return tap_done();
}
