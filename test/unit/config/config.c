#include "config/config.h"

#include "scratch.h"

int main(void)
{
    char *environment[4] = {NULL};
    struct config config;
    struct err err;

    make_scratch();
    make_file("c.toml", "[images]\ncache = \"$PLACE/cache\"\n");
    environment[0] = arena_strdup(&arena, "CORACLE_SITE_CONFIG=");
    environment[1] = arena_join(&arena, "CORACLE_CONFIG=", in("c.toml"), NULL);
    TAP_OK(config_load(&config, environment, &arena, &err), err);
    TAP_STR(config.cache.value, NULL);
    TAP_TRUE(strstr(config.cache_problem, "c.toml:2: the variable PLACE in cache is not set"));
    environment[2] = arena_strdup(&arena, "PLACE=/scratch");
    TAP_OK(config_load(&config, environment, &arena, &err), err);
    TAP_STR(config.cache.value, "/scratch/cache");
    TAP_STR(config.cache_problem, NULL);
    TAP_STR(config.cache.origin, arena_join(&arena, in("c.toml"), ":2", NULL));
    TAP_TRUE(!config_registry(&config, "docker.io"));
    environment[2] = arena_strdup(&arena, "PLACE=scratch");
    TAP_OK(config_load(&config, environment, &arena, &err), err);
    TAP_STR(config.cache.value, NULL);
    TAP_TRUE(strstr(config.cache_problem, "cache must be an absolute path"));
    environment[1] = arena_strdup(&arena, "CORACLE_CONFIG=");
    TAP_OK(config_load(&config, environment, &arena, &err), err);
    TAP_STR(config.cache.value, NULL);
    remove_scratch();
    return tap_done();
}
