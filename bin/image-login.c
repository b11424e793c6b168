/* coracle login: credentials for a registry, tried there and kept in a file. */
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "image-commands.h"
#include "image-password.h"
#include "image-registry.h"
#include "output.h"
#include "registry/auth-file.h"

struct login_options {
    struct registry_overrides registry;
    struct config config;
    const char *user;
    int from_stdin;
    int help;
};

static int set_user(void *target, const char *value, const struct opt_origin *origin, struct err *err)
{
    if (!*value)
        return err_set(err, origin->error, "%s: the name is empty", origin->name);
    ((struct login_options *)target)->user = value;
    return 0;
}

static int refuse_password(void *target, const char *value, const struct opt_origin *origin, struct err *err)
{
    (void)target, (void)value;
    return err_set(err, origin->error,
                   "%s: a password on the command line can be read by everybody on this node, with ps, and "
                   "stays in the shell's history; it is asked for, or --password-stdin reads it. This one "
                   "should be changed now",
                   origin->name);
}

static OPT_FLAG_SETTER(set_stdin, struct login_options, from_stdin);
static OPT_TEXT_SETTER(set_auth_file, struct login_options, registry.auth_file);
static OPT_TEXT_SETTER(set_ca_file, struct login_options, registry.ca_file);
static OPT_FLAG_SETTER(set_plain_http, struct login_options, registry.plain_http);
static OPT_FLAG_SETTER(set_help, struct login_options, help);

static const char usage[] = "coracle login [OPTIONS] REGISTRY[/NAMESPACE]";

static const struct opt_row rows[] = {
    {"--username", 'u', OPT_VALUE, "NAME", NULL, OPT_SINGLE, "the user; otherwise asked for", set_user},
    {"--password-stdin", 0, OPT_FLAG, NULL, NULL, OPT_SINGLE,
     "read the password, one line, from standard input", set_stdin},
    {"--password", 'p', OPT_VALUE, "PASSWORD", NULL, OPT_SINGLE,
     "refused: everybody on this node could read it", refuse_password},
    {"--authfile", 0, OPT_VALUE, "FILE", NULL, OPT_SINGLE, "keep the credentials in this file",
     set_auth_file},
    {"--ca-file", 0, OPT_VALUE, "FILE", NULL, OPT_SINGLE, "trust the certificates in FILE too", set_ca_file},
    {"--plain-http", 0, OPT_FLAG, NULL, NULL, OPT_SINGLE, "speak to this registry without TLS",
     set_plain_http},
    {"--help", 'h', OPT_FLAG, NULL, NULL, OPT_SINGLE, "print this", set_help},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static int print_help(struct arena *arena, struct err *err)
{
    return images_help(
        usage,
        "Tries a user and password at a registry and keeps them where podman, skopeo and coracle\n"
        "pull look for them: $REGISTRY_AUTH_FILE or $XDG_RUNTIME_DIR/containers/auth.json.\n"
        "Docker Hub is docker.io.",
        rows, ROW_COUNT, arena, err);
}

/* The user and *PASSWORD, which the caller wipes. 0 or -1. */
static int ask(struct registry_credentials *credentials, char **password, const struct login_options *options,
               struct arena *arena, struct err *err)
{
    const int is_terminal = isatty(STDIN_FILENO);

    if (!is_terminal && !options->from_stdin)
        return err_set(err, ERR_USAGE,
                       "standard input is no terminal to ask for a password; --password-stdin reads it "
                       "from there");
    if (!is_terminal && !options->user)
        return err_set(err, ERR_USAGE,
                       "--password-stdin needs --username: standard input has the password alone");
    credentials->origin = is_terminal ? "terminal" : "--password-stdin";
    credentials->user = options->user ? options->user : password_ask("User: ", 0, arena, err);
    if (!credentials->user)
        return err_prefix(err, "the user");
    *password = is_terminal ? password_ask("Password: ", 1, arena, err) : password_read(arena, err);
    credentials->password = *password;
    return *password ? 0 : err_prefix(err, "the password");
}

/* Whether the registry takes CREDENTIALS, as registry_check(). What is kept may be a token in their place. */
static int try_out(struct registry_credentials *credentials, const struct login_options *options,
                   const struct reference *name, struct arena *arena, struct err *err)
{
    const struct reference registry_alone = {.domain = name->domain};
    struct registry_options registry_options;
    struct registry *registry;
    const char *identity;
    int asked;

    registry_configure(&registry_options, name->domain, &options->config, &options->registry);
    registry = registry_open(&registry_alone, &registry_options, credentials, arena, err);
    if (!registry)
        return -1;
    asked = registry_check(registry, &identity, arena, err);
    registry_close(registry);
    if (asked > 0 && identity) {
        credentials->password = "";
        credentials->identity_token = identity;
    }
    return asked;
}

static int report(const struct registry_credentials *credentials, const char *key, const char *file,
                  int asked, struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};

    if (!asked)
        log_warning("%s has not asked for the credentials, as it lets everybody in: whether they are right "
                    "cannot be said",
                    key);
    str_addf(&out, "%s: %s as %s; %s stored in %s\n", asked ? "login succeeded" : "not tried", key,
             str_quote(arena, credentials->user), credentials->identity_token ? "token" : "password",
             str_quote(arena, file));
    return output_print(&out, err);
}

static int login(const struct login_options *options, const char *text, char *const environment[],
                 struct arena *arena, struct err *err)
{
    struct registry_credentials credentials = {0};
    struct reference name;
    const char *key, *file;
    char *password = NULL;
    int asked = -1;

    if (registry_name_parse(&name, &key, text, arena, err) < 0)
        return -1;
    file = auth_file_target(options->registry.auth_file, environment, key, arena, err);
    if (!file)
        return -1;
    if (ask(&credentials, &password, options, arena, err) == 0)
        asked = try_out(&credentials, options, &name, arena, err);
    if (asked >= 0 && !auth_file_store(&credentials, file, environment, key, arena, err))
        asked = -1;
    if (password)
        explicit_bzero(password, strlen(password));
    return asked < 0 ? -1 : report(&credentials, key, file, asked, arena, err);
}

int cmd_login(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct login_options options = {0};
    int index = opt_parse(rows, ROW_COUNT, argc, argv, &options, err);

    if (index < 0)
        return -1;
    if (options.help)
        return print_help(arena, err);
    if (images_operands(usage, rows, ROW_COUNT, argc, argv, index, &options, err) < 0)
        return -1;
    if (argc - index != 1)
        return err_set(err, ERR_USAGE,
                       "coracle login takes the name of one registry, such as ghcr.io; coracle login --help");
    if (config_load(&options.config, environment, arena, err) < 0)
        return -1;
    return login(&options, argv[index], environment, arena, err);
}
