#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "stage.h"

enum { FILE_LIMIT = 64 << 20, MOST_ARGUMENTS = 40 };

/* Where in the environment it stands how launches share. */
enum { STAGE_SHARE = 5 };

/* Where the record may lie, the first choice first; the others where a fault bars it. */
static const char record_place[] = "/tmp/run";
static const char *const other_places[] = {"/tmp/coracle-", "/dev/shm/coracle-"}; /* and the uid */

enum { OTHER_PLACES = sizeof other_places / sizeof other_places[0] };

/* fd_arrange() leaves but these, also where there is no close_range(2). */
static const int standard[] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};

struct program {
    char *bytes;
    size_t length;
};

static void __attribute__((noreturn)) bail_out(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

void stage_no_memory(void)
{
    bail_out("memory");
}

/* --- what is there --- */

static int order_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in FOLDER, sorted, and their number. */
static char **list_names(const char *folder, struct arena *arena, size_t *count)
{
    char **names = NULL;
    size_t room = 0;
    struct dirent *entry;
    DIR *dir = opendir(folder);

    *count = 0;
    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        names = arena_grow(arena, names, *count, &room, sizeof *names);
        names[(*count)++] = arena_strdup(arena, entry->d_name);
    }
    if (dir)
        closedir(dir);
    if (*count)
        qsort(names, *count, sizeof *names, order_names);
    return names;
}

static char *other_place(int which, struct arena *arena)
{
    return arena_printf(arena, "%s%u", other_places[which], (unsigned)getuid());
}

static int is_record_place(const char *path, struct arena *arena)
{
    for (int i = 0; i < OTHER_PLACES; i++)
        if (strcmp(path, other_place(i, arena)) == 0)
            return 1;
    return strcmp(path, record_place) == 0;
}

static void describe(const char *path, const struct stat *st, struct str *out)
{
    str_addf(out, "%s %o %u:%u %lld %lld.%ld\n", path, (unsigned)st->st_mode, (unsigned)st->st_uid,
             (unsigned)st->st_gid, S_ISDIR(st->st_mode) ? 0LL : (long long)st->st_size,
             (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

/* A line in OUT for each file in FOLDER and below but the record's places; returns how many. */
static int list_tree(const char *folder, struct arena *arena, struct str *out)
{
    size_t count;
    char **names = list_names(folder, arena, &count);
    int entries = 0;

    for (size_t i = 0; i < count; i++) {
        char *path = arena_join(arena, folder, "/", names[i], NULL);
        struct stat st;

        if (lstat(path, &st) < 0 || is_record_place(path, arena))
            continue;
        entries++;
        describe(path, &st, out);
        if (S_ISDIR(st.st_mode))
            entries += list_tree(path, arena, out);
    }
    return entries;
}

/* The lines of a file of /proc, those alone that hold PART (NULL: all). */
static void list_lines(const char *path, const char *part, struct arena *arena, struct str *out)
{
    size_t length;
    FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = fd < 0 ? NULL : fd_read_all(fd, FILE_LIMIT, arena, &length);

    if (!text)
        bail_out(path);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (!part || strstr(line, part))
            str_addf(out, "%s\n", line);
}

const char *stage_world(struct arena *arena)
{
    struct str out = {.arena = arena};
    const char *sockets = arena_printf(arena, "@coracle/%u/", (unsigned)getuid());

    list_lines("/proc/self/mountinfo", NULL, arena, &out);
    list_lines("/proc/net/unix", sockets, arena, &out);
    list_tree("/tmp", arena, &out);
    list_tree("/dev/shm", arena, &out);
    return str_text(&out);
}

int stage_record_entries(void)
{
    struct arena arena;
    struct str out = {.arena = &arena};
    int entries;

    arena_init(&arena, stage_no_memory);
    entries = list_tree(record_place, &arena, &out);
    arena_free(&arena);
    return entries;
}

/* Notes the files that the first launch left, which are two folders deep. */
static void find_record(struct stage *stage)
{
    size_t places, files;
    char **place = list_names(record_place, &stage->arena, &places);
    char *folder = places ? arena_join(&stage->arena, record_place, "/", place[0], NULL) : NULL;
    char **names = folder ? list_names(folder, &stage->arena, &files) : NULL;

    errno = ENOENT;
    if (!names || !files || files > STAGE_RECORD_FILES)
        bail_out("the node's record");
    for (size_t i = 0; i < files; i++)
        stage->record[i] = arena_join(&stage->arena, folder, "/", names[i], NULL);
    stage->record_entries = stage_record_entries();
}

static int is_record(const struct stage *stage, const char *path)
{
    for (int i = 0; stage->record[i]; i++)
        if (strcmp(stage->record[i], path) == 0)
            return 1;
    return 0;
}

void stage_age_leftovers(const struct stage *stage)
{
    const struct timespec past = {.tv_sec = time(NULL) - 3600};
    const struct timespec times[2] = {past, past};
    struct arena arena;
    char **names;
    char *folder;
    size_t count;

    arena_init(&arena, stage_no_memory);
    folder =
        arena_strndup(&arena, stage->record[0], (size_t)(path_basename(stage->record[0]) - stage->record[0]));
    names = list_names(folder, &arena, &count);
    for (size_t i = 0; i < count; i++) {
        char *path = arena_join(&arena, folder, names[i], NULL);

        if (!is_record(stage, path))
            utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
    }
    arena_free(&arena);
}

/* --- making it --- */

static void write_file(const char *path, int flags, mode_t mode, const void *bytes, size_t length)
{
    FD_CLEANUP int fd = open(path, O_WRONLY | O_CLOEXEC | flags, mode);

    if (fd < 0 || fd_write_all(fd, bytes, length) < 0)
        bail_out(path);
}

static void write_line(const char *path, const char *text)
{
    write_file(path, 0, 0, text, strlen(text));
}

static void make_folder(const char *path)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        bail_out(path);
}

static struct program read_program(const char *path, struct arena *arena)
{
    struct program program;

    program.bytes = fd_read_file(AT_FDCWD, path, 0, FILE_LIMIT, arena, &program.length);
    if (!program.bytes)
        bail_out(path);
    return program;
}

static void write_program(const char *path, const struct program *program)
{
    write_file(path, O_CREAT | O_EXCL, 0700, program->bytes, program->length);
}

/* Names that end with a slash are folders, others empty files. */
static void make_image(const char *image, const char *const *names, const struct program *payload,
                       struct arena *arena)
{
    make_folder(image);
    for (; *names; names++) {
        char *path = arena_join(arena, image, "/", *names, NULL);

        if ((*names)[strlen(*names) - 1] == '/')
            make_folder(path);
        else
            write_file(path, O_CREAT | O_EXCL, 0600, "", 0);
    }
    write_line(arena_join(arena, image, "/image-marker", NULL), path_basename(image));
    write_program(arena_join(arena, image, "/bin/payload", NULL), payload);
}

static void make_images(const struct program *payload, struct arena *arena)
{
    static const char *const bare[] = {"bin/", "image-marker", NULL};
    static const char *const full[] = {
        "bin/",      "image-marker", "proc/",           "sys/", "dev/", "tmp/", "run/", "etc/", "etc/group",
        "etc/hosts", "etc/passwd",   "etc/resolv.conf", NULL,
    };

    make_image("/tmp/bare", bare, payload, arena);
    make_image("/tmp/full", full, payload, arena);
}

/* Makes a SquashFS of the directory IMAGE beside it. 0 or -1. */
static int pack(const char *image, struct arena *arena)
{
    char *argv[] = {arena_strdup(arena, "mksquashfs"),           arena_strdup(arena, image),
                    arena_join(arena, image, ".squashfs", NULL), arena_strdup(arena, "-noappend"),
                    arena_strdup(arena, "-no-progress"),         NULL};
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && status == 0 ? 0 : -1;
}

/* Both images as files; why not, or NULL. */
static const char *make_served_images(int has_server, struct arena *arena)
{
    if (!has_server)
        return "coracle-fuse was not built";
    if (access("/dev/fuse", R_OK | W_OK) < 0)
        return "/dev/fuse is missing or closed to us";
    return pack("/tmp/bare", arena) < 0 || pack("/tmp/full", arena) < 0 ? "needs the program mksquashfs"
                                                                        : NULL;
}

/* Namespaces in which we stay who we are, and may mount. */
static void enter_namespaces(struct arena *arena)
{
    char *uid_map = arena_printf(arena, "%u %u 1", (unsigned)getuid(), (unsigned)getuid());
    char *gid_map = arena_printf(arena, "%u %u 1", (unsigned)getgid(), (unsigned)getgid());

    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
        puts("1..0 # SKIP needs user namespaces");
        exit(EXIT_SUCCESS);
    }
    /* Where it can be had: sockets of this user's other launches are then out of sight. */
    unshare(CLONE_NEWNET);
    write_line("/proc/self/setgroups", "deny");
    write_line("/proc/self/uid_map", uid_map);
    write_line("/proc/self/gid_map", gid_map);
    if (mount("none", "/tmp", "tmpfs", 0, NULL) < 0 || mount("none", "/dev/shm", "tmpfs", 0, NULL) < 0)
        bail_out("tmpfs");
}

/* Copies of the programs, since they may lie in the /tmp that goes; what it starts stands beside coracle. */
static void make_programs(struct stage *stage, const char *coracle, const char *payload)
{
    static const char *const suffixes[] = {"", "-record", "-broker", "-fuse"};
    enum { COUNT = sizeof suffixes / sizeof suffixes[0] };
    struct program programs[COUNT] = {{NULL, 0}}, command = read_program(payload, &stage->arena);

    for (int i = 0; i < COUNT; i++) {
        char *path = arena_join(&stage->arena, coracle, suffixes[i], NULL);

        if (i == 0 || access(path, R_OK) == 0)
            programs[i] = read_program(path, &stage->arena);
    }
    enter_namespaces(&stage->arena);
    make_folder("/tmp/program");
    stage->coracle = arena_strdup(&stage->arena, "/tmp/program/coracle");
    for (int i = 0; i < COUNT; i++)
        if (programs[i].bytes)
            write_program(arena_join(&stage->arena, stage->coracle, suffixes[i], NULL), &programs[i]);
    make_images(&command, &stage->arena);
    stage->cannot_serve = make_served_images(programs[COUNT - 1].bytes != NULL, &stage->arena);
}

void stage_share(struct stage *stage, const char *share, int linger)
{
    int at = STAGE_SHARE;

    stage->environment[at++] = arena_printf(&stage->arena, "CORACLE_SHARE=%s", share);
    stage->environment[at] = arena_printf(&stage->arena, "CORACLE_LINGER=%d", linger);
}

static void make_surroundings(struct stage *stage)
{
    static const char *const variables[STAGE_SHARE] = {"PATH=/bin", "HOME=/tmp/home", "TMPDIR=/tmp/temporary",
                                                       "XDG_RUNTIME_DIR=/tmp/run",
                                                       "ASAN_OPTIONS=detect_leaks=0"};
    static const char *const folders[] = {"/tmp/home", "/tmp/temporary", "/tmp/run", "/tmp/work",
                                          "/tmp/source"};

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        make_folder(folders[i]);
    for (size_t i = 0; i < STAGE_SHARE; i++)
        stage->environment[i] = arena_strdup(&stage->arena, variables[i]);
    stage_share(stage, "none", 0);
    write_file("/tmp/source/file", O_CREAT | O_EXCL, 0600, "", 0);
    if (chdir("/tmp/work") < 0)
        bail_out("/tmp/work");
}

void stage_make(struct stage *stage)
{
    const struct fault none = {.kind = FAULT_NONE};
    const char *name = getenv("CORACLE");
    struct outcome outcome;
    char coracle[PATH_MAX], payload[PATH_MAX];

    memset(stage, 0, sizeof *stage);
    arena_init(&stage->arena, stage_no_memory);
    /* The payload takes any descriptor for one that a launch let slip. */
    if (fd_arrange(standard, 3) < 0)
        bail_out("the standard descriptors");
    if (!realpath(name ? name : "bin/coracle", coracle))
        bail_out(name ? name : "bin/coracle");
    if (!realpath("test/fault/payload", payload))
        bail_out("test/fault/payload");
    make_programs(stage, coracle, payload);
    make_surroundings(stage);
    stage_launch(stage, &scenarios[0], &none, &outcome);
    if (outcome.status != 0) {
        printf("Bail out! without a fault a launch gives status 0x%x: %s\n", (unsigned)outcome.status,
               outcome.output);
        exit(EXIT_FAILURE);
    }
    find_record(stage);
}

/* --- launching --- */

/* Only what a complete run leaves: what a killed one left beside it is for the next to clear. */
static void forget_record(const struct stage *stage, struct arena *arena)
{
    for (int i = 0; stage->record[i]; i++)
        unlink(stage->record[i]);
    for (int i = 0; i < OTHER_PLACES; i++) {
        char *place = other_place(i, arena);
        size_t count;
        char **names = list_names(place, arena, &count);

        for (size_t j = 0; j < count; j++)
            unlink(arena_join(arena, place, "/", names[j], NULL));
        rmdir(place);
    }
}

static void fill_arguments(const struct stage *stage, const struct scenario *scenario,
                           char *argv[MOST_ARGUMENTS], struct arena *arena)
{
    int argc = 0;

    argv[argc++] = stage->coracle;
    argv[argc++] = arena_strdup(arena, "run");
    for (int i = 0; scenario->options[i]; i++)
        argv[argc++] = arena_strdup(arena, scenario->options[i]);
    argv[argc++] = arena_join(arena, "/tmp/", scenario->image, scenario->is_served ? ".squashfs" : "", NULL);
    argv[argc++] = arena_strdup(arena, "payload");
    for (int i = 0; scenario->checks[i]; i++)
        argv[argc++] = arena_strdup(arena, scenario->checks[i]);
    argv[argc] = NULL;
}

pid_t stage_start(const struct stage *stage, const struct scenario *scenario, int input, int output)
{
    struct arena arena;
    char *argv[MOST_ARGUMENTS];
    pid_t pid;

    arena_init(&arena, stage_no_memory);
    fill_arguments(stage, scenario, argv, &arena);
    pid = fork();
    if (pid == 0) {
        if (input >= 0)
            dup2(input, STDIN_FILENO);
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        if (fd_arrange(standard, 3) < 0)
            _exit(98);
        execve(argv[0], argv, stage->environment);
        _exit(98);
    }
    arena_free(&arena);
    if (pid < 0)
        bail_out("fork");
    return pid;
}

void stage_launch(struct stage *stage, const struct scenario *scenario, const struct fault *fault,
                  struct outcome *outcome)
{
    struct arena arena;
    char *argv[MOST_ARGUMENTS];

    arena_init(&arena, stage_no_memory);
    fill_arguments(stage, scenario, argv, &arena);
    if (scenario->is_cold)
        forget_record(stage, &arena);
    if (traced_launch(argv, stage->environment, fault, outcome) < 0)
        bail_out("the harness");
    arena_free(&arena);
}

int stage_is_long(void)
{
    const char *value = getenv("CORACLE_TEST_LONG");

    return value && strcmp(value, "1") == 0;
}

int stage_is_sanitized(const struct stage *stage)
{
    static const char mark[] = "__asan_init";
    struct arena arena;
    struct program program;
    int found;

    arena_init(&arena, stage_no_memory);
    program = read_program(stage->coracle, &arena);
    found = memmem(program.bytes, program.length, mark, sizeof mark - 1) != NULL;
    arena_free(&arena);
    return found;
}

int stage_is_one_error(const char *output)
{
    static const char start[] = "coracle: error: ";
    size_t length = strlen(output);

    return strncmp(output, start, sizeof start - 1) == 0 && strchr(output, '\n') == output + length - 1 &&
           output[length - 2] == ']' && strstr(output, " [");
}
