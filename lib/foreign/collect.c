/*
 * Which files say what. The bytes: a mark and the system, then for each file its
 * number and length, both 32 bits in the host's order, and its content.
 */
#include <string.h>

#include "foreign/system.h"

static const char mark[] = "\1foreign";

int foreign_is(const char *bytes, size_t length)
{
    return length > sizeof(mark) && memcmp(bytes, mark, sizeof(mark)) == 0;
}

static void begin(struct str *bytes, enum foreign_system system)
{
    str_add_bytes(bytes, mark, sizeof(mark));
    str_add_char(bytes, (char)system);
}

static void add(struct str *bytes, enum foreign_file file, const struct str *content)
{
    const uint32_t head[] = {file, content ? (uint32_t)content->length : 0};

    str_add_bytes(bytes, head, sizeof(head));
    if (content && content->length)
        str_add_bytes(bytes, content->data, content->length);
}

/* Reads the file PATH. 1 and *CONTENT; 0: there is none; -1 with ERR. */
static int get(const struct foreign_source *source, const char *path, struct str *content, struct err *err)
{
    switch (source->read(source->context, path, content)) {
    case FOREIGN_ABSENT:
        return 0;
    case FOREIGN_FOUND:
        return 1;
    case FOREIGN_TOO_LARGE:
        return err_set(err, ERR_IMAGE_CONFIG, "/%s is larger than %d bytes", path, FOREIGN_FILE_LIMIT);
    default:
        return err_set(err, ERR_IMAGE_CONFIG, "/%s cannot be read", path);
    }
}

/* The same into BYTES. */
static int take(struct str *bytes, const struct foreign_source *source, enum foreign_file file,
                const char *path, struct err *err)
{
    struct str content = {.arena = bytes->arena};
    const int found = get(source, path, &content, err);

    if (found > 0)
        add(bytes, file, &content);
    return found;
}

static void collect_singularity(struct str *bytes, const struct foreign_source *source)
{
    begin(bytes, FOREIGN_SINGULARITY);
    if (source->is_directory(source->context, ".singularity.d/env"))
        add(bytes, FILE_SCRIPTS, NULL);
    if (source->read(source->context, ".singularity.d/runscript", NULL) != FOREIGN_ABSENT)
        add(bytes, FILE_RUNSCRIPT, NULL);
}

static int collect_charliecloud(struct str *bytes, const struct foreign_source *source,
                                const struct str *environment, struct err *err)
{
    begin(bytes, FOREIGN_CHARLIECLOUD);
    add(bytes, FILE_ENVIRONMENT, environment);
    return take(bytes, source, FILE_METADATA, "ch/metadata.json", err);
}

static int collect_enroot(struct str *bytes, const struct foreign_source *source, const struct str *rc,
                          struct err *err)
{
    begin(bytes, FOREIGN_ENROOT);
    add(bytes, FILE_RC, rc);
    if (take(bytes, source, FILE_RC_LOCAL, "etc/rc.local", err) < 0)
        return -1;
    return take(bytes, source, FILE_ENVIRONMENT, "etc/environment", err);
}

int foreign_collect(struct str *bytes, const struct foreign_source *source, struct err *err)
{
    struct str environment = {.arena = bytes->arena}, rc = {.arena = bytes->arena};
    int found;

    if (source->is_directory(source->context, ".singularity.d")) {
        collect_singularity(bytes, source);
        return 0;
    }
    found = get(source, "ch/environment", &environment, err);
    if (found)
        return found < 0 || collect_charliecloud(bytes, source, &environment, err) < 0 ? -1 : 0;
    /* Other systems have a file of this name too: what cannot be read of it is not Enroot's. */
    if (source->read(source->context, "etc/rc", &rc) == FOREIGN_FOUND &&
        foreign_is_enroot_rc(&(struct foreign_text){str_text(&rc), rc.length}))
        return collect_enroot(bytes, source, &rc, err) < 0 ? -1 : 0;
    return 0;
}
