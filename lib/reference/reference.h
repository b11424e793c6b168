/*
 * reference - what a user writes to name an image.
 *
 *     [DOMAIN/]REPOSITORY[:TAG][@DIGEST]      in a registry
 *     docker://[DOMAIN/]REPOSITORY[:TAG][@DIGEST]   the same, also where it looks like one of the others
 *     oci:DIRECTORY[:NAME | :@INDEX]          an OCI image layout
 *     oci-archive:FILE[:NAME | :@INDEX]       the same in a tar archive
 *     docker-archive:FILE[:REPOSITORY[:TAG] | :@INDEX]   what `docker save` writes
 *     dir:DIRECTORY, tar:FILE                 a root file system, and one in a tar archive
 *     sqfs:FILE, sif:FILE                     a SquashFS, a SIF file
 *     /PATH, ./PATH, ../PATH                  any of these: what it is, the file says
 *
 * Sources: reference grammar of the distribution project (distribution/reference), OCI
 * distribution-spec 1.1 (pull: name and tag), OCI image-spec (descriptor.md: digests;
 * annotations.md: org.opencontainers.image.ref.name), containers-transports(5).
 *
 * Nothing is filled in: no registry, no "library/", no "latest". A name without a domain
 * has none here, and which registry it comes from is for configuration to say. Nothing is
 * looked up either: "app.sqfs" and "images/app" are names in a registry. A caller that
 * prefers a file of that name looks first.
 *
 * - The part before the first slash is a domain where it has a dot or a colon, is
 *   "localhost" or an IPv6 address in brackets. It is not case-sensitive and is made
 *   lower case, the one thing that is not kept as it was written.
 * - The file or directory of oci:, oci-archive: and docker-archive: ends at the first
 *   colon, as with skopeo; that of the others goes to the end.
 * - "~" is nothing special, so it is refused: the shell expands it where it is not quoted.
 * - TRANSPORT:// is for docker alone.
 */
#ifndef CORACLE_REFERENCE_REFERENCE_H
#define CORACLE_REFERENCE_REFERENCE_H

#include "base/arena.h"
#include "base/err.h"

enum {
    REFERENCE_HOST_MAX = 253,       /* bytes; of a name in the DNS, RFC 1035 */
    REFERENCE_REPOSITORY_MAX = 255, /* bytes, without the domain */
    REFERENCE_TAG_MAX = 128,        /* bytes */
    REFERENCE_INDEX_MAX = 65535,
};

enum reference_transport {
    REFERENCE_REGISTRY,
    REFERENCE_OCI,
    REFERENCE_OCI_ARCHIVE,
    REFERENCE_DOCKER_ARCHIVE,
    REFERENCE_DIR,
    REFERENCE_TAR,
    REFERENCE_SQFS,
    REFERENCE_SIF,
    REFERENCE_PATH, /* a path alone */
};

/* Members that do not apply, or were not given, are NULL. */
struct reference {
    enum reference_transport transport;
    const char *path;       /* all but REFERENCE_REGISTRY: as written, not empty */
    const char *domain;     /* REFERENCE_REGISTRY, REFERENCE_DOCKER_ARCHIVE: HOST[:PORT] */
    const char *repository; /* the same: without the domain; REFERENCE_REGISTRY always has it */
    const char *tag;        /* the same; its case counts */
    const char *digest;     /* REFERENCE_REGISTRY: "sha256:" and 64 or "sha512:" and 128 of 0-9a-f */
    const char *name;       /* REFERENCE_OCI, REFERENCE_OCI_ARCHIVE: org.opencontainers.image.ref.name */
    int index; /* these and REFERENCE_DOCKER_ARCHIVE: which of its images, from 0; -1: not given */
};

/*
 * Fills *REFERENCE from TEXT. Its strings belong to ARENA. 0, or -1 and ERR is ID: the
 * caller knows whether TEXT is an operand or from a file.
 */
int reference_parse(struct reference *reference, const char *text, struct arena *arena, enum err_id id,
                    struct err *err);

/*
 * The one text for *REFERENCE, from reference_parse(), which is read as the same again:
 * a name in a registry without docker://, where that is possible.
 */
const char *reference_print(const struct reference *reference, struct arena *arena);

/* What stands before the colon: "oci-archive"; of REFERENCE_PATH "". */
const char *reference_transport_name(enum reference_transport transport);

/* The registry that TEXT is, HOST[:PORT], as names have it; NULL: it is none. */
const char *reference_registry(const char *text, struct arena *arena);

#endif
