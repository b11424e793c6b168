/* Where things are kept on this node: scratch, /tmp, memory, the cache; what is mounted later. */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "doctor/verdicts.h"

static const char section[] = "storage";

/* Less than this is hardly enough for an image. */
static const uint64_t little = 1ull << 30;

static int is_fit(const struct doctor_place *place)
{
    return *place->path && place->open == 0 && place->write == 0 && !place->is_noexec;
}

/* What PLACE is, in words. */
static const char *describe(struct arena *arena, const struct doctor_place *place)
{
    const char *path = str_quote(arena, place->path);

    if (place->open)
        return arena_printf(arena, "%s: %s", path, err_reason(place->open));
    if (place->write)
        return arena_printf(arena, "%s cannot be written to: %s", path, err_reason(place->write));
    return arena_printf(arena, "%s has %s of %s free%s%s", path, doctor_size(arena, place->free),
                        doctor_size(arena, place->size),
                        place->is_noexec ? ", and nothing can be executed there (noexec)" : "",
                        place->is_network ? ", over the network" : "");
}

static void judge_scratch(const struct doctor_place *place, struct doctor_findings *findings)
{
    struct doctor_finding finding = {.section = section, .name = "TMPDIR"};

    if (!*place->path)
        return;
    finding.what = describe(findings->arena, place);
    if (place->open || place->write) {
        finding.verdict = DOCTOR_WARN;
        finding.consequence = "what uses TMPDIR fails, inside as outside";
        finding.remedy = "name a directory of this node in TMPDIR; under Slurm the site sets it for each job";
        finding.by = "user";
    } else if (place->is_network) {
        finding.verdict = DOCTOR_SLOW;
        finding.consequence = "temporary files, and images that have to be unpacked, go over the network";
        finding.remedy = "name a directory of this node in TMPDIR";
        finding.by = "user";
    }
    doctor_add(findings, finding);
}

static void judge_tmp(const struct doctor_place *place, struct doctor_findings *findings)
{
    struct doctor_finding finding = {
        .section = section, .name = "/tmp", .what = describe(findings->arena, place)};

    if (place->open || place->write) {
        finding.verdict = DOCTOR_WARN;
        finding.consequence = "many programs fail without it, inside as outside";
        finding.remedy = "the site can mount one there; --tmpfs /tmp gives a launch its own";
        finding.by = "site";
    }
    doctor_add(findings, finding);
}

static void judge_memory(const struct doctor_place *place, struct doctor_findings *findings)
{
    struct doctor_finding finding = {
        .section = section, .name = "/dev/shm", .what = describe(findings->arena, place)};

    if (place->open || place->write) {
        finding.verdict = DOCTOR_WARN;
        finding.consequence = "MPI and Python's multiprocessing get no shared memory";
        finding.remedy = "the site can mount a tmpfs there, mode 1777";
        finding.by = "site";
    } else if (place->size < little / 8) {
        finding.verdict = DOCTOR_WARN;
        finding.consequence =
            "MPI with many ranks, or large batches of a data loader, run out of shared memory";
        finding.remedy =
            "the site can make it larger (docker: --shm-size; Kubernetes: an emptyDir of medium Memory)";
        finding.by = "site";
    }
    doctor_add(findings, finding);
}

/* Of the places that a launch tries where it has to unpack an image, whether one will do. */
static void judge_unpacking(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_storage *found = &facts->storage;
    const struct doctor_place *places[] = {&found->scratch, &found->tmp, &found->memory};
    struct doctor_finding finding = {.section = section, .name = "unpacking"};
    const int is_needed = facts->fuse.mount != 0;

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (!is_fit(places[i]))
            continue;
        finding.what = arena_printf(findings->arena, "an image can be unpacked to %s",
                                    str_quote(findings->arena, places[i]->path));
        if (places[i]->free < little) {
            finding.verdict = is_needed ? DOCTOR_WARN : DOCTOR_NOTE;
            finding.consequence = "there is little room for an image that has to be unpacked";
            finding.what = describe(findings->arena, places[i]);
            finding.remedy = "name another place: --unpack=DIRECTORY, or TMPDIR";
            finding.by = "user";
        }
        doctor_add(findings, finding);
        return;
    }
    finding.verdict = is_needed ? DOCTOR_WARN : DOCTOR_NOTE;
    finding.consequence = is_needed ? "SquashFS images do not run" : "--unpack needs a directory";
    finding.what =
        "there is no directory of this node that can be written to and executed from: TMPDIR, /tmp "
        "and /dev/shm";
    finding.remedy = "name one: --unpack=DIRECTORY, or CORACLE_UNPACK";
    finding.by = "user";
    doctor_add(findings, finding);
}

/* The cache, and who named it: nobody needs to be told of the usual place. */
static const char *name_cache(const struct doctor_storage *found, struct arena *arena)
{
    const char *path = str_quote(arena, found->cache_path);

    return *found->cache_origin ? arena_printf(arena, "%s (%s)", path, found->cache_origin) : path;
}

static void judge_cache(const struct doctor_storage *found, struct doctor_findings *findings)
{
    const struct doctor_place *place = &found->cache;
    const char *cache = name_cache(found, findings->arena);
    struct doctor_finding finding = {.section = section, .name = "cache", .verdict = DOCTOR_WARN};

    finding.consequence = "images cannot be named, only given as paths";
    finding.remedy = "name a directory: --cache DIR, or CORACLE_CACHE";
    finding.by = "user";
    if (*found->cache_problem) {
        finding.what = found->cache_problem;
        if (strcmp(found->cache_origin, "CORACLE_CACHE") == 0) {
            finding.verdict = DOCTOR_FAIL;
            finding.consequence = "nothing runs here";
            finding.remedy = "let CORACLE_CACHE name a directory, or unset it";
        }
    } else if (!*found->cache_path) {
        finding.what = "neither HOME nor XDG_CACHE_HOME is set";
    } else if (place->open || place->write) {
        finding.what = arena_printf(findings->arena, "the cache %s cannot be made or written to: %s", cache,
                                    err_reason(place->open ? place->open : place->write));
    } else if (place->free < little) {
        finding.consequence = "there is little room for images";
        finding.what = arena_printf(findings->arena, "the cache %s has %s free", cache,
                                    doctor_size(findings->arena, place->free));
        finding.remedy = "coracle rm makes room; --cache DIR names another directory";
    } else {
        finding = (struct doctor_finding){.section = section, .name = "cache"};
        finding.what =
            arena_printf(findings->arena, "%s has %s free", cache, doctor_size(findings->arena, place->free));
    }
    doctor_add(findings, finding);
}

/* mount_namespaces(7): only a shared mount passes on to a namespace made of it what is mounted later. */
static void judge_autofs(const struct doctor_storage *found, struct doctor_findings *findings)
{
    struct doctor_finding finding = {.section = section, .name = "autofs"};

    if (!found->autofs)
        return;
    if (!found->autofs_private) {
        finding.what =
            arena_printf(findings->arena, "%d mounts of an automounter, all shared", found->autofs);
    } else {
        finding.verdict = DOCTOR_WARN;
        finding.consequence =
            "what is mounted while a container runs is not seen in it, and its directory says "
            "ELOOP (too many levels of symbolic links)";
        finding.what = arena_printf(findings->arena, "%d of %d mounts of an automounter are private",
                                    found->autofs_private, found->autofs);
        finding.remedy = "look into the directory before the launch; the site can: mount --make-rshared /";
        finding.by = "site";
    }
    doctor_add(findings, finding);
}

void judge_storage(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    judge_scratch(&facts->storage.scratch, findings);
    judge_tmp(&facts->storage.tmp, findings);
    judge_memory(&facts->storage.memory, findings);
    judge_unpacking(facts, findings);
    judge_cache(&facts->storage, findings);
    judge_autofs(&facts->storage, findings);
}
