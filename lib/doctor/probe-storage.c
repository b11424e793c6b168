/* Places, and mounts of automounters. A file system whose server is gone hangs: a child looks. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "cache/name.h"
#include "config/config.h"
#include "doctor/probe.h"

/* linux/magic.h, and of file systems that are not in the kernel their own headers. */
static int is_network(long type)
{
    static const unsigned known[] = {0x6969 /* nfs */,       0x0BD00BD0 /* lustre */,
                                     0x47504653 /* gpfs */,  0xFF534D42 /* cifs */,
                                     0xFE534D42 /* smb2 */,  0x5346414F /* afs */,
                                     0x00C36400 /* ceph */,  0x19830326 /* beegfs */,
                                     0x013111A8 /* ibrix */, 0xAAD7AAEA /* panfs */};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if ((unsigned)type == known[i])
            return 1;
    return 0;
}

/* A file without a name, with something in it; where there are none, what access(2) says. */
static int try_writing(int dir)
{
    static const char bytes[4096];
    FD_CLEANUP int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0)
        return fd_write_all(fd, bytes, sizeof(bytes)) < 0 ? errno : 0;
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
        return errno;
    return faccessat(dir, ".", W_OK | X_OK, 0) < 0 ? errno : 0;
}

static void look(struct doctor_place *place)
{
    FD_CLEANUP int dir = -1;
    struct statvfs fs;
    struct statfs kind;

    if (!*place->path)
        return;
    dir = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        place->open = errno;
        return;
    }
    if (fstatvfs(dir, &fs) == 0) {
        place->is_noexec = (fs.f_flag & ST_NOEXEC) != 0;
        place->free = (uint64_t)fs.f_bavail * fs.f_frsize;
        place->size = (uint64_t)fs.f_blocks * fs.f_frsize;
    }
    place->is_network = fstatfs(dir, &kind) == 0 && is_network((long)kind.f_type);
    place->write = try_writing(dir);
    place->open = 0;
}

static void look_scratch(struct doctor_facts *facts)
{
    look(&facts->storage.scratch);
}

static void look_tmp(struct doctor_facts *facts)
{
    look(&facts->storage.tmp);
}

static void look_memory(struct doctor_facts *facts)
{
    look(&facts->storage.memory);
}

/* Of the cache, or of the directory in which it would be made. */
static void look_cache(struct doctor_facts *facts)
{
    struct doctor_place *place = &facts->storage.cache;
    char *slash;

    for (;;) {
        look(place);
        slash = strrchr(place->path, '/');
        if (place->open != ENOENT || !slash || slash == place->path)
            return;
        *slash = 0;
    }
}

static void set_path(char path[DOCTOR_PATH], const char *text)
{
    snprintf(path, DOCTOR_PATH, "%s", text && strlen(text) < DOCTOR_PATH ? text : "");
}

/* proc(5), mountinfo: what stands before " - " are optional fields, of which shared:N is one. */
static void count_autofs(struct doctor_storage *found)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen("/proc/self/mountinfo", "re");

    while (file && getline(&line, &room, file) > 0) {
        const char *type = strstr(line, " - ");

        if (!type || strncmp(type, " - autofs ", 10) != 0)
            continue;
        found->autofs++;
        found->autofs_private += !strstr(line, " shared:") || strstr(line, " shared:") > type;
    }
    free(line);
    if (file)
        fclose(file);
}

/* As a launch finds it: bin/launch-options.c, bin/image-names.c. */
static void find_cache(struct doctor_facts *facts, char *const environment[], struct arena *arena)
{
    struct doctor_storage *found = &facts->storage;
    const char *path = env_find(environment, "CORACLE_CACHE"), *problem = NULL, *origin = "CORACLE_CACHE";
    struct config config;
    struct err err;

    if (path && *path) {
        problem = *path == '/' ? NULL
                               : arena_printf(arena, "%s: %s must be an absolute path", origin,
                                              str_quote(arena, path));
    } else {
        path = origin = NULL;
        /* What is wrong with all of it is found by probe_record(). */
        if (config_load(&config, environment, arena, &err) == 0) {
            path = config.cache.value;
            origin = config.cache.origin;
            problem = config.cache_problem;
        }
    }
    set_path(found->cache_path, problem ? NULL : cache_directory(path, environment, arena));
    set_path(found->cache_origin, origin);
    snprintf(found->cache_problem, sizeof(found->cache_problem), "%s", problem ? problem : "");
}

void probe_storage(struct doctor_facts *facts, char *const environment[], struct arena *arena)
{
    struct doctor_storage *found = &facts->storage;

    /* Where configuration files hang nobody can say more. */
    set_path(found->cache_path, cache_directory(NULL, environment, arena));
    doctor_child_of(find_cache, facts, environment, arena);
    set_path(found->cache.path, found->cache_path);
    set_path(found->scratch.path, env_find(environment, "TMPDIR"));
    set_path(found->tmp.path, "/tmp");
    set_path(found->memory.path, "/dev/shm");
    found->scratch.open = found->tmp.open = found->memory.open = found->cache.open = ETIMEDOUT;
    doctor_child(look_scratch, facts);
    doctor_child(look_tmp, facts);
    doctor_child(look_memory, facts);
    doctor_child(look_cache, facts);
    count_autofs(found);
}
