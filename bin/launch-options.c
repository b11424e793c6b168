#include "launch-options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/opt.h"
#include "base/path.h"
#include "image/image.h"
#include "launch-mistakes.h"
#include "launch-settings.h"
#include "output.h"
#include "reference/reference.h"

enum { ENV_FILE_LIMIT = 1024 * 1024 };

/* What comes later wins: files, variables, options. */
enum rank { RANK_FILE, RANK_VARIABLE, RANK_OPTION };

/* ORIGIN is "FILE:LINE", "CORACLE_ROOT" or "--root". */
static enum rank rank_of(const char *origin)
{
    return *origin == '-' ? RANK_OPTION : strncmp(origin, "CORACLE_", 8) == 0 ? RANK_VARIABLE : RANK_FILE;
}

/* Whether two settings of files are of the same one. */
static int is_same_file(const char *a, const char *b)
{
    const size_t length = (size_t)(strrchr(a, ':') - a);

    return strncmp(a, b, length) == 0 && strrchr(b, ':') == b + length;
}

/*
 * Whether what was set by EARLIER, or NULL, gives way to ORIGIN: two of a kind that contradict
 * each other are an error, but for two files.
 */
static int gives_way(const char *earlier, const struct opt_origin *origin)
{
    const enum rank rank = rank_of(origin->name);

    if (!earlier)
        return 0;
    return rank_of(earlier) < rank || (rank == RANK_FILE && !is_same_file(earlier, origin->name));
}

/* A setter is called with the options; most store in the request. */
#define SETTER(name) \
    static int set_##name(void *target, const char *value, const struct opt_origin *origin, struct err *err)

#define UNUSED(x) (void)(x)

static struct request *request_of(void *target)
{
    return &((struct launch_options *)target)->request;
}

SETTER(bind)
{
    return request_add_bind(request_of(target), value, origin->name, origin->error, err);
}

SETTER(mount)
{
    return request_add_mount(request_of(target), value, origin->name, origin->error, err);
}

SETTER(tmpfs)
{
    return request_add_tmpfs(request_of(target), value, origin->name, origin->error, err);
}

SETTER(env)
{
    return request_add_env(request_of(target), value, origin->name, origin->error, err);
}

SETTER(env_file)
{
    struct request *request = request_of(target);
    FD_CLEANUP int fd = openat(AT_FDCWD, value, O_RDONLY | O_CLOEXEC | O_NOCTTY); /* a pipe will do: <(...) */
    size_t length;
    char *text = fd < 0 ? NULL : fd_read_all(fd, ENV_FILE_LIMIT, request->arena, &length);

    if (!text)
        return err_set(err, origin->error, "%s: cannot read %s: %s", origin->name,
                       str_quote(request->arena, value), err_reason(errno));
    if (strlen(text) != length)
        return err_set(err, origin->error, "%s: %s holds a zero byte; it must be text", origin->name,
                       str_quote(request->arena, value));
    return request_add_env_lines(request, text, value, origin->name, origin->error, err);
}

SETTER(unset_env)
{
    return request_add_unset_env(request_of(target), value, origin->name, origin->error, err);
}

SETTER(clean_env)
{
    UNUSED(value), UNUSED(err);
    request_of(target)->clean_env = 1;
    request_of(target)->clean_env_origin = origin->name;
    return 0;
}

SETTER(no_default_binds)
{
    UNUSED(value), UNUSED(err);
    request_of(target)->no_default_binds = 1;
    request_of(target)->no_default_binds_origin = origin->name;
    return 0;
}

SETTER(home)
{
    struct request *request = request_of(target);

    if (value && *value != '/')
        return err_set(err, origin->error, "%s: %s must be an absolute path", origin->name,
                       str_quote(request->arena, value));
    if (value && strcmp(path_clean(request->arena, value), "/") == 0)
        return err_set(err, origin->error,
                       "%s: nothing can be mounted on /: that is the image; name a directory beneath it",
                       origin->name);
    request->home = HOME_WANTED;
    request->home_dir = value;
    request->home_origin = origin->name;
    return 0;
}

SETTER(no_home)
{
    UNUSED(value), UNUSED(err);
    request_of(target)->home = HOME_NONE;
    request_of(target)->home_dir = NULL;
    request_of(target)->home_origin = origin->name;
    return 0;
}

SETTER(workdir)
{
    struct request *request = request_of(target);

    if (*value != '/')
        return err_set(err, origin->error, "%s: %s must be an absolute path of the container", origin->name,
                       str_quote(request->arena, value));
    request->workdir = value;
    request->workdir_origin = origin->name;
    return 0;
}

static int bad_id(const char *value, const struct opt_origin *origin, struct arena *arena, struct err *err)
{
    return err_set(err, origin->error, "%s: %s is not an id; it is a number from 0 to 4294967294",
                   origin->name, str_quote(arena, value));
}

SETTER(uid)
{
    struct request *request = request_of(target);

    if (num_parse_id(value, &request->uid) < 0)
        return bad_id(value, origin, request->arena, err);
    if (request->uid != 0 && gives_way(request->as_root_origin, origin))
        request->as_root = 0;
    request->uid_given = 1;
    request->uid_origin = origin->name;
    return 0;
}

SETTER(gid)
{
    struct request *request = request_of(target);

    if (num_parse_id(value, &request->gid) < 0)
        return bad_id(value, origin, request->arena, err);
    if (request->gid != 0 && gives_way(request->as_root_origin, origin))
        request->as_root = 0;
    request->gid_given = 1;
    request->gid_origin = origin->name;
    return 0;
}

SETTER(root)
{
    struct request *request = request_of(target);

    UNUSED(value), UNUSED(err);
    if (gives_way(request->uid_origin, origin))
        request->uid_given = 0;
    if (gives_way(request->gid_origin, origin))
        request->gid_given = 0;
    request->as_root = 1;
    request->as_root_origin = origin->name;
    return 0;
}

/* SIZE is that of ROOT_WRITABLE_TMPFS; 0 otherwise. */
static int set_root_mode(struct request *request, enum root_mode mode, uint64_t size,
                         const struct opt_origin *origin, struct err *err)
{
    if (request->root_mode != ROOT_READ_ONLY && request->root_mode != mode &&
        !gives_way(request->root_origin, origin))
        return err_set(err, origin->error, "%s and %s exclude each other; give one of them",
                       request->root_origin, origin->name);
    request->root_mode = mode;
    request->root_size = size;
    request->root_origin = origin->name;
    return 0;
}

SETTER(write)
{
    UNUSED(value);
    return set_root_mode(request_of(target), ROOT_WRITE, 0, origin, err);
}

SETTER(writable_tmpfs)
{
    struct request *request = request_of(target);
    uint64_t size = 0;

    if (value && (num_parse_size(value, &size) < 0 || !size))
        return err_set(err, origin->error, "%s: %s is not a size in bytes; write 512M or 2G", origin->name,
                       str_quote(request->arena, value));
    return set_root_mode(request, ROOT_WRITABLE_TMPFS, size, origin, err);
}

SETTER(entrypoint)
{
    struct request *request = request_of(target);

    UNUSED(err);
    request->entrypoint_choice = ENTRYPOINT_GIVEN;
    request->entrypoint = value;
    request->entrypoint_origin = origin->name;
    return 0;
}

SETTER(no_entrypoint)
{
    UNUSED(value), UNUSED(err);
    request_of(target)->entrypoint_choice = ENTRYPOINT_NONE;
    request_of(target)->entrypoint_origin = origin->name;
    return 0;
}

SETTER(unpack)
{
    struct request *request = request_of(target);

    if (value && *value != '/')
        return err_set(err, origin->error, "%s: %s must be an absolute path", origin->name,
                       str_quote(request->arena, value));
    request->unpack = 1;
    request->unpack_place = value;
    request->unpack_origin = origin->name;
    return 0;
}

SETTER(share)
{
    struct request *request = request_of(target);

    if (scope_parse(value, &request->share, &request->share_key) < 0)
        return err_set(err, origin->error,
                       "%s: %s is neither step, job, session, user or none, nor a key of at most %d bytes",
                       origin->name, str_quote(request->arena, value), SCOPE_KEY_LIMIT);
    request->share_origin = origin->name;
    return 0;
}

SETTER(name)
{
    struct request *request = request_of(target);

    if (request_set_name(request, value) < 0)
        return err_set(err, origin->error,
                       "%s: %s is no name; it is of letters, digits and any of -_.+ and begins with a letter",
                       origin->name, str_quote(request->arena, value));
    request->name_origin = origin->name;
    return 0;
}

SETTER(pull)
{
    static const char *const policies[] = {
        [PULL_MISSING] = "missing", [PULL_ALWAYS] = "always", [PULL_NEVER] = "never"};
    struct launch_options *options = target;

    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
        if (strcmp(value, policies[i]) == 0) {
            options->pull = (enum pull_policy)i;
            options->pull_origin = origin->name;
            return 0;
        }
    return err_set(err, origin->error, "%s: %s is neither missing, always nor never", origin->name,
                   str_quote(options->arena, value));
}

SETTER(cache)
{
    struct launch_options *options = target;

    if (*value != '/')
        return err_set(err, origin->error, "%s: %s must be an absolute path", origin->name,
                       str_quote(options->arena, value));
    options->cache = value;
    options->cache_problem = NULL;
    return 0;
}

SETTER(registry)
{
    struct launch_options *options = target;

    options->registry = reference_registry(value, options->arena);
    return options->registry
               ? 0
               : err_set(err, origin->error, "%s: %s is no registry; write HOST[:PORT], docker.io for one",
                         origin->name, str_quote(options->arena, value));
}

static OPT_FLAG_SETTER(set_dry_run, struct launch_options, dry_run);
static OPT_FLAG_SETTER(set_json, struct launch_options, json);

SETTER(verbose)
{
    UNUSED(value), UNUSED(origin), UNUSED(err);
    ((struct launch_options *)target)->verbosity++;
    return 0;
}

SETTER(quiet)
{
    UNUSED(value), UNUSED(origin), UNUSED(err);
    ((struct launch_options *)target)->verbosity = -1;
    return 0;
}

static OPT_FLAG_SETTER(set_help, struct launch_options, help);

/* What belongs to the process alone stands last: it is all that `exec` takes. */
static const struct opt_row rows[] = {
    {"--bind", 'b', OPT_VALUE, "SRC[:DST[:OPTS]]", "CORACLE_BIND", OPT_LIST,
     "show SRC of the host as DST; OPTS, between commas: ro\n"
     "rw rbind nosuid nodev noexec optional; a colon in a path\n"
     "is written \\:",
     set_bind},
    {"--mount", 0, OPT_VALUE, "type=TYPE,KEY=VALUE...", "CORACLE_MOUNT", OPT_SINGLE,
     "type=bind,source=SRC,target=DST or type=tmpfs,target=DST\n"
     "with size=SIZE and the options of --bind",
     set_mount},
    {"--tmpfs", 0, OPT_VALUE, "DST[:OPTS]", "CORACLE_TMPFS", OPT_LIST,
     "an empty directory in memory as DST; OPTS, between\n"
     "commas: size=SIZE nosuid nodev noexec",
     set_tmpfs},
    {"--home", 0, OPT_OPTIONAL_VALUE, "DIR", "CORACLE_HOME", OPT_SINGLE,
     "show the home directory (the default), or DIR as home", set_home},
    {"--no-home", 0, OPT_FLAG, NULL, "CORACLE_NO_HOME", OPT_SINGLE, "do not show the home directory",
     set_no_home},
    {"--no-default-binds", 0, OPT_FLAG, NULL, "CORACLE_NO_DEFAULT_BINDS", OPT_SINGLE,
     "of the host show only /proc, /sys and /dev", set_no_default_binds},
    {"--uid", 'u', OPT_VALUE, "UID", "CORACLE_UID", OPT_SINGLE, "be UID inside (default: yourself)", set_uid},
    {"--gid", 'g', OPT_VALUE, "GID", "CORACLE_GID", OPT_SINGLE, "be in group GID inside", set_gid},
    {"--root", 0, OPT_FLAG, NULL, "CORACLE_ROOT", OPT_SINGLE,
     "be root inside, with the capabilities of the namespace", set_root},
    {"--write", 0, OPT_FLAG, NULL, "CORACLE_WRITE", OPT_SINGLE, "let the command change the image",
     set_write},
    {"--writable-tmpfs", 0, OPT_OPTIONAL_VALUE, "SIZE", "CORACLE_WRITABLE_TMPFS", OPT_SINGLE,
     "let it change the root; changes are kept in memory and\nlost at the end", set_writable_tmpfs},
    {"--entrypoint", 0, OPT_VALUE, "COMMAND", "CORACLE_ENTRYPOINT", OPT_SINGLE,
     "execute COMMAND instead of the image's ENTRYPOINT", set_entrypoint},
    {"--no-entrypoint", 0, OPT_FLAG, NULL, "CORACLE_NO_ENTRYPOINT", OPT_SINGLE,
     "ignore the image's ENTRYPOINT", set_no_entrypoint},
    {"--unpack", 0, OPT_OPTIONAL_VALUE, "DIR", "CORACLE_UNPACK", OPT_SINGLE,
     "do not mount a SquashFS image but unpack it, beneath DIR\n"
     "or where there is room on the node, until it is not used",
     set_unpack},
    {"--share", 0, OPT_VALUE, "step|job|session|user|none|KEY", "CORACLE_SHARE", OPT_SINGLE,
     "meet the others of this node's step (the default), job,\n"
     "session, user, or of a KEY that they give too; or none",
     set_share},
    {"--name", 0, OPT_VALUE, "NAME", "CORACLE_NAME", OPT_SINGLE, "be found by coracle exec as NAME",
     set_name},
    {"--pull", 0, OPT_VALUE, "missing|always|never", "CORACLE_PULL", OPT_SINGLE,
     "bring an image that is named into the cache if it is\nmissing (the default), always or never",
     set_pull},
    {"--cache", 0, OPT_VALUE, "DIR", "CORACLE_CACHE", OPT_SINGLE,
     "where such images are kept (default: ~/.cache/coracle)", set_cache},
    {"--registry", 0, OPT_VALUE, "HOST[:PORT]", "CORACLE_REGISTRY", OPT_SINGLE,
     "where names without a registry are looked for", set_registry},
    {"--dry-run", 'n', OPT_FLAG, NULL, NULL, OPT_SINGLE, "print the plan and do nothing", set_dry_run},
    {"--json", 0, OPT_FLAG, NULL, NULL, OPT_SINGLE, "print the plan as JSON", set_json},
    {"--workdir", 'w', OPT_VALUE, "DIR", "CORACLE_WORKDIR", OPT_SINGLE,
     "start in DIR of the container (default: the current\n"
     "directory if it is there, else the image's, else /)",
     set_workdir},
    {"--env-file", 0, OPT_VALUE, "FILE", "CORACLE_ENV_FILE", OPT_SINGLE,
     "set variables from lines NAME=VALUE or NAME", set_env_file},
    {"--env", 'e', OPT_VALUE, "NAME[=VALUE]", "CORACLE_ENV", OPT_LIST,
     "set a variable; without =VALUE to its value outside", set_env},
    {"--unset-env", 0, OPT_VALUE, "GLOB", "CORACLE_UNSET_ENV", OPT_LIST, "remove variables, * for all",
     set_unset_env},
    {"--clean-env", 0, OPT_FLAG, NULL, "CORACLE_CLEAN_ENV", OPT_SINGLE,
     "begin with only what schedulers and MPI need", set_clean_env},
    {"--verbose", 'v', OPT_FLAG, NULL, "CORACLE_VERBOSE", OPT_SINGLE,
     "tell what is done; twice: and which way was taken", set_verbose},
    {"--quiet", 'q', OPT_FLAG, NULL, "CORACLE_QUIET", OPT_SINGLE, "print errors only", set_quiet},
    {"--help", 'h', OPT_FLAG, NULL, NULL, OPT_SINGLE, "print this text", set_help},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]), PROCESS_ROWS = 8 };

static void log_as_asked(const struct launch_options *options)
{
    log_set_level(options->verbosity < 0    ? LOG_ERRORS
                  : options->verbosity >= 2 ? LOG_WAYS
                                            : (enum log_level)options->verbosity);
}

const struct opt_row *launch_options_rows(size_t *count)
{
    *count = ROW_COUNT;
    return rows;
}

/* What is known about the node was read before anybody could say how much to tell. */
static void report(const struct host_record *record)
{
    if (record->warning)
        log_warning("%s", record->warning);
    else if (!record->is_kept)
        log_message(LOG_WAYS, "the record was not kept: the next launch makes it anew");
}

/* OPERAND is what the first operand is: "image", "container". */
static int read_line(struct launch_options *options, const struct opt_row *table, size_t count, int argc,
                     char *argv[], const char *operand, struct err *err)
{
    char *const *environment = options->facts.environment;
    struct arena *arena = options->arena;
    int index;

    request_init(&options->request, arena);
    if (launch_settings_apply(table, count, options->facts.record.settings,
                              options->facts.record.setting_count, environment, options, arena, err) < 0 ||
        opt_apply_environment(table, count, "CORACLE_", environment, options, arena, err) < 0)
        return -1;
    index = opt_parse(table, count, argc, argv, options, err);
    if (index < 0) {
        launch_mistakes_in_options(table, count, argc, argv, err);
        return -1;
    }
    log_as_asked(options);
    report(&options->facts.record);
    launch_mistakes_warn(options);
    if (index >= argc)
        return err_set(err, ERR_USAGE, "no %s was given: coracle %s [OPTIONS] %s [--] [COMMAND [ARG...]]%s",
                       operand, argv[0], count == ROW_COUNT ? "IMAGE" : "CONTAINER",
                       launch_mistakes_no_image(table, count, argc, argv, arena));
    options->line = argv;
    options->image_index = index;
    options->request.image = argv[index++];
    if (index < argc && strcmp(argv[index], "--") == 0)
        index++;
    options->request.command = argv + index;
    return 0;
}

static int gather_and_read(struct launch_options *options, const struct opt_row *table, size_t count,
                           int argc, char *argv[], char *const environment[], const char *operand,
                           struct arena *arena, struct err *err)
{
    memset(options, 0, sizeof(*options));
    options->arena = arena;
    options->help = opt_is_given(table, count, argc, argv, "--help");
    if (options->help)
        return 0;
    if (facts_gather(&options->facts, environment, arena, err) < 0)
        return -1;
    return read_line(options, table, count, argc, argv, operand, err);
}

int launch_options_read(struct launch_options *options, int argc, char *argv[], char *const environment[],
                        struct arena *arena, struct err *err)
{
    return gather_and_read(options, rows, ROW_COUNT, argc, argv, environment, "image", arena, err);
}

int launch_options_read_process(struct launch_options *options, int argc, char *argv[],
                                char *const environment[], struct arena *arena, struct err *err)
{
    return gather_and_read(options, rows + ROW_COUNT - PROCESS_ROWS, PROCESS_ROWS, argc, argv, environment,
                           "container", arena, err);
}

int launch_options_read_with(struct launch_options *options, int argc, char *argv[],
                             const struct host_facts *facts, struct arena *arena, struct err *err)
{
    memset(options, 0, sizeof(*options));
    options->arena = arena;
    options->facts = *facts;
    return read_line(options, rows, ROW_COUNT, argc, argv, "image", err);
}

void launch_options_gather(struct launch_options *options, char *const environment[])
{
    const unsigned needs = scope_needs(options->request.share, environment);
    struct host_facts *facts = &options->facts;

    if (needs & (SCOPE_SESSION | SCOPE_LAUNCHER))
        facts_gather_session(facts);
    if (needs & SCOPE_LAUNCHER)
        facts_gather_launcher(facts);
    if (needs & SCOPE_CGROUP)
        facts_gather_cgroup(facts, options->arena);
}

int launch_options_plan(struct launch_options *options, char *const environment[], struct plan *plan,
                        struct err *err)
{
    struct image image;

    if (image_inspect(&image, options->request.image, environment, options->arena, err) < 0)
        return -1;
    image_warn(&image, options->request.image, options->arena);
    options->request.image_is_served = image.kind == IMAGE_SQUASHFS;
    launch_options_gather(options, environment);
    return plan_build(plan, &options->request, image.config, image.foreign, &options->facts, options->arena,
                      err);
}

static const char statuses[] =
    "\nExit status: that of the command; 125 Coracle failed, 126 the command cannot\n"
    "be executed, 127 it is not in the container.\n";

int launch_options_help(const char *usage, const char *about, struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};

    str_addf(&out, "Usage: %s\n\n%s\n\n", usage, about);
    opt_help(rows, ROW_COUNT, &out);
    str_add(&out, "\nEach option but --dry-run, --json and --help can be given as a variable:\n"
                  "CORACLE_BIND=/data,/scratch CORACLE_CLEAN_ENV=yes. Options come after variables,\nand "
                  "these after the files that coracle config lists.\n");
    str_add(&out, statuses);
    return output_print(&out, err);
}

int launch_options_help_process(const char *usage, const char *about, struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};

    str_addf(&out, "Usage: %s\n\n%s\n\n", usage, about);
    opt_help(rows + ROW_COUNT - PROCESS_ROWS, PROCESS_ROWS, &out);
    str_add(&out, statuses);
    return output_print(&out, err);
}

int launch_options_print(const struct launch_options *options, const struct plan *plan, struct err *err)
{
    struct str out = {.arena = options->arena};

    (options->json ? plan_json : plan_print)(plan, &out);
    return output_print(&out, err);
}
