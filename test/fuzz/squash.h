/* squash - the fuzz target for images, for those who call it themselves. */
#ifndef CORACLE_TEST_FUZZ_SQUASH_H
#define CORACLE_TEST_FUZZ_SQUASH_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Whether the last input was opened; others were refused. */
extern int fuzz_squash_opened;

#endif
