/*
 * made - images made by mksquashfs, for tests of what reads them; include it once
 * in a program. All is in a folder of its own, which goes when the program ends.
 */
#ifndef CORACLE_TEST_MADE_H
#define CORACLE_TEST_MADE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"
#include "squash/squash.h"

static char scratch[PATH_MAX / 4];
static struct squash squash; /* the image that is open */
static int image_fd = -1;

static inline void __attribute__((noreturn)) give_up(const char *what)
{
    printf("Bail out! %s: %s\n", what, err_reason(errno));
    exit(EXIT_FAILURE);
}

/* At the end, whatever it is. */
static inline void remove_scratch(void)
{
    char command[sizeof(scratch) + 16];

    snprintf(command, sizeof(command), "rm -rf '%s'", scratch);
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", scratch);
}

/* Ends the test with a reason where there is no mksquashfs; makes the folder otherwise. */
static inline void scratch_begin(void)
{
    const char *place = getenv("TMPDIR");

    if (system("PATH=$PATH:/usr/sbin command -v mksquashfs >/dev/null") != 0) {
        puts("1..0 # SKIP needs mksquashfs (Debian: squashfs-tools)");
        exit(EXIT_SUCCESS);
    }
    snprintf(scratch, sizeof(scratch), "%s/coracle-squash-XXXXXX", place && *place ? place : "/tmp");
    if (!mkdtemp(scratch))
        give_up("cannot make a folder");
    atexit(remove_scratch);
    umask(022);
}

/* A path in the folder; two of them at a time. */
static inline const char *in_scratch(const char *name)
{
    static char paths[2][PATH_MAX];
    static int next;

    next = !next;
    snprintf(paths[next], sizeof(paths[next]), "%s/%s", scratch, name);
    return paths[next];
}

static inline void make_directory(const char *name)
{
    if (mkdir(in_scratch(name), 0755) < 0 && errno != EEXIST)
        give_up(name);
}

/* Writes LENGTH bytes at OFFSET of the file NAME, which is made. */
static inline void write_at(const char *name, off_t offset, const void *bytes, size_t length)
{
    int fd = open(in_scratch(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0 || pwrite(fd, bytes, length, offset) != (ssize_t)length)
        give_up(name);
    close(fd);
}

static inline void make_file(const char *name, const char *text)
{
    write_at(name, 0, text, strlen(text));
}

/* A shell's command in the folder. */
static inline void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline void shell(const char *format, ...)
{
    char command[4 * PATH_MAX];
    size_t used =
        (size_t)snprintf(command, sizeof(command), "set -e; PATH=$PATH:/usr/sbin; cd '%s'; ", scratch);
    va_list args;

    va_start(args, format);
    vsnprintf(command + used, sizeof(command) - used, format, args);
    va_end(args);
    if (system(command) != 0) {
        printf("Bail out! failed: %s\n", command);
        exit(EXIT_FAILURE);
    }
}

/* Makes the image NAME of the folder TREE. */
static inline void make_image(const char *name, const char *tree, const char *options)
{
    shell("mksquashfs %s %s -noappend -no-progress -mem 256M %s >log 2>&1 || { sed 's/^/# /' "
          "log; "
          "false; }",
          tree, name, options);
}

static inline void open_image(const char *name)
{
    struct stat st;
    struct err err;

    image_fd = open(in_scratch(name), O_RDONLY | O_CLOEXEC);
    if (image_fd < 0 || fstat(image_fd, &st) < 0)
        give_up(name);
    TAP_OK(squash_open(&squash, image_fd, 0, (uint64_t)st.st_size, &err), err);
}

static inline void close_image(void)
{
    squash_close(&squash);
    close(image_fd);
}

/* The node at PATH, without following links. 1, 0: it is not there, -1. */
static inline int find(const char *path, struct squash_node *node)
{
    if (squash_node(&squash, squash_root(&squash), node) < 0)
        return -1;
    while (*path) {
        size_t length = strcspn(path, "/");
        uint64_t reference;
        int found = squash_lookup(&squash, node, path, length, &reference);

        if (found <= 0)
            return found;
        if (squash_node(&squash, reference, node) < 0)
            return -1;
        path += length + strspn(path + length, "/");
    }
    return 1;
}

#endif
