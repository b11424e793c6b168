/*
 * image-commands - the commands that fetch and make images, one file each; of the heavy program
 * coracle-image, which `coracle` executes for them.
 *
 * A command gets ARGV from its own name on. It returns an exit status, or -1 with ERR
 * filled, which main() prints.
 */
#ifndef CORACLE_BIN_IMAGE_COMMANDS_H
#define CORACLE_BIN_IMAGE_COMMANDS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/opt.h"

int cmd_convert(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
int cmd_images(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
int cmd_inspect(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
int cmd_launch(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
int cmd_rm(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
int cmd_login(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
int cmd_logout(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
int cmd_pull(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);

/* Prints USAGE, TEXT and the help lines of ROWS. 0, or -1. */
int images_help(const char *usage, const char *text, const struct opt_row *rows, size_t count,
                struct arena *arena, struct err *err);

/*
 * Whether the operands of ARGV, from INDEX, are operands: one that looks like an option would be taken
 * for a name. USAGE says how it is written. 0; -1: what is wrong with the options there, or ERR_USAGE.
 * TARGET is filled with them.
 */
int images_operands(const char *usage, const struct opt_row *rows, size_t count, int argc, char *const argv[],
                    int index, void *target, struct err *err);

/* The platform of this host. */
struct oci_platform;
struct oci_platform images_host_platform(struct arena *arena);

#endif
