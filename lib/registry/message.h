/*
 * message - what a server says about a failure, fit for a message of ours.
 *
 * Sources: OCI distribution-spec 1.1, "Error Codes" ({"errors": [{"code", "message"}]});
 * RFC 6749, 5.2 ({"error", "error_description"}); {"details"} or {"message"} alone, as
 * some token servers write. Anything else, a page of HTML for one, is not repeated.
 */
#ifndef CORACLE_REGISTRY_MESSAGE_H
#define CORACLE_REGISTRY_MESSAGE_H

#include <stddef.h>

#include "base/arena.h"

enum { MESSAGE_MAX = 240 }; /* bytes */

/*
 * The message in LENGTH bytes, on one line, without control characters, at most MESSAGE_MAX long.
 * "" where there is none, or where it holds one of SECRETS, which end with NULL.
 */
const char *message_read(const char *bytes, size_t length, const char *const secrets[], struct arena *arena);

#endif
