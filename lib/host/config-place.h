/*
 * config-place - where the configuration files of a launch are, by its environment.
 *
 * CORACLE_SITE_CONFIG takes the place of SYSCONFDIR/coracle/coracle.toml, and
 * CORACLE_CONFIG that of $XDG_CONFIG_HOME/coracle/coracle.toml or
 * $HOME/.config/coracle/coracle.toml; an empty one is none. Drop-ins lie in
 * the directory coracle.d beside the site's file. Nobody is asked whether they exist.
 */
#ifndef CORACLE_HOST_CONFIG_PLACE_H
#define CORACLE_HOST_CONFIG_PLACE_H

#include "base/arena.h"

#define CONFIG_SITE_VARIABLE "CORACLE_SITE_CONFIG"
#define CONFIG_USER_VARIABLE "CORACLE_CONFIG"

struct config_place {
    const char *file;  /* NULL: none */
    const char *named; /* the variable that names it: it has to be there; NULL: the usual place */
};

/*
 * FILE is as it was named, and can be anything, where a variable of ours names it;
 * otherwise it is an absolute path without control characters, or NULL.
 */
struct config_place config_place_site(char *const environment[], struct arena *arena);
struct config_place config_place_user(char *const environment[], struct arena *arena);

/* Whether FILE is an absolute path that can stand in a line, and short enough. */
int config_place_is_usable(const char *file);

/* PLACE in a word, for a record: "none", "default", the file, or "default:FILE" where that is not fixed. */
const char *config_place_word(const struct config_place *place, struct arena *arena);

#endif
