#include "host/slurm-conf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

/* Of a package, of slurmd where the configuration comes from slurmctld, and of older Debian. */
static const char *const usual_files[] = {
    "/etc/slurm/slurm.conf",
    "/run/slurm/conf/slurm.conf",
    "/etc/slurm-llnl/slurm.conf",
};
enum { USUAL_FILES = sizeof(usual_files) / sizeof(usual_files[0]) };

struct reading {
    struct slurm_conf *conf;
    struct arena *arena;
    size_t left; /* bytes that may still be read */
    int depth;
};

static void read_file(struct reading *reading, int fd, const char *directory);

int slurm_conf_is_usual(const char *path)
{
    return strcmp(path, usual_files[0]) == 0;
}

/* The value of OPTION in a list as AuthInfo is: "NAME=VALUE,NAME=VALUE"; NULL where it is not in it. */
static char *option_of(struct arena *arena, const char *list, const char *option)
{
    const size_t n = strlen(option);

    for (; *list; list += strcspn(list, ","), list += *list == ',')
        if (strncasecmp(list, option, n) == 0 && list[n] == '=')
            return arena_strndup(arena, list + n + 1, strcspn(list + n + 1, ","));
    return NULL;
}

static void take_pair(struct reading *reading, const char *key, const char *value)
{
    struct slurm_conf *conf = reading->conf;
    const char *socket;

    if (strcasecmp(key, "SlurmUser") == 0) {
        conf->user = arena_strndup(reading->arena, value, strcspn(value, "("));
    } else if (strcasecmp(key, "AuthType") == 0) {
        conf->auth_type = value;
    } else if (strcasecmp(key, "AuthInfo") == 0) {
        socket = option_of(reading->arena, value, "socket");
        conf->auth_socket = socket && *socket == '/' ? socket : NULL;
    }
}

/* Ends the word at AT, which may be quoted, and returns what follows it. */
static char *end_word(char **at)
{
    char *end;

    if (**at == '"') {
        ++*at;
        end = *at + strcspn(*at, "\"");
    } else {
        end = *at + strcspn(*at, " \t");
    }
    if (*end)
        *end++ = 0;
    return end;
}

/* A FIFO that somebody put there would be waited for. */
static int open_file(const char *path)
{
    FD_CLEANUP int fd = openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    return fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ? -1 : fd_steal(&fd);
}

static void include(struct reading *reading, char *name, const char *directory)
{
    FD_CLEANUP int fd = -1;

    end_word(&name);
    if (*name && reading->depth < SLURM_CONF_DEPTH)
        fd = open_file(path_join(reading->arena, directory, name));
    if (fd < 0)
        return;
    reading->depth++;
    read_file(reading, fd, directory);
    reading->depth--;
}

/* "Key=Value Key=Value" or "Include FILE". */
static void take_line(struct reading *reading, char *line, const char *directory)
{
    line += strspn(line, " \t");
    if (strncasecmp(line, "include", 7) == 0 && (line[7] == ' ' || line[7] == '\t')) {
        include(reading, line + 7 + strspn(line + 7, " \t"), directory);
        return;
    }
    while (*line) {
        char *key = line, *value, *next;
        const size_t length = strcspn(line, "= \t");

        if (line[length] != '=') {
            line += length;
            line += strspn(line, "= \t");
            continue;
        }
        value = line + length + 1;
        line[length] = 0;
        next = end_word(&value);
        take_pair(reading, key, value);
        line = next + strspn(next, " \t");
    }
}

/* Joins a line that ends in a backslash with the next one and cuts comments, in place. */
static void prepare(char *text)
{
    char *to = text;

    for (char *from = text; *from; from++) {
        if (from[0] == '\\' && (from[1] == '\n' || from[1] == '#')) {
            from++;
            *to++ = *from == '#' ? '#' : ' ';
            continue;
        }
        if (*from == '#')
            from += strcspn(from, "\n");
        if (!*from)
            break;
        *to++ = *from == '\r' ? ' ' : *from;
    }
    *to = 0;
}

static char *text_of(struct reading *reading, int fd)
{
    struct str text = {.arena = reading->arena};
    char piece[8192];
    ssize_t n;

    while ((n = read(fd, piece, sizeof(piece))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || (size_t)n > reading->left)
            return NULL;
        reading->left -= (size_t)n;
        str_add_bytes(&text, piece, (size_t)n);
    }
    return text.data;
}

static void read_file(struct reading *reading, int fd, const char *directory)
{
    char *text = text_of(reading, fd);

    if (!text)
        return;
    prepare(text);
    while (*text) {
        char *line = text;
        const size_t length = strcspn(text, "\n");

        text += length + (text[length] == '\n');
        line[length] = 0;
        take_line(reading, line, directory);
    }
}

int slurm_conf_read(struct slurm_conf *conf, const char *named, struct arena *arena)
{
    struct reading reading = {.conf = conf, .arena = arena, .left = SLURM_CONF_LIMIT};
    FD_CLEANUP int fd = named ? open_file(named) : -1;

    *conf = (struct slurm_conf){.path = named, .user = "root", .auth_type = "auth/munge"};
    for (size_t i = 0; !named && fd < 0 && i < USUAL_FILES; i++) {
        conf->path = usual_files[i];
        fd = open_file(usual_files[i]);
    }
    if (fd < 0) {
        conf->path = "";
        return -1;
    }
    read_file(&reading, fd, path_parent(arena, conf->path));
    return 0;
}
