/*
 * directories - those that were made, and descriptors of some of them.
 *
 * Each has a number, the root 0, and is opened from there downwards, name by
 * name: a path may be longer than the kernel takes. Of those that were opened
 * last on each level a few descriptors are kept, so that a walk through a tree
 * opens each directory about once.
 */
#ifndef CORACLE_UNPACK_DIRECTORIES_H
#define CORACLE_UNPACK_DIRECTORIES_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* How deep they may lie within each other: more names than this no path has (PATH_MAX). */
enum { DIRECTORY_DEPTH = 2048 };

struct directory {
    const char *name;
    uint32_t parent;
    uint32_t mtime;
    uint16_t mode; /* that it is to have in the end */
    uint16_t depth;
};

struct directories {
    struct arena *arena;
    int root; /* the descriptor that number 0 is */
    struct directory *items;
    size_t count, room;
};

enum { DESCRIPTORS_KEPT = 16 };

struct descriptors {
    struct {
        int fd; /* -1: none */
        uint32_t number;
    } kept[DESCRIPTORS_KEPT];
};

/* Remembers a directory and gives it the next number. NAME is copied. */
uint32_t directories_add(struct directories *directories, uint32_t parent, const char *name, uint16_t mode,
                         uint32_t mtime);

void descriptors_begin(struct descriptors *descriptors);
void descriptors_end(struct descriptors *descriptors);

/* A descriptor of directory NUMBER, good until the next call with the same DESCRIPTORS; or -1 and errno. */
int directories_open(const struct directories *directories, struct descriptors *descriptors, uint32_t number);

/* The path of NAME in directory NUMBER, from the root, without a slash in front. */
char *directories_path(const struct directories *directories, uint32_t number, const char *name);

#endif
