#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "reference/name.h"

/* Prefixes by which a transport is known. */
static const struct {
    const char *prefix;
    enum reference_transport transport;
} transports[] = {
    {"docker://", REFERENCE_REGISTRY},
    {"oci:", REFERENCE_OCI},
    {"oci-archive:", REFERENCE_OCI_ARCHIVE},
    {"docker-archive:", REFERENCE_DOCKER_ARCHIVE},
    {"dir:", REFERENCE_DIR},
    {"tar:", REFERENCE_TAR},
    {"sqfs:", REFERENCE_SQFS},
    {"sif:", REFERENCE_SIF},
};
static const char known[] = "docker://, oci:, oci-archive:, docker-archive:, dir:, tar:, sqfs: and sif:";

const char *reference_transport_name(enum reference_transport transport)
{
    static const char *const names[] = {
        [REFERENCE_REGISTRY] = "docker",
        [REFERENCE_OCI] = "oci",
        [REFERENCE_OCI_ARCHIVE] = "oci-archive",
        [REFERENCE_DOCKER_ARCHIVE] = "docker-archive",
        [REFERENCE_DIR] = "dir",
        [REFERENCE_TAR] = "tar",
        [REFERENCE_SQFS] = "sqfs",
        [REFERENCE_SIF] = "sif",
        [REFERENCE_PATH] = "",
    };

    return names[transport];
}

static int begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int is_path(const char *text)
{
    return *text == '/' || strcmp(text, ".") == 0 || strcmp(text, "..") == 0 || begins_with(text, "./") ||
           begins_with(text, "../");
}

/* The NAME of an OCI layout: letters and digits with -._:@+/ or "--" between them. */
static int check_layout_name(const struct name_reader *reader, const char *name)
{
    for (const char *p = name; *p; p++) {
        const int is_between = p > name && name_is_alphanumeric(p[-1]) && name_is_alphanumeric(p[1]);
        const int is_double =
            begins_with(p, "--") && p > name && name_is_alphanumeric(p[-1]) && name_is_alphanumeric(p[2]);

        if (name_is_alphanumeric(*p) || (is_between && strchr("-._:@+/", *p)))
            continue;
        if (!is_double)
            return err_set(
                reader->err, reader->id,
                "the name %s in the layout holds %s in this place: letters and digits may be in it, and "
                "between them one of -._:@+/ or --",
                str_quote(reader->arena, name), name_character(reader->arena, p));
        p++;
    }
    return 0;
}

/* INDEX of @INDEX. */
static int parse_index(const struct name_reader *reader, const char *text)
{
    uint64_t index;

    if (num_parse(text, REFERENCE_INDEX_MAX, &index) < 0 || (*text == '0' && text[1]))
        return err_set(reader->err, reader->id,
                       "@%s does not say which image: after '@' stands a number from 0 to %d",
                       str_quote(reader->arena, text), REFERENCE_INDEX_MAX);
    reader->reference->index = (int)index;
    return 0;
}

/* What follows the second colon of oci:, oci-archive:, docker-archive:. */
static int parse_selection(const struct name_reader *reader, const char *text)
{
    if (!*text)
        return err_set(reader->err, reader->id,
                       "nothing follows the last colon: leave it out, or name an image in the %s",
                       reader->reference->transport == REFERENCE_OCI ? "layout" : "archive");
    if (*text == '@')
        return parse_index(reader, text + 1);
    if (reader->reference->transport != REFERENCE_DOCKER_ARCHIVE) {
        reader->reference->name = arena_strdup(reader->arena, text);
        return check_layout_name(reader, text);
    }
    if (strchr(text, '@'))
        return err_set(reader->err, reader->id,
                       "images in a docker archive have no digest: write REPOSITORY:TAG");
    return name_parse(reader, text);
}

/* TEXT follows the prefix of a transport that takes a path. */
static int parse_path(const struct name_reader *reader, const char *text)
{
    const enum reference_transport transport = reader->reference->transport;
    const char *transport_name = reference_transport_name(transport);
    const char *colon = transport == REFERENCE_OCI || transport == REFERENCE_OCI_ARCHIVE ||
                                transport == REFERENCE_DOCKER_ARCHIVE
                            ? strchr(text, ':')
                            : NULL;

    if (begins_with(text, "//"))
        return err_set(reader->err, reader->id,
                       "%s is followed by one colon and a path, without //: %s:PATH or %s:/PATH",
                       transport_name, transport_name, transport_name);
    if (!*text || colon == text)
        return err_set(reader->err, reader->id, "no path follows %s:", transport_name);
    reader->reference->path =
        arena_strndup(reader->arena, text, colon ? (size_t)(colon - text) : strlen(text));
    return colon ? parse_selection(reader, colon + 1) : 0;
}

/* The word before "://", or one that other tools know as a transport, before a colon; NULL where there is
 * none. */
static const char *foreign_transport(struct arena *arena, const char *text)
{
    static const char *const others[] = {"docker-daemon", "containers-storage", "ostree"};
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

    if (text[length] != ':')
        return NULL;
    if (begins_with(text + length, "://"))
        return arena_strndup(arena, text, length);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strlen(others[i]) == length && begins_with(text, others[i]))
            return others[i];
    return NULL;
}

static int fail_foreign(const struct name_reader *reader, const char *transport, const char *text)
{
    const char *rest = text + strlen(transport) + strlen("://");

    if (strcmp(transport, "https") == 0 || strcmp(transport, "http") == 0)
        return err_set(reader->err, reader->id,
                       "this is a URL: an image in a registry is written without %s://, %s", transport,
                       *rest ? str_quote(reader->arena, rest) : "HOST/REPOSITORY:TAG");
    return err_set(reader->err, reader->id, "there is no transport %s; there are %s",
                   str_quote(reader->arena, transport), known);
}

static int parse(const struct name_reader *reader, const char *text)
{
    const char *foreign;

    if (!*text)
        return err_set(reader->err, reader->id, "it is empty");
    if (is_path(text)) {
        reader->reference->transport = REFERENCE_PATH;
        reader->reference->path = arena_strdup(reader->arena, text);
        return 0;
    }
    if (*text == '~')
        return err_set(reader->err, reader->id,
                       "'~' is for the shell, which expands it where it is not quoted");
    for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
        if (!begins_with(text, transports[i].prefix))
            continue;
        text += strlen(transports[i].prefix);
        reader->reference->transport = transports[i].transport;
        return transports[i].transport == REFERENCE_REGISTRY ? name_parse(reader, text)
                                                             : parse_path(reader, text);
    }
    foreign = foreign_transport(reader->arena, text);
    return foreign ? fail_foreign(reader, foreign, text) : name_parse(reader, text);
}

int reference_parse(struct reference *reference, const char *text, struct arena *arena, enum err_id id,
                    struct err *err)
{
    const struct name_reader reader = {reference, arena, id, err};

    *reference = (struct reference){.transport = REFERENCE_REGISTRY, .index = -1};
    if (parse(&reader, text) < 0)
        return err_prefix(err, "image %s", str_quote(arena, text));
    return 0;
}

const char *reference_registry(const char *text, struct arena *arena)
{
    struct reference reference;
    struct err ignored;

    return reference_parse(&reference, arena_join(arena, "docker://", text, "/a", NULL), arena, ERR_USAGE,
                           &ignored) == 0 &&
                   reference.domain && strcmp(reference.repository, "a") == 0
               ? reference.domain
               : NULL;
}
