#include "layout/tar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/magic.h"
#include "base/num.h"
#include "base/str.h"

enum { BLOCK = 512 };

/* Fields of a header: where each is and how long. */
enum {
    NAME_AT = 0,
    NAME_LENGTH = 100,
    SIZE_AT = 124,
    SIZE_LENGTH = 12,
    CHECKSUM_AT = 148,
    CHECKSUM_LENGTH = 8,
    TYPE_AT = 156,
    LINK_AT = 157,
    LINK_LENGTH = 100,
    MAGIC_AT = 257,
    PREFIX_AT = 345,
    PREFIX_LENGTH = 155,
    GNU_EXTENDED_AT = 482,  /* of a sparse file: more headers follow */
    GNU_EXTENDED_MORE = 504 /* in such a header */
};

/* A name from an extended header, for the next entry. */
struct override {
    int is_set, is_too_long;
    char text[TAR_NAME_MAX + 1];
};

struct reader {
    struct tar *tar;
    int fd;
    uint64_t at, end; /* the next header; the file's size */
    struct override name, link;
    uint64_t size;
    int has_size, is_sparse;
    size_t room;
    struct arena *arena;
    struct err *err;
    unsigned char block[BLOCK];
    char extension[TAR_EXTENSION_MAX + 1];
};

static int fail(const struct reader *reader, const char *cause)
{
    return err_set(reader->err, ERR_IMAGE_DAMAGED, "the tar header at byte %llu %s",
                   (unsigned long long)reader->at, cause);
}

static int read_at(const struct reader *reader, void *buffer, size_t length, uint64_t offset)
{
    char *out = buffer;

    while (length) {
        ssize_t got = pread(reader->fd, out, length, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(reader->err, ERR_IMAGE_UNREADABLE, "it cannot be read: %s", err_reason(errno));
        if (!got)
            return err_set(reader->err, ERR_IMAGE_DAMAGED, "it became shorter while it was read");
        out += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return 0;
}

/* A number in octal digits, or in base 256 where its first bit is set. 0, or -1. */
static int read_number(const unsigned char *field, size_t length, uint64_t *value)
{
    size_t i = 0;

    *value = 0;
    if (field[0] & 0x80) {
        /* 0xFF begins a negative number. */
        if (field[0] != 0x80)
            return -1;
        for (i = 1; i < length; i++) {
            if (*value > (uint64_t)INT64_MAX >> 8)
                return -1;
            *value = *value << 8 | field[i];
        }
        return 0;
    }
    while (i < length && field[i] == ' ')
        i++;
    for (; i < length && field[i] >= '0' && field[i] <= '7'; i++)
        *value = *value << 3 | (uint64_t)(field[i] - '0');
    for (; i < length; i++)
        if (field[i] != ' ' && field[i] != '\0')
            return -1;
    return 0;
}

/* The sum of the header's bytes, its own field as blanks. Some old writers took signed bytes. */
static int has_checksum(const unsigned char *block)
{
    uint64_t written, sum = 0;
    int64_t signed_sum = 0;

    for (int i = 0; i < BLOCK; i++) {
        unsigned char c = i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_LENGTH ? ' ' : block[i];

        sum += c;
        signed_sum += (signed char)c;
    }
    return read_number(block + CHECKSUM_AT, CHECKSUM_LENGTH, &written) == 0 &&
           (written == sum || (int64_t)written == signed_sum);
}

static int is_zero(const unsigned char *block)
{
    for (int i = 0; i < BLOCK; i++)
        if (block[i])
            return 0;
    return 1;
}

static void set_override(struct override *override, const char *text, size_t length)
{
    length = strnlen(text, length);
    override->is_set = 1;
    override->is_too_long = length > TAR_NAME_MAX;
    if (override->is_too_long)
        length = 0;
    memcpy(override->text, text, length);
    override->text[length] = '\0';
}

static int key_is(const char *record, const char *end, const char *key)
{
    size_t length = strlen(key);

    return (size_t)(end - record) > length && memcmp(record, key, length) == 0 && record[length] == '=';
}

/* One KEY=VALUE of an extended header, which ends before END. */
static int take_record(struct reader *reader, const char *record, char *end, int is_global)
{
    const char *equals = memchr(record, '=', (size_t)(end - record));

    if (!equals)
        return fail(reader, "has an extended header without '='");
    *end = '\0';
    if (key_is(record, end, "path") || key_is(record, end, "linkpath") || key_is(record, end, "size")) {
        if (is_global)
            return fail(reader, "sets a name or size for all that follow, which is refused");
    }
    if (key_is(record, end, "path"))
        set_override(&reader->name, equals + 1, (size_t)(end - equals) - 1);
    else if (key_is(record, end, "linkpath"))
        set_override(&reader->link, equals + 1, (size_t)(end - equals) - 1);
    else if (key_is(record, end, "size")) {
        if (num_parse(equals + 1, INT64_MAX, &reader->size) < 0)
            return fail(reader, "has a size that is no number");
        reader->has_size = 1;
    } else if (strncmp(record, "GNU.sparse.", strlen("GNU.sparse.")) == 0) {
        reader->is_sparse = 1;
    }
    return 0;
}

/* Records "LENGTH KEY=VALUE\n", LENGTH in decimal and of all of it. pax(1) */
static int take_records(struct reader *reader, size_t size, int is_global)
{
    char *p = reader->extension, *end = p + size;

    while (p < end) {
        size_t length = 0, digits = 0;

        while (p + digits < end && digits < 6 && p[digits] >= '0' && p[digits] <= '9')
            length = length * 10 + (size_t)(p[digits++] - '0');
        if (!digits || p + digits == end || p[digits] != ' ' || length < digits + 2 ||
            length > (size_t)(end - p) || p[length - 1] != '\n')
            return fail(reader, "has an extended header with a broken record");
        if (take_record(reader, p + digits + 1, p + length - 1, is_global) < 0)
            return -1;
        p += length;
    }
    return 0;
}

/* What follows the header at reader->at. */
static int read_extension(struct reader *reader, uint64_t size, char type)
{
    if (size > TAR_EXTENSION_MAX)
        return fail(reader, "has an extended header that is too long");
    if (read_at(reader, reader->extension, (size_t)size, reader->at + BLOCK) < 0)
        return -1;
    reader->extension[size] = '\0';
    if (type == 'L')
        set_override(&reader->name, reader->extension, (size_t)size);
    else if (type == 'K')
        set_override(&reader->link, reader->extension, (size_t)size);
    else
        return take_records(reader, (size_t)size, type == 'g');
    return 0;
}

/*
 * NAME, which stands in the directory of FROM, without blank parts; ".." goes up, but not out.
 * OUT has room for TAR_NAME_MAX + 1. 0, or -1.
 */
static int clean_name(char *out, const char *from, const char *name)
{
    const char *slash = from ? strrchr(from, '/') : NULL;
    size_t length = slash ? (size_t)(slash - from) : 0;

    if (*name == '/' || length > TAR_NAME_MAX)
        return -1;
    if (length)
        memcpy(out, from, length);
    out[length] = '\0';
    while (*name) {
        size_t part = strcspn(name, "/");

        if (part == 2 && name[0] == '.' && name[1] == '.') {
            if (!length || !from)
                return -1;
            while (length && out[length - 1] != '/')
                length--;
            length -= length > 0;
        } else if (part && !(part == 1 && *name == '.')) {
            if (length + (length > 0) + part > TAR_NAME_MAX)
                return -1;
            if (length)
                out[length++] = '/';
            memcpy(out + length, name, part);
            length += part;
        }
        out[length] = '\0';
        name += part + (name[part] == '/');
    }
    return length ? 0 : -1;
}

/* The entry's name as it is written, "" where it is too long. */
static void take_name(struct reader *reader, char text[PREFIX_LENGTH + NAME_LENGTH + 2])
{
    const char *block = (const char *)reader->block;
    size_t length = 0;

    if (memcmp(block + MAGIC_AT, "ustar\0", 6) == 0 && block[PREFIX_AT]) {
        length = strnlen(block + PREFIX_AT, PREFIX_LENGTH);
        memcpy(text, block + PREFIX_AT, length);
        text[length++] = '/';
    }
    memcpy(text + length, block + NAME_AT, NAME_LENGTH);
    text[length + strnlen(block + NAME_AT, NAME_LENGTH)] = '\0';
}

static const char *take_target(struct reader *reader)
{
    const char *field = (const char *)reader->block + LINK_AT;

    if (!reader->link.is_set)
        return arena_strndup(reader->arena, field, strnlen(field, LINK_LENGTH));
    return reader->link.is_too_long ? NULL : arena_strdup(reader->arena, reader->link.text);
}

static enum tar_kind kind_of(const struct reader *reader, const char *written)
{
    const size_t length = strlen(written);

    switch (reader->block[TYPE_AT]) {
    case '\0':
    case '0':
    case '7':
        if (length && written[length - 1] == '/')
            return TAR_DIRECTORY; /* before there was a type for them */
        return reader->is_sparse ? TAR_SPARSE : TAR_FILE;
    case '1':
        return TAR_HARD_LINK;
    case '2':
        return TAR_SYMBOLIC_LINK;
    case '5':
        return TAR_DIRECTORY;
    case 'S':
        return TAR_SPARSE;
    default:
        return TAR_SPECIAL;
    }
}

/* Remembers the entry whose bytes begin at DATA. */
static int add_entry(struct reader *reader, uint64_t data, uint64_t size)
{
    char written[PREFIX_LENGTH + NAME_LENGTH + 2], clean[TAR_NAME_MAX + 1];
    const char *name = written;
    struct tar *tar = reader->tar;
    struct tar_entry *entry;
    enum tar_kind kind;

    take_name(reader, written);
    if (reader->name.is_set)
        name = reader->name.text;
    kind = kind_of(reader, name);
    if (size && kind != TAR_FILE && kind != TAR_SPARSE)
        return fail(reader, "has bytes though it is no file: readers would differ on where the next begins");
    if (tar->count == TAR_ENTRIES_MAX)
        return err_set(reader->err, ERR_IMAGE_UNKNOWN, "it has more than %d entries, which no image has",
                       TAR_ENTRIES_MAX);
    if ((reader->name.is_set && reader->name.is_too_long) || clean_name(clean, NULL, name) < 0)
        return 0;
    tar->entries = arena_grow(reader->arena, tar->entries, tar->count, &reader->room, sizeof(*tar->entries));
    entry = &tar->entries[tar->count++];
    *entry = (struct tar_entry){arena_strdup(reader->arena, clean), NULL, kind, data, size};
    if (kind == TAR_HARD_LINK || kind == TAR_SYMBOLIC_LINK)
        entry->target = take_target(reader);
    return 0;
}

/* Where the bytes of GNU tar's sparse file begin: behind the headers that list its parts. */
static int skip_sparse_headers(struct reader *reader, uint64_t *data)
{
    unsigned char more[BLOCK];

    if (!reader->block[GNU_EXTENDED_AT])
        return 0;
    do {
        if (reader->end - *data < BLOCK)
            return fail(reader, "is cut off");
        if (read_at(reader, more, sizeof(more), *data) < 0)
            return -1;
        *data += BLOCK;
    } while (more[GNU_EXTENDED_MORE]);
    return 0;
}

static void forget_overrides(struct reader *reader)
{
    reader->name.is_set = reader->link.is_set = reader->has_size = reader->is_sparse = 0;
}

/* The header in reader->block, and moves on to the next. */
static int take_header(struct reader *reader)
{
    const char type = (char)reader->block[TYPE_AT];
    const int is_extension = type && strchr("xgLK", type);
    uint64_t data = reader->at + BLOCK, size;

    if (read_number(reader->block + SIZE_AT, SIZE_LENGTH, &size) < 0)
        return fail(reader, "has a size that is no number, or negative");
    if (type == 'S' && skip_sparse_headers(reader, &data) < 0)
        return -1;
    if (reader->has_size && !is_extension)
        size = reader->size;
    if (size > reader->end - data)
        return err_set(
            reader->err, ERR_IMAGE_DAMAGED,
            "it is cut off: an entry at byte %llu has %llu bytes, and %llu are left; copy it again",
            (unsigned long long)reader->at, (unsigned long long)size,
            (unsigned long long)(reader->end - data));
    if (is_extension) {
        if (read_extension(reader, size, type) < 0)
            return -1;
    } else {
        if (add_entry(reader, data, size) < 0)
            return -1;
        forget_overrides(reader);
    }
    reader->at = data + (size + BLOCK - 1) / BLOCK * BLOCK;
    return 0;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct tar_entry *)a)->name, ((const struct tar_entry *)b)->name);
}

/* An archive that is compressed, by its first bytes: with what, and what undoes it. */
static int check_compressed(const struct reader *reader)
{
    static const struct {
        const char *magic, *name, *command;
    } rows[] = {
        {MAGIC_GZIP, "gzip", "gunzip"},    {MAGIC_ZSTD, "zstd", "unzstd"}, {MAGIC_XZ, "xz", "unxz"},
        {MAGIC_BZIP2, "bzip2", "bunzip2"}, {MAGIC_LZ4, "lz4", "unlz4"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (magic_is(reader->block, BLOCK, 0, rows[i].magic))
            return err_set(reader->err, ERR_IMAGE_UNKNOWN,
                           "it is compressed with %s, so that layers cannot be read in place: %s it first",
                           rows[i].name, rows[i].command);
    return 0;
}

static int read_headers(struct reader *reader)
{
    while (reader->at < reader->end) {
        if (reader->end - reader->at < BLOCK) {
            if (!reader->at)
                return err_set(reader->err, ERR_IMAGE_UNKNOWN, "it is too short to be a tar archive");
            return fail(reader, "is cut off");
        }
        if (read_at(reader, reader->block, BLOCK, reader->at) < 0 ||
            (!reader->at && check_compressed(reader) < 0))
            return -1;
        if (is_zero(reader->block))
            return 0;
        if (!has_checksum(reader->block))
            return reader->at ? fail(reader, "is damaged: its checksum is another")
                              : err_set(reader->err, ERR_IMAGE_UNKNOWN, "it is no tar archive");
        if (take_header(reader) < 0)
            return -1;
    }
    return 0;
}

int tar_read(struct tar *tar, int fd, struct arena *arena, struct err *err)
{
    struct reader *reader;
    struct stat status;

    *tar = (struct tar){NULL, 0};
    if (fstat(fd, &status) < 0)
        return err_set(err, ERR_IMAGE_UNREADABLE, "it cannot be read: %s", err_reason(errno));
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_IMAGE_UNKNOWN, "it is no regular file, and layers are read in place");
    reader = arena_alloc(arena, sizeof(*reader));
    reader->tar = tar;
    reader->fd = fd;
    reader->end = (uint64_t)status.st_size;
    reader->arena = arena;
    reader->err = err;
    if (!reader->end)
        return err_set(err, ERR_IMAGE_UNKNOWN, "it is empty");
    if (read_headers(reader) < 0)
        return -1;
    if (tar->count)
        qsort(tar->entries, tar->count, sizeof(*tar->entries), compare_entries);
    return 0;
}

/* The only entry NAME; NULL where there is none; -1 where there are more. */
static int find_one(const struct tar *tar, const char *name, const struct tar_entry **found,
                    struct arena *arena, struct err *err)
{
    const struct tar_entry key = {.name = name}, *entry;

    *found = NULL;
    if (!tar->count)
        return 0;
    entry = bsearch(&key, tar->entries, tar->count, sizeof(*tar->entries), compare_entries);
    if (!entry)
        return 0;
    if ((entry > tar->entries && strcmp(entry[-1].name, name) == 0) ||
        (entry + 1 < tar->entries + tar->count && strcmp(entry[1].name, name) == 0))
        return err_set(err, ERR_IMAGE_DAMAGED, "it has %s twice, and readers differ on which of them counts",
                       str_quote(arena, name));
    *found = entry;
    return 1;
}

int tar_find(const struct tar *tar, const char *name, const struct tar_entry **entry, struct arena *arena,
             struct err *err)
{
    char clean[TAR_NAME_MAX + 1], next[TAR_NAME_MAX + 1];
    int found;

    if (clean_name(clean, NULL, name) < 0)
        return err_set(err, ERR_IMAGE_DAMAGED,
                       "the name %s is absolute, leads out of the archive or is too long",
                       str_quote(arena, name));
    for (int links = 0; links <= TAR_LINKS_MAX; links++) {
        found = find_one(tar, clean, entry, arena, err);
        if (found < 0 || (!found && !links))
            return found;
        if (!found)
            return err_set(err, ERR_IMAGE_DAMAGED, "%s is a link to %s, which is not there",
                           str_quote(arena, name), str_quote(arena, clean));
        if ((*entry)->kind == TAR_FILE)
            return 1;
        if ((*entry)->kind != TAR_HARD_LINK && (*entry)->kind != TAR_SYMBOLIC_LINK)
            return err_set(err, ERR_IMAGE_DAMAGED, "%s is %s", str_quote(arena, clean),
                           (*entry)->kind == TAR_SPARSE ? "stored sparse, which is not supported"
                                                        : "no file");
        if (!(*entry)->target ||
            clean_name(next, (*entry)->kind == TAR_SYMBOLIC_LINK ? clean : "", (*entry)->target) < 0)
            return err_set(err, ERR_IMAGE_DAMAGED, "%s is a link that leads out of the archive",
                           str_quote(arena, clean));
        memcpy(clean, next, sizeof(clean));
    }
    return err_set(err, ERR_IMAGE_DAMAGED, "%s leads through too many links", str_quote(arena, name));
}
