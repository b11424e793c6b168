/*
 * tap - checks for unit tests, with TAP on standard output.
 *
 *     TAP_STR(path_basename("/a/b"), "b");
 *     return tap_done();
 *
 * Each check prints "ok" or "not ok" and goes on; one that fails prints file,
 * line, what it got and what it expected. Arguments are evaluated once.
 */
#ifndef CORACLE_TEST_TAP_H
#define CORACLE_TEST_TAP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static struct {
    int run;
    int failed;
    const char *row; /* of a table of cases: stands before the check's text; NULL: none */
} tap;

/* Prints TEXT on one line, as C would write it: a "#" in it would be a TAP directive. */
static inline void tap_print_escaped(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '\n')
            fputs("\\n", stdout);
        else if (*p < 0x20 || *p == 0x7F || *p == '#')
            printf("\\x%02x", *p);
        else
            putchar(*p);
    }
}

static inline void tap_print_string(const char *label, const char *text)
{
    printf("#   %-9s ", label);
    if (text)
        putchar('"');
    tap_print_escaped(text ? text : "NULL");
    puts(text ? "\"" : "");
}

/* One result line, and where it failed. Returns PASSED. */
static inline int tap_result(int passed, const char *file, int line, const char *what)
{
    printf("%s %d - ", passed ? "ok" : "not ok", ++tap.run);
    if (tap.row) {
        tap_print_escaped(tap.row);
        fputs(": ", stdout);
    }
    tap_print_escaped(what);
    putchar('\n');
    if (!passed) {
        tap.failed++;
        printf("# %s:%d\n", file, line);
    }
    fflush(stdout); /* what is left in the buffer would be lost in a crash and doubled by fork() */
    return passed;
}

static inline void tap_int(long long got, long long expected, const char *file, int line, const char *what)
{
    if (!tap_result(got == expected, file, line, what))
        printf("#   got       %lld\n#   expected  %lld\n", got, expected);
}

static inline void tap_str(const char *got, const char *expected, const char *file, int line,
                           const char *what)
{
    int same = got && expected ? strcmp(got, expected) == 0 : got == expected;

    if (!tap_result(same, file, line, what)) {
        tap_print_string("got", got);
        tap_print_string("expected", expected);
    }
}

static inline void tap_ok(int failed, const struct err *err, const char *file, int line, const char *what)
{
    if (!tap_result(!failed, file, line, what))
        tap_print_string("error", err->text);
}

static inline void tap_err(int failed, const struct err *err, enum err_id id, const char *part,
                           const char *file, int line, const char *what)
{
    if (tap_result(failed && err->id == id && strstr(err->text, part), file, line, what))
        return;
    if (!failed) {
        puts("#   got       success");
    } else {
        tap_print_string("got id", err_name(err->id));
        tap_print_string("got text", err->text);
    }
    tap_print_string("expected", err_name(id));
    tap_print_string("with", part);
}

/* Prints the plan and returns the exit status. */
static inline int tap_done(void)
{
    printf("1..%d\n", tap.run);
    return tap.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* For arena_init(). */
static inline void __attribute__((noreturn)) tap_no_memory(void)
{
    puts("Bail out! out of memory");
    exit(EXIT_FAILURE);
}

#define TAP_TRUE(condition) ((void)tap_result(!!(condition), __FILE__, __LINE__, #condition))
#define TAP_INT(got, expected) tap_int((long long)(got), (long long)(expected), __FILE__, __LINE__, #got)
#define TAP_STR(got, expected) tap_str((got), (expected), __FILE__, __LINE__, #got)

/* CALL returns a number, negative on failure, and fills ERR. */
#define TAP_OK(call, err) tap_ok((call) < 0, &(err), __FILE__, __LINE__, #call)
/* CALL fails with ID and PART in its text. */
#define TAP_ERR(call, err, id, part) tap_err((call) < 0, &(err), (id), (part), __FILE__, __LINE__, #call)

#endif
