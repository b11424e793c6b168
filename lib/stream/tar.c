/* Members of the tar, through libarchive. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "stream/work.h"

static void write_out(struct stream *stream, const void *bytes, size_t length)
{
    if (!stream->write_error && fd_write_all(stream->output, bytes, length) < 0)
        stream->write_error = errno;
}

static void flush(struct stream *stream)
{
    write_out(stream, stream->pending, stream->pending_count);
    stream->pending_count = 0;
}

/* Never fails: libarchive would not free all that it has any more. */
static la_ssize_t put(struct archive *archive, void *data, const void *bytes, size_t length)
{
    struct stream *stream = data;

    (void)archive;
    if (length > WORK_PENDING_SIZE - stream->pending_count)
        flush(stream);
    if (length > WORK_PENDING_SIZE) {
        write_out(stream, bytes, length);
    } else {
        memcpy(stream->pending + stream->pending_count, bytes, length);
        stream->pending_count += length;
    }
    return (la_ssize_t)length;
}

static int fail(struct stream *stream, const char *path)
{
    const char *text = archive_error_string(stream->archive);

    return err_set(&stream->err, ERR_LAYER, "%s: /%.300s cannot be put into a tar archive: %s", stream->name,
                   path, text ? text : "no reason is known");
}

int tar_open(struct stream *stream)
{
    stream->archive = archive_write_new();
    stream->entry = archive_entry_new();
    if (!stream->archive || !stream->entry)
        return err_set(&stream->err, ERR_NO_MEMORY, "no memory to make a tar archive");
    /*
     * Names are bytes: in the locale "C", which no program of ours leaves, one that is not ASCII is
     * stored as it is, with hdrcharset=BINARY.
     */
    if (archive_write_set_format_pax_restricted(stream->archive) != ARCHIVE_OK ||
        archive_write_set_options(stream->archive, "pax:xattrheader=SCHILY") != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(stream->archive, 0) != ARCHIVE_OK || /* put() has a buffer */
        archive_write_open(stream->archive, stream, NULL, put, NULL) != ARCHIVE_OK)
        return fail(stream, "");
    return 0;
}

/* Extents tell libarchive of holes; one that ends the file says where it ends. */
static void add_extents(struct archive_entry *entry, const struct member *member)
{
    for (size_t i = 0; i < member->extent_count; i++)
        archive_entry_sparse_add_entry(entry, (la_int64_t)member->extents[i].offset,
                                       (la_int64_t)member->extents[i].length);
    if (member->extent_count == 0)
        archive_entry_sparse_add_entry(entry, (la_int64_t)member->size, 0);
}

static void describe(struct stream *stream, const struct member *member)
{
    struct archive_entry *entry = archive_entry_clear(stream->entry);

    archive_entry_copy_pathname(entry, *member->path ? member->path : "./");
    archive_entry_set_mode(entry, (mode_t)member->mode);
    archive_entry_set_uid(entry, member->uid);
    archive_entry_set_gid(entry, member->gid);
    archive_entry_set_mtime(entry, member->mtime, 0);
    archive_entry_set_size(entry, 0);
    if (member->hard_link) {
        archive_entry_copy_hardlink(entry, member->hard_link);
        return;
    }
    if (S_ISLNK(member->mode))
        archive_entry_copy_symlink(entry, member->target);
    if (S_ISREG(member->mode))
        archive_entry_set_size(entry, (la_int64_t)member->size);
    if (S_ISREG(member->mode) && member->extents)
        add_extents(entry, member);
    for (size_t i = 0; i < stream->attribute_count; i++)
        archive_entry_xattr_add_entry(entry, stream->attributes[i].name, stream->attributes[i].value,
                                      stream->attributes[i].length);
}

/* What foreign/foreign.h knows an image of SIF and of Charliecloud by; Enroot's files may be any system's. */
static const char *foreign_place(const char *path)
{
    static const char *const places[] = {".singularity.d", "ch/environment"};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (strcmp(path, places[i]) == 0)
            return places[i];
    return NULL;
}

int tar_begin(struct stream *stream, const struct member *member)
{
    if (stream->write_error)
        return tar_data(stream, "", 0);
    describe(stream, member);
    stream->attribute_count = stream->attributes_used = 0;
    stream->counts.entries++;
    if (!stream->counts.foreign)
        stream->counts.foreign = foreign_place(member->path);
    return archive_write_header(stream->archive, stream->entry) < ARCHIVE_WARN ? fail(stream, member->path)
                                                                               : 0;
}

int tar_data(struct stream *stream, const void *bytes, size_t length)
{
    /* Who reads has an error of his own: this one is not seen. */
    if (stream->write_error)
        return err_set(&stream->err, ERR_SYSTEM, "a pipe cannot be written: %s",
                       err_reason(stream->write_error));
    while (length) {
        la_ssize_t n = archive_write_data(stream->archive, bytes, length);

        if (n <= 0)
            return fail(stream, "");
        bytes = (const char *)bytes + n;
        length -= (size_t)n;
    }
    return 0;
}

/* libarchive wants to have the zeros of a hole too, and drops them. */
int tar_hole(struct stream *stream, uint64_t length)
{
    static const char zeros[WORK_BUFFER_SIZE];

    while (length) {
        size_t part = length < sizeof(zeros) ? (size_t)length : sizeof(zeros);

        if (tar_data(stream, zeros, part) < 0)
            return -1;
        length -= part;
    }
    return 0;
}

int tar_end(struct stream *stream)
{
    return archive_write_finish_entry(stream->archive) < ARCHIVE_WARN ? fail(stream, "") : 0;
}

/* Ends the archive where all went well; frees it either way. */
int tar_close(struct stream *stream)
{
    int result = 0;

    if (stream->result < 0)
        stream->write_error = ECANCELED;
    if (stream->archive && archive_write_close(stream->archive) != ARCHIVE_OK && stream->result == 0)
        result = fail(stream, "");
    flush(stream);
    if (stream->write_error && stream->result == 0 && result == 0)
        result = err_set(&stream->err, ERR_SYSTEM, "a pipe cannot be written: %s",
                         err_reason(stream->write_error));
    archive_write_free(stream->archive);
    archive_entry_free(stream->entry);
    stream->archive = NULL;
    stream->entry = NULL;
    return result;
}

int attribute_is_kept(struct stream *stream, const char *name)
{
    if (strlen(name) < sizeof(stream->attributes[0].name) &&
        (strncmp(name, "user.", strlen("user.")) == 0 || strcmp(name, "security.capability") == 0))
        return 1;
    stream->counts.attributes++;
    return 0;
}

char *attribute_room(struct stream *stream, size_t *room)
{
    *room = WORK_ATTRIBUTES_SIZE - stream->attributes_used;
    if (stream->attribute_count == WORK_ATTRIBUTES_LIMIT || *room == 0)
        return NULL;
    return stream->values + stream->attributes_used;
}

void attribute_add(struct stream *stream, const char *name, size_t length)
{
    struct attribute *attribute = &stream->attributes[stream->attribute_count++];

    strcpy(attribute->name, name);
    attribute->value = stream->values + stream->attributes_used;
    attribute->length = length;
    stream->attributes_used += length;
}
