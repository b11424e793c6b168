/*
 * commands - the commands of the light program, one file each.
 *
 * A command gets ARGV from its own name on. It returns an exit status, or -1
 * with ERR filled, which main() prints.
 */
#ifndef CORACLE_BIN_COMMANDS_H
#define CORACLE_BIN_COMMANDS_H

#include "base/arena.h"
#include "base/err.h"

struct command {
    const char *name;
    const char *help;
    int (*run)(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
};

int cmd_run(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
int cmd_shell(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
int cmd_exec(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
int cmd_ps(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
int cmd_config(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
int cmd_doctor(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
int cmd_image(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
int cmd_explain(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);

#endif
