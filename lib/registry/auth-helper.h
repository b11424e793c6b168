/*
 * auth-helper - asks a program that keeps credentials: docker-credential-NAME get.
 *
 * Source: docker-credential-helpers: the registry on standard input, on standard output
 * {"ServerURL", "Username", "Secret"}; a failure says "credentials not found in native
 * keychain" where it has none; some answer with an empty user and secret then. The user "<token>" means that
 * Secret is an identity token.
 */
#ifndef CORACLE_REGISTRY_AUTH_HELPER_H
#define CORACLE_REGISTRY_AUTH_HELPER_H

#include "registry/registry.h"

enum {
    AUTH_HELPER_SECONDS = 60, /* it may ask its user for a passphrase */
    AUTH_HELPER_MAX = 64 * 1024,
};

/*
 * The program is looked for along PATH of ENVIRONMENT and gets that. NAME: letters,
 * digits, "." "_" "-", and begins with a letter or digit. What it writes to standard error
 * is dropped. 1, 0: it has none, or -1 and ERR_CREDENTIALS. SECONDS: 0 is
 * AUTH_HELPER_SECONDS; then it is killed.
 */
int auth_helper_get(struct registry_credentials *credentials, const char *name, const char *key,
                    unsigned seconds, char *const environment[], struct arena *arena, struct err *err);

#endif
