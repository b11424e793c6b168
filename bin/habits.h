/*
 * habits - words of docker, podman, Apptainer, Charliecloud, Enroot and bwrap that Coracle lacks.
 *
 * For messages: who writes one is told the word that Coracle has, or why none is needed.
 */
#ifndef CORACLE_BIN_HABITS_H
#define CORACLE_BIN_HABITS_H

/* What to do instead of OPTION ("--volume", "-B"), as the end of a sentence; NULL: it is nobody's. */
const char *habit_of_option(const char *option);

/* The same of a command: "build". */
const char *habit_of_command(const char *command);

#endif
