/* Directories: looked up and listed, small and large. */
#include "made.h"

enum { ENTRIES = 20000 };

/* The tree is a definition for mksquashfs: nothing has to be made and removed again. */
static void make_tree(void)
{
    FILE *file = fopen(in_scratch("pseudo"), "we");

    if (!file)
        give_up("pseudo");
    fputs("large d 755 0 0\n", file);
    for (int i = 0; i < ENTRIES; i++)
        fprintf(file, "large/entry-%05d s 777 0 0 target-%d\n", i, i);
    /* Names of all lengths: those that begin the parts of the directory are in its index. */
    fputs("long d 755 0 0\n", file);
    for (int i = 0; i < 2000; i++) {
        const int length = 8 + i % 248;

        fprintf(file, "long/%04d%.*s s 777 0 0 t\n", i, length - 4,
                "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmn"
                "opqrstuvwxyz"
                "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmn"
                "opqrstuvwxyz"
                "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
    }
    fclose(file);
    make_directory("tree");
    make_directory("tree/empty");
    make_directory("tree/some");
    make_directory("tree/some/deeper");
    make_file("tree/some/a", "");
    make_file("tree/some/aa", "");
    make_file("tree/some/\xff", "");
    make_file("tree/some/\xc3\xa4", "");
    make_file("tree/some/Z", "");
    make_file("tree/some/with blank", "");
    shell("n=$(printf %%0255d 7); : >tree/some/$n");
    make_image("image", "tree", "-comp zstd -pf pseudo");
}

static int look_up(const struct squash_node *directory, const char *name)
{
    uint64_t reference;

    return squash_lookup(&squash, directory, name, strlen(name), &reference);
}

/* Whether the link NAME is there and is the right one. */
static int has_link(const struct squash_node *directory, const char *name, const char *target)
{
    struct squash_node node;
    uint64_t reference;
    char text[64];

    return squash_lookup(&squash, directory, name, strlen(name), &reference) == 1 &&
           squash_node(&squash, reference, &node) == 0 &&
           squash_readlink(&squash, &node, text, sizeof(text)) == (int64_t)strlen(target) &&
           memcmp(text, target, strlen(target)) == 0;
}

static void test_lookup_large(void)
{
    struct squash_node directory;
    int wrong = 0;

    TAP_INT(find("large", &directory), 1);
    TAP_TRUE(directory.inode.xtra.dir.idx_count > 10);
    for (int i = 0; i < ENTRIES; i += i < 1000 ? 1 : 7) {
        char name[32], target[32];

        snprintf(name, sizeof(name), "entry-%05d", i);
        snprintf(target, sizeof(target), "target-%d", i);
        wrong += !has_link(&directory, name, target);
        strcat(name, "0");
        wrong += look_up(&directory, name) != 0;
    }
    TAP_INT(wrong, 0);
    TAP_TRUE(has_link(&directory, "entry-19999", "target-19999"));
    TAP_INT(look_up(&directory, "entry-20000"), 0);
    TAP_INT(look_up(&directory, "a"), 0);
    TAP_INT(look_up(&directory, "entry-"), 0);
    TAP_INT(look_up(&directory, "zzz"), 0);
}

/* Every entry by its name, whatever the index begins with. */
static void test_lookup_long(void)
{
    static char names[2000][SQUASH_NAME_LIMIT + 1];
    struct squash_entries entries;
    struct squash_entry entry;
    struct squash_node directory;
    int count = 0, wrong = 0;

    TAP_INT(find("long", &directory), 1);
    TAP_TRUE(directory.inode.xtra.dir.idx_count > 10);
    TAP_INT(squash_entries(&squash, &directory, 0, &entries), 0);
    while (count < 2000 && squash_next(&squash, &entries, &entry) > 0)
        memcpy(names[count++], entry.name, entry.length);
    TAP_INT(count, 2000);
    for (int i = 0; i < count; i++) {
        uint64_t reference;
        size_t length = strlen(names[i]);

        wrong += look_up(&directory, names[i]) != 1;
        wrong += squash_lookup(&squash, &directory, names[i], length - 1, &reference) != 0;
    }
    TAP_INT(wrong, 0);
}

/* Reads from POSITION, where entry FIRST is due. How many entries are as they should be, up to the end. */
static int list_from(const struct squash_node *directory, uint64_t position, int first)
{
    struct squash_entries entries;
    struct squash_entry entry;
    int more;

    if (squash_entries(&squash, directory, position, &entries) < 0)
        return -1;
    for (int i = first; (more = squash_next(&squash, &entries, &entry)) > 0; i++) {
        char name[32];

        snprintf(name, sizeof(name), "entry-%05d", i);
        if (entry.length != strlen(name) || memcmp(entry.name, name, entry.length) != 0 ||
            !S_ISLNK(entry.mode))
            return -1;
        if (i == first + 1500) /* far enough: it goes over parts of the index */
            return ENTRIES - first;
        if (i == ENTRIES - 1)
            more = 0;
    }
    return more < 0 ? -1 : ENTRIES - first;
}

/* From every thousandth position, and from the one before and behind each. */
static void test_positions(void)
{
    struct squash_entries entries;
    struct squash_entry entry;
    struct squash_node directory;
    int count = 0, wrong = 0, more;
    uint64_t last = 0;

    TAP_INT(find("large", &directory), 1);
    TAP_INT(squash_entries(&squash, &directory, 0, &entries), 0);
    while ((more = squash_next(&squash, &entries, &entry)) > 0) {
        count++;
        wrong += entry.next <= last;
        last = entry.next;
        if (count % 1000 == 0 || count % 1000 == 1 || count % 1000 == 999)
            wrong += list_from(&directory, entry.next, count) != ENTRIES - count;
    }
    TAP_INT(more, 0);
    TAP_INT(count, ENTRIES);
    TAP_INT(wrong, 0);
    TAP_INT(squash_entries(&squash, &directory, last, &entries), 0);
    TAP_INT(squash_next(&squash, &entries, &entry), 0);
    TAP_INT(squash_next(&squash, &entries, &entry), 0); /* and again */
    TAP_INT(squash_entries(&squash, &directory, UINT64_MAX, &entries), 0);
    TAP_INT(squash_next(&squash, &entries, &entry), 0);
}

static void test_small(void)
{
    static const char *const names[] = {"Z", "a", "aa", "deeper", "with blank", "\xc3\xa4", "\xff"};
    struct squash_entries entries;
    struct squash_entry entry;
    struct squash_node directory;
    char longest[SQUASH_NAME_LIMIT + 2];

    TAP_INT(find("some", &directory), 1);
    memset(longest, '0', sizeof(longest));
    longest[254] = '7';
    longest[255] = 0;
    TAP_INT(look_up(&directory, longest), 1);
    longest[255] = '7';
    longest[256] = 0;
    TAP_INT(look_up(&directory, longest), 0);
    TAP_INT(squash_entries(&squash, &directory, 0, &entries), 0);
    TAP_INT(squash_next(&squash, &entries, &entry), 1);
    TAP_INT(entry.length, 255);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        tap.row = names[i];
        TAP_INT(look_up(&directory, names[i]), 1);
        TAP_INT(squash_next(&squash, &entries, &entry), 1);
        TAP_TRUE(entry.length == strlen(names[i]) && memcmp(entry.name, names[i], entry.length) == 0);
        TAP_TRUE(strcmp(names[i], "deeper") == 0 ? S_ISDIR(entry.mode) : S_ISREG(entry.mode));
    }
    tap.row = NULL;
    TAP_INT(squash_next(&squash, &entries, &entry), 0);
}

static void test_empty(void)
{
    struct squash_entries entries;
    struct squash_entry entry;
    struct squash_node directory;

    TAP_INT(find("empty", &directory), 1);
    TAP_INT(look_up(&directory, "a"), 0);
    TAP_INT(squash_entries(&squash, &directory, 0, &entries), 0);
    TAP_INT(squash_next(&squash, &entries, &entry), 0);
    TAP_INT(squash_entries(&squash, &directory, 4711, &entries), 0);
    TAP_INT(squash_next(&squash, &entries, &entry), 0);
}

static void test_no_directory(void)
{
    struct squash_entries entries;
    struct squash_node file;

    TAP_INT(find("some/a", &file), 1);
    errno = 0;
    TAP_INT(look_up(&file, "a"), -1);
    TAP_INT(errno, ENOTDIR);
    errno = 0;
    TAP_INT(squash_entries(&squash, &file, 0, &entries), -1);
    TAP_INT(errno, ENOTDIR);
}

/* Reads inodes until every block of the directory has been forgotten. */
static void forget_blocks(const struct squash_node *directory)
{
    struct squash_entries entries;
    struct squash_entry entry;
    struct squash_node node;
    int wrong = squash_entries(&squash, directory, 0, &entries);

    while (!wrong && squash_next(&squash, &entries, &entry) > 0)
        wrong += squash_node(&squash, entry.reference, &node) < 0;
    TAP_INT(wrong, 0);
}

/* The image is made anew in place while a listing goes on: its block is now shorter than where we stand. */
static void test_changed_meanwhile(void)
{
    static const char shorter[] = {8, (char)0x80, 0, 0, 0, 0, 0, 0, 0, 0};
    struct squash_entries entries;
    struct squash_entry entry;
    struct squash_node directory;

    make_image("changed", "tree", "-comp zstd -noI -pf pseudo");
    open_image("changed");
    TAP_INT(find("large", &directory), 1);
    TAP_INT(squash_entries(&squash, &directory, 0, &entries), 0);
    for (int i = 0; i < 100; i++)
        squash_next(&squash, &entries, &entry);
    TAP_INT(entry.length, strlen("entry-00099"));
    forget_blocks(&directory);
    write_at("changed", entries.dir.cur.block, shorter, sizeof(shorter));
    errno = 0;
    TAP_INT(squash_next(&squash, &entries, &entry), -1);
    TAP_INT(errno, EIO);
    close_image();
}

int main(void)
{
    scratch_begin();
    make_tree();
    open_image("image");
    test_lookup_large();
    test_lookup_long();
    test_positions();
    test_small();
    test_empty();
    test_no_directory();
    close_image();
    test_changed_meanwhile();
    return tap_done();
}
