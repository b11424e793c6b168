/*
 * stage - where the fault tests launch: a mount namespace of its own with an
 * empty /tmp, in it images, a home and a place for the node's record; and what
 * must look the same there after each launch. It goes away with the program.
 */
#ifndef CORACLE_TEST_FAULT_STAGE_H
#define CORACLE_TEST_FAULT_STAGE_H

#include <sys/types.h>

#include "base/arena.h"

#include "traced-launch.h"

/* A way to launch, so that each part of the start is met by some. */
struct scenario {
    const char *name;
    const char *image;       /* "full": has every mount point; "bare": has none */
    int is_served;           /* the image is a SquashFS file */
    int is_cold;             /* the node's record is not there yet */
    const char *options[16]; /* of `coracle run` */
    const char *checks[8];   /* for payload */
};

extern const struct scenario scenarios[];
extern const int scenario_count;

enum { STAGE_RECORD_FILES = 8 };

struct stage {
    struct arena arena;
    char *coracle;
    const char *cannot_serve; /* why there is no SquashFS file; NULL: there are two */
    char *environment[10];
    char *record[STAGE_RECORD_FILES + 1]; /* the files that a launch leaves, then NULL */
    int record_entries;                   /* all that lies in the record's place: folders too */
};

/*
 * Makes the stage, also the record. The program under test is $CORACLE or else
 * bin/coracle, the payload test/fault/payload of the current folder. Where
 * launches are impossible, and on errors of its own, it says so as TAP and ends
 * the program.
 */
void stage_make(struct stage *stage);

/*
 * How the launches that follow share (CORACLE_SHARE), and for how long their broker
 * lingers, in milliseconds. Until this is called each is alone.
 */
void stage_share(struct stage *stage, const char *share, int linger);

/*
 * Starts a launch of SCENARIO without a trace, its input from INPUT (-1: ours), its
 * output on OUTPUT. Its process id.
 */
pid_t stage_start(const struct stage *stage, const struct scenario *scenario, int input, int output);

/* Launches SCENARIO as traced_launch() does. What the harness lacks ends the program. */
void stage_launch(struct stage *stage, const struct scenario *scenario, const struct fault *fault,
                  struct outcome *outcome);

/*
 * What no launch may change, as text in ARENA: the mounts, the files in /tmp and
 * /dev/shm but the record's places, this user's sockets that are called coracle.
 */
const char *stage_world(struct arena *arena);

/* How many files and folders lie in the record's place of first choice. */
int stage_record_entries(void);

/*
 * Makes what lies beside the record look an hour old: a writer that was killed
 * left it, and a later launch may clear it only when no writer can be at it.
 */
void stage_age_leftovers(const struct stage *stage);

/* Whether this is a run of everything (CORACLE_TEST_LONG=1). */
int stage_is_long(void);

/* Whether the program under test is built with sanitizers, which change what it calls. */
int stage_is_sanitized(const struct stage *stage);

/* Whether OUTPUT is one error line with an identifier, and nothing else. */
int stage_is_one_error(const char *output);

/* For arena_init(). */
void stage_no_memory(void) __attribute__((noreturn));

#endif
