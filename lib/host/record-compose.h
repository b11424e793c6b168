/*
 * record-compose - a record from facts and an account. Pure: asks nobody.
 */
#ifndef CORACLE_HOST_RECORD_COMPOSE_H
#define CORACLE_HOST_RECORD_COMPOSE_H

#include <stddef.h>

#include "base/arena.h"
#include "host/account.h"
#include "host/record-facts.h"
#include "host/record-file.h"

/*
 * The groups of ACCOUNT and FACTS, each once, and their number in *COUNT: the
 * primary group, the effective and the real one, then the supplementary ones.
 * Only root and nogroup have a name yet. At most RECORD_GROUPS_LIMIT; the
 * record of a user with more never holds.
 */
struct account_group *record_groups(const struct account *account, const struct record_facts *facts,
                                    struct arena *arena, size_t *count);

/*
 * Fills *FILE, texts included, without a directory, Slurm and configuration; it holds for
 * RECORD_MAX_AGE. OTHER is as in account_add_passwd(). It shares the strings of its
 * sources.
 */
void record_compose(struct record_file *file, const struct record_facts *facts, const struct account *account,
                    const struct account *other, const struct account_group *groups, size_t count,
                    struct arena *arena);

#endif
