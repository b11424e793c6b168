/*
 * rank - one of several launches that are alive together, and the orphans that
 * they leave: brokers and image servers, which become children of the test.
 */
#ifndef CORACLE_TEST_FAULT_RANK_H
#define CORACLE_TEST_FAULT_RANK_H

#include <stdint.h>

#include "stage.h"

struct rank {
    pid_t pid; /* 0: there is none */
    int input; /* its other end; -1: closed, which ends a payload that holds */
    int output;
    int is_over, status;    /* as from waitpid() */
    int64_t started, ended; /* us */
};

/* What the word "where" of payload tells. */
struct where {
    char user[64], mount[64];
    char device[32];
};

int64_t rank_now(void);
void rank_nap(int us);

/* Starts a launch of SCENARIO. What it brings is given back by rank_close(). */
void rank_start(struct rank *rank, const struct stage *stage, const struct scenario *scenario);
/* Lets a payload that holds end. */
void rank_release(struct rank *rank);
void rank_close(struct rank *rank);

/* Its output so far, zero-terminated. */
void rank_output(const struct rank *rank, char *text, size_t room);
/* Fills WHERE from its output. Whether it has told. */
int rank_where(const struct rank *rank, struct where *where);
/* Waits until it has said WORD, or ended, for SECONDS at most. Whether it has said it. */
int rank_says(struct rank *rank, const char *word, int seconds);

/* Takes the end of PID, with STATUS, where that is RANK. Whether it is. */
int rank_takes(struct rank *rank, pid_t pid, int status);
/* Waits for the end of RANK, and takes what else ends; for SECONDS at most. Whether it has ended. */
int rank_wait(struct rank *rank, int seconds);

/* The children of the caller that are called NAME, at most ROOM; their number. */
int rank_orphans(const char *name, pid_t *pids, int room);
/* Waits until the caller has no child any more. How many are left after MS; they are killed. */
int rank_left(int ms);

#endif
