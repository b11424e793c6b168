/*
 * launch-mistakes - what was probably meant by a launch that was written wrongly.
 *
 * Only looked at where something failed, but for launch_mistakes_warn(), which makes no system
 * call where there is nothing to say.
 */
#ifndef CORACLE_BIN_LAUNCH_MISTAKES_H
#define CORACLE_BIN_LAUNCH_MISTAKES_H

#include "launch-options.h"

/* ERR is that of the options of ARGV, read by the COUNT rows of TABLE: of an unknown one that others have. */
void launch_mistakes_in_options(const struct opt_row *table, size_t count, int argc, char *const argv[],
                                struct err *err);

/*
 * What is said behind "there is no image": "; --bind took image.sqfs as its value", or "". ARGV has
 * nothing but options.
 */
const char *launch_mistakes_no_image(const struct opt_row *table, size_t count, int argc, char *const argv[],
                                     struct arena *arena);

/* Adds to ERR, of the launch that OPTIONS has read, what an option before the image was meant to be. */
void launch_mistakes_at_image(const struct launch_options *options, struct err *err);

/* Warns of a variable of ours, or a word of --share, with one wrong letter. */
void launch_mistakes_warn(const struct launch_options *options);

#endif
