/* coracle logout: takes credentials that coracle login has kept away again. */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "image-commands.h"
#include "image-registry.h"
#include "output.h"
#include "registry/auth-file.h"

struct logout_options {
    const char *auth_file;
    int all;
    int help;
};

static OPT_FLAG_SETTER(set_all, struct logout_options, all);
static OPT_TEXT_SETTER(set_auth_file, struct logout_options, auth_file);
static OPT_FLAG_SETTER(set_help, struct logout_options, help);

static const struct opt_row rows[] = {
    {"--all", 'a', OPT_FLAG, NULL, NULL, OPT_SINGLE, "of all registries", set_all},
    {"--authfile", 0, OPT_VALUE, "FILE", NULL, OPT_SINGLE, "take the credentials out of this file",
     set_auth_file},
    {"--help", 'h', OPT_FLAG, NULL, NULL, OPT_SINGLE, "print this", set_help},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static int print_help(struct arena *arena, struct err *err)
{
    return images_help(
        "coracle logout [OPTIONS] REGISTRY[/NAMESPACE]\n       coracle logout --all [OPTIONS]",
        "Takes the credentials for a registry out of the file that coracle login keeps them in.", rows,
        ROW_COUNT, arena, err);
}

/* Other files, and namespaces above, may have credentials as well. */
static void tell_what_remains(const struct logout_options *options, const struct reference *name,
                              char *const environment[], struct arena *arena)
{
    struct registry_credentials found;
    struct err err;

    if (auth_file_find(&found, options->auth_file, environment, name->domain, name->repository, arena,
                       &err) == 1)
        log_warning("credentials for %s remain in %s", name->domain, str_quote(arena, found.origin));
}

/* KEY and NAME are NULL for all registries. */
static int logout(const struct logout_options *options, const struct reference *name, const char *key,
                  char *const environment[], struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};
    const char *file;
    int removed = auth_file_erase(options->auth_file, environment, key, &file, arena, err);

    if (removed < 0)
        return -1;
    if (name)
        tell_what_remains(options, name, environment, arena);
    if (!removed)
        return err_set(err, ERR_CREDENTIALS, "there are no credentials for %s in %s",
                       key ? key : "any registry", str_quote(arena, file));
    str_addf(&out, "logged out of %s; removed from %s\n", key ? key : "all registries",
             str_quote(arena, file));
    return output_print(&out, err);
}

int cmd_logout(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct logout_options options = {0};
    struct reference name;
    const char *key;
    int index = opt_parse(rows, ROW_COUNT, argc, argv, &options, err);

    if (index < 0)
        return -1;
    if (options.help)
        return print_help(arena, err);
    if (images_operands("coracle logout [OPTIONS] REGISTRY[/NAMESPACE]", rows, ROW_COUNT, argc, argv, index,
                        &options, err) < 0)
        return -1;
    if (argc - index != (options.all ? 0 : 1))
        return err_set(err, ERR_USAGE,
                       "coracle logout takes the name of one registry, or --all; coracle logout --help");
    if (options.all)
        return logout(&options, NULL, NULL, environment, arena, err);
    if (registry_name_parse(&name, &key, argv[index], arena, err) < 0)
        return -1;
    return logout(&options, &name, key, environment, arena, err);
}
