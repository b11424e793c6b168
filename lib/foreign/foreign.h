/*
 * foreign - what images of other systems keep beside their root: environment, what
 * to run, where to start.
 *
 * Pure. Files are looked for by whoever can (foreign_collect() says which), and go
 * as one string of bytes to whoever needs them; foreign_parse() reads that.
 *
 *     Singularity, Apptainer    /.singularity.d    env/ and runscript: scripts, which run inside
 *     Charliecloud              /ch/environment    NAME=VALUE; metadata.json: what to run and where
 *     Enroot                    /etc/rc            what to run and where; /etc/environment: NAME=VALUE
 *
 * An image is of the first system in this order whose mark it bears. doc/images.md
 * has what is honoured of each. Sources: ch-run(1), --set-env; Enroot's
 * doc/image-format.md and what `enroot import` writes (4.1); Apptainer's user guide,
 * "Environment and Metadata".
 */
#ifndef CORACLE_FOREIGN_FOREIGN_H
#define CORACLE_FOREIGN_FOREIGN_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* How long each file may be, and how many variables it may set. */
enum { FOREIGN_FILE_LIMIT = 1024 * 1024, FOREIGN_VARIABLES_LIMIT = 4096 };

/* Where scripts are that set the environment, and how they are called. */
#define FOREIGN_SCRIPTS_DIR "/.singularity.d/env"
#define FOREIGN_SCRIPTS FOREIGN_SCRIPTS_DIR "/*.sh"

enum foreign_system { FOREIGN_SINGULARITY, FOREIGN_CHARLIECLOUD, FOREIGN_ENROOT };

struct foreign_variable {
    const char *name;
    const char *value; /* as written; foreign_expand() makes the value */
};

struct foreign {
    enum foreign_system system;
    struct foreign_variable *variables; /* in their order; names may be repeated */
    size_t variable_count, variable_room;
    const char *workdir; /* NULL: none is named */
    /* As in an OCI configuration: they end with NULL and hold at least one string; NULL: none. */
    char *const *entrypoint;
    char *const *cmd;
    int has_scripts;                         /* FOREIGN_SCRIPTS are to be sourced before the command */
    const char *origin;                      /* of the variables or scripts: "image /ch/environment" */
    const char *workdir_origin, *run_origin; /* of workdir; of entrypoint and cmd */
    const char *warning;                     /* what of it is left out, for the user; NULL: nothing */
};

enum foreign_found { FOREIGN_ABSENT, FOREIGN_FOUND, FOREIGN_TOO_LARGE, FOREIGN_UNREADABLE };

/* Looks into an image. PATH is relative to its root; no link is followed. */
struct foreign_source {
    /*
     * The regular file PATH, of at most FOREIGN_FILE_LIMIT bytes; anything else is
     * absent. Its content is added to OUT, which is NULL where only that it is there counts.
     */
    enum foreign_found (*read)(void *context, const char *path, struct str *out);
    int (*is_directory)(void *context, const char *path);
    void *context;
};

/*
 * Adds to BYTES what foreign_parse() needs; of an image that bears no mark, nothing,
 * after three look-ups. 0, or -1 with ERR_IMAGE_CONFIG: a file cannot be read, or is too large.
 */
int foreign_collect(struct str *bytes, const struct foreign_source *source, struct err *err);

/* Whether BYTES are foreign_collect()'s: no JSON begins so. */
int foreign_is(const char *bytes, size_t length);

/*
 * Fills *FOREIGN from such BYTES. Its strings belong to ARENA. 0, or -1 with
 * ERR_IMAGE_CONFIG: they are cut, or set too many variables. A line that is none costs
 * that line and a warning: the image ran before, where it was made.
 */
int foreign_parse(struct foreign *foreign, const char *bytes, size_t length, struct arena *arena,
                  struct err *err);

/*
 * What VALUE of a variable stands for in ENVIRONMENT, by the rules of the system:
 * Charliecloud replaces items between colons that are $NAME, and leaves out the empty
 * ones of these; Enroot replaces ${NAME} everywhere. What would be longer than LIMIT
 * bytes stays as written: variables that repeat each other grow beyond all memory.
 */
const char *foreign_expand(const struct foreign *foreign, const char *value, size_t limit,
                           char *const environment[], struct arena *arena);

#endif
