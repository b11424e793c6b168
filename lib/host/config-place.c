#include "host/config-place.h"

#include <limits.h>
#include <string.h>

#include "base/env.h"
#include "base/path.h"
#include "host/account.h"

static const char site_file[] = SYSCONFDIR "/coracle/coracle.toml";

int config_place_is_usable(const char *file)
{
    return *account_clean_path(file) && strlen(file) < PATH_MAX / 2;
}

struct config_place config_place_site(char *const environment[], struct arena *arena)
{
    const char *named = env_find(environment, CONFIG_SITE_VARIABLE);

    (void)arena;
    if (named)
        return (struct config_place){*named ? named : NULL, CONFIG_SITE_VARIABLE};
    return (struct config_place){site_file, NULL};
}

/* Beneath the directory that VARIABLE names, where it is one. */
static const char *beneath(char *const environment[], const char *variable, const char *file,
                           struct arena *arena)
{
    const char *directory = env_find(environment, variable);

    return directory && config_place_is_usable(directory) ? path_join(arena, directory, file) : NULL;
}

struct config_place config_place_user(char *const environment[], struct arena *arena)
{
    const char *named = env_find(environment, CONFIG_USER_VARIABLE);
    struct config_place place = {NULL, NULL};

    if (named)
        return (struct config_place){*named ? named : NULL, CONFIG_USER_VARIABLE};
    place.file = beneath(environment, "XDG_CONFIG_HOME", "coracle/coracle.toml", arena);
    if (!place.file)
        place.file = beneath(environment, "HOME", ".config/coracle/coracle.toml", arena);
    return place;
}

const char *config_place_word(const struct config_place *place, struct arena *arena)
{
    if (!place->file)
        return "none";
    if (place->file == site_file)
        return "default";
    if (!config_place_is_usable(place->file))
        return "unusable";
    return place->named ? place->file : arena_join(arena, "default:", place->file, NULL);
}
