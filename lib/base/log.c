#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/env.h"
#include "base/str.h"

enum { PREFIX = 128 };

static enum log_level log_level = LOG_WARNINGS;

static struct {
    void (*before)(void *opaque);
    void (*after)(void *opaque);
    void *opaque;
} around;

void log_set_level(enum log_level level)
{
    log_level = level;
}

void log_set_around(void (*before)(void *opaque), void (*after)(void *opaque), void *opaque)
{
    around.before = before;
    around.after = after;
    around.opaque = opaque;
}

/* Looked up when there is something to say: most launches say nothing. */
static char *const *environment_of_job;

void log_name_node(char *const environment[])
{
    environment_of_job = environment;
}

/* Set by schedulers and MPI launchers. */
static int is_of_job(char *const environment[])
{
    static const char *const names[] = {"SLURM_JOB_ID", "PMIX_RANK", "OMPI_COMM_WORLD_RANK",
                                        "PMI_RANK",     "PALS_APID", "FLUX_JOB_ID",
                                        "LSB_JOBID",    "PBS_JOBID"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (env_find(environment, names[i]))
            return 1;
    return 0;
}

static int is_host_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

    return name && *name && !name[strspn(name, letters)];
}

/* PREFIX with the node behind it, at most ROOM bytes at TEXT; PREFIX itself where no node is to be named. */
static const char *with_node(const char *prefix, char *text, size_t room)
{
    struct utsname system;
    const char *name;

    if (!environment_of_job || !is_of_job(environment_of_job))
        return prefix;
    name = env_find(environment_of_job, "SLURMD_NODENAME");
    if (!is_host_name(name))
        name = uname(&system) == 0 ? system.nodename : NULL;
    snprintf(text, room, "%son %.64s: ", prefix, is_host_name(name) ? name : "a node without a name");
    return text;
}

int log_enabled(enum log_level level)
{
    return level <= log_level;
}

/* Appends the byte(s) of one character to LINE, made harmless; returns how many bytes of TEXT it used. */
static size_t add_clean(char *line, size_t *used, const char *text, size_t left)
{
    size_t n = str_utf8_length(text, left);

    if (n && !str_is_control(text, n)) {
        memcpy(line + *used, text, n);
        *used += n;
        return n;
    }
    *used += (size_t)sprintf(line + *used, "\\x%02x", (unsigned char)*text);
    return 1;
}

/* One line, one write. What does not fit is cut. */
static void write_line(const char *prefix, const char *text, size_t length, const char *suffix)
{
    char line[4096];
    size_t used = strlen(prefix);
    size_t limit = sizeof(line) - strlen(suffix) - 8;

    memcpy(line, prefix, used);
    for (size_t i = 0; i < length && used < limit;)
        i += add_clean(line, &used, text + i, length - i);
    memcpy(line + used, suffix, strlen(suffix));
    used += strlen(suffix);
    line[used++] = '\n';
    if (around.before)
        around.before(around.opaque);
    while (write(STDERR_FILENO, line, used) < 0 && errno == EINTR)
        ;
    if (around.before)
        around.after(around.opaque);
}

void log_error(const struct err *err)
{
    int saved = errno;
    char suffix[64], prefix[PREFIX];

    snprintf(suffix, sizeof(suffix), " [%s]", err_name(err->id));
    write_line(with_node("coracle: error: ", prefix, sizeof(prefix)), err->text, strlen(err->text), suffix);
    errno = saved;
}

static void write_lines(const char *prefix, const char *text)
{
    int saved = errno;

    while (*text) {
        size_t length = strcspn(text, "\n");
        write_line(prefix, text, length, "");
        text += length + (text[length] == '\n');
    }
    errno = saved;
}

static void __attribute__((format(printf, 2, 0)))
write_formatted(const char *prefix, const char *format, va_list args)
{
    int saved = errno;
    char text[4096];

    vsnprintf(text, sizeof(text), format, args);
    errno = saved;
    write_lines(prefix, text);
}

void log_warning(const char *format, ...)
{
    char prefix[PREFIX];
    va_list args;

    if (!log_enabled(LOG_WARNINGS))
        return;
    va_start(args, format);
    write_formatted(with_node("coracle: warning: ", prefix, sizeof(prefix)), format, args);
    va_end(args);
}

void log_text(enum log_level level, const char *text)
{
    if (log_enabled(level))
        write_lines("coracle: ", text);
}

void log_message(enum log_level level, const char *format, ...)
{
    va_list args;

    if (!log_enabled(level))
        return;
    va_start(args, format);
    write_formatted("coracle: ", format, args);
    va_end(args);
}
