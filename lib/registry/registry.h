/*
 * registry - fetches images from a registry: manifests into memory, blobs into files.
 *
 * Sources: OCI distribution-spec 1.1 (pull); of the distribution project: token and
 * OAuth2 authentication (docs/spec/auth/{token,oauth}.md); RFC 9110 (HTTP). Pushing is
 * not here.
 *
 *     struct registry *registry = registry_open(&reference, &options, &credentials, arena, &err);
 *     registry_manifest(registry, "1.0", &manifest, arena, &err);
 *     registry_blobs(registry, blobs, count, directory, NULL, &err);
 *     registry_close(registry);
 *
 * What a registry, its token server and the servers it redirects to send is hostile:
 *
 * - Everything has a limit: a manifest REGISTRY_MANIFEST_MAX, a token's answer and what
 *   a failure says HTTP_TEXT_MAX, header lines HEAD_MAX (http.h, head.h), a blob its size.
 * - TLS is verified and cannot be switched off. Plain http is spoken to a registry only
 *   where options.plain_http says so, localhost included; never after https.
 * - Credentials go to the registry itself and to the token server that it names, over
 *   https (or plain http where that is configured), and not along with a redirect to
 *   another scheme, host or port. No message holds one, nor a path or query of a URL: an
 *   address that was signed for a download is a credential as well.
 * - Nothing is believed about a manifest or a blob that its digest does not say.
 *
 * What is worth another try gets it: 429, 5xx, connections that were cut or stall, with
 * waits that double, or as long as Retry-After says. DNS and refused connections are not,
 * until the registry has once answered. Tokens are renewed as they expire.
 *
 * Mirrors are asked in their order, the registry itself last: for manifests, by tag and by
 * digest, and for blobs. containers-registries.conf(5) One that cannot be reached, has not what is
 * asked for, lets nobody in, is in trouble (fewer attempts and shorter waits are made than with the
 * registry) or sends what is not right is passed over, for as long as this registry is open,
 * with a warning. Nothing is believed about a mirror either, but for a tag: what that means is
 * what the first mirror that has it says. Who does not want that asks by digest. Credentials of
 * the registry are for the registry, those of a mirror for that mirror.
 *
 * Blobs are fetched by threads, one blob each: hashing and TLS, which are what costs, then
 * use several cores, and each thread's code is a plain sequence. Signals are for the
 * caller's thread.
 *
 * Proxies are taken from the environment: http_proxy, https_proxy, all_proxy, no_proxy. curl(1)
 *
 * Errors begin "registry DOMAIN" and are ERR_REGISTRY (not reached, nonsense, overload),
 * ERR_REGISTRY_DENIED (401, 403), ERR_IMAGE_MISSING (404), ERR_IMAGE_DAMAGED (digest,
 * size), ERR_LIMIT (space) or ERR_SYSTEM.
 */
#ifndef CORACLE_REGISTRY_REGISTRY_H
#define CORACLE_REGISTRY_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "reference/reference.h"

enum { REGISTRY_MANIFEST_MAX = 4 * 1024 * 1024, REGISTRY_MIRRORS_MAX = 16 };

/* All NULL: none. Either a user and password, or an identity token. */
struct registry_credentials {
    const char *user, *password;
    const char *identity_token; /* a refresh token of OAuth2 */
    const char *origin;         /* where they come from, for messages: a file's name */
};

struct registry_mirror {
    const char *location; /* HOST[:PORT][/PREFIX]; the repository a/b is PREFIX/a/b there */
    int plain_http;
    const char *ca_file;
    const struct registry_credentials *credentials; /* NULL: none */
};

/* A member that is 0 or NULL has its default. */
struct registry_options {
    int plain_http;           /* this registry is spoken to without TLS */
    const char *ca_file;      /* certificates in PEM that are trusted besides those of the system */
    const char *ca_directory; /* in place of the system's directory; c_rehash(1) */
    unsigned connect_seconds; /* 30; 10 of a mirror */
    unsigned stall_seconds;   /* 30: as long may a connection give less than 1 KiB/s */
    unsigned attempts;        /* 6; those that brought 1 MiB are not counted. Of those that ran
                               * into a limit of time half, but two at least: they have waited */
    unsigned back_off_ms;     /* 1000: before the second attempt */
    unsigned wait_seconds;    /* 120: no longer is waited for what Retry-After says */
    unsigned parallel;        /* 4 blobs at once */
    const struct registry_mirror *mirrors; /* at most REGISTRY_MIRRORS_MAX */
    size_t mirror_count;
    unsigned mirror_attempts; /* 2 */
};

struct registry;

/*
 * For the repository of REFERENCE, which has a domain. "docker.io" is what Docker means
 * by it (endpoint.h). CREDENTIALS may be NULL. What all three point at must stay. A
 * reference without repository is right for registry_check() alone. What the mirrors point
 * at must stay too. ARENA is used by this call and must
 * outlive the registry; its `exhausted` may be called in any thread. NULL on failure.
 */
struct registry *registry_open(const struct reference *reference, const struct registry_options *options,
                               const struct registry_credentials *credentials, struct arena *arena,
                               struct err *err);
void registry_close(struct registry *registry);

/*
 * Whether the registry itself lets the credentials in (for login): GET /v2/. 1; 0: it lets
 * everybody in and has not asked for them; -1. Where IDENTITY is not NULL a token server is
 * asked for a token in place of the password: *IDENTITY, in ARENA, or NULL where it gives none.
 */
int registry_check(struct registry *registry, const char **identity, struct arena *arena, struct err *err);

struct registry_manifest {
    char *bytes; /* a zero byte follows */
    size_t length;
    const char *media_type; /* Content-Type without parameters, lower case; "" where there was none */
    const char *digest;     /* of the bytes: the one that was asked for, or sha256 */
};

/*
 * Fetches the manifest or index WHAT, a tag or a digest. The bytes are compared with the
 * digest that was asked for and with Docker-Content-Digest. What they hold is for the
 * caller to judge. All of it belongs to ARENA. 0 or -1.
 */
int registry_manifest(struct registry *registry, const char *what, struct registry_manifest *manifest,
                      struct arena *arena, struct err *err);

struct registry_blob {
    const char *digest; /* "sha256:...", "sha512:..." */
    uint64_t size;      /* as the manifest says */
    const char *name;   /* of the file, without a slash; equal digests have equal names */
    int fd;             /* result: open for reading, the caller's to close; -1: not there */
};

/*
 * Is told how many bytes of BLOBS[INDEX] are there: at its start, at most ten times a second,
 * when it must begin anew, at its end. From several threads, one at a time. Not 0: give up.
 */
struct registry_progress {
    int (*report)(void *opaque, size_t index, uint64_t bytes);
    /* Is told that BLOBS[INDEX] is whole and its fd open; not of a blob that is there twice, again. NULL:
     * not. */
    void (*arrived)(void *opaque, size_t index);
    void *opaque;
};

/*
 * Fetches COUNT blobs into files of DIRECTORY. All are there and verified, or -1, ERR says
 * what was first, and every fd is -1.
 *
 * A blob grows in NAME.partial and becomes NAME when size and digest of all its bytes are
 * right. A NAME.partial from before is continued. What turns out wrong is removed. A NAME
 * that is there is verified and taken, or replaced. Where another process has locked
 * NAME.partial, or the file system has no locks, the file is NAME.partial-RANDOM, which
 * nobody continues and which is removed on failure. Nothing is forced to the disk: who
 * reads a NAME later verifies its digest again.
 */
int registry_blobs(struct registry *registry, struct registry_blob *blobs, size_t count, int directory,
                   const struct registry_progress *progress, struct err *err);

/* From another thread: registry_blobs() gives up, with an error. What it has of blobs stays. */
void registry_stop(struct registry *registry);

#endif
