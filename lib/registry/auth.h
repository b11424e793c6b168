/*
 * auth - with what requests to the registry are let in: Basic, or a Bearer token, which
 * is fetched and renewed for all threads. For the files of this room.
 *
 * Sources: RFC 7617 (Basic), RFC 6750 (Bearer); distribution project,
 * docs/spec/auth/token.md (GET with Basic) and oauth.md (POST with a refresh token).
 *
 * The token server is the one that the registry names, over https where the registry is.
 * Its redirects are not followed. The scope is the one that the registry names, or else
 * pulling from the repository.
 */
#ifndef CORACLE_REGISTRY_AUTH_H
#define CORACLE_REGISTRY_AUTH_H

#include <pthread.h>

#include "base/arena.h"
#include "registry/challenge.h"
#include "registry/head.h"
#include "registry/registry.h"

struct fetch;

struct auth {
    pthread_mutex_t lock; /* held while a token is fetched: the others wait for it */
    unsigned generation;  /* of header */
    char *header;         /* value of Authorization; NULL: none yet */
    int is_basic;
    double expires;             /* CLOCK_MONOTONIC; 0: when the registry says so */
    struct challenge challenge; /* that the token was for */
    int wants_identity;         /* instead of the password that is sent */
    char *identity;             /* what came; NULL: none */
};

void auth_init(struct auth *auth);
void auth_free(struct auth *auth);

/*
 * The value of Authorization for a request, copied into the fetch's arena, in *HEADER
 * (NULL: none) and its *GENERATION. A token that is about to expire is renewed first.
 * An enum outcome; but for OUTCOME_DONE the fetch's err is filled.
 */
int auth_current(struct fetch *fetch, const char **header, unsigned *generation);

/* Answers the 401 in HEAD to a request with GENERATION. As above; OUTCOME_DONE: ask again. */
int auth_answer(struct fetch *fetch, unsigned generation, const struct head *head);

/* "Basic " and the base64 of user and password. */
const char *auth_basic(const struct registry_credentials *credentials, struct arena *arena);

/* That WHO, the registry's address or its token server's, has refused what it asked for, with STATUS; WORDS
 * as from status_words(). OUTCOME_FAILED. */
int auth_denied(struct fetch *fetch, const char *who, int status, const char *words);

#endif
