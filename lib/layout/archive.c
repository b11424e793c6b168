/* A tar archive (POSIX ustar) that is written in place: headers when sizes are known. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "layout/store.h"

enum { BLOCK = 512, SIZE_DIGITS = 11 };

/* ustar: POSIX.1-1988; sizes of 8 GiB and more in base 256, as GNU tar writes them. */
struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, target[100];
    char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], filler[12];
};

static void set_size(char field[12], uint64_t size)
{
    if (size < UINT64_C(1) << (3 * SIZE_DIGITS)) {
        snprintf(field, 12, "%011llo", (unsigned long long)size);
        return;
    }
    memset(field, 0, 12);
    field[0] = (char)0x80;
    for (int i = 11; size; i--, size >>= 8)
        field[i] = (char)(size & 0xFF);
}

static void fill(struct header *header, const char *name, uint64_t size, char type)
{
    unsigned sum = 0;

    memset(header, 0, sizeof(*header));
    memcpy(header->name, name, strnlen(name, sizeof(header->name)));
    strcpy(header->mode, type == '5' ? "0000755" : "0000644");
    strcpy(header->uid, "0000000");
    strcpy(header->gid, "0000000");
    set_size(header->size, size);
    strcpy(header->mtime, "00000000000");
    header->type = type;
    memcpy(header->magic, "ustar", sizeof(header->magic));
    memcpy(header->version, "00", sizeof(header->version));
    memset(header->checksum, ' ', sizeof(header->checksum));
    for (size_t i = 0; i < sizeof(*header); i++)
        sum += ((const unsigned char *)header)[i];
    snprintf(header->checksum, 7, "%06o", sum);
}

int archive_end(struct store *store, const char *name, struct err *err)
{
    const uint64_t size = store->position - store->start - BLOCK;
    struct header header;

    /* One that is there twice would be refused by readers that ask which counts. */
    if (store_has(store, name)) {
        store->position = store->start;
        return ftruncate(store->fd, (off_t)store->position) < 0 ? store_failed(store, err) : 0;
    }
    fill(&header, name, size, '0');
    if (store_write_at(store->fd, &header, sizeof(header), store->start) < 0)
        return store_failed(store, err);
    store->position = (store->position + BLOCK - 1) / BLOCK * BLOCK;
    store_note(store, name);
    return ftruncate(store->fd, (off_t)store->position) < 0 ? store_failed(store, err) : 0;
}

int archive_directory(struct store *store, const char *name, struct err *err)
{
    struct header header;

    fill(&header, name, 0, '5');
    if (store_write_at(store->fd, &header, sizeof(header), store->position) < 0)
        return store_failed(store, err);
    store->position += BLOCK;
    return 0;
}

int archive_finish(struct store *store, struct err *err)
{
    static const char zeros[2 * BLOCK];

    return store_write_at(store->fd, zeros, sizeof(zeros), store->position) < 0 ? store_failed(store, err)
                                                                                : 0;
}
