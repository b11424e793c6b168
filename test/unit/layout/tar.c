#include "layout/tar.h"

#include "made.h"

static struct tar tar;

static int read_bytes(const struct str *out)
{
    FD_CLEANUP int fd = open(made_tar_file(out), O_RDONLY | O_CLOEXEC);

    return tar_read(&tar, fd, &arena, &err);
}

/* "name=offset+size ..." of what tar_find() finds, or the error, or "none". */
static const char *find(const char *name)
{
    const struct tar_entry *entry;
    int found = tar_find(&tar, name, &entry, &arena, &err);

    if (found <= 0)
        return found ? err.text : "none";
    return arena_printf(&arena, "%s=%d+%d", entry->name, (int)entry->offset, (int)entry->size);
}

/* An extended header: records for pax, or a name for GNU. */
static void add_extension(struct str *out, char type, const char *text, size_t length)
{
    made_tar_entry(out, "extension", type, "", text, length);
}

static void add_record(struct str *out, char type, const char *record)
{
    const char *text = arena_printf(&arena, "%zu %s\n", strlen(record) + 4, record);

    if (strlen(text) != strlen(record) + 4)
        text = arena_printf(&arena, "%zu %s\n", strlen(record) + 5, record);
    add_extension(out, type, text, strlen(text));
}

static void test_names(void)
{
    struct str out = {.arena = &arena};
    char block[TAR_BLOCK];

    made_tar_entry(&out, "a", '0', "", "xx", 2);
    made_tar_entry(&out, "./b//c/.", '\0', "", "yyy", 3);
    made_tar_entry(&out, "d/", '5', "", "", 0);
    made_tar_entry(&out, "old/", '0', "", "", 0);
    made_tar_entry(&out, "/absolute", '0', "", "", 0);
    made_tar_entry(&out, "d/../e", '0', "", "", 0);
    made_tar_entry(&out, "", '0', "", "", 0);
    made_header(block, "name", '0', "", 1);
    memcpy(block + 345, "pre/fix", 7);
    made_checksum(block);
    made_tar_add(&out, block, "z", 1);
    memcpy(block + 257, "ustar  \0", 8); /* GNU's has no prefix */
    made_checksum(block);
    made_tar_add(&out, block, "z", 1);
    made_tar_end(&out);
    TAP_OK(read_bytes(&out), err);
    TAP_STR(find("a"), "a=512+2");
    TAP_STR(find("./a"), "a=512+2");
    TAP_STR(find("b/c"), "b/c=1536+3");
    TAP_STR(find("d"), "d is no file");
    TAP_STR(find("old"), "old is no file");
    TAP_STR(find("absolute"), "none");
    TAP_STR(find("e"), "none");
    TAP_STR(find("pre/fix/name"), "pre/fix/name=5120+1");
    TAP_STR(find("name"), "name=6144+1");
}

static void test_long_names(void)
{
    char longest[TAR_NAME_MAX + 2];
    struct str out = {.arena = &arena};

    memset(longest, 'n', sizeof(longest));
    longest[TAR_NAME_MAX + 1] = '\0';
    add_extension(&out, 'L', longest, TAR_NAME_MAX);
    made_tar_entry(&out, "short", '0', "", "1", 1);
    add_extension(&out, 'L', longest, TAR_NAME_MAX + 1);
    made_tar_entry(&out, "too-long", '0', "", "22", 2);
    add_record(&out, 'x', "path=from/pax");
    made_tar_entry(&out, "not-pax", '0', "", "333", 3);
    add_extension(&out, 'K', "a\0rubbish", 9);
    made_tar_entry(&out, "link", '2', "x", "", 0);
    add_record(&out, 'x', "linkpath=from/pax");
    made_tar_entry(&out, "pax-link", '1', "x", "", 0);
    add_record(&out, 'g', "comment=hello");
    made_tar_entry(&out, "a", '0', "", "4444", 4);
    made_tar_end(&out);
    TAP_OK(read_bytes(&out), err);
    TAP_INT(tar.count, 5);
    longest[TAR_NAME_MAX] = '\0';
    TAP_STR(find(longest) + TAR_NAME_MAX, "=1536+1");
    TAP_STR(find("short"), "none");
    TAP_STR(find("too-long"), "none");
    TAP_STR(find("not-pax"), "none");
    TAP_TRUE(strstr(find("from/pax"), "from/pax=") != NULL);
    TAP_TRUE(strstr(find("link"), "a=") != NULL);
    TAP_TRUE(strstr(find("pax-link"), "from/pax=") != NULL);
}

static void test_sizes(void)
{
    struct str out = {.arena = &arena};
    char block[TAR_BLOCK];

    made_header(block, "base256", '0', "", 0);
    memcpy(block + TAR_SIZE_AT, "\x80\0\0\0\0\0\0\0\0\0\0\3", 12);
    made_checksum(block);
    made_tar_add(&out, block, "abc", 3);
    add_record(&out, 'x', "size=4");
    made_tar_entry(&out, "pax", '0', "", "", 0);
    str_add_bytes(&out, "abcd", 4);
    for (int i = 4; i < TAR_BLOCK; i++)
        str_add_char(&out, '\0');
    made_tar_entry(&out, "next", '0', "", "", 0);
    /* No end, and the last block not filled: some writers do that. */
    made_header(block, "last", '0', "", 2);
    str_add_bytes(&out, block, sizeof(block));
    str_add_bytes(&out, "ab", 2);
    TAP_OK(read_bytes(&out), err);
    TAP_STR(find("base256"), "base256=512+3");
    TAP_STR(find("pax"), "pax=2560+4");
    TAP_STR(find("next"), "next=3584+0");
    TAP_STR(find("last"), "last=4096+2");
}

static void test_sparse(void)
{
    struct str out = {.arena = &arena};
    char block[TAR_BLOCK], more[TAR_BLOCK] = {0};

    made_header(block, "gnu", 'S', "", 3);
    block[482] = 1;
    made_checksum(block);
    str_add_bytes(&out, block, sizeof(block));
    more[504] = 1;
    str_add_bytes(&out, more, sizeof(more));
    more[504] = 0;
    made_tar_add(&out, more, "abc", 3);
    add_record(&out, 'x', "GNU.sparse.major=1");
    made_tar_entry(&out, "pax", '0', "", "abc", 3);
    made_tar_entry(&out, "next", '0', "", "abc", 3);
    made_tar_end(&out);
    TAP_OK(read_bytes(&out), err);
    TAP_STR(find("gnu"), "gnu is stored sparse, which is not supported");
    TAP_STR(find("pax"), "pax is stored sparse, which is not supported");
    TAP_STR(find("next"), "next=4608+3");
}

/* A link stays in the archive, and leads through a few others at most. */
static void test_links(void)
{
    struct str out = {.arena = &arena};

    made_tar_entry(&out, "x/y/file", '0', "", "f", 1);
    made_tar_entry(&out, "x/z/up", '2', "../y/./file", "", 0);
    made_tar_entry(&out, "x/hard", '1', "x/y/file", "", 0);
    made_tar_entry(&out, "x/out", '2', "../../file", "", 0);
    made_tar_entry(&out, "x/hard-out", '1', "../x/y/file", "", 0);
    made_tar_entry(&out, "self", '2', "self", "", 0);
    made_tar_entry(&out, "to-directory", '2', "x", "", 0);
    made_tar_entry(&out, "x", '5', "", "", 0);
    for (int i = 0; i < TAR_LINKS_MAX + 1; i++)
        made_tar_entry(&out, arena_printf(&arena, "l%d", i), '2',
                       i ? arena_printf(&arena, "l%d", i - 1) : "x/y/file", "", 0);
    made_tar_end(&out);
    TAP_OK(read_bytes(&out), err);
    TAP_STR(find("x/z/up"), "x/y/file=512+1");
    TAP_STR(find("x/hard"), "x/y/file=512+1");
    TAP_STR(find("x/out"), "x/out is a link that leads out of the archive");
    TAP_STR(find("x/hard-out"), "x/hard-out is a link that leads out of the archive");
    TAP_STR(find("self"), "self leads through too many links");
    TAP_STR(find("to-directory"), "x is no file");
    TAP_STR(find("l7"), "x/y/file=512+1");
    TAP_STR(find("l8"), "l8 leads through too many links");
}

static void test_twice(void)
{
    struct str out = {.arena = &arena};

    made_tar_entry(&out, "a", '0', "", "1", 1);
    made_tar_entry(&out, "b", '0', "", "1", 1);
    made_tar_entry(&out, "./a", '0', "", "2", 1);
    made_tar_end(&out);
    TAP_OK(read_bytes(&out), err);
    TAP_STR(find("a"), "it has a twice, and readers differ on which of them counts");
    TAP_STR(find("b"), "b=1536+1");
}

/* A header with one field set to TEXT. */
static struct str with(size_t at, const char *text, size_t length)
{
    struct str out = {.arena = &arena};
    char block[TAR_BLOCK];

    made_tar_entry(&out, "first", '0', "", "", 0);
    made_header(block, "a", '0', "", 3);
    memcpy(block + at, text, length);
    made_checksum(block);
    made_tar_add(&out, block, "abc", 3);
    return out;
}

static struct str extended(char type, const char *text)
{
    struct str out = {.arena = &arena};

    add_extension(&out, type, text, strlen(text));
    made_tar_entry(&out, "a", '0', "", "", 0);
    return out;
}

static struct str cut(struct str out, size_t length)
{
    out.length = length;
    return out;
}

static struct str flipped(struct str out, size_t at)
{
    out.data[at] ^= 1;
    return out;
}

static struct str raw(const char *text, size_t length)
{
    struct str out = {.arena = &arena};

    str_add_bytes(&out, text, length);
    while (out.length < TAR_BLOCK)
        str_add_char(&out, 'x');
    return out;
}

static void test_bad(void)
{
    const struct {
        struct str bytes;
        enum err_id id;
        const char *error;
    } rows[] = {
        {cut(with(0, "a", 1), 0), ERR_IMAGE_UNKNOWN, "it is empty"},
        {cut(with(0, "a", 1), 511), ERR_IMAGE_UNKNOWN, "it is too short to be a tar archive"},
        {raw("hello", 5), ERR_IMAGE_UNKNOWN, "it is no tar archive"},
        {raw("\x1F\x8B\x08", 3), ERR_IMAGE_UNKNOWN,
         "it is compressed with gzip, so that layers cannot be read in place: gunzip it first"},
        {raw("\x28\xB5\x2F\xFD", 4), ERR_IMAGE_UNKNOWN, "compressed with zstd"},
        {raw("\xFD\x37zXZ\0", 6), ERR_IMAGE_UNKNOWN, "compressed with xz"},
        {raw("BZh9", 4), ERR_IMAGE_UNKNOWN, "compressed with bzip2"},
        {flipped(with(0, "a", 1), 513), ERR_IMAGE_DAMAGED,
         "the tar header at byte 512 is damaged: its checksum"},
        {cut(with(0, "a", 1), 700), ERR_IMAGE_DAMAGED, "the tar header at byte 512 is cut off"},
        {cut(with(0, "a", 1), 1026), ERR_IMAGE_DAMAGED,
         "it is cut off: an entry at byte 512 has 3 bytes, and 2 are left"},
        {with(TAR_SIZE_AT, "77777777777", 11), ERR_IMAGE_DAMAGED,
         "it is cut off: an entry at byte 512 has 8589934591 bytes"},
        {with(TAR_SIZE_AT, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12), ERR_IMAGE_DAMAGED,
         "has a size that is no number, or negative"},
        {with(TAR_SIZE_AT, "\x80\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12), ERR_IMAGE_DAMAGED,
         "has a size that is no number, or negative"},
        {with(TAR_SIZE_AT, "\x80\0\0\0\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12), ERR_IMAGE_DAMAGED,
         "it is cut off"},
        {with(TAR_SIZE_AT, "-0000000001", 11), ERR_IMAGE_DAMAGED,
         "has a size that is no number, or negative"},
        {with(TAR_SIZE_AT, "3x", 2), ERR_IMAGE_DAMAGED, "has a size that is no number, or negative"},
        {with(156, "1", 1), ERR_IMAGE_DAMAGED, "has bytes though it is no file"},
        {with(156, "5", 1), ERR_IMAGE_DAMAGED, "has bytes though it is no file"},
        {with(156, "3", 1), ERR_IMAGE_DAMAGED, "has bytes though it is no file"},
        {extended('x', "7 a=bc\n"), ERR_COUNT, ""},
        {extended('x', "7 a=b\n"), ERR_IMAGE_DAMAGED, "an extended header with a broken record"},
        {extended('x', "5 a=bc\n"), ERR_IMAGE_DAMAGED, "an extended header with a broken record"},
        {extended('x', "a=bc\n"), ERR_IMAGE_DAMAGED, "an extended header with a broken record"},
        {extended('x', "0 a=bc\n"), ERR_IMAGE_DAMAGED, "an extended header with a broken record"},
        {extended('x', "2 \n"), ERR_IMAGE_DAMAGED, "an extended header with a broken record"},
        {extended('x', "99999999999999999999 a=b\n"), ERR_IMAGE_DAMAGED,
         "an extended header with a broken record"},
        {extended('x', "5 ab\n"), ERR_IMAGE_DAMAGED, "an extended header without '='"},
        {extended('x', "11 size=-1\n"), ERR_IMAGE_DAMAGED, "has a size that is no number"},
        {extended('x', "28 size=9223372036854775808\n"), ERR_IMAGE_DAMAGED, "has a size that is no number"},
        {extended('x', "28 size=9223372036854775807\n"), ERR_IMAGE_DAMAGED,
         "it is cut off: an entry at byte 1024 has 9223372036854775807"},
        {extended('g', "10 path=x\n"), ERR_IMAGE_DAMAGED, "sets a name or size for all that follow"},
        {extended('g', "10 size=1\n"), ERR_IMAGE_DAMAGED, "sets a name or size for all that follow"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = arena_printf(&arena, "row %zu: %s", i, rows[i].error);
        if (rows[i].id == ERR_COUNT)
            TAP_OK(read_bytes(&rows[i].bytes), err);
        else
            TAP_ERR(read_bytes(&rows[i].bytes), err, rows[i].id, rows[i].error);
    }
    tap.row = NULL;
}

static void test_limits(void)
{
    struct str out = {.arena = &arena}, extension = {.arena = &arena};
    char *longer = arena_alloc(&arena, TAR_EXTENSION_MAX + 1);

    add_extension(&extension, 'L', longer, TAR_EXTENSION_MAX + 1);
    TAP_ERR(read_bytes(&extension), err, ERR_IMAGE_DAMAGED, "an extended header that is too long");
    for (int i = 0; i < TAR_ENTRIES_MAX; i++)
        made_tar_entry(&out, arena_printf(&arena, "f%d", i), '0', "", "", 0);
    TAP_OK(read_bytes(&out), err);
    TAP_INT(tar.count, TAR_ENTRIES_MAX);
    TAP_STR(find("f0"), "f0=512+0");
    made_tar_entry(&out, "more", '0', "", "", 0);
    TAP_ERR(read_bytes(&out), err, ERR_IMAGE_UNKNOWN, "it has more than 32768 entries");
}

static void test_no_file(void)
{
    int ends[2];

    if (pipe(ends) < 0)
        made_fail("pipe");
    TAP_ERR(tar_read(&tar, ends[0], &arena, &err), err, ERR_IMAGE_UNKNOWN, "it is no regular file");
    close(ends[0]);
    close(ends[1]);
    TAP_ERR(tar_read(&tar, ends[0], &arena, &err), err, ERR_IMAGE_UNREADABLE, "it cannot be read");
}

int main(void)
{
    made_begin();
    test_names();
    test_long_names();
    test_sizes();
    test_sparse();
    test_links();
    test_twice();
    test_bad();
    test_limits();
    test_no_file();
    made_end();
    return tap_done();
}
