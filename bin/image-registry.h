/*
 * image-registry - a registry as the configuration, the options and the files with
 * credentials say that it is to be spoken to.
 */
#ifndef CORACLE_BIN_IMAGE_REGISTRY_H
#define CORACLE_BIN_IMAGE_REGISTRY_H

#include "base/arena.h"
#include "base/err.h"
#include "config/config.h"
#include "reference/reference.h"
#include "registry/registry.h"

/* What the command line says of the registry itself, before the configuration; never of its mirrors. */
struct registry_overrides {
    int plain_http;
    unsigned timeout;      /* seconds; 0: as configured. Of its mirrors too */
    const char *ca_file;   /* NULL: as configured */
    const char *auth_file; /* NULL: those of the environment (registry/auth-file.h) */
};

/*
 * registry_open() for REFERENCE, which has a domain, with the mirrors that CONFIG (NULL:
 * none) has for it. A mirror is spoken to as its own domain is configured, and gets the
 * credentials for its own name, or none. One whose credentials cannot be had is left out
 * with a warning. ARENA, and what the other arguments point at, must outlive the registry.
 * NULL on failure.
 */
struct registry *registry_open_configured(const struct reference *reference, const struct config *config,
                                          const struct registry_overrides *overrides,
                                          char *const environment[], struct arena *arena, struct err *err);

/*
 * Reads HOST[:PORT][/NAMESPACE]: *NAME gets the domain, and the namespace as its repository, or
 * NULL; *KEY is the name in a file with credentials. 0, or -1 and ERR_USAGE.
 */
int registry_name_parse(struct reference *name, const char **key, const char *text, struct arena *arena,
                        struct err *err);

/* The options of the registry of DOMAIN alone, without mirrors: for coracle login. */
void registry_configure(struct registry_options *options, const char *domain, const struct config *config,
                        const struct registry_overrides *overrides);

#endif
