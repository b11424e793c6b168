/*
 * env - an environment: strings NAME=VALUE, the last one NULL.
 */
#ifndef CORACLE_BASE_ENV_H
#define CORACLE_BASE_ENV_H

/* The value of NAME in ENVIRONMENT, which points into it; NULL where it is not set. */
const char *env_find(char *const environment[], const char *name);

#endif
