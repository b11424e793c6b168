/* The record of owners beside a directory: mtree(5), read through libarchive. */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "stream/work.h"

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct owner *)a)->path, ((const struct owner *)b)->path);
}

const struct owner *owners_find(const struct owners *owners, const char *path)
{
    struct owner wanted = {.path = path};

    return owners->count ? bsearch(&wanted, owners->items, owners->count, sizeof(wanted), compare) : NULL;
}

/* "./usr/bin" is "usr/bin", and "." the root. */
static const char *clean(const char *path)
{
    while (path[0] == '.' && (path[1] == '/' || path[1] == '\0'))
        path += path[1] ? 2 : 1;
    return path;
}

static int take(struct owner *owner, struct archive_entry *entry, struct arena *arena, struct err *err)
{
    const char *path = archive_entry_pathname(entry);
    int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);

    if (!path)
        return err_set(err, ERR_IMAGE_DAMAGED, "an entry has no name");
    if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
        return err_set(err, ERR_IMAGE_DAMAGED, "the owner of \"%.300s\" has an id that no system has", path);
    *owner = (struct owner){arena_strdup(arena, clean(path)), (uint32_t)uid, (uint32_t)gid,
                            archive_entry_mode(entry)};
    return 0;
}

static int read_all(struct owners *owners, struct archive *archive, struct arena *arena, struct err *err)
{
    struct archive_entry *entry;
    size_t room = 0;

    for (;;) {
        int result = archive_read_next_header(archive, &entry);

        if (result == ARCHIVE_EOF)
            return 0;
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
            return err_set(err, ERR_IMAGE_DAMAGED, "%s",
                           archive_error_string(archive) ? archive_error_string(archive) : "it is no mtree");
        owners->items = arena_grow(arena, owners->items, owners->count, &room, sizeof(*owners->items));
        if (take(&owners->items[owners->count], entry, arena, err) < 0)
            return -1;
        owners->count++;
    }
}

int owners_parse(struct owners *owners, const char *bytes, size_t length, struct arena *arena,
                 struct err *err)
{
    struct archive *archive = archive_read_new();
    int result = -1;

    *owners = (struct owners){0};
    if (!archive)
        return err_set(err, ERR_NO_MEMORY, "no memory to read owners.mtree");
    archive_read_support_format_mtree(archive);
    if (archive_read_open_memory(archive, bytes, length) == ARCHIVE_OK)
        result = read_all(owners, archive, arena, err);
    else
        err_set(err, ERR_IMAGE_DAMAGED, "it is no mtree");
    archive_read_free(archive);
    if (result == 0 && owners->count)
        qsort(owners->items, owners->count, sizeof(*owners->items), compare);
    return result;
}
