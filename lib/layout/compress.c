#include "layout/compress.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

/* GZIP: the window, and a gzip header without name and time. */
enum {
    ROOM = 256 * 1024,
    GZIP_WINDOW = 15 + 16,
    GZIP_MEMORY = 8,
    GZIP_LEVEL = 6,
    ZSTD_LEVEL = 3,
    GZIP_MOST = 9
};

/* With one worker or more zstd gives the same bytes, whatever their number. */
enum { ZSTD_WORKERS = 2 };

struct compressor {
    enum layout_compression compression;
    z_stream gzip;
    ZSTD_CStream *zstd;
    unsigned char room[ROOM];
};

static int create_gzip(struct compressor *compressor, unsigned level)
{
    return deflateInit2(&compressor->gzip, (int)(level ? level : GZIP_LEVEL), Z_DEFLATED, GZIP_WINDOW,
                        GZIP_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK
               ? 0
               : -1;
}

static int create_zstd(struct compressor *compressor, unsigned level)
{
    compressor->zstd = ZSTD_createCStream();
    if (!compressor->zstd)
        return -1;
    ZSTD_CCtx_setParameter(compressor->zstd, ZSTD_c_compressionLevel, (int)(level ? level : ZSTD_LEVEL));
    ZSTD_CCtx_setParameter(compressor->zstd, ZSTD_c_nbWorkers, ZSTD_WORKERS); /* not every build has them */
    return 0;
}

struct compressor *compressor_create(enum layout_compression compression, unsigned level, struct err *err)
{
    const unsigned most = compression == LAYOUT_GZIP ? GZIP_MOST : (unsigned)ZSTD_maxCLevel();
    struct compressor *compressor;

    if (level > most) {
        err_set(err, ERR_USAGE, "layers can be compressed at level 1 to %u, not %u", most, level);
        return NULL;
    }
    compressor = calloc(1, sizeof(*compressor));
    if (compressor) {
        compressor->compression = compression;
        if ((compression == LAYOUT_GZIP ? create_gzip : create_zstd)(compressor, level) == 0)
            return compressor;
    }
    free(compressor);
    err_set(err, ERR_NO_MEMORY, "no memory to compress a layer");
    return NULL;
}

static int add_gzip(struct compressor *compressor, const void *bytes, size_t length, int is_last,
                    compressor_put *put, void *data, struct err *err)
{
    z_stream *gzip = &compressor->gzip;
    int result;

    gzip->next_in = (Bytef *)(uintptr_t)bytes; /* zlib does not write to it */
    gzip->avail_in = (uInt)length;
    do {
        gzip->next_out = compressor->room;
        gzip->avail_out = ROOM;
        result = deflate(gzip, is_last ? Z_FINISH : Z_NO_FLUSH);
        if (gzip->avail_out < ROOM && put(data, compressor->room, ROOM - gzip->avail_out, err) < 0)
            return -1;
    } while (gzip->avail_out == 0 || (is_last && result == Z_OK));
    return result == Z_STREAM_ERROR ? err_set(err, ERR_SYSTEM, "zlib fails to compress a layer") : 0;
}

static int add_zstd(struct compressor *compressor, const void *bytes, size_t length, int is_last,
                    compressor_put *put, void *data, struct err *err)
{
    ZSTD_inBuffer in = {bytes, length, 0};
    size_t left;

    do {
        ZSTD_outBuffer out = {compressor->room, ROOM, 0};

        left = ZSTD_compressStream2(compressor->zstd, &out, &in, is_last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return err_set(err, ERR_SYSTEM, "zstd fails to compress a layer: %s", ZSTD_getErrorName(left));
        if (out.pos && put(data, compressor->room, out.pos, err) < 0)
            return -1;
    } while (is_last ? left != 0 : in.pos < in.size);
    return 0;
}

int compressor_add(struct compressor *compressor, const void *bytes, size_t length, int is_last,
                   compressor_put *put, void *data, struct err *err)
{
    return (compressor->compression == LAYOUT_GZIP ? add_gzip : add_zstd)(compressor, bytes, length, is_last,
                                                                          put, data, err);
}

void compressor_destroy(struct compressor *compressor)
{
    if (!compressor)
        return;
    if (compressor->compression == LAYOUT_GZIP)
        deflateEnd(&compressor->gzip);
    ZSTD_freeCStream(compressor->zstd);
    free(compressor);
}
