/* What tars can be like: long and strange names, other forms of numbers, cut off, lying. */
#include <locale.h>

#include "test/unit/flatten/made.h"

static struct arena arena;
static struct made_sink sink;
static struct flatten_counts counts;

static uint64_t memory_limit; /* 0: as always */

static int run(int fd, struct err *err)
{
    struct layer layer = made_layer_of(fd);
    struct flatten_request request = {.layers = &layer, .layer_count = 1, .memory_limit = memory_limit};
    int result;

    made_sink_init(&sink);
    sink.details = 1;
    arena_init(&arena, tap_no_memory);
    result = flatten(&request, &sink.sink, &counts, &arena, err);
    if (result == 0)
        TAP_INT(sink.finished, 1);
    else
        TAP_INT(sink.finished, 0);
    arena_free(&arena);
    close(fd);
    return result;
}

/* The tree without its root and what is as always. */
static const char *shown(void)
{
    static const char root[] = "/(755,0:0,512) ";

    return strncmp(sink.text, root, strlen(root)) == 0 ? sink.text + strlen(root) : sink.text;
}

/* A record of text, NAME=VALUE. */
static void pax(int fd, const char *record)
{
    made_pax(fd, record, strlen(record));
}

/* Names are bytes: none is converted, whatever the language. */
static void check_names(void)
{
    static const char *const names[] = {
        "z\xC3\xBCrich", "\xE6\x97\xA5\xE6\x9C\xAC", "latin-\xFC", "\xC3", "a\nb", "\x1B[31m"};
    char expected[128], record[128];
    struct err err = {0};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (int in_pax = 0; in_pax < 2; in_pax++) {
            int fd = made_file();

            snprintf(record, sizeof(record), "path=%s", names[i]);
            if (in_pax)
                pax(fd, record);
            made_member(fd, '0', in_pax ? "other" : names[i], "", "1", 1);
            made_end(fd);
            TAP_OK(run(fd, &err), err);
            snprintf(expected, sizeof(expected), "%s=1(640,1000:1001,512)", names[i]);
            TAP_STR(shown(), expected);
        }
    }
}

static void check_long_names(void)
{
    char name[300], expected[900];
    struct err err = {0};
    int fd = made_file();

    memset(name, 'n', sizeof(name) - 1);
    name[150] = '/';
    name[sizeof(name) - 1] = '\0';
    made_member(fd, 'L', "././@LongLink", "", name, strlen(name) + 1);
    made_member(fd, 'K', "././@LongLink", "", name, strlen(name) + 1);
    made_member(fd, '2', "short", "short", "", 0);
    made_end(fd);
    TAP_OK(run(fd, &err), err);
    snprintf(expected, sizeof(expected), "%.150s/(755,0:0,512) %s>%s(640,1000:1001,512)", name, name, name);
    TAP_STR(shown(), expected);

    fd = made_file();
    memset(name, 'n', 256);
    name[256] = '\0';
    made_member(fd, 'L', "././@LongLink", "", name, strlen(name) + 1);
    made_member(fd, '0', "short", "", "", 0);
    made_end(fd);
    TAP_ERR(run(fd, &err), err, ERR_LAYER, "name has more than 255 bytes");
}

static void check_attributes(void)
{
    static const char capability[] =
        "SCHILY.xattr.security.capability=\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    int fd = made_file();
    struct err err = {0};

    pax(fd, "SCHILY.xattr.user.a=b");
    made_member(fd, '0', "a", "", "1", 1);
    made_pax(fd, capability, sizeof(capability) - 1);
    made_member(fd, '0', "b", "", "1", 1);
    pax(fd, "SCHILY.xattr.security.selinux=x");
    made_member(fd, '0', "c", "", "1", 1);
    pax(fd, "SCHILY.xattr.trusted.overlay.opaque=y");
    made_member(fd, '5', "d", "", "", 0);
    pax(fd, "LIBARCHIVE.xattr.user.b=Yg==");
    made_member(fd, '5', "e", "", "", 0);
    made_end(fd);
    TAP_OK(run(fd, &err), err);
    TAP_INT(counts.attributes, 2);
    TAP_STR(sink.attributes, "a:user.a=b b:security.capability=20 e:user.b=b");
}

static void check_numbers(void)
{
    struct made_header header = made_header('0', "big", "", 1);
    int fd = made_file();
    struct err err = {0};

    memcpy(header.uid, "\x80\0\0\0\x7F\xFF\xFF\xFE", 8);                          /* base 256 */
    memcpy(header.mtime, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xF0", 12); /* before 1970 */
    made_seal(&header);
    made_write(fd, &header, sizeof(header));
    made_write(fd, "1", 1);
    made_fill(fd, 1);
    pax(fd, "uid=4294967294");
    made_member(fd, '5', "large", "", "", 0);
    pax(fd, "mtime=9999999999.5");
    made_member(fd, '5', "late", "", "", 0);
    pax(fd, "size=3");
    header = made_header('0', "sized", "", 0);
    made_write(fd, &header, sizeof(header));
    made_write(fd, "abc", 3);
    made_fill(fd, 3);
    made_end(fd);
    TAP_OK(run(fd, &err), err);
    TAP_STR(strchr(sink.text, ' '), " big=1(640,2147483646:1001,0) large/(750,4294967294:1001,512) "
                                    "late/(750,1000:1001,4294967295) sized=abc(640,1000:1001,512)");

    fd = made_file();
    pax(fd, "gid=4294967295");
    made_member(fd, '5', "d", "", "", 0);
    made_end(fd);
    TAP_ERR(run(fd, &err), err, ERR_LAYER, "layer 1 of 1: /d: its owner has an id");
}

/* A sparse file as GNU tar 1.27 and later writes it: a map before the data. */
static void check_sparse(void)
{
    static const char map[] = "2\n10\n3\n100\n0\n";
    char content[MADE_BLOCK + 3] = "", expected[200] = "hole=..........abc";
    struct err err = {0};
    int fd = made_file();

    memcpy(content, map, strlen(map));
    memcpy(content + MADE_BLOCK, "abc", 3);
    {
        static const char records[] =
            "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n24 GNU.sparse.name=hole\n"
            "27 GNU.sparse.realsize=100\n";

        made_member(fd, 'x', "pax", "", records, strlen(records));
    }
    made_member(fd, '0', "GNUSparseFile.0/hole", "", content, sizeof(content));
    made_end(fd);
    TAP_OK(run(fd, &err), err);
    memset(expected + strlen(expected), '.', 87);
    strcat(expected, "(640,1000:1001,512)");
    TAP_STR(shown(), expected);
}

static void check_lies(void)
{
    struct made_header header = made_header('0', "negative", "", 0);
    struct err err = {0};
    int fd = made_file();

    memset(header.size, 0xFF, sizeof(header.size));
    made_seal(&header);
    made_write(fd, &header, sizeof(header));
    made_end(fd);
    TAP_ERR(run(fd, &err), err, ERR_LAYER, "layer 1 of 1");

    fd = made_file();
    header = made_header('0', "huge", "", 0);
    memcpy(header.size, "\x80\0\0\0\0\0\1\0\0\0\0\1", 12); /* a byte more than a TiB */
    made_seal(&header);
    made_write(fd, &header, sizeof(header));
    made_end(fd);
    TAP_ERR(run(fd, &err), err, ERR_LAYER, "/huge: it says that it has");

    fd = made_file();
    pax(fd, "size=-5");
    made_member(fd, '0', "negative", "", "", 0);
    made_end(fd);
    TAP_ERR(run(fd, &err), err, ERR_LAYER, "layer 1 of 1");

    fd = made_file();
    made_member(fd, '0', "a", "", "1", 1);
    header = made_header('0', "b", "", 0);
    header.checksum[0] = '7';
    made_write(fd, &header, sizeof(header));
    made_end(fd);
    TAP_ERR(run(fd, &err), err, ERR_LAYER, "the tar archive is damaged");

    fd = made_file();
    made_member(fd, '2', "link", "", "", 0);
    made_end(fd);
    TAP_ERR(run(fd, &err), err, ERR_LAYER, "/link: it is a symbolic link to nothing");
}

/* What an extended header says is not passed over where it cannot be read: it may be the name. */
static void check_broken_headers(void)
{
    static const char *const records[] = {
        "17 path=elsewhere", /* no end of line */
        "30 path=x\n",       /* longer than the header */
        "14 SCHILY.xat\n",   /* no value */
        "22 GNU.sparse.major=0\n22 GNU.sparse.minor=1\n25 GNU.sparse.map=0,1,x,1\n", /* no number */
    };
    struct err err = {0};

    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        int fd = made_file();

        tap.row = records[i];
        made_member(fd, 'x', "pax", "", records[i], strlen(records[i]));
        made_member(fd, '0', "/file", "", "12", 2);
        made_end(fd);
        TAP_ERR(run(fd, &err), err, ERR_LAYER, "layer 1 of 1: /file: its extended header is damaged: ");
    }
    tap.row = NULL;
}

/* Cut off anywhere in the members it is an error; without its end it is complete. */
static void check_cuts(void)
{
    int whole = made_file(), told = 0, cuts = 0;
    char bytes[8 * MADE_BLOCK];
    struct err err = {0};
    ssize_t length;

    made_member(whole, '0', "a", "", "some", 4);
    made_member(whole, '0', "b", "", "more", 4);
    length = pread(whole, bytes, sizeof(bytes), 0);
    for (ssize_t cut = MADE_BLOCK; cut < length; cut += 100, cuts++) {
        int fd = made_file();

        made_write(fd, bytes, (size_t)cut);
        tap.row = "cut off";
        told += run(fd, &err) < 0 && err.id == ERR_LAYER;
    }
    tap.row = NULL;
    TAP_INT(told, cuts);
    TAP_OK(run(whole, &err), err);
    TAP_STR(shown(), "a=some(640,1000:1001,512) b=more(640,1000:1001,512)");
}

/* A sparse file of SIZE bytes; the old GNU form, of which the layer has nothing but a header. */
static void hole(int fd, const char *name, uint64_t size)
{
    struct made_header header = made_header('S', name, "", 0);
    char *real = (char *)&header + 483;

    memcpy(header.magic, "ustar  ", 8);
    real[0] = (char)0x80;
    for (int i = 11; i > 3; i--, size >>= 8)
        real[i] = (char)size;
    made_seal(&header);
    made_write(fd, &header, sizeof(header));
}

/* Little that stands for much: each of it is within the limits, all together are not. */
static void check_bombs(void)
{
    char name[4096] = "";
    struct err err = {0};
    int fd = made_file();

    hole(fd, "small", 32);
    hole(fd, "large", FLATTEN_FILE_LIMIT);
    made_end(fd);
    TAP_ERR(run(fd, &err), err, ERR_LAYER, "/large: with it the files of the image have more than 1024 GiB");

    memory_limit = 1 << 20;
    for (int again = 0; again < 2; again++) {
        fd = made_file();
        for (int i = 0; i < 40; i++) {
            /* Directories that nobody lists, of several names, or that are there again and again. */
            snprintf(name, sizeof(name), "%d", again ? 0 : i);
            while (strlen(name) < 3000)
                strcat(name, "/d");
            made_member(fd, 'L', "././@LongLink", "", name, strlen(name) + 1);
            made_member(fd, '0', "x", "", "", 0);
            if (again)
                made_member(fd, '0', "0", "", "", 0);
        }
        made_end(fd);
        TAP_ERR(run(fd, &err), err, ERR_LAYER, "/d/...: the names of the image, with");
    }
    fd = made_file();
    for (int i = 0; i < 10000; i++)
        made_member(fd, '0', "x", "", "", 0);
    made_end(fd);
    TAP_ERR(run(fd, &err), err, ERR_LAYER, "layer 1 of 1: the names of the image");
    memory_limit = 0;
}

int main(void)
{
    check_names();
    tap.row = "C.UTF-8";
    if (setlocale(LC_ALL, "C.UTF-8"))
        check_names();
    tap.row = NULL;
    check_long_names();
    check_attributes();
    check_numbers();
    check_sparse();
    check_lies();
    check_broken_headers();
    check_cuts();
    check_bombs();
    return tap_done();
}
