#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "../../tap.h"

static struct arena arena;
static int saved_stderr = -1;
static int reading_end = -1;

/* Standard error becomes a pipe: each write() up to PIPE_BUF bytes stays whole in it. */
static void begin_capture(void)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0 || dup2(ends[1], STDERR_FILENO) < 0) {
        puts("Bail out! no pipe for standard error");
        exit(EXIT_FAILURE);
    }
    close(ends[1]);
    reading_end = ends[0];
}

static const char *end_capture(void)
{
    size_t length;
    const char *text;

    dup2(saved_stderr, STDERR_FILENO);
    text = fd_read_all(reading_end, 65536, &arena, &length);
    fd_close(&reading_end);
    return text;
}

static const char *logged_error(const char *text)
{
    struct err err;

    err_set(&err, ERR_IMAGE_MISSING, "%s", text);
    begin_capture();
    log_error(&err);
    return end_capture();
}

static const char *logged_warning(const char *text)
{
    begin_capture();
    log_warning("%s", text);
    return end_capture();
}

/* What a warning is in a process with the variables FIRST and SECOND. */
static const char *warning_with(const char *first, const char *second, const char *text)
{
    char *const environment[] = {arena_strdup(&arena, first), arena_strdup(&arena, second), NULL};
    const char *logged;

    log_name_node(environment);
    logged = logged_warning(text);
    log_name_node(NULL);
    return logged;
}

static void test_node(void)
{
    char own[65] = "";
    const char *on_own;

    TAP_INT(gethostname(own, sizeof(own) - 1), 0);
    on_own = arena_printf(&arena, "coracle: warning: on %s: x\n", own);
    TAP_STR(warning_with("HOME=/", "SLURMD_NODENAME=n7", "x"), "coracle: warning: x\n");
    TAP_STR(warning_with("SLURM_JOB_ID=1", "SLURMD_NODENAME=n7.site", "x\ny"),
            "coracle: warning: on n7.site: x\ncoracle: warning: on n7.site: y\n");
    TAP_STR(warning_with("HOME=/", "PMI_RANK=3", "x"), on_own);
    TAP_STR(warning_with("PMIX_RANK=0", "SLURMD_NODENAME=\x1b[2J", "x"), on_own);
}

static const char *logged_message(enum log_level level, const char *text)
{
    begin_capture();
    log_message(level, "%s", text);
    return end_capture();
}

static void test_forms(void)
{
    TAP_STR(logged_error("no image x"), "coracle: error: no image x [image-missing]\n");
    TAP_STR(logged_warning("careful"), "coracle: warning: careful\n");
    TAP_STR(logged_message(LOG_WARNINGS, "hello"), "coracle: hello\n");
    TAP_STR(logged_message(LOG_WARNINGS, "one\ntwo\n"), "coracle: one\ncoracle: two\n");
    TAP_STR(logged_message(LOG_WARNINGS, ""), "");
}

static void test_levels(void)
{
    TAP_TRUE(!log_enabled(LOG_TRACE));
    TAP_STR(logged_message(LOG_TRACE, "trace"), "");
    log_set_level(LOG_TRACE);
    TAP_TRUE(log_enabled(LOG_TRACE));
    TAP_TRUE(!log_enabled(LOG_WAYS));
    TAP_STR(logged_message(LOG_TRACE, "trace"), "coracle: trace\n");
    TAP_STR(logged_message(LOG_WAYS, "way"), "");
    log_set_level(LOG_ERRORS);
    TAP_STR(logged_warning("careful"), "");
    TAP_STR(logged_error("x"), "coracle: error: x [image-missing]\n");
    log_set_level(LOG_WARNINGS);
}

/* A name from an image cannot drive the terminal. */
static void test_cleaning(void)
{
    TAP_STR(logged_warning("\033[2J\r\177"), "coracle: warning: \\x1b[2J\\x0d\\x7f\n");
    TAP_STR(logged_warning("\302\233m"), "coracle: warning: \\xc2\\x9bm\n");            /* U+009B: CSI */
    TAP_STR(logged_warning("a\342\200\256b"), "coracle: warning: a\\xe2\\x80\\xaeb\n"); /* U+202E */
    TAP_STR(logged_warning("\377\300\200"), "coracle: warning: \\xff\\xc0\\x80\n");
    TAP_STR(logged_warning("\360\237"), "coracle: warning: \\xf0\\x9f\n");
    TAP_STR(logged_warning("M\303\274ller \360\237\232\243"),
            "coracle: warning: M\303\274ller \360\237\232\243\n");
    TAP_STR(logged_error("one\ntwo"), "coracle: error: one\\x0atwo [image-missing]\n");
}

/* A text that is longer than the longest line comes out whole. */
static void test_many_lines(void)
{
    struct str text = {.arena = &arena}, expected = {.arena = &arena};

    for (int i = 0; i < 500; i++) {
        str_addf(&text, "line number %d\n", i);
        str_addf(&expected, "coracle: line number %d\n", i);
    }
    begin_capture();
    log_text(LOG_TRACE, str_text(&text));
    TAP_STR(end_capture(), "");
    begin_capture();
    log_text(LOG_WARNINGS, str_text(&text));
    TAP_STR(end_capture(), str_text(&expected));
}

/* What is too long is cut; the identifier and the line's end stay. */
static void test_cutting(void)
{
    char *text = arena_alloc(&arena, 6001);
    const char *line;

    memset(text, '\001', 6000);
    line = logged_error(text);
    TAP_TRUE(strlen(line) <= 4096);
    TAP_STR(line + strlen(line) - strlen("01 [image-missing]\n"), "01 [image-missing]\n");
    line = logged_warning(text);
    TAP_TRUE(strlen(line) <= 4096);
    TAP_STR(line + strlen(line) - 5, "\\x01\n");
}

static void mark_before(void *opaque)
{
    (void)!write(STDERR_FILENO, opaque, 1);
}

static void mark_after(void *opaque)
{
    (void)!write(STDERR_FILENO, (char *)opaque + 1, 1);
}

static void test_around(void)
{
    char marks[] = "<>";

    log_set_around(mark_before, mark_after, marks);
    TAP_STR(logged_warning("one\ntwo"), "<coracle: warning: one\n><coracle: warning: two\n>");
    TAP_STR(logged_error("bad"), "<coracle: error: bad [image-missing]\n>");
    log_set_level(LOG_ERRORS);
    TAP_STR(logged_warning("dropped"), "");
    log_set_level(LOG_WARNINGS);
    log_set_around(NULL, NULL, NULL);
    TAP_STR(logged_warning("bare"), "coracle: warning: bare\n");
}

static void test_errno(void)
{
    struct err err = {ERR_USAGE, "x"};

    begin_capture();
    errno = ENOTDIR;
    log_error(&err);
    log_warning("x");
    log_message(LOG_WARNINGS, "x");
    TAP_INT(errno, ENOTDIR);
    end_capture();
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    test_forms();
    test_levels();
    test_cleaning();
    test_many_lines();
    test_cutting();
    test_errno();
    test_around();
    test_node();
    fd_close(&saved_stderr);
    arena_free(&arena);
    return tap_done();
}
