#include "image-destination.h"

#include <string.h>
#include <strings.h>

#include "base/opt.h"
#include "base/str.h"

/* What stands before a colon; NULL: it is one of coracle convert's, so a slip of it is told. */
static const struct {
    const char *kind, *problem;
} kinds[] = {
    {"oci", "coracle pull makes a SquashFS file or dir:DIRECTORY; coracle convert makes oci: too"},
    {"oci-archive",
     "coracle pull makes a SquashFS file or dir:DIRECTORY; coracle convert makes oci-archive: too"},
    {"docker-archive",
     "coracle pull makes a SquashFS file or dir:DIRECTORY; coracle convert makes docker-archive: too"},
    {"dir", NULL},
    {"sqfs", NULL},
    {"sif", "sif: is a source only; a SquashFS file is FILE or sqfs:FILE"},
    {"tar", "tar: is a source only; images in a tar are oci-archive: and docker-archive:"},
    {"docker", "a registry cannot be a destination; skopeo copies an oci: layout there"},
    {"docker-daemon", "a daemon cannot be a destination; docker load reads a docker-archive:"},
    {"containers-storage", "a storage cannot be a destination; podman load reads an oci-archive:"},
};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

static int refuse_kind(char *kind, const char *text, struct arena *arena, struct err *err)
{
    const char *name = str_quote(arena, text), *nearest;

    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].problem && strcmp(kinds[i].kind, kind) == 0)
            return err_set(err, ERR_USAGE, "the destination %s: %s", name, kinds[i].problem);
    for (char *p = kind; *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
    nearest = opt_nearest(kind, &kinds[0].kind, KIND_COUNT, sizeof(kinds[0]));
    return nearest ? err_set(err, ERR_USAGE,
                             "the destination %s: did you mean %s:? A file of this name is written sqfs:%s",
                             name, nearest, text)
                   : 0;
}

/* Other programs would take the file for what its name says. */
static int check_ending(const char *text, struct arena *arena, struct err *err)
{
    static const struct {
        const char *ending, *problem;
    } endings[] = {
        {".sif", "coracle makes no SIF"},
        {".tar", "write oci-archive:FILE or docker-archive:FILE for a tar"},
        {".tar.gz", "coracle makes no compressed tar"},
        {".tgz", "coracle makes no compressed tar"},
        {".tar.zst", "coracle makes no compressed tar"},
    };
    const size_t length = strlen(text);

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        const size_t size = strlen(endings[i].ending);

        if (length > size && strcasecmp(text + length - size, endings[i].ending) == 0)
            return err_set(
                err, ERR_USAGE,
                "the destination %s would be a SquashFS file: %s; sqfs:%s makes a SquashFS of that "
                "name",
                str_quote(arena, text), endings[i].problem, text);
    }
    return 0;
}

int destination_check(const char *text, struct arena *arena, struct err *err)
{
    const size_t length = strcspn(text, ":/");

    if (strcmp(text, "-") == 0)
        return err_set(err, ERR_USAGE, "an image cannot be written to standard output; name a file");
    if (strncmp(text + length, "://", 3) == 0 && strncmp(text, "docker:", 7) != 0)
        return err_set(err, ERR_USAGE, "the destination %s is a URL; name a file", str_quote(arena, text));
    if (text[length] == ':' && refuse_kind(arena_strndup(arena, text, length), text, arena, err) < 0)
        return -1;
    return check_ending(text, arena, err);
}
