/*
 * system - the parts of foreign_parse(), private to the room: one for each system.
 */
#ifndef CORACLE_FOREIGN_SYSTEM_H
#define CORACLE_FOREIGN_SYSTEM_H

#include <stdint.h>

#include "foreign/foreign.h"

enum foreign_file {
    FILE_ENVIRONMENT, /* Charliecloud's or Enroot's */
    FILE_METADATA,    /* Charliecloud's */
    FILE_RC,          /* Enroot's */
    FILE_RC_LOCAL,    /* Enroot's */
    FILE_SCRIPTS,     /* Singularity's: there are some */
    FILE_RUNSCRIPT,   /* Singularity's: there is one */
    FILE_COUNT,
};

/* NULL: the image has no such file. Not terminated: it may hold zero bytes. */
struct foreign_text {
    const char *bytes;
    size_t length;
};

struct foreign_files {
    struct foreign_text file[FILE_COUNT];
};

/* Charliecloud's rules for FILES. 0 or -1. */
int foreign_read_charliecloud(struct foreign *foreign, const struct foreign_files *files, struct arena *arena,
                              struct err *err);
/* Enroot's. */
int foreign_read_enroot(struct foreign *foreign, const struct foreign_files *files, struct arena *arena,
                        struct err *err);
/* Whether TEXT is a command script that Enroot wrote. */
int foreign_is_enroot_rc(const struct foreign_text *text);

/* Takes a line from TEXT, without its end (LF or CR LF). 1, or 0 at the end. */
int foreign_next_line(struct foreign_text *text, struct foreign_text *line);

/* Adds the variable of LINE, whose name is NAME_LENGTH bytes long. 0, or -1 where there are too many. */
int foreign_add_variable(struct foreign *foreign, const struct foreign_text *line, size_t name_length,
                         struct arena *arena, struct err *err);

#endif
