/*
 * record-store - keeping a record in a directory.
 *
 * Many ranks may find that there is no record at the same moment. They take
 * turns by a lock on the directory, so that the name service is asked once;
 * the later ones find the record of the first. Each file is written under
 * another name and renamed, `record` last: whoever reads or is killed at any
 * moment leaves and finds whole files.
 */
#ifndef CORACLE_HOST_RECORD_STORE_H
#define CORACLE_HOST_RECORD_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "host/record-facts.h"
#include "host/record-file.h"

/*
 * Makes the directory PLACE (mode 0700) where it is missing and opens it. A
 * descriptor, or -1 with ERR_RECORD where it cannot be made or is not safe.
 */
int record_store_open(const char *place, uint32_t uid, struct err *err);

/*
 * Waits for the lock on the directory DIR, until it is closed. Gives up after
 * five seconds, or where there are no locks: the lock saves work, nothing
 * depends on it.
 */
void record_store_lock(int dir);

/*
 * Writes the files passwd, group and record into DIR, which is PLACE, and
 * changes *FILE into a record that refers to them. 0, or -1 with ERR_RECORD,
 * *FILE as it was and no record in DIR, so that launches look in the next place.
 */
int record_store(int dir, const char *place, struct record_file *file, struct arena *arena, struct err *err);

#endif
