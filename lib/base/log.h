/*
 * log - the one place that writes messages.
 *
 * Messages go to standard error, one write() each, so that lines of ranks that
 * run side by side do not mix. A line of more than 4096 bytes is cut. Control
 * characters (str_is_control()) and broken UTF-8 come out as \xHH: names from an
 * image or a command line cannot drive a terminal. errno is kept.
 */
#ifndef CORACLE_BASE_LOG_H
#define CORACLE_BASE_LOG_H

#include <stdarg.h>

#include "base/err.h"

enum log_level {
    LOG_ERRORS = -1, /* -q */
    LOG_WARNINGS = 0,
    LOG_TRACE = 1, /* -v: each row of the plan as it is carried out */
    LOG_WAYS = 2,  /* -vv: which way was taken where there are several */
};

/* Messages above LEVEL are dropped. The start is LOG_WARNINGS. */
void log_set_level(enum log_level level);
int log_enabled(enum log_level level);

/*
 * In a process of a parallel job, as its ENVIRONMENT tells, errors and warnings begin
 * with "on NODE: " from now on: what a job prints comes from many nodes. It is kept
 * by reference; NULL: no more.
 */
void log_name_node(char *const environment[]);

/*
 * Calls BEFORE and AFTER around each line that is written: of somebody who has the lower end
 * of a terminal. To be set while there is one thread. BEFORE NULL: no more.
 */
void log_set_around(void (*before)(void *opaque), void (*after)(void *opaque), void *opaque);

/* "coracle: error: TEXT [identifier]". */
void log_error(const struct err *err);

/* "coracle: warning: TEXT". */
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "coracle: LINE" at LEVEL for each line of TEXT, however many. */
void log_text(enum log_level level, const char *text);

/* The same for a formatted text of at most 4095 bytes. */
void log_message(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
