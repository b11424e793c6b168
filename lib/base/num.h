/*
 * num - numbers from text, strictly: digits only, no sign, no blank, nothing
 * after them, nothing that wraps around; and numbers in files, from their bytes.
 */
#ifndef CORACLE_BASE_NUM_H
#define CORACLE_BASE_NUM_H

#include <stdint.h>

/* Decimal digits up to LIMIT. 0 and *VALUE, or -1. */
int num_parse(const char *text, uint64_t limit, uint64_t *value);

/* A uid or gid: 0 to 4294967294; 4294967295 is the kernel's "no id". 0 and *ID, or -1. */
int num_parse_id(const char *text, uint32_t *id);

/* Bytes: digits with an optional k, M, G or T (powers of 1024, any case). 0 and *BYTES, or -1. */
int num_parse_size(const char *text, uint64_t *bytes);

/* Writes VALUE in decimal to OUT, which has room for 21 bytes, and returns its length. */
int num_format(char *out, uint64_t value);

/* Little-endian, wherever BYTES are. */
uint16_t num_le16(const unsigned char bytes[2]);
uint32_t num_le32(const unsigned char bytes[4]);
uint64_t num_le64(const unsigned char bytes[8]);

#endif
