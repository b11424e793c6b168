#include "image-password.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int watched[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};

enum { COUNT = sizeof(watched) / sizeof(watched[0]) };

/* What a prompt changes, to be changed back. */
struct before {
    struct sigaction actions[COUNT];
    sigset_t mask;
    struct termios terminal;
};

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
}

/* Signals come while read_key() waits and at no other time. One that is ignored stays so. */
static void watch(struct before *before)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t all;

    caught = 0;
    sigemptyset(&all);
    for (int i = 0; i < COUNT; i++)
        sigaddset(&all, watched[i]);
    sigprocmask(SIG_BLOCK, &all, &before->mask);
    for (int i = 0; i < COUNT; i++) {
        sigaction(watched[i], NULL, &before->actions[i]);
        if (before->actions[i].sa_handler != SIG_IGN)
            sigaction(watched[i], &action, NULL);
    }
}

static void unwatch(const struct before *before)
{
    for (int i = 0; i < COUNT; i++)
        sigaction(watched[i], &before->actions[i], NULL);
    sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

static void be_silent(struct before *before)
{
    struct termios silent;

    tcgetattr(STDIN_FILENO, &before->terminal);
    silent = before->terminal;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
}

static void say(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

/* The next byte: 1; 0 at the end of file; -1: a signal, or the terminal has gone. */
static int read_key(char *key, const sigset_t *mask)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    if (ppoll(&input, 1, NULL, mask) < 0)
        return -1;
    return (int)read(STDIN_FILENO, key, 1);
}

/* A line into LINE: its length; -1: nothing was typed, or a signal came. */
static int read_typed(char *line, const sigset_t *mask)
{
    int length = 0, n;
    char key = 0;

    while ((n = read_key(&key, mask)) == 1 && key != '\n')
        if (length < PASSWORD_MAX)
            line[length++] = key;
    explicit_bzero(&key, 1);
    line[length] = 0;
    return n < 0 || (n == 0 && length == 0) ? -1 : length;
}

char *password_ask(const char *prompt, int is_secret, struct arena *arena, struct err *err)
{
    char *line = arena_alloc(arena, PASSWORD_MAX + 1);
    struct before before;
    int length;

    do {
        watch(&before);
        if (is_secret)
            be_silent(&before);
        say(prompt);
        length = read_typed(line, &before.mask);
        if (is_secret) {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &before.terminal);
            say("\n");
        }
        unwatch(&before);
        if (caught)
            raise(caught);
    } while (caught == SIGTSTP); /* and in the foreground again */
    if (length > 0 && strlen(line) == (size_t)length)
        return line;
    err_set(err, ERR_USAGE, length < 0 ? "nothing was typed" : "an empty line, or a zero byte, was typed");
    return NULL;
}

char *password_read(struct arena *arena, struct err *err)
{
    char *line = arena_alloc(arena, PASSWORD_MAX + 2);
    size_t length = 0;
    int is_last;
    ssize_t n;
    char *end;

    do {
        n = read(STDIN_FILENO, line + length, PASSWORD_MAX + 1 - length);
        if (n > 0)
            length += (size_t)n;
    } while ((n > 0 && length <= PASSWORD_MAX) || (n < 0 && errno == EINTR));
    if (n < 0) {
        err_set(err, ERR_CREDENTIALS, "standard input cannot be read: %s", err_reason(errno));
        return NULL;
    }
    line[length] = 0;
    end = line + strcspn(line, "\r\n");
    is_last = !*end || strcmp(end, "\n") == 0 || strcmp(end, "\r\n") == 0;
    if (end > line && is_last && length <= PASSWORD_MAX && strlen(line) == length) {
        *end = 0;
        return line;
    }
    explicit_bzero(line, length);
    err_set(err, ERR_CREDENTIALS,
            "standard input has no password: it is one line that is not empty, of at most %d bytes",
            PASSWORD_MAX);
    return NULL;
}
