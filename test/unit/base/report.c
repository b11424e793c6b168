#include "base/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"

static char file[PATH_MAX];
static struct arena arena;

static void __attribute__((noreturn)) give_up(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* Runs PLAY in a process of its own, as reports are opened once in each. Its exit status. */
static int run(void (*play)(void), pid_t *process)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        play();
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        give_up("fork");
    if (process)
        *process = child;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *content(void)
{
    size_t length;
    char *text = fd_read_file(AT_FDCWD, file, 0, 1024 * 1024, &arena, &length);

    if (!text)
        give_up(file);
    return text;
}

static int count_lines(const char *text)
{
    int count = 0;

    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static void play_lines(void)
{
    report_open("a-program", "a name", file);
    errno = EXDEV;
    report("it is %d %s", 7, "things");
    report("control: \n\t\x1b[31m\x7f\r, but \xc3\xa9");
    if (errno != EXDEV)
        _exit(1);
}

static void test_file(void)
{
    struct stat st;
    pid_t process;

    umask(0);
    TAP_INT(run(play_lines, &process), 0);
    TAP_STR(content(), arena_printf(&arena,
                                    "a-program[%d]: a name: it is 7 things\n"
                                    "a-program[%d]: a name: control: ???[31m??, but \xc3\xa9\n",
                                    (int)process, (int)process));
    TAP_INT(stat(file, &st), 0);
    TAP_INT(st.st_mode & 07777, 0600);
    TAP_INT(run(play_lines, NULL), 0);
    TAP_INT(count_lines(content()), 4); /* what was there stays */
    unlink(file);
}

static void play_many(void)
{
    report_open("a-program", "a name", file);
    for (int i = 0; i < 10 * REPORT_LIMIT; i++)
        report("line %d", i);
}

static void test_limit(void)
{
    TAP_INT(run(play_many, NULL), 0);
    TAP_INT(count_lines(content()), REPORT_LIMIT);
    TAP_TRUE(strstr(content(), ": line 49\n") != NULL);
    unlink(file);
}

static void play_long(void)
{
    static char text[5000];

    memset(text, 'x', sizeof(text) - 1);
    report_open("a-program", "a name", file);
    report("%s", text);
    report_open("a-program", text, file);
    report("%s", text);
    report_open(text, "\n", file);
    report("short");
}

/* Each is cut, and a line all the same. */
static void test_long(void)
{
    const char *text;

    TAP_INT(run(play_long, NULL), 0);
    text = content();
    TAP_INT(count_lines(text), 3);
    for (int i = 0; i < 3; i++) {
        const char *end = strchr(text, '\n');

        TAP_TRUE(end && end - text > 500 && end - text < 1024);
        text = end ? end + 1 : "";
    }
    unlink(file);
}

/* A link is not followed, and nothing waits for somebody to read. */
static void play_elsewhere(void)
{
    report_open("a-program", "a name", file);
    report("a line");
}

static void test_other_files(void)
{
    const char *target = arena_printf(&arena, "%s.target", file);
    struct stat st;

    if (symlink(target, file) < 0)
        give_up("symlink");
    TAP_INT(run(play_elsewhere, NULL), 0);
    TAP_TRUE(stat(target, &st) < 0);
    unlink(file);
    if (mkfifo(file, 0600) < 0)
        give_up("mkfifo");
    TAP_INT(run(play_elsewhere, NULL), 0);
    unlink(file);
    TAP_INT(run(play_elsewhere, NULL), 0);
    TAP_INT(count_lines(content()), 1);
    unlink(file);
}

/* Before report_open(), or where there is neither file nor log: nothing happens, errno stays. */
static void play_nowhere(void)
{
    errno = EXDEV;
    report("a line");
    report_open("a-program", "a name", "/nonexistent/log");
    errno = EXDEV;
    report("a line");
    if (errno != EXDEV)
        _exit(1);
}

static void play_default(void)
{
    report_open("a-program", "a name", NULL);
    report_open("a-program", "a name", "");
}

static void test_nowhere(void)
{
    if (access("/dev/log", F_OK) == 0)
        printf("ok %d # SKIP this machine has a log, which is none of the test's business\n", ++tap.run);
    else
        TAP_INT(run(play_nowhere, NULL), 0);
    TAP_INT(run(play_default, NULL), 0);
}

int main(void)
{
    const char *place = getenv("TMPDIR");
    char scratch[PATH_MAX / 2];

    arena_init(&arena, tap_no_memory);
    snprintf(scratch, sizeof(scratch), "%s/coracle-unit-XXXXXX", place ? place : "/tmp");
    if (!mkdtemp(scratch))
        give_up("mkdtemp");
    snprintf(file, sizeof(file), "%s/log", scratch);
    test_file();
    test_limit();
    test_long();
    test_other_files();
    test_nowhere();
    if (rmdir(scratch) < 0)
        give_up("rmdir");
    arena_free(&arena);
    return tap_done();
}
