/* image-output-options - the options of all commands that make an image. */
#ifndef CORACLE_BIN_IMAGE_OUTPUT_OPTIONS_H
#define CORACLE_BIN_IMAGE_OUTPUT_OPTIONS_H

#include "base/opt.h"
#include "config/config.h"
#include "image-output.h"
#include "image-progress.h"
#include "oci/platform.h"

struct output_options {
    struct output output;
    struct oci_platform platform;
    struct arena *arena;
    struct arena progress_arena;
    struct progress *progress; /* NULL: it was not begun */
    int json, quiet, help, compression_given, block_size_given, platform_given;
};

/* Setters for a struct output_options. */
int output_set_compression(void *target, const char *value, const struct opt_origin *origin, struct err *err);
int output_set_block_size(void *target, const char *value, const struct opt_origin *origin, struct err *err);
int output_set_platform(void *target, const char *value, const struct opt_origin *origin, struct err *err);
int output_set_force(void *target, const char *value, const struct opt_origin *origin, struct err *err);
int output_set_json(void *target, const char *value, const struct opt_origin *origin, struct err *err);
int output_set_quiet(void *target, const char *value, const struct opt_origin *origin, struct err *err);
int output_set_help(void *target, const char *value, const struct opt_origin *origin, struct err *err);

#define OUTPUT_OPTIONS                                                                                        \
    {"--platform",                                                                                            \
     0,                                                                                                       \
     OPT_VALUE,                                                                                               \
     "OS/ARCH[/VARIANT]",                                                                                     \
     NULL,                                                                                                    \
     OPT_SINGLE,                                                                                              \
     "of several platforms this one, in place of the host's",                                                 \
     output_set_platform},                                                                                    \
        {"--compression",                                                                                     \
         0,                                                                                                   \
         OPT_VALUE,                                                                                           \
         "zstd|lz4|gzip|xz[:LEVEL]",                                                                          \
         NULL,                                                                                                \
         OPT_SINGLE,                                                                                          \
         "of the SquashFS (zstd, level 1)",                                                                   \
         output_set_compression},                                                                             \
        {"--block-size",                                                                                      \
         0,                                                                                                   \
         OPT_VALUE,                                                                                           \
         "SIZE",                                                                                              \
         NULL,                                                                                                \
         OPT_SINGLE,                                                                                          \
         "of the SquashFS: a power of two from 4K to 1M (128K)",                                              \
         output_set_block_size},                                                                              \
        {"--json",       0, OPT_FLAG, NULL, NULL, OPT_SINGLE, "tell what is done, a JSON object a line",      \
         output_set_json},                                                                                    \
        {"--quiet", 'q', OPT_FLAG, NULL, NULL, OPT_SINGLE, "show no progress", output_set_quiet},             \
        {"--force", 'f', OPT_FLAG, NULL, NULL, OPT_SINGLE, "replace a file that is there", output_set_force}, \
    {                                                                                                         \
        "--help", 'h', OPT_FLAG, NULL, NULL, OPT_SINGLE, "print this", output_set_help                        \
    }

/* What the configuration says of a SquashFS, where no option did. 0 or -1. */
int output_configure(struct output_options *options, const struct config *config, struct err *err);

/* Shows what is done as OPTIONS ask for, where somebody looks: options->progress. */
void output_progress_begin(struct output_options *options, char *const environment[]);

/* The image is at PATH; DIGEST is that of its manifest, NULL: not known. */
void output_progress_done(const struct output_options *options, const char *path, const char *digest);

/* Ends that, where it was begun; RESULT and ERR are those of the command. */
void output_progress_end(struct output_options *options, int result, const struct err *err);

#endif
