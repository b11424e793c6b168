/*
 * platform - operating system, architecture and variant of it, and which of an image's
 * platforms a host takes.
 *
 * Sources: OCI image-spec 1.1, image-index.md; Go's names of architectures; the rules are
 * those of containerd's platforms package, but for its last resorts: a host of amd64 is not
 * given 386, nor one of arm64 arm, unless --platform says so. Kernels and processors that
 * cannot run these are common.
 *
 * Names are normalised: x86_64 is amd64, aarch64 arm64, i386 386, armhf arm/v7, armel
 * arm/v6; arm alone is arm/v7, amd64/v1 is amd64, arm64/v8 is arm64.
 *
 * - amd64 with vN takes amd64/vN and below, the highest first; without, v1.
 * - arm with vN the same, down to v5: v8 takes v8, v7, v6, v5.
 * - arm64 with v8.N takes v8.N and below; v9.N also v8.M up to M = N + 5.
 * - others take their own variant only.
 */
#ifndef CORACLE_OCI_PLATFORM_H
#define CORACLE_OCI_PLATFORM_H

#include "base/arena.h"
#include "base/err.h"

struct oci_platform {
    const char *os, *architecture;
    const char *variant; /* "": none */
};

/* Normalised. Strings belong to ARENA or are those given; VARIANT may be NULL. */
struct oci_platform oci_platform_make(const char *os, const char *architecture, const char *variant,
                                      struct arena *arena);

/*
 * What a user writes: OS/ARCHITECTURE[/VARIANT], or an architecture alone for linux. 0, or
 * -1 and ERR is ID.
 */
int oci_platform_parse(struct oci_platform *platform, const char *text, struct arena *arena, enum err_id id,
                       struct err *err);

/*
 * The platform of a host whose uname(2) says MACHINE ("x86_64", "armv7l"). LEVEL is what an
 * x86_64 processor can do, 1 to 4 (x86-64-v3: 3); 0 where it is not known.
 */
struct oci_platform oci_platform_of_machine(const char *machine, int level, struct arena *arena);

/* How well OFFERED suits a host that is WANTED: 0: not at all; of several the greatest is best. */
int oci_platform_rank(const struct oci_platform *wanted, const struct oci_platform *offered);

/* 0 where they are the same; else which comes first. */
int oci_platform_compare(const struct oci_platform *a, const struct oci_platform *b);

/* "linux/arm/v7", quoted for messages where it is not plain. */
const char *oci_platform_text(const struct oci_platform *platform, struct arena *arena);

#endif
