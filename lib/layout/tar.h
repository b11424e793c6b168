/*
 * tar - where the files of a tar archive are, so that they can be read in place.
 *
 * One pass over the headers; nothing of the files is read, nothing is extracted, and no name
 * is ever given to the file system. Sources: POSIX pax (ustar and extended headers), GNU tar
 * (long names, sizes in base 256).
 *
 * The archive may come from anyone:
 * - A name that is absolute or has a component "..", or has more than TAR_NAME_MAX bytes, is
 *   passed over: nobody asks for it.
 * - A name that is asked for and is there twice is refused: readers differ on which counts.
 * - A link is followed within the archive's names, a few times, and never out of it.
 * - A file that is stored sparse is no range, and is refused when it is asked for.
 * - Entries, headers and the memory for them are bounded.
 */
#ifndef CORACLE_LAYOUT_TAR_H
#define CORACLE_LAYOUT_TAR_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum {
    TAR_ENTRIES_MAX = 32768,
    TAR_NAME_MAX = 512,          /* bytes */
    TAR_EXTENSION_MAX = 1 << 16, /* bytes of one extended header */
    TAR_LINKS_MAX = 8,           /* that lead to one file */
};

enum tar_kind { TAR_FILE, TAR_HARD_LINK, TAR_SYMBOLIC_LINK, TAR_SPARSE, TAR_DIRECTORY, TAR_SPECIAL };

struct tar_entry {
    const char *name;   /* clean: no "./", no "//", no ".." */
    const char *target; /* of a link: as it is written; NULL: longer than TAR_NAME_MAX */
    enum tar_kind kind;
    uint64_t offset, size; /* of TAR_FILE: where its bytes are */
};

struct tar {
    struct tar_entry *entries; /* sorted by name */
    size_t count;
};

/*
 * Reads the headers of FD, a regular file. 0, or -1 and ERR_IMAGE_UNKNOWN (this is no tar, or
 * it is compressed), ERR_IMAGE_DAMAGED or ERR_IMAGE_UNREADABLE. Everything belongs to ARENA.
 */
int tar_read(struct tar *tar, int fd, struct arena *arena, struct err *err);

/*
 * The file NAME, where links lead to it. 1; 0 where there is no such entry; -1 and
 * ERR_IMAGE_DAMAGED where it cannot be taken.
 */
int tar_find(const struct tar *tar, const char *name, const struct tar_entry **entry, struct arena *arena,
             struct err *err);

#endif
