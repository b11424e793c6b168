/*
 * json-write - JSON (RFC 8259) from values and strings, as short as can be: what is hashed
 * and compared byte for byte.
 *
 * base/json.h is for what people and scripts read.
 */
#ifndef CORACLE_OCI_JSON_WRITE_H
#define CORACLE_OCI_JSON_WRITE_H

#include "base/str.h"
#include "oci/json-reader.h"

/* VALUE, a number as it was written, names and texts with what must be escaped. */
void json_write(struct str *out, const struct json_value *value);

#endif
