#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "flatten/work.h"

/* Layers are counted from 1 here: 0 is none. The first that is noted is the topmost. */
struct slot {
    const char *path; /* NULL: free */
    uint32_t hash;
    uint16_t cut;        /* hides the path and all beneath of lower layers */
    uint16_t opaque;     /* hides what is beneath */
    uint16_t directory;  /* lists a directory here */
    uint16_t file : 15;  /* the lowest so far that has a file here */
    uint16_t wanted : 1; /* for a hard link */
};

struct seen {
    struct slot *slots;
    size_t count, mask;
    uint64_t seed; /* names that fall on each other cannot be prepared */
};

enum { FIRST_ROOM = 4096 };

struct seen *seen_create(void)
{
    struct seen *seen = calloc(1, sizeof(*seen));

    if (!seen)
        return NULL;
    seen->mask = FIRST_ROOM - 1;
    seen->slots = calloc(FIRST_ROOM, sizeof(*seen->slots));
    if (!seen->slots || getrandom(&seen->seed, sizeof(seen->seed), 0) != sizeof(seen->seed)) {
        seen_destroy(seen);
        return NULL;
    }
    return seen;
}

void seen_destroy(struct seen *seen)
{
    if (seen)
        free(seen->slots);
    free(seen);
}

static uint64_t hash_byte(uint64_t hash, unsigned char byte)
{
    unsigned __int128 product = (unsigned __int128)(hash ^ byte) * UINT64_C(0x9E3779B97F4A7C15);

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The slot of the LENGTH bytes at PATH, or the free one where they would be. */
static struct slot *find(const struct seen *seen, uint32_t hash, const char *path, size_t length)
{
    for (size_t i = hash & seen->mask;; i = (i + 1) & seen->mask) {
        struct slot *slot = &seen->slots[i];

        if (!slot->path ||
            (slot->hash == hash && strncmp(slot->path, path, length) == 0 && !slot->path[length]))
            return slot;
    }
}

static int grow(struct seen *seen)
{
    size_t room = (seen->mask + 1) * 2;
    struct slot *old = seen->slots, *slots = calloc(room, sizeof(*slots));

    if (!slots)
        return -1;
    seen->slots = slots;
    for (size_t i = 0; i <= seen->mask; i++) {
        if (old[i].path) {
            size_t at = old[i].hash & (room - 1);

            while (slots[at].path)
                at = (at + 1) & (room - 1);
            slots[at] = old[i];
        }
    }
    seen->mask = room - 1;
    free(old);
    return 0;
}

/* The slot of PATH, made where there is none. NULL: no memory. */
static struct slot *reach(struct seen *seen, const char *path)
{
    uint64_t hash = seen->seed;
    struct slot *slot;

    if (seen->count * 2 > seen->mask && grow(seen) < 0)
        return NULL;
    for (const char *p = path; *p; p++)
        hash = hash_byte(hash, (unsigned char)*p);
    slot = find(seen, (uint32_t)hash, path, strlen(path));
    if (!slot->path) {
        slot->path = path;
        slot->hash = (uint32_t)hash;
        seen->count++;
    }
    return slot;
}

static void note(uint16_t *place, size_t layer)
{
    if (*place == 0)
        *place = (uint16_t)(layer + 1);
}

int seen_add(struct seen *seen, size_t layer, const struct entry *entry)
{
    struct slot *slot, *target;

    if (entry->kind == ENTRY_IGNORED)
        return 0;
    slot = reach(seen, entry->path);
    if (!slot)
        return -1;
    if (entry->kind == ENTRY_OPAQUE)
        note(&slot->opaque, layer);
    else if (entry->kind == ENTRY_INODE && S_ISDIR(entry->inode->mode))
        note(&slot->directory, layer);
    else
        note(&slot->cut, layer);
    if (entry->kind == ENTRY_INODE && S_ISREG(entry->inode->mode))
        slot->file = (uint16_t)(layer + 1) & 0x7FFF;
    if (entry->kind == ENTRY_LINK) {
        target = reach(seen, entry->target);
        if (!target)
            return -1;
        target->wanted = target->file != layer + 1;
    }
    return 0;
}

int seen_hides(struct seen *seen, size_t layer, const char *path)
{
    size_t above = layer + 1;
    uint64_t hash = seen->seed;
    int hidden = 0;
    const char *p = path;

    for (;; p++) {
        struct slot *slot;

        if (*p == '/' || *p == '\0' || p == path) {
            slot = find(seen, (uint32_t)hash, path, (size_t)(p - path));
            if (*p == '\0') {
                hidden |= slot->path && (slot->cut > above || slot->directory > above);
                if (slot->path && slot->wanted) {
                    slot->wanted = 0;
                    return 0;
                }
                return hidden;
            }
            hidden |= slot->path && (slot->cut > above || slot->opaque > above);
        }
        hash = hash_byte(hash, (unsigned char)*p);
    }
}
