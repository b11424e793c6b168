/*
 * keys - what may be set of a launch: each option that has a CORACLE_ variable. Two of them
 * concern all commands with images and are set in table [images].
 */
#ifndef CORACLE_CONFIG_KEYS_H
#define CORACLE_CONFIG_KEYS_H

#include <stddef.h>

enum config_key_kind {
    CONFIG_FLAG,      /* true, or false: not set */
    CONFIG_VALUE,     /* a string */
    CONFIG_ID,        /* a number, or a string */
    CONFIG_OPTIONAL,  /* a string or true; false is what `opposite` says, or not set */
    CONFIG_LIST,      /* an array of strings, each as one more option */
    CONFIG_OF_IMAGES, /* a string; not in [run] but as key `opposite` of [images] */
};

struct config_key {
    const char *name; /* of the option --NAME */
    enum config_key_kind kind;
    const char *opposite; /* the key that false stands for; NULL: none */
    /* Its strings may hold $NAME; characters of the value that then need a backslash. NULL: they may not. */
    const char *escape;
    int is_host_path; /* begins with a path of the host, which has to be absolute */
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* The first of them that is called NAME; NULL: none. */
const struct config_key *config_key_find(const char *name);

#endif
