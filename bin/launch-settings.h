/*
 * launch-settings - what the configuration says, as options.
 */
#ifndef CORACLE_BIN_LAUNCH_SETTINGS_H
#define CORACLE_BIN_LAUNCH_SETTINGS_H

#include "base/opt.h"
#include "host/record-file.h"
#include "launch-options.h"

/*
 * Gives the COUNT settings, with the variables in them expanded from ENVIRONMENT, to the
 * setters of those options that are among the ROW_COUNT ROWS. A flag whose own CORACLE_
 * variable says no is passed over. What is wrong with the variables in `cache` is only noted: most
 * launches need none. 0, or -1 with ERR_CONFIG.
 */
int launch_settings_apply(const struct opt_row *rows, size_t row_count, const struct record_setting *settings,
                          size_t count, char *const environment[], struct launch_options *target,
                          struct arena *arena, struct err *err);

/*
 * Gives all of them to their setters, to see whether they would be taken. Those with a variable
 * that is not set here are not judged: it may be where they are used. 0, or -1 with ERR_CONFIG.
 */
int launch_settings_check(const struct opt_row *rows, size_t row_count, const struct record_setting *settings,
                          size_t count, char *const environment[], struct launch_options *target,
                          struct arena *arena, struct err *err);

#endif
