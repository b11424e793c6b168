/*
 * err - why something failed, in words.
 *
 * A function that can fail takes a `struct err *` as its last argument, returns
 * -1 (or NULL) and fills it through err_set(), which returns -1 itself:
 *
 *     if (fd < 0)
 *         return err_set(err, ERR_IMAGE_MISSING, "image %s does not exist", name);
 *
 * The text names the thing, the cause and the way out. It is cut, never
 * overrun. Nothing is allocated, so a failure can be told when memory is gone.
 * Only programs (bin/) turn an error into output and exit status.
 */
#ifndef CORACLE_BASE_ERR_H
#define CORACLE_BASE_ERR_H

enum err_id {
#define ERROR(name, text, status) ERR_##name,
#include "base/errors.def"
#undef ERROR
    ERR_COUNT
};

struct err {
    enum err_id id;
    char text[1536];
};

/* Fills *ERR and returns -1. Keeps errno. */
int err_set(struct err *err, enum err_id id, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "PREFIX: " before the text that is there and returns -1. Keeps errno. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The stable identifier, "image-missing", and the exit status that goes with it. */
const char *err_name(enum err_id id);
int err_exit_status(enum err_id id);

/*
 * The kernel's reason for ERRNUM in words ("no such file or directory"): the
 * same in every C library and language for those that users meet, strerror()'s
 * for others.
 */
const char *err_reason(int errnum);

/* "; " and what helps where writing fails with ERRNUM, or "". */
const char *err_way_out(int errnum);

#endif
