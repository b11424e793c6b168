/*
 * Fuzz target: a SquashFS image, as coracle-fuse reads it. Finds crashes, leaks
 * and results that break the contract of lib/squash/squash.h. What is done with
 * one input is counted, not timed: a directory may lead back to itself.
 */
#include "squash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse/grafts.h"
#include "squash/squash.h"

enum { CALLS = 3000, DEPTH = 8, BUFFER = 70000, XATTRS_LIMIT = 65536 };

int fuzz_squash_opened;

static struct squash squash;
static int calls_left;
static char buffer[BUFFER], names[BUFFER];

static void __attribute__((noreturn)) no_memory(void)
{
    abort();
}

static void check(int holds)
{
    if (!holds)
        abort();
}

static int may_go_on(void)
{
    return calls_left > 0 && calls_left--;
}

/* Parts of a file: the first, the last, one across the edge of a block, one from the middle. */
static void read_file(const struct squash_node *node)
{
    const uint64_t size = node->inode.xtra.reg.file_size, block = squash.fs.sb.block_size;
    const uint64_t from[] = {0, size > 100 ? size - 100 : 0, block - 1, size / 2, size - 1, size};

    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]) && may_go_on(); i++) {
        size_t wanted = i == 0 ? BUFFER : 200;
        int64_t n = squash_read(&squash, node, from[i], wanted, buffer);

        check(n >= -1 && n <= (int64_t)wanted);
        check(n <= 0 || (uint64_t)n <= size - from[i]);
        check(n < 0 || from[i] >= size || n > 0);
    }
}

static void read_link(const struct squash_node *node)
{
    int64_t n = squash_readlink(&squash, node, buffer, BUFFER);

    check(n >= -1 && n != 0 && n < BUFFER);
    check(n < 0 || !memchr(buffer, 0, (size_t)n));
    check(n < 1 || squash_readlink(&squash, node, buffer, (size_t)n - 1) == -1);
}

static void read_attributes(const struct squash_node *node)
{
    int64_t needed = squash_listxattr(&squash, node, names, 0);
    int64_t length = squash_listxattr(&squash, node, names, BUFFER);

    check(length == needed && length >= -1 && length <= XATTRS_LIMIT);
    for (const char *name = names; length > 0 && name < names + length && may_go_on();
         name += strlen(name) + 1) {
        int64_t size = squash_getxattr(&squash, node, name, buffer, 0);

        check(size >= -1 && size <= XATTRS_LIMIT);
        check(squash_getxattr(&squash, node, name, buffer, BUFFER) <= XATTRS_LIMIT);
    }
    check(squash_getxattr(&squash, node, "user.none", buffer, 1) <= 1);
}

static void check_entry(const struct squash_entry *entry, uint64_t before)
{
    check(entry->length >= 1 && entry->length <= SQUASH_NAME_LIMIT);
    check(!memchr(entry->name, 0, entry->length) && !memchr(entry->name, '/', entry->length));
    check(entry->next > before);
}

static void visit(uint64_t reference, int depth);

static void read_directory(const struct squash_node *node, int depth)
{
    struct squash_entries entries, again;
    struct squash_entry entry, other;
    uint64_t before = 0, reference;
    char name[SQUASH_NAME_LIMIT];

    if (squash_entries(&squash, node, 0, &entries) < 0)
        return;
    while (may_go_on() && squash_next(&squash, &entries, &entry) > 0) {
        size_t length = entry.length;
        uint64_t next = entry.next, child = entry.reference;

        check_entry(&entry, before);
        before = next;
        memcpy(name, entry.name, length);
        squash_lookup(&squash, node, name, length, &reference);
        squash_lookup(&squash, node, name, length - 1, &reference);
        if (squash_entries(&squash, node, next, &again) == 0 && squash_next(&squash, &again, &other) > 0)
            check_entry(&other, next);
        visit(child, depth + 1);
    }
    squash_lookup(&squash, node, "zzzz", 4, &reference);
}

static void visit(uint64_t reference, int depth)
{
    struct squash_node node;

    if (!may_go_on() || squash_node(&squash, reference, &node) < 0)
        return;
    check(node.reference == reference);
    read_attributes(&node);
    if (S_ISREG(node.inode.base.mode))
        read_file(&node);
    else if (S_ISLNK(node.inode.base.mode))
        read_link(&node);
    else if (S_ISDIR(node.inode.base.mode) && depth < DEPTH)
        read_directory(&node, depth);
}

static void add_grafts(void)
{
    static const char *const paths[] = {
        "/",           "/new",      "/directory/new/deeper", "/link/new", "/dangling",
        "/file/below", "/loop/new", "/directory/../..//x"};
    static struct arena arena;
    struct grafts grafts = {.arena = &arena};

    arena_init(&arena, no_memory);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        size_t before = grafts.count;
        int result = grafts_add(&grafts, &squash, paths[i], i % 2, i % 3 == 0);

        check(result == 0 || (result == -1 && grafts.count == before));
    }
    arena_free(&arena);
}

/* References that a kernel may come with though no directory gave them. */
static void visit_others(void)
{
    const uint64_t root = squash_root(&squash);

    for (uint64_t i = 1; i < 40; i++) {
        visit(root + i, DEPTH);
        visit(root - i * 4, DEPTH);
        visit(i << 16, DEPTH);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static int image = -1;
    struct err err;

    if (image < 0)
        image = memfd_create("image", MFD_CLOEXEC);
    check(ftruncate(image, 0) == 0 && pwrite(image, bytes, length, 0) == (ssize_t)length);
    calls_left = CALLS;
    fuzz_squash_opened = squash_open(&squash, image, 0, length, &err) == 0;
    if (fuzz_squash_opened) {
        visit(squash_root(&squash), 0);
        visit_others();
        add_grafts();
    } else {
        check(err.id == ERR_IMAGE_DAMAGED || err.id == ERR_IMAGE_UNKNOWN || err.id == ERR_NO_MEMORY);
        check(*err.text && strlen(err.text) < sizeof(err.text));
    }
    squash_close(&squash);
    return 0;
}
