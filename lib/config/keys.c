#include "config/keys.h"

#include <string.h>

const struct config_key config_keys[] = {
    {"bind", CONFIG_LIST, NULL, ":,\\", 1},
    {"mount", CONFIG_LIST, NULL, ":,\\", 0},
    {"tmpfs", CONFIG_LIST, NULL, ":,\\", 0},
    {"home", CONFIG_OPTIONAL, "no-home", "", 0},
    {"no-home", CONFIG_FLAG, NULL, NULL, 0},
    {"no-default-binds", CONFIG_FLAG, NULL, NULL, 0},
    {"uid", CONFIG_ID, NULL, NULL, 0},
    {"gid", CONFIG_ID, NULL, NULL, 0},
    {"root", CONFIG_FLAG, NULL, NULL, 0},
    {"write", CONFIG_FLAG, NULL, NULL, 0},
    {"writable-tmpfs", CONFIG_OPTIONAL, NULL, NULL, 0},
    {"entrypoint", CONFIG_VALUE, NULL, NULL, 0},
    {"no-entrypoint", CONFIG_FLAG, NULL, NULL, 0},
    {"unpack", CONFIG_OPTIONAL, NULL, "", 0},
    {"share", CONFIG_VALUE, NULL, NULL, 0},
    {"name", CONFIG_VALUE, NULL, NULL, 0},
    {"pull", CONFIG_VALUE, NULL, NULL, 0},
    {"cache", CONFIG_OF_IMAGES, "cache", "", 1},
    {"registry", CONFIG_OF_IMAGES, "default-registry", NULL, 0},
    {"workdir", CONFIG_VALUE, NULL, "", 0},
    {"env-file", CONFIG_LIST, NULL, "", 1},
    {"env", CONFIG_LIST, NULL, NULL, 0},
    {"unset-env", CONFIG_LIST, NULL, NULL, 0},
    {"clean-env", CONFIG_FLAG, NULL, NULL, 0},
    {"verbose", CONFIG_FLAG, NULL, NULL, 0},
    {"quiet", CONFIG_FLAG, NULL, NULL, 0},
};

const size_t config_key_count = sizeof(config_keys) / sizeof(config_keys[0]);

const struct config_key *config_key_find(const char *name)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
    return NULL;
}
