/*
 * Streams put together by hand from the kernel's Documentation/staging/lzo.rst.
 * What liblzo2 makes is read in data.c, through mksquashfs.
 */
#include "squash/lzo.h"

#include "../../tap.h"

enum { ROOM = 65536, GUARD = 0xa5 };

static unsigned char output[ROOM];

/* Decodes exactly LENGTH bytes into exactly ROOM, so that a look beyond either is seen. -1: refused. */
static long decode(const void *bytes, size_t length, size_t room)
{
    unsigned char *in = malloc(length ? length : 1), *out = malloc(room + 1);
    size_t done = room;
    int result;

    if (!in || !out)
        tap_no_memory();
    memcpy(in, bytes, length);
    out[room] = GUARD;
    result = lzo1x_decompress_safe(in, length, out, &done, NULL);
    if (out[room] != GUARD || done > room)
        result = -2;
    else
        memcpy(output, out, done);
    free(in);
    free(out);
    return result == LZO_OK ? (long)done : result;
}

/* The empty stream, which ends every other. */
#define END "\x11\x00\x00"

static const struct {
    const char *what;
    const char *in;
    size_t length;
    const char *out; /* NULL: refused */
} rows[] = {
#define ROW(what, in, out)                  \
    {                                       \
        (what), (in), sizeof(in) - 1, (out) \
    }
    ROW("nothing", "", NULL),
    ROW("the end", END, ""),
    ROW("a byte behind the end", END "\x00", NULL),
    ROW("an end without its distance", "\x11", NULL),
    ROW("an end with half a distance", "\x11\x00", NULL),
    ROW("no end",
        "\x15"
        "abcd",
        NULL),
    ROW("four literals at first",
        "\x15"
        "abcd" END,
        "abcd"),
    ROW("nine literals at first",
        "\x1a"
        "abcdefghi" END,
        "abcdefghi"),
    ROW("literals at first, one missing",
        "\x1a"
        "abcdefgh",
        NULL),
    ROW("one literal at first",
        "\x12"
        "a" END,
        "a"),
    ROW("one at first, two before it",
        "\x12"
        "a"
        "\x00\x00" END,
        "aaa"),
    ROW("literals by an instruction",
        "\x01"
        "abcd" END,
        "abcd"),
    ROW("eighteen literals, the most of four bits",
        "\x0f"
        "abcdefghijklmnopqr" END,
        "abcdefghijklmnopqr"),
    ROW("nineteen literals",
        "\x00\x01"
        "abcdefghijklmnopqrs" END,
        "abcdefghijklmnopqrs"),
    ROW("literals without a number", "\x00", NULL),
    ROW("literals with only zeros", "\x00\x00\x00\x00", NULL),
    ROW("three literals, three before them",
        "\x14"
        "abc"
        "\x21\x08\x00" END,
        "abcabc"),
    ROW("then a literal",
        "\x14"
        "abc"
        "\x21\x09\x00"
        "x" END,
        "abcabcx"),
    ROW("then a literal that is missing",
        "\x14"
        "abc"
        "\x21\x09\x00",
        NULL),
    ROW("then three literals",
        "\x14"
        "abc"
        "\x21\x0b\x00"
        "xyz" END,
        "abcabcxyz"),
    ROW("a run",
        "\x12"
        "a"
        "\x20\x01\x00\x00" END,
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    ROW("a run without a number",
        "\x12"
        "a"
        "\x20\x00\x00",
        NULL),
    ROW("a distance before the start",
        "\x14"
        "abc"
        "\x21\x0c\x00" END,
        NULL),
    ROW("a match at the start", "\x21\x00\x00" END, NULL),
    ROW("three of eight",
        "\x19"
        "abcdefgh"
        "\x5c\x00" END,
        "abcdefghabc"),
    ROW("four of eight",
        "\x19"
        "abcdefgh"
        "\x7c\x00" END,
        "abcdefghabcd"),
    ROW("five of eight",
        "\x19"
        "abcdefgh"
        "\x9c\x00" END,
        "abcdefghabcde"),
    ROW("eight of eight",
        "\x19"
        "abcdefgh"
        "\xfc\x00" END,
        "abcdefghabcdefgh"),
    ROW("eight and two literals",
        "\x19"
        "abcdefgh"
        "\xfe\x00"
        "xy" END,
        "abcdefghabcdefghxy"),
    ROW("a near match without its distance",
        "\x19"
        "abcdefgh"
        "\xfc",
        NULL),
    ROW("a near distance before the start",
        "\x19"
        "abcdefgh"
        "\x40\x01" END,
        NULL),
    ROW("two behind a literal",
        "\x14"
        "abc"
        "\x04\x00" END,
        "abcbc"),
    ROW("two behind a literal, cut",
        "\x14"
        "abc"
        "\x04",
        NULL),
    ROW("three far behind many literals",
        "\x19"
        "abcdefgh"
        "\x00\x00" END,
        NULL),
#undef ROW
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        long length = decode(rows[i].in, rows[i].length, 100);

        tap.row = rows[i].what;
        TAP_INT(length, rows[i].out ? (long)strlen(rows[i].out) : -1);
        if (rows[i].out)
            TAP_TRUE(memcmp(output, rows[i].out, strlen(rows[i].out)) == 0);
    }
    tap.row = NULL;
}

/* A stream that is put together. */
struct stream {
    unsigned char bytes[2 * ROOM];
    size_t length;
};

static void add(struct stream *stream, const void *bytes, size_t length)
{
    memcpy(stream->bytes + stream->length, bytes, length);
    stream->length += length;
}

static void add_byte(struct stream *stream, unsigned byte)
{
    add(stream, &(unsigned char){(unsigned char)byte}, 1);
}

/* LENGTH as an instruction has it whose own bits are 0: what is above BASE. */
static void add_number(struct stream *stream, size_t length, size_t base)
{
    for (length -= base; length > 255; length -= 255)
        add_byte(stream, 0);
    add_byte(stream, (unsigned)length);
}

static unsigned char letter(size_t at)
{
    return (unsigned char)(at * 7 + at / 251);
}

/* COUNT literals (above 18) that differ from each other as far as bytes can. */
static void add_literals(struct stream *stream, size_t count)
{
    add_byte(stream, 0);
    add_number(stream, count, 18);
    for (size_t i = 0; i < count; i++)
        add_byte(stream, letter(i));
}

/* Whether the output is COUNT literals and LENGTH bytes from DISTANCE before their end. */
static int is_copy(size_t count, size_t distance, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (output[i] != letter(i))
            return 0;
    for (size_t i = 0; i < length; i++)
        if (output[count + i] != output[count - distance + i])
            return 0;
    return 1;
}

/* The match that follows COUNT literals: its bytes, and what it stands for. */
static const struct {
    const char *what;
    size_t count, distance, length;
    unsigned char bytes[4];
    size_t used;
} matches[] = {
    {"3 at 2049", 3000, 2049, 3, {0x00, 0x00}, 2},
    {"3 at 2052", 3000, 2052, 3, {0x0c, 0x00}, 2},
    {"3 at 3072", 3072, 3072, 3, {0x0c, 0xff}, 2},
    {"3 at 2048", 3000, 2048, 3, {0x5c, 0xff}, 2},
    {"3 at 16384", 20000, 16384, 3, {0x21, 0xfc, 0xff}, 3},
    {"33 at 16384", 20000, 16384, 33, {0x3f, 0xfc, 0xff}, 3},
    {"34 at 1", 20000, 1, 34, {0x20, 0x01, 0x00, 0x00}, 4},
    {"3 at 16385", 20000, 16385, 3, {0x11, 0x04, 0x00}, 3},
    {"9 at 32767", 40000, 32767, 9, {0x17, 0xfc, 0xff}, 3},
    {"3 at 32768", 40000, 32768, 3, {0x19, 0x00, 0x00}, 3},
    {"10 at 49151", 50000, 49151, 10, {0x18, 0x01, 0xfc, 0xff}, 4},
};

static void test_matches(void)
{
    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
        const size_t whole = matches[i].count + matches[i].length;
        static struct stream stream;

        tap.row = matches[i].what;
        stream.length = 0;
        add_literals(&stream, matches[i].count);
        add(&stream, matches[i].bytes, matches[i].used);
        add(&stream, END, 3);
        TAP_INT(decode(stream.bytes, stream.length, whole), (long)whole);
        TAP_TRUE(is_copy(matches[i].count, matches[i].distance, matches[i].length));
        TAP_INT(decode(stream.bytes, stream.length, whole - 1), -1);
    }
    tap.row = NULL;
}

/* Every length of literals and of a match around those where the number gets another byte. */
static void test_lengths(void)
{
    static struct stream stream;
    int wrong = 0;

    for (size_t count = 19; count < 1100; count++) {
        stream.length = 0;
        add_literals(&stream, count);
        add_byte(&stream, 0x20);
        add_number(&stream, count + 15, 33);
        add(&stream, "\x00\x00" END, 5);
        wrong += decode(stream.bytes, stream.length, ROOM) != (long)(2 * count + 15) ||
                 !is_copy(count, 1, count + 15);
    }
    TAP_INT(wrong, 0);
}

/* A number that is larger than any room, made of zeros: it is given up early and never overflows. */
static void test_endless_number(void)
{
    static struct stream stream;

    stream.length = 0;
    for (size_t i = 0; i < ROOM; i++)
        add_byte(&stream, 0);
    add_byte(&stream, 1);
    TAP_INT(decode(stream.bytes, stream.length, 4096), -1);
    stream.length = 0;
    add(&stream,
        "\x12"
        "a",
        2);
    add_byte(&stream, 0x20);
    for (size_t i = 0; i < ROOM; i++)
        add_byte(&stream, 0);
    add(&stream, "\x01\x00\x00" END, 6);
    TAP_INT(decode(stream.bytes, stream.length, 4096), -1);
}

/* With every kind of instruction in it; 101 bytes when decoded. */
static const unsigned char small[] = "\x19"
                                     "abcdefgh"
                                     "\x5d\x00"
                                     "i"
                                     "\x04\x00"
                                     "\x06"
                                     "jklmnopqr"
                                     "\x22\x1b\x00"
                                     "stu"
                                     "\x00\x00"
                                     "\x7c\x01"
                                     "\x00\x0a"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ01"
                                     "\x20\x01\x4d\x00"
                                     "v"
                                     "\xc0\x00" END;

static void test_small(void)
{
    const size_t length = sizeof(small) - 1;
    const long whole = decode(small, length, ROOM);
    int accepted = 0, overrun = 0;

    TAP_TRUE(whole > 90);
    for (size_t cut = 0; cut < length; cut++)
        accepted += decode(small, cut, (size_t)whole) >= 0;
    TAP_INT(accepted, 0);
    for (size_t room = 0; room < (size_t)whole; room++)
        overrun += decode(small, length, room) != -1;
    TAP_INT(overrun, 0);
}

static void test_mutations(void)
{
    const size_t length = sizeof(small) - 1;
    const size_t whole = (size_t)decode(small, length, ROOM);
    int overrun = 0, refused = 0, accepted = 0;

    for (size_t at = 0; at < length; at++)
        for (unsigned value = 0; value < 256; value++) {
            unsigned char copy[sizeof(small)];
            long result;

            memcpy(copy, small, length);
            copy[at] = (unsigned char)value;
            result = decode(copy, length, whole);
            overrun += result < -1;
            refused += result == -1;
            accepted += result >= 0;
        }
    printf("# %d mutations refused, %d decoded\n", refused, accepted);
    TAP_INT(overrun, 0);
    TAP_TRUE(refused > 1000 && accepted > 1000);
}

int main(void)
{
    test_rows();
    test_matches();
    test_lengths();
    test_endless_number();
    test_small();
    test_mutations();
    return tap_done();
}
