/*
 * auth-file - credentials from the files of docker and podman, and into them.
 *
 * Source: containers-auth.json(5); docker's config.json; docker-credential-helpers
 * (protocol of "get"). Looked at are, in this order, until one has credentials:
 *
 *     $REGISTRY_AUTH_FILE, alone where it is set
 *     $XDG_RUNTIME_DIR/containers/auth.json     (/run/containers/UID/auth.json)
 *     $XDG_CONFIG_HOME/containers/auth.json     (~/.config/containers/auth.json)
 *     $DOCKER_CONFIG/config.json                (~/.docker/config.json)
 *
 * (~/.dockercfg, which no program writes any more, is not.) A file that is missing is passed over;
 * one that cannot be read or understood is an error, unless it cannot be opened for want
 * of permission and is not $REGISTRY_AUTH_FILE.
 *
 * In a file, for the repository a/b of the registry r: credHelpers "r" decides alone, and is asked
 * for r as it is written there, as the program that filled it did. Else auths "r/a/b", "r/a", "r",
 * the same as old programs wrote it ("https://r/v1/") or with capital letters in r, and
 * then credsStore. An entry without "auth" and "identitytoken", or with an empty user and
 * password ("Og=="), says nothing.
 *
 * Members that are not known are kept when a file is written, numbers as they were
 * written, all in their order; only blanks and escapes may change. The file is replaced
 * at once, mode 0600; where it is a symbolic link, what that leads to. Of two that write at the
 * same moment one waits (base/lock.h; the lock is .NAME.lock beside the file, for that moment alone);
 * programs other than ours know nothing of the lock.
 *
 * Errors are ERR_CREDENTIALS and name the file, never what is in it.
 */
#ifndef CORACLE_REGISTRY_AUTH_FILE_H
#define CORACLE_REGISTRY_AUTH_FILE_H

#include "base/arena.h"
#include "base/err.h"
#include "registry/registry.h"

enum { AUTH_FILE_MAX = 1024 * 1024 };

/*
 * The credentials for REPOSITORY (NULL: none in particular) of DOMAIN: 1 and *CREDENTIALS,
 * whose strings belong to ARENA; 0: none; -1. FILE is looked at alone, and must be there; NULL:
 * those of ENVIRONMENT. A helper is run with ENVIRONMENT.
 */
int auth_file_find(struct registry_credentials *credentials, const char *file, char *const environment[],
                   const char *domain, const char *repository, struct arena *arena, struct err *err);

/*
 * The file that credentials for DOMAIN (or DOMAIN/NAMESPACE) are written to: FILE, $REGISTRY_AUTH_FILE or
 * $XDG_RUNTIME_DIR/containers/auth.json. In ARENA; NULL where there is none, or it cannot be
 * understood, or it gives the registry to a helper.
 */
const char *auth_file_target(const char *file, char *const environment[], const char *domain,
                             struct arena *arena, struct err *err);

/*
 * Writes the credentials for DOMAIN (or DOMAIN/NAMESPACE) to that file. With an identity token the user
 * may stand beside it: other programs want an entry to have one. The file's name, or NULL.
 */
const char *auth_file_store(const struct registry_credentials *credentials, const char *file,
                            char *const environment[], const char *domain, struct arena *arena,
                            struct err *err);

/*
 * Takes them away again, those of all registries where DOMAIN is NULL: how many, 0 where there were
 * none, with the file's name in *NAME; -1.
 */
int auth_file_erase(const char *file, char *const environment[], const char *domain, const char **name,
                    struct arena *arena, struct err *err);

/* For auth-write.c: the file that is written. NULL and ERR where the environment names none. */
const char *auth_file_primary(const char *file, char *const environment[], struct arena *arena,
                              struct err *err);

/* The tree of FILE: 1; 0: it is missing or empty; -1. */
struct json_value;
int auth_file_read(const char *file, int is_asked_for, struct json_value **root, struct arena *arena,
                   struct err *err);

/* The registry in KEY, without scheme and without /v1/, /v2/. */
const char *auth_file_key(const char *key, struct arena *arena);

/*
 * Whether KEY is NAME or another way to write it: with a scheme, capital letters in the host or another
 * name of Docker Hub.
 */
int auth_file_is_key(const char *key, const char *name, struct arena *arena);

#endif
