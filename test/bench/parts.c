/*
 * parts - what the parts of a pull cost by themselves, with the libraries that it uses.
 *
 *     parts hash LAYER...             the SHA-256 of each, and of the tar in each
 *     parts inflate LAYER...          each is decompressed
 *     parts compress METHOD TREE      the contents of all files in blocks of 128 KiB, as a
 *                                     SquashFS has them: zstd (level 1) or lz4
 *
 * Prints CPU-seconds; of `hash` those of hashing alone.
 */
#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <sqfs/block.h>
#include <sqfs/compressor.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "layer/decoder.h"

enum { BLOCK = 128 * 1024, CHUNK = 256 * 1024 };

#ifdef HAVE_ISAL
#define decoder_gzip decoder_isal
#else
#define decoder_gzip decoder_zlib
#endif

static unsigned char buffer[CHUNK], output[CHUNK];

static void die(const char *what) __attribute__((noreturn));

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double cpu_seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int open_file(const char *name)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        die(name);
    return fd;
}

static EVP_MD_CTX *begin_sum(void)
{
    EVP_MD_CTX *sum = EVP_MD_CTX_new();

    EVP_DigestInit_ex(sum, EVP_sha256(), NULL);
    return sum;
}

/* Decompresses NAME; what only hashing costs of that is added to *HASHING where it is not NULL. */
static void inflate_layer(const char *name, double *hashing)
{
    const struct decoder *decoder;
    void *state = decoder_gzip(&decoder);
    EVP_MD_CTX *range = begin_sum(), *tar = begin_sum();
    int fd = open_file(name);
    ssize_t n;

    while ((n = read(fd, buffer, CHUNK)) > 0) {
        struct decoder_step step = {.input = buffer, .input_left = (size_t)n};
        double begin = hashing ? cpu_seconds() : 0;

        if (hashing) {
            EVP_DigestUpdate(range, buffer, (size_t)n);
            *hashing += cpu_seconds() - begin;
        }
        do {
            step.output = output;
            step.room = CHUNK;
            if (decoder->step(state, &step) == DECODER_DAMAGED)
                die("a layer is damaged");
            if (hashing) {
                begin = cpu_seconds();
                EVP_DigestUpdate(tar, output, CHUNK - step.room);
                *hashing += cpu_seconds() - begin;
            }
        } while (step.input_left || step.room == 0);
    }
    close(fd);
    decoder->destroy(state);
    EVP_MD_CTX_free(range);
    EVP_MD_CTX_free(tar);
}

static sqfs_compressor_t *compressor;
static unsigned char block[BLOCK], compressed[BLOCK];
static size_t block_length;

static void flush_block(void)
{
    if (block_length &&
        compressor->do_block(compressor, block, (sqfs_u32)block_length, compressed, BLOCK) < 0)
        die("a block");
    block_length = 0;
}

/* Files of less than a block share blocks; others have blocks of their own. */
static int compress_file(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
    const int is_large = st->st_size >= BLOCK;
    ssize_t n;
    int fd;

    (void)ftw;
    if (type != FTW_F || !S_ISREG(st->st_mode) || st->st_size == 0)
        return 0;
    if (is_large || block_length + (size_t)st->st_size > BLOCK)
        flush_block();
    fd = open_file(name);
    while ((n = read(fd, block + block_length, BLOCK - block_length)) > 0) {
        block_length += (size_t)n;
        if (block_length == BLOCK)
            flush_block();
    }
    close(fd);
    if (is_large)
        flush_block();
    return 0;
}

static void compress_tree(const char *method, const char *tree)
{
    sqfs_compressor_config_t config;
    const int is_zstd = strcmp(method, "zstd") == 0;

    if (sqfs_compressor_config_init(&config, is_zstd ? SQFS_COMP_ZSTD : SQFS_COMP_LZ4, BLOCK, 0))
        die(method);
    if (is_zstd)
        config.level = 1;
    if (sqfs_compressor_create(&config, &compressor))
        die(method);
    if (nftw(tree, compress_file, 64, FTW_PHYS) < 0)
        die(tree);
    flush_block();
    sqfs_destroy(compressor);
}

int main(int argc, char *argv[])
{
    double begin = cpu_seconds(), hashing = 0;
    const int hash = argc > 2 && strcmp(argv[1], "hash") == 0;

    if (argc == 4 && strcmp(argv[1], "compress") == 0) {
        compress_tree(argv[2], argv[3]);
    } else if (argc > 2 && (hash || strcmp(argv[1], "inflate") == 0)) {
        for (int i = 2; i < argc; i++)
            inflate_layer(argv[i], hash ? &hashing : NULL);
    } else {
        fputs("usage: parts hash|inflate LAYER... | parts compress zstd|lz4 TREE\n", stderr);
        return 2;
    }
    printf("%.3f\n", hash ? hashing : cpu_seconds() - begin);
    return 0;
}
