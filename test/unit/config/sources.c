#include "config/sources.h"

#include "scratch.h"
#include "toml/toml.h"

static char *environment[3];

static int load(struct config *config, struct config_sources *sources, struct err *err)
{
    return config_read(config, sources, environment, &arena, err);
}

static void test_none(void)
{
    struct config_sources sources;
    struct config config;
    struct err err;

    TAP_OK(load(&config, &sources, &err), err);
    TAP_INT(config.setting_count, 0);
    TAP_INT(sources.file_count, 1);
    TAP_STR(sources.files[0].what, "user");
    TAP_INT(sources.files[0].exists, 0);
    TAP_INT(sources.watch_count, 1);
    TAP_STR(sources.watches[0].path, in("home"));
    TAP_STR(sources.watches[0].lacks, in("home/.config"));
    TAP_INT(sources.is_fresh, 0);
}

/* What is read, in which order. */
static void test_order(void)
{
    static const char *const names[] = {"coracle.toml", "coracle.d/10.toml", "coracle.d/9.toml",
                                        "coracle.d/B.toml", "coracle.d/a.toml"};
    enum { COUNT = sizeof(names) / sizeof(names[0]) };
    struct config_sources sources;
    struct config config;
    struct err err;

    make_directory("site/coracle.d");
    for (size_t i = COUNT; i-- > 0;)
        make_file(arena_join(&arena, "site/", names[i], NULL),
                  arena_printf(&arena, "run.env = [\"A=%zu\"]\n", i));
    make_file("site/coracle.d/.hidden.toml", "x");
    make_file("site/coracle.d/10.toml.orig", "x");
    make_file("site/coracle.d/.toml", "x");
    make_directory("home/.config");
    make_directory("home/.config/coracle");
    make_file("home/.config/coracle/coracle.toml", "run.env = [\"A=5\"]\n");
    TAP_OK(load(&config, &sources, &err), err);
    TAP_INT(config.setting_count, COUNT + 1);
    for (size_t i = 0; i <= COUNT && i < config.setting_count; i++)
        TAP_STR(config.settings[i].value, arena_printf(&arena, "A=%zu", i));
    TAP_STR(config.settings[1].origin, arena_join(&arena, in("site/coracle.d/10.toml"), ":1", NULL));
    TAP_INT(sources.file_count, COUNT + 1);
    TAP_STR(sources.files[1].what, "drop-in");
    TAP_STR(sources.files[0].named, "CORACLE_SITE_CONFIG");
    TAP_INT(sources.watch_count, COUNT + 2); /* the directory of drop-ins too */
    TAP_INT(sources.is_fresh, 1);
    for (size_t i = 0; i < sources.watch_count; i++)
        TAP_TRUE(record_watch_holds(&sources.watches[i]));
}

/* Whether one of WATCHES says that something is not as it was. */
static int is_noticed(const struct config_sources *sources)
{
    int broken = 0;

    for (size_t i = 0; i < sources->watch_count; i++)
        broken += !record_watch_holds(&sources->watches[i]);
    return broken > 0;
}

static void test_noticed(void)
{
    struct config_sources sources;
    struct config config;
    struct err err;

    TAP_OK(load(&config, &sources, &err), err);
    TAP_INT(unlink(in("site/coracle.d/10.toml")), 0);
    TAP_TRUE(is_noticed(&sources));
    TAP_OK(load(&config, &sources, &err), err);
    usleep(20000); /* the clock of file systems ticks a few milliseconds at a time */
    make_file("site/coracle.d/added.toml", "");
    TAP_TRUE(is_noticed(&sources));
    TAP_OK(load(&config, &sources, &err), err);
    make_file("site/coracle.toml", "run.env = [\"changed=1\"]\n");
    TAP_TRUE(is_noticed(&sources));
    TAP_OK(load(&config, &sources, &err), err);
    TAP_TRUE(!is_noticed(&sources));
}

static void refused(const char *part)
{
    struct config_sources sources;
    struct config config;
    struct err err;

    TAP_ERR(load(&config, &sources, &err), err, ERR_CONFIG, part);
}

static void test_refused(void)
{
    char *const large = arena_alloc(&arena, TOML_SIZE_MAX + 2);
    char *const site = environment[0];

    make_file("site/coracle.d/a.toml", "run.env = 1\n");
    refused("site/coracle.d/a.toml:1:11: env: expected a list");
    make_file("site/coracle.d/a.toml", "");
    make_file("site/coracle.d/two\nlines.toml", "");
    refused("cannot be the name of a configuration file");
    TAP_INT(unlink(in("site/coracle.d/two\nlines.toml")), 0);
    TAP_INT(chmod(in("site/coracle.d"), 0775), 0);
    refused("site/coracle.d can be written by its group");
    TAP_INT(chmod(in("site/coracle.d"), 0755), 0);
    memset(large, '\n', TOML_SIZE_MAX + 1);
    make_file("home/.config/coracle/coracle.toml", large);
    refused("is too large for a configuration file: 1048576 bytes are the limit");
    make_file("home/.config/coracle/coracle.toml", "");
    environment[0] = arena_join(&arena, "CORACLE_SITE_CONFIG=", in("site/no.toml"), NULL);
    refused("CORACLE_SITE_CONFIG names");
    environment[0] = arena_strdup(&arena, "CORACLE_SITE_CONFIG=site.toml");
    refused("CORACLE_SITE_CONFIG is site.toml; it must be the absolute path of a file, or empty");
    environment[0] = site;
    for (int i = 0; i < CONFIG_DROP_INS_MAX; i++)
        make_file(arena_printf(&arena, "site/coracle.d/%d.toml", i), "");
    refused("holds more than 128 files");
}

static void test_one_file(void)
{
    struct config config;
    struct err err;

    make_directory("open");
    make_file("open/f", "run.root = true\n");
    TAP_INT(chmod(in("open"), 0777), 0);
    TAP_OK(config_read_file(&config, in("open/f"), &arena, &err), err);
    TAP_INT(config.setting_count, 1);
    TAP_ERR(config_read_file(&config, in("open/no"), &arena, &err), err, ERR_CONFIG, "no such file");
    TAP_ERR(config_read_file(&config, in("open"), &arena, &err), err, ERR_CONFIG, "is not a regular file");
}

int main(void)
{
    make_scratch();
    make_directory("home");
    make_directory("site");
    environment[0] = arena_strdup(&arena, "CORACLE_SITE_CONFIG=");
    environment[1] = arena_join(&arena, "HOME=", in("home"), NULL);
    test_none();
    environment[0] = arena_join(&arena, "CORACLE_SITE_CONFIG=", in("site/coracle.toml"), NULL);
    test_order();
    test_noticed();
    test_refused();
    test_one_file();
    remove_scratch();
    return tap_done();
}
