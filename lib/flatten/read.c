/* A layer's tar: its members to a journal, their contents to the sink. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "flatten/work.h"

struct reading {
    struct work *work;
    size_t index;
    struct layer_reader *layer;
    struct archive *archive;
    struct err *err;
    uint64_t length;      /* of the tar, so far */
    uint64_t header;      /* where the headers of the next member begin */
    int is_within_header; /* they are being read */
    int failed;           /* err has been filled */
};

enum {
    TAR_BLOCK = 512,
    OF_ENTRY = sizeof(struct entry) + sizeof(struct flatten_inode) + 64, /* the last: of seen.c */
};

/*
 * Some tools (umoci insert 0.4.7) leave out the zeros behind the last file. Where digests vouch that
 * nothing was cut off they are added. How many; *BYTES are they.
 */
static size_t missing_padding(struct reading *reading, const void **bytes)
{
    static const char zeros[TAR_BLOCK];
    const struct layer *layer = &reading->work->request->layers[reading->index];
    const size_t behind = (size_t)(reading->length % TAR_BLOCK);

    if (!behind || (!layer->digest && !layer->diff_id))
        return 0;
    *bytes = zeros;
    return TAR_BLOCK - behind;
}

static la_ssize_t next_bytes(struct archive *archive, void *opaque, const void **bytes)
{
    struct reading *reading = opaque;
    const struct flatten_request *request = reading->work->request;
    size_t length;

    /* The library may ask once more; what went wrong at first is what counts. */
    if (reading->failed ||
        (reading->is_within_header &&
         layer_check_header(reading->length - reading->header, reading->err) < 0) ||
        layer_read(reading->layer, bytes, &length, reading->err) < 0) {
        reading->failed = 1;
        archive_set_error(archive, EIO, "unreadable");
        return ARCHIVE_FATAL;
    }
    if (length == 0)
        length = missing_padding(reading, bytes);
    reading->length += length;
    if (request->progress)
        request->progress(request->progress_data, reading->work->done + layer_position(reading->layer));
    return (la_ssize_t)length;
}

/* What libarchive has to say, unless the reader of the layer said it before. */
static int archive_failed(struct reading *reading)
{
    const char *text = archive_error_string(reading->archive);

    if (reading->failed)
        return -1;
    return err_set(reading->err, ERR_LAYER, "the tar archive is damaged: %s",
                   text ? text : "it is cut off, or has a header that means nothing");
}

/*
 * Whether what libarchive warns of costs more than is kept here. It goes on without the rest of an
 * extended header that it cannot read, which may be the name or where holes are; that has no text at
 * times. Names that it cannot convert stay as they are.
 */
static int is_harmless(const char *warning)
{
    static const char *const harmless[] = {
        "converted", "acl", "ACL", "selinux", "creationtime", "Redundant",
    };

    for (size_t i = 0; warning && i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        if (strstr(warning, harmless[i]))
            return 1;
    }
    return 0;
}

static int refuse_header(struct reading *reading, struct archive_entry *member)
{
    const char *text = archive_error_string(reading->archive), *name = archive_entry_pathname(member);

    if (reading->failed)
        return -1;
    err_set(reading->err, ERR_LAYER, "its extended header is damaged: %s",
            text ? text : "it is not as pax(1) and GNU tar write it");
    return name_blame(name ? name + strspn(name, "/") : "", "", reading->err);
}

static uint32_t clamp_time(const struct archive_entry *member)
{
    /* The library's getters take no const. */
    time_t time = archive_entry_mtime((struct archive_entry *)(uintptr_t)member);

    return time < 0 ? 0 : time > UINT32_MAX ? UINT32_MAX : (uint32_t)time;
}

static int is_kept_attribute(const char *name)
{
    return strncmp(name, "user.", strlen("user.")) == 0 || strcmp(name, "security.capability") == 0;
}

/* The extended attributes of MEMBER that are kept. 0 or -1. */
static int take_attributes(struct reading *reading, struct archive_entry *member, struct flatten_inode *inode)
{
    int count = archive_entry_xattr_reset(member);
    struct flatten_attribute *attributes;
    size_t total = 0;
    const char *name;
    const void *value;
    size_t length;

    if (count <= 0)
        return 0;
    attributes = arena_alloc(reading->work->arena, (size_t)count * sizeof(*attributes));
    while (archive_entry_xattr_next(member, &name, &value, &length) == ARCHIVE_OK) {
        if (!name || !is_kept_attribute(name) || strlen(name) > FLATTEN_NAME_LIMIT) {
            reading->work->counts.attributes++;
            continue;
        }
        total += strlen(name) + length;
        if (total > FLATTEN_XATTR_LIMIT)
            return err_set(reading->err, ERR_LAYER, "its extended attributes have more than %d bytes",
                           FLATTEN_XATTR_LIMIT);
        attributes[inode->attribute_count++] = (struct flatten_attribute){
            .name = arena_strdup(reading->work->arena, name),
            .value = arena_strndup(reading->work->arena, value, length),
            .length = length,
        };
    }
    inode->attributes = attributes;
    return work_take(reading->work, (size_t)count * sizeof(*attributes) + total, reading->err);
}

static int take_inode(struct reading *reading, struct archive_entry *member, struct entry *entry)
{
    struct flatten_inode *inode = arena_alloc(reading->work->arena, sizeof(*inode));
    int64_t uid = archive_entry_uid(member), gid = archive_entry_gid(member);
    int64_t size = archive_entry_size(member);
    const char *target;

    entry->inode = inode;
    inode->mode = archive_entry_mode(member);
    inode->mtime = clamp_time(member);
    if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
        return err_set(reading->err, ERR_LAYER, "its owner has an id that no system has");
    inode->uid = (uint32_t)uid;
    inode->gid = (uint32_t)gid;
    if (S_ISREG(inode->mode)) {
        if (size < 0 || (uint64_t)size > FLATTEN_FILE_LIMIT)
            return err_set(reading->err, ERR_LAYER, "it says that it has %lld bytes; up to %llu GiB are read",
                           (long long)size, (unsigned long long)(FLATTEN_FILE_LIMIT >> 30));
        inode->size = (uint64_t)size;
    }
    if (S_ISLNK(inode->mode)) {
        target = archive_entry_symlink(member);
        if (!target || !*target || strlen(target) > FLATTEN_PATH_LIMIT)
            return err_set(reading->err, ERR_LAYER,
                           "it is a symbolic link to nothing, or to too long a path");
        inode->target = arena_strdup(reading->work->arena, target);
        if (work_take(reading->work, strlen(target), reading->err) < 0)
            return -1;
    }
    return take_attributes(reading, member, inode);
}

/* Fills ENTRY from what MEMBER is. 0 or -1. */
static int take_member(struct reading *reading, struct archive_entry *member, const char *path,
                       struct entry *entry)
{
    struct work *work = reading->work;
    const char *target = archive_entry_hardlink(member);
    mode_t type = archive_entry_mode(member) & S_IFMT;

    entry->kind = ENTRY_INODE;
    if (name_classify(work, path, entry, reading->err) < 0)
        return -1;
    if (entry->kind != ENTRY_INODE)
        return 0;
    if (target) {
        entry->kind = ENTRY_LINK;
        entry->target = name_clean(work, target, reading->err);
        return entry->target ? 0 : -1;
    }
    if (type == S_IFBLK || type == S_IFCHR) {
        entry->kind = ENTRY_DEVICE;
        work->counts.devices++;
        return 0;
    }
    if (type != S_IFREG && type != S_IFDIR && type != S_IFLNK && type != S_IFIFO && type != S_IFSOCK)
        return err_set(reading->err, ERR_LAYER, "it is of no kind that is known");
    return take_inode(reading, member, entry);
}

/* The contents of the current member to the sink: SIZE bytes. 0 or -1. */
static int store_contents(struct reading *reading, uint64_t size)
{
    struct flatten_sink *sink = reading->work->sink;
    uint64_t position = 0;
    const void *bytes;
    size_t length;
    la_int64_t offset;
    int result;

    while ((result = archive_read_data_block(reading->archive, &bytes, &length, &offset)) == ARCHIVE_OK) {
        if (offset < 0 || (uint64_t)offset < position || (uint64_t)offset > size ||
            length > size - (uint64_t)offset)
            return err_set(reading->err, ERR_LAYER, "its pieces overlap, or go beyond its end");
        if ((uint64_t)offset > position &&
            sink->file_hole(sink, (uint64_t)offset - position, reading->err) < 0)
            return -1;
        if (length && sink->file_append(sink, bytes, length, reading->err) < 0)
            return -1;
        position = (uint64_t)offset + length;
    }
    if (result != ARCHIVE_EOF)
        return archive_failed(reading);
    return position < size ? sink->file_hole(sink, size - position, reading->err) : 0;
}

static int store(struct reading *reading, struct flatten_inode *inode)
{
    struct flatten_sink *sink = reading->work->sink;

    if (inode->size > FLATTEN_FILE_LIMIT - reading->work->stored)
        return err_set(reading->err, ERR_LAYER,
                       "with it the files of the image have more than %llu GiB, which is as much as is read",
                       (unsigned long long)(FLATTEN_FILE_LIMIT >> 30));
    reading->work->stored += inode->size;
    reading->work->counts.stored++;
    if (sink->file_begin(sink, inode->size, reading->err) < 0 || store_contents(reading, inode->size) < 0)
        return -1;
    return sink->file_end(sink, &inode->handle, reading->err);
}

static struct entry *add_entry(struct reading *reading)
{
    struct journal *journal = &reading->work->journals[reading->index];

    if (reading->work->counts.entries >= FLATTEN_ENTRY_LIMIT) {
        err_set(reading->err, ERR_LAYER, "the image has more than %d entries", FLATTEN_ENTRY_LIMIT);
        return NULL;
    }
    if (journal->count == journal->room) {
        size_t room = journal->room ? journal->room + journal->room / 2 : 64;
        struct entry *entries = reallocarray(journal->entries, room, sizeof(*entries));

        if (!entries) {
            err_set(reading->err, ERR_NO_MEMORY, "no memory for the names of the image");
            return NULL;
        }
        journal->entries = entries;
        journal->room = room;
    }
    reading->work->counts.entries++;
    journal->entries[journal->count] = (struct entry){.kind = ENTRY_IGNORED};
    return &journal->entries[journal->count++];
}

static int first_time(struct reading *reading, struct archive_entry *member, const char *path,
                      struct entry *entry)
{
    struct work *work = reading->work;
    struct flatten_inode *inode;

    if (take_member(reading, member, path, entry) < 0)
        return -1;
    if (seen_add(work->seen, reading->index, entry) < 0)
        return err_set(reading->err, ERR_NO_MEMORY, "no memory for the names of the image");
    inode = entry->kind == ENTRY_INODE ? entry->inode : NULL;
    if (!inode || !S_ISREG(inode->mode) || inode->size == 0 ||
        seen_hides(work->seen, reading->index, entry->path))
        return 0;
    return store(reading, inode);
}

static int read_member(struct reading *reading, struct archive_entry *member)
{
    const char *name = archive_entry_pathname(member);
    struct entry *entry = add_entry(reading);
    const char *path;

    if (!entry)
        return -1;
    if (!name)
        return err_set(reading->err, ERR_LAYER, "an entry has no name");
    path = name_clean(reading->work, name, reading->err);
    if (!path || work_take(reading->work, OF_ENTRY + strlen(path), reading->err) < 0)
        return -1;
    if (first_time(reading, member, path, entry) < 0)
        return name_blame(path, "", reading->err);
    return 0;
}

static int reread_member(struct reading *reading, size_t number)
{
    struct journal *journal = &reading->work->journals[reading->index];
    struct entry *entry = number < journal->count ? &journal->entries[number] : NULL;

    if (!entry || entry->kind != ENTRY_INODE || entry->inode->handle != HANDLE_WANTED)
        return 0;
    return store(reading, entry->inode);
}

/* As archive_read_next_header(3), which would go over the rest of the last member's contents as well. */
static int next_member(struct reading *reading, struct archive_entry **member)
{
    int result = *member ? archive_read_data_skip(reading->archive) : ARCHIVE_OK;

    if (result == ARCHIVE_EOF || result == ARCHIVE_FATAL)
        return ARCHIVE_FATAL;
    reading->header = reading->length;
    reading->is_within_header = 1;
    result = archive_read_next_header(reading->archive, member);
    reading->is_within_header = 0;
    return result;
}

static int read_members(struct reading *reading, int again)
{
    struct archive_entry *member = NULL;

    for (size_t number = 0;; number++) {
        int result = next_member(reading, &member);

        /* Behind the end of the tar the library goes over what it cannot read. */
        if (result == ARCHIVE_EOF)
            return reading->failed ? -1 : layer_finish(reading->layer, reading->err);
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
            return archive_failed(reading);
        if (result == ARCHIVE_WARN && !is_harmless(archive_error_string(reading->archive)))
            return refuse_header(reading, member);
        if ((again ? reread_member(reading, number) : read_member(reading, member)) < 0)
            return -1;
    }
}

static int open_archive(struct reading *reading)
{
    struct archive *archive = reading->archive;

    if (!archive)
        return err_set(reading->err, ERR_NO_MEMORY, "no memory to read a layer");
    archive_read_support_filter_none(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_empty(archive);
    if (archive_read_open(archive, reading, NULL, next_bytes, NULL) != ARCHIVE_OK)
        return archive_failed(reading);
    return 0;
}

static int read_it(struct work *work, size_t index, int again, struct err *err)
{
    const struct layer *layer = &work->request->layers[index];
    struct reading reading = {.work = work, .index = index, .err = err};
    int result = -1;

    reading.layer = layer_open(layer, err);
    if (reading.layer) {
        reading.archive = archive_read_new();
        if (open_archive(&reading) == 0)
            result = read_members(&reading, again);
        archive_read_free(reading.archive);
        work->done += layer_position(reading.layer);
        layer_close(reading.layer);
    }
    /* What a stream says names what it is made of. */
    if (result < 0 && (!layer->stream || err->id == ERR_LAYER))
        err_prefix(err, "layer %zu of %zu", index + 1, work->request->layer_count);
    return result;
}

int read_layer(struct work *work, size_t index, struct err *err)
{
    return read_it(work, index, 0, err);
}

int reread_layer(struct work *work, size_t index, struct err *err)
{
    return read_it(work, index, 1, err);
}
