/*
 * mutation - damages an image, always the same way for the same number.
 *
 * The numbers below 200: 40 change a field of the superblock, 60 a byte of the
 * tables (fragments, export, ids, attributes, and where their blocks are), 60 a
 * bit of the inodes or directories, 40 some bytes of contents. Larger ones begin
 * again in other places.
 */
#ifndef CORACLE_TEST_FUZZ_MUTATION_H
#define CORACLE_TEST_FUZZ_MUTATION_H

#include <stddef.h>
#include <stdint.h>

enum { MUTATIONS = 200, MUTATION_FIELDS = 40, MUTATION_TABLES = 100, MUTATION_METADATA = 160 };

static inline uint64_t mutation_get(const unsigned char *bytes, size_t at)
{
    uint64_t value = 0;

    for (int i = 7; i >= 0; i--)
        value = value << 8 | bytes[at + (size_t)i];
    return value;
}

/* splitmix64 */
static inline uint64_t mutation_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* Where the tables begin: mksquashfs puts those of fragments first, behind the directories. */
static inline uint64_t mutation_tables(const unsigned char *bytes, size_t length)
{
    enum { FRAGMENT_TABLE = 80, EXPORT_TABLE = 88, ID_TABLE = 48 };
    static const size_t tables[] = {FRAGMENT_TABLE, EXPORT_TABLE, ID_TABLE};

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        uint64_t index = mutation_get(bytes, tables[i]);
        uint64_t first = index <= length - 8 ? mutation_get(bytes, (size_t)index) : length;

        if (first < index)
            return first;
    }
    return length;
}

/* A field of the superblock gets another value: a bit of it changes, or all. */
static inline void mutation_of_field(unsigned char *bytes, uint64_t *state)
{
    static const unsigned char fields[][2] = {
        {4, 4},  {8, 4},  {12, 4}, {16, 4}, {20, 2}, {22, 2}, {24, 2}, {26, 2}, {28, 2}, {30, 2},
        {32, 8}, {40, 8}, {48, 8}, {56, 8}, {64, 8}, {72, 8}, {80, 8}, {88, 8}, {0, 4},
    };
    const unsigned char *field = fields[mutation_random(state) % (sizeof(fields) / sizeof(fields[0]))];
    uint64_t way = mutation_random(state), value = mutation_random(state);

    for (unsigned i = 0; i < field[1]; i++)
        if (way % 4 == 0)
            bytes[field[0] + i] = (unsigned char)(value >> 8 * i);
        else if (way % 4 == 1)
            bytes[field[0] + i] = way & 4 ? 0xff : 0;
    if (way % 4 > 1)
        bytes[field[0] + (way >> 8) % (way % 4 == 2 ? 2 : field[1])] ^= (unsigned char)(1 << (value & 7));
}

/* Changes BYTES of an image, LENGTH of them, at least 96. */
static inline void mutate(unsigned char *bytes, size_t length, uint64_t number)
{
    enum { SUPERBLOCK = 96, BYTES_USED = 40, INODE_TABLE = 64 };
    uint64_t state = number, from = SUPERBLOCK, to = length, kind = number % MUTATIONS;
    uint64_t used = mutation_get(bytes, BYTES_USED), inodes = mutation_get(bytes, INODE_TABLE);
    uint64_t tables = mutation_tables(bytes, length), at;

    if (kind < MUTATION_FIELDS) {
        mutation_of_field(bytes, &state);
        return;
    }
    from = kind < MUTATION_TABLES ? tables : kind < MUTATION_METADATA ? inodes : SUPERBLOCK;
    to = kind < MUTATION_TABLES ? used : kind < MUTATION_METADATA ? tables : inodes;
    if (to > length || from >= to) { /* it has none: anywhere */
        from = SUPERBLOCK;
        to = length;
    }
    at = from + mutation_random(&state) % (to - from);
    if (kind < MUTATION_TABLES)
        bytes[at] = (unsigned char)mutation_random(&state);
    else if (kind < MUTATION_METADATA)
        bytes[at] ^= (unsigned char)(1 << mutation_random(&state) % 8);
    else
        for (uint64_t i = 0; i < 8 && at + i < to; i++)
            bytes[at + i] = (unsigned char)mutation_random(&state);
}

#endif
