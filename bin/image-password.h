/*
 * image-password - names and passwords from the one who types them, or from a program that
 * writes them. Never from the command line, which everybody on the node can read.
 */
#ifndef CORACLE_BIN_IMAGE_PASSWORD_H
#define CORACLE_BIN_IMAGE_PASSWORD_H

#include "base/arena.h"
#include "base/err.h"

enum { PASSWORD_MAX = 16 * 1024 }; /* bytes; of a terminal the kernel passes on 4095 */

/*
 * What is typed after PROMPT, which goes to standard error, on the terminal that standard
 * input is; without echo where IS_SECRET. A signal that ends or stops the program does so, with
 * the terminal as it was. The line, in ARENA, without its end, which the caller wipes; NULL.
 */
char *password_ask(const char *prompt, int is_secret, struct arena *arena, struct err *err);

/* The one line that standard input has. */
char *password_read(struct arena *arena, struct err *err);

#endif
