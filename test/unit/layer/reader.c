#include <openssl/evp.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#ifdef HAVE_LZMA
#include <endian.h>
#include <lzma.h>
#endif
#ifdef HAVE_BZIP2
#include <bzlib.h>
#endif

#include "base/fd.h"
#include "layer/layer.h"
#include "test/tap.h"

/* A tar of one file of TEXT bytes: enough that buffers are filled more than once. */
enum { TEXT = 1 << 20, TAR = 512 + TEXT + 1024, ROOM = 2 * TAR };

static unsigned char tar[TAR], blob[ROOM];

static void make_tar(void)
{
    unsigned sum = 0, seed = 1;

    memcpy(tar, "name", 4);
    memcpy(tar + 100, "0000644", 7);
    snprintf((char *)tar + 124, 12, "%011o", TEXT);
    memset(tar + 148, ' ', 8);
    tar[156] = '0';
    memcpy(tar + 257, "ustar\00000", 8);
    for (int i = 0; i < 512; i++)
        sum += tar[i];
    snprintf((char *)tar + 148, 8, "%06o", sum);
    for (int i = 0; i < TEXT; i++) {
        seed = seed * 1103515245 + 12345;
        tar[512 + i] = (unsigned char)(seed >> 24 & 0x3F);
    }
}

static size_t gzip_part(unsigned char *out, const unsigned char *in, size_t length)
{
    z_stream stream = {0};
    size_t made;

    deflateInit2(&stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = (Bytef *)(uintptr_t)in;
    stream.avail_in = (uInt)length;
    stream.next_out = out;
    stream.avail_out = ROOM;
    deflate(&stream, Z_FINISH);
    made = ROOM - stream.avail_out;
    deflateEnd(&stream);
    return made;
}

static size_t gzip_members(size_t first)
{
    size_t length = gzip_part(blob, tar, first);

    length += gzip_part(blob + length, tar, 0);
    return length + gzip_part(blob + length, tar + first, TAR - first);
}

static size_t zstd_frames(size_t first)
{
    static const unsigned char skippable[] = {0x53, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'};
    size_t length = sizeof(skippable);

    memcpy(blob, skippable, sizeof(skippable));
    length += ZSTD_compress(blob + length, ROOM - length, tar, first, 1);
    memcpy(blob + length, skippable, sizeof(skippable));
    length += sizeof(skippable);
    length += ZSTD_compress(blob + length, ROOM - length, tar + first, TAR - first, 1);
    memcpy(blob + length, skippable, sizeof(skippable));
    return length + sizeof(skippable);
}

#ifdef HAVE_LZMA
static size_t xz_streams(size_t first)
{
    size_t length = 0;

    lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, tar, first, blob, &length, ROOM);
    lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, tar + first, TAR - first, blob, &length, ROOM);
    return length;
}

/* The first block header behind the stream's says that the dictionary has 2 or 3 << (BITS + 11) bytes. */
static void set_dictionary(unsigned char bits)
{
    enum { HEADER = 12 };
    static const unsigned char lzma2[] = {0x21, 1}; /* its number, and the size of what follows */
    const size_t length = (size_t)(blob[HEADER] + 1) * 4 - 4;
    unsigned char *filter = memmem(blob + HEADER, length, lzma2, sizeof(lzma2));
    uint32_t sum;

    if (!filter)
        exit(1);
    filter[sizeof(lzma2)] = bits;
    sum = htole32(lzma_crc32(blob + HEADER, length, 0));
    memcpy(blob + HEADER + length, &sum, sizeof(sum));
}
#endif

#ifdef HAVE_BZIP2
static size_t bzip2_streams(size_t first)
{
    unsigned length = ROOM, more;

    BZ2_bzBuffToBuffCompress((char *)blob, &length, (char *)tar, (unsigned)first, 1, 0, 0);
    more = ROOM - length;
    BZ2_bzBuffToBuffCompress((char *)blob + length, &more, (char *)tar + first, (unsigned)(TAR - first), 1, 0,
                             0);
    return length + more;
}
#endif

static char *digest_of(const void *bytes, size_t length, const EVP_MD *algorithm, const char *name)
{
    static char texts[4][160];
    static int next;
    char *text = texts[next++ % 4];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    int n = sprintf(text, "%s:", name);

    EVP_Digest(bytes, length, digest, &size, algorithm, NULL);
    for (unsigned i = 0; i < size; i++)
        n += sprintf(text + n, "%02x", digest[i]);
    return text;
}

/* Reads the whole layer; -1, or how many bytes were as in tar[]. */
static long read_all(const struct layer *layer, struct err *err)
{
    struct layer_reader *reader = layer_open(layer, err);
    const void *bytes;
    size_t length, total = 0;
    int same = 1;

    if (!reader)
        return -1;
    do {
        if (layer_read(reader, &bytes, &length, err) < 0) {
            layer_close(reader);
            return -1;
        }
        same &= total + length <= TAR && memcmp(tar + total, bytes, length) == 0;
        total += length;
    } while (length);
    if (layer_finish(reader, err) < 0 || (!layer->stream && layer_position(reader) != layer->size)) {
        layer_close(reader);
        return -1;
    }
    layer_close(reader);
    return same ? (long)total : 0;
}

/* What layers are, here and there. */
static int is_tar;

/* LENGTH bytes of blob[] in a file, behind something else and before something else. */
static struct layer in_file(size_t length)
{
    struct layer layer = {
        .fd = memfd_create("layer", MFD_CLOEXEC), .offset = 7, .size = length, .is_tar = is_tar};

    if (layer.fd < 0 || fd_write_all(layer.fd, "before ", 7) < 0 ||
        fd_write_all(layer.fd, blob, length) < 0 || fd_write_all(layer.fd, "behind", 6) < 0)
        exit(1);
    return layer;
}

static void check_good(const char *name, size_t length)
{
    struct layer layer = in_file(length);
    struct err err = {0};

    tap.row = name;
    layer.digest = digest_of(blob, length, EVP_sha256(), "sha256");
    layer.diff_id = digest_of(tar, TAR, EVP_sha256(), "sha256");
    TAP_INT(read_all(&layer, &err), TAR);
    layer.digest = digest_of(blob, length, EVP_sha512(), "sha512");
    TAP_INT(read_all(&layer, &err), TAR);
    layer.digest = digest_of("x", 1, EVP_sha256(), "sha256");
    TAP_ERR(read_all(&layer, &err), err, ERR_DIGEST, "the layer has the digest sha256:");
    layer.digest = NULL;
    layer.diff_id = digest_of("x", 1, EVP_sha256(), "sha256");
    TAP_ERR(read_all(&layer, &err), err, ERR_DIGEST, "what is in the layer has the digest sha256:");
    close(layer.fd);
    tap.row = NULL;
}

static void check_bad(const char *name, size_t length, enum err_id id, const char *part)
{
    struct layer layer = in_file(length);
    struct err err = {0};

    tap.row = name;
    TAP_ERR(read_all(&layer, &err), err, id, part);
    tap.row = NULL;
    close(layer.fd);
}

/* Each length that cuts a compressed layer off is told; of each byte that changes it says something. */
static void check_cuts(const char *name, size_t length)
{
    static unsigned char whole[ROOM];
    int told = 0, cuts = 0;

    memcpy(whole, blob, length);
    for (size_t cut = 1; cut < length; cut += cut < 64 || cut > length - 64 ? 1 : 9973, cuts++) {
        struct layer layer = in_file(cut);
        struct err err = {0};

        told += read_all(&layer, &err) < 0 && err.id == ERR_LAYER;
        close(layer.fd);
    }
    tap.row = name;
    TAP_INT(told, cuts);
    tap.row = NULL;
}

static void check_digests(void)
{
    static const char *const bad[] = {
        "",
        "sha256:",
        "sha256:abc",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha256:../../../../etc/passwd",
        "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
        "sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"};
    struct err err = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct layer layer = in_file(0);

        tap.row = bad[i];
        layer.digest = bad[i];
        TAP_ERR(read_all(&layer, &err), err, ERR_DIGEST, "is not a digest that can be checked");
        close(layer.fd);
    }
    tap.row = NULL;
}

static void check_places(void)
{
    struct layer layer = in_file(100);
    struct err err = {0};

    layer.size = 1000;
    TAP_ERR(read_all(&layer, &err), err, ERR_LAYER, "is cut off: its file ends at byte 106");
    layer.offset = UINT64_MAX - 10;
    TAP_ERR(read_all(&layer, &err), err, ERR_LAYER, "beyond any file");
    close(layer.fd);
    layer = (struct layer){.fd = -1, .size = 10};
    TAP_ERR(read_all(&layer, &err), err, ERR_IMAGE_UNREADABLE, "cannot be read");
}

/* A stream that gives blob[] in small pieces, and says after a while that something is wrong. */
struct pieces {
    struct layer_stream stream;
    size_t length, position, piece, fails_at;
};

static ssize_t read_piece(struct layer_stream *stream, void *bytes, size_t room, struct err *err)
{
    struct pieces *pieces = (struct pieces *)stream;
    size_t left = pieces->length - pieces->position;
    size_t n = pieces->piece < left ? pieces->piece : left;

    if (pieces->fails_at && pieces->position >= pieces->fails_at)
        return err_set(err, ERR_LIMIT, "the source says no");
    n = n < room ? n : room;
    memcpy(bytes, blob + pieces->position, n);
    pieces->position += n;
    return (ssize_t)n;
}

static void check_stream(const char *name, size_t length)
{
    struct pieces pieces = {{read_piece, 0}, length, 0, 4093, 0};
    struct layer layer = {.fd = -1,
                          .diff_id = digest_of(tar, TAR, EVP_sha256(), "sha256"),
                          .stream = &pieces.stream,
                          .is_tar = is_tar};
    struct err err = {0};

    tap.row = name;
    TAP_INT(read_all(&layer, &err), TAR);
    TAP_ERR(read_all(&layer, &err), err, ERR_LAYER, "can be read only once");
    pieces = (struct pieces){{read_piece, 0}, length, 0, 4093, length / 2};
    TAP_ERR(read_all(&layer, &err), err, ERR_LIMIT, "the source says no");
    pieces = (struct pieces){{read_piece, 0}, length, 0, 4093, length}; /* at the end it still may */
    TAP_ERR(read_all(&layer, &err), err, ERR_LIMIT, "the source says no");
    pieces = (struct pieces){{read_piece, 0}, length, 0, 4093, 0};
    layer.digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    TAP_ERR(read_all(&layer, &err), err, ERR_DIGEST, "the layer has the digest");
    tap.row = NULL;
}

static void check_pipe(size_t length)
{
    struct layer_pipe pipe;
    int fd = memfd_create("layer", MFD_CLOEXEC);
    struct layer layer = layer_of_pipe(&pipe, fd);
    struct err err = {0};

    TAP_INT(fd_write_all(fd, blob, length), 0);
    lseek(fd, 0, SEEK_SET);
    layer.diff_id = digest_of(tar, TAR, EVP_sha256(), "sha256");
    TAP_INT(read_all(&layer, &err), TAR);
    /* It is at its end now, as that of a program which failed at once. */
    layer = layer_of_pipe(&pipe, fd);
    TAP_ERR(read_all(&layer, &err), err, ERR_IMAGE_UNREADABLE, "nothing comes");
    close(fd);
    layer = layer_of_pipe(&pipe, -1);
    TAP_ERR(read_all(&layer, &err), err, ERR_IMAGE_UNREADABLE, "cannot be read");
}

/* The range as it is, whatever is in it. */
static size_t copied;
static int copy_fails;

static int copy_write(struct layer_copy *copy, const void *bytes, size_t length, struct err *err)
{
    (void)copy;
    if (copy_fails)
        return err_set(err, ERR_OUTPUT, "no room");
    copied += memcmp(blob + copied, bytes, length) == 0 ? length : ROOM;
    return 0;
}

static void check_copy(size_t length, const char *compression)
{
    struct layer layer = in_file(length);
    struct layer_copy copy = {copy_write};
    struct layer_reader *reader;
    struct err err = {0};

    copied = 0;
    reader = layer_open_copy(&layer, &copy, &err);
    TAP_TRUE(reader != NULL);
    if (reader) {
        TAP_STR(layer_compression(reader), compression);
        TAP_OK(layer_finish(reader, &err), err);
    }
    layer_close(reader);
    TAP_INT(copied, length);
    copy_fails = 1;
    TAP_ERR(layer_open_copy(&layer, &copy, &err) ? 0 : -1, err, ERR_OUTPUT, "no room");
    copy_fails = 0;
    close(layer.fd);
}

/* What a user's tar may be compressed with, and no layer. */
static void check_tars(void)
{
    size_t length = 0;

    is_tar = 1;
#ifdef HAVE_LZMA
    length = xz_streams(TAR / 2);
    check_copy(length, "xz");
    check_good("xz", length);
    check_stream("xz, a stream", length);
    check_cuts("xz, cut off", length - 40); /* within the second stream too, but for where it begins */
    memset(blob + length, 0, 1024);
    check_good("xz, zeros behind", length + 1024);
    memcpy(blob + length, "more behind the end", 19);
    check_bad("xz, more behind", length + 19, ERR_LAYER, "xz data is damaged");
    xz_streams(TAR / 2);
    blob[length / 4] ^= 0x55;
    check_bad("xz, damaged", length, ERR_LAYER, "xz data is damaged");
    length = xz_streams(TAR / 2);
    set_dictionary(30);
    check_good("xz, a dictionary of 128 MiB", length);
    set_dictionary(31);
    check_bad("xz, a larger one", length, ERR_LAYER, "needs more memory");
    is_tar = 0;
    check_bad("xz of a layer", length, ERR_LAYER, "compressed with xz; layers are");
    is_tar = 1;
#endif
#ifdef HAVE_BZIP2
    length = bzip2_streams(TAR / 2);
    check_copy(length, "bzip2");
    check_good("bzip2", length);
    check_stream("bzip2, a stream", length);
    check_cuts("bzip2, cut off", length / 2 - 1000);
    check_bad("bzip2, cut off in the last stream", length - 1, ERR_LAYER, "has no end");
    memcpy(blob + length, "more behind the end", 19);
    check_bad("bzip2, more behind", length + 19, ERR_LAYER, "bzip2 data is damaged");
    bzip2_streams(TAR / 2);
    blob[length / 4] ^= 0x55;
    check_bad("bzip2, damaged", length, ERR_LAYER, "bzip2 data is damaged");
#endif
    memcpy(blob, "\x04\x22\x4D\x18", 4);
    check_bad("lz4", 512, ERR_LAYER, "compressed with lz4, which is not read");
    memcpy(blob, "<html>", 6);
    check_bad("something else than a tar", 512, ERR_LAYER, "it is neither a tar archive");
    is_tar = 0;
    (void)length;
}

int main(void)
{
    size_t length;

    make_tar();
    memcpy(blob, tar, TAR);
    check_good("plain", TAR);
    length = gzip_members(TAR);
    check_good("gzip", length);
    check_cuts("gzip, cut off", length - 20); /* of the first member */
    for (size_t first = 1; first < TAR; first = first * 7 + 3)
        check_good("gzip, three members", gzip_members(first));
    length = gzip_members(1000);
    memset(blob + length, 0, 700000);
    check_good("gzip, zeros behind", length + 700000);
    blob[length + 600000] = 1;
    check_bad("gzip, zeros and more behind", length + 700000, ERR_LAYER,
              "goes on behind the end of its gzip");
    memcpy(blob + length, "more behind the end", 19);
    check_bad("gzip, more behind", length + 19, ERR_LAYER, "gzip data is damaged");
    length = gzip_members(1000);
    blob[length / 2] ^= 0x55;
    check_bad("gzip, damaged", length, ERR_LAYER, "gzip data is damaged");
    length = gzip_members(TAR);
    blob[length - 28] ^= 0x55; /* the sum in the first member's end */
    check_bad("gzip, wrong sum", length, ERR_LAYER, "gzip data is damaged");

    length = gzip_members(1000);
    check_stream("gzip, a stream", length);
    check_copy(length, "gzip");
    memcpy(blob, tar, TAR);
    check_stream("plain, a stream", TAR);
    check_copy(TAR, NULL);
    check_pipe(TAR);
    length = zstd_frames(TAR / 2);
    check_copy(length, "zstd");
    check_good("zstd", length);
    check_bad("zstd, cut off", length - 100, ERR_LAYER, "has no end");
    check_bad("zstd, cut off in the last frame", length - 1, ERR_LAYER, "has no end");
    memcpy(blob + length, "more behind the end", 19);
    check_bad("zstd, more behind", length + 19, ERR_LAYER, "zstd data is damaged");

    memcpy(blob, "BZh9", 4);
    check_bad("bzip2", 512, ERR_LAYER, "compressed with bzip2");
    memcpy(blob, "\xFD\x37zXZ", 6);
    check_bad("xz", 512, ERR_LAYER, "compressed with xz");
    memcpy(blob, "<html>", 6);
    check_bad("something else", 512, ERR_LAYER, "neither a tar archive");
    check_bad("too little", 100, ERR_LAYER, "neither a tar archive");
    check_tars();
    check_digests();
    check_places();
    return tap_done();
}
