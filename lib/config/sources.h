/*
 * sources - the files of a configuration.
 */
#ifndef CORACLE_CONFIG_SOURCES_H
#define CORACLE_CONFIG_SOURCES_H

#include "config/config.h"
#include "host/record-watch.h"

struct config_file {
    const char *path;
    const char *what;  /* "site", "drop-in", "user" */
    const char *named; /* by this variable; NULL: it is the usual place */
    int exists;
};

struct config_sources {
    struct config_file *files; /* in the order in which they were looked at */
    size_t file_count, file_room;
    /* What must be unchanged for the configuration to be the same. */
    struct record_watch *watches;
    size_t watch_count, watch_room;
    int is_fresh; /* a file was changed a moment ago: its next change may have the same time */
};

/*
 * config_load() but for the variables in `cache`, which stay as they are, and with
 * *SOURCES, which is filled as far as it got where that fails.
 */
int config_read(struct config *config, struct config_sources *sources, char *const environment[],
                struct arena *arena, struct err *err);

/* One file alone, wherever it is and whoever could write it: to see whether it could be used. */
int config_read_file(struct config *config, const char *path, struct arena *arena, struct err *err);

#endif
