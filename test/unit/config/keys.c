/* The keys of [run] are the options of a launch that have a variable, and of their kinds. */
#include "config/keys.h"

#include "../../../bin/launch-options.h"
#include "../../tap.h"

/* --mount and --env-file are given several times, though their variables hold one value. */
static int is_repeated(const struct opt_row *row)
{
    return row->variable_kind == OPT_LIST || strcmp(row->name, "--mount") == 0 ||
           strcmp(row->name, "--env-file") == 0;
}

static enum config_key_kind kind_of(const struct opt_row *row)
{
    if (is_repeated(row))
        return CONFIG_LIST;
    if (strcmp(row->name, "--cache") == 0 || strcmp(row->name, "--registry") == 0)
        return CONFIG_OF_IMAGES;
    if (row->kind == OPT_FLAG)
        return CONFIG_FLAG;
    if (row->kind == OPT_OPTIONAL_VALUE)
        return CONFIG_OPTIONAL;
    return strcmp(row->name, "--uid") == 0 || strcmp(row->name, "--gid") == 0 ? CONFIG_ID : CONFIG_VALUE;
}

int main(void)
{
    size_t count, with_variable = 0;
    const struct opt_row *rows = launch_options_rows(&count);

    for (size_t i = 0; i < count; i++) {
        const struct config_key *key = config_key_find(rows[i].name + 2);

        tap.row = rows[i].name;
        TAP_INT(key != NULL, rows[i].variable != NULL);
        with_variable += rows[i].variable != NULL;
        if (key)
            TAP_INT(key->kind, kind_of(&rows[i]));
    }
    tap.row = NULL;
    TAP_INT(config_key_count, with_variable);
    TAP_TRUE(with_variable > 20);
    for (size_t i = 0; i < config_key_count; i++)
        if (config_keys[i].opposite && config_keys[i].kind != CONFIG_OF_IMAGES)
            TAP_TRUE(config_key_find(config_keys[i].opposite));
    TAP_TRUE(!config_key_find("dry-run"));
    return tap_done();
}
