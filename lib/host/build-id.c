#include "host/build-id.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

static size_t aligned(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/* Looks through the SIZE bytes of notes. elf(5) */
static size_t find_note(const unsigned char *notes, size_t size, const unsigned char **bytes)
{
    ElfW(Nhdr) note;

    for (size_t at = 0; at + sizeof(note) <= size;) {
        size_t name = at + sizeof(note), content;

        memcpy(&note, notes + at, sizeof(note));
        content = name + aligned(note.n_namesz);
        at = content + aligned(note.n_descsz);
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
            memcmp(notes + name, "GNU", sizeof("GNU")) == 0) {
            *bytes = notes + content;
            return note.n_descsz;
        }
    }
    return 0;
}

size_t build_id(const unsigned char **bytes)
{
    const uintptr_t table = getauxval(AT_PHDR);
    const size_t count = table ? getauxval(AT_PHNUM) : 0;
    const ElfW(Phdr) *headers = (const void *)table;
    uintptr_t moved = 0;
    size_t length = 0;

    /* The table lies in the segment that begins the file; a static PIE has no PT_PHDR that says so. */
    for (size_t i = 0; i < count; i++)
        if (headers[i].p_type == PT_LOAD && headers[i].p_offset == 0)
            moved = table - sizeof(ElfW(Ehdr)) - headers[i].p_vaddr;
    for (size_t i = 0; i < count && !length; i++)
        if (headers[i].p_type == PT_NOTE)
            length =
                find_note((const unsigned char *)(moved + headers[i].p_vaddr), headers[i].p_memsz, bytes);
    return length;
}
