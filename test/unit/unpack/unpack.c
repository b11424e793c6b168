/* Trees that were packed come out as they were, and what is damaged is refused. */
#include "unpack/unpack.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "../squash/made.h"

static struct arena arena;
static struct unpack unpack = {.squash = &squash, .arena = &arena};
static struct err err;

/* What stays open between tests. */
static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    if (!dir)
        give_up("/proc/self/fd");
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Unpacks IMAGE into a new folder OUT. What unpack_image() gives. */
static int unpack_into(const char *out)
{
    int before = count_descriptors(), result;
    FD_CLEANUP int root = -1;

    make_directory(out);
    root = open(in_scratch(out), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        give_up(out);
    unpack.root = root;
    result = unpack_image(&unpack, &err);
    if (count_descriptors() != before + 1)
        result = -2;
    return result;
}

static void remove_out(const char *out)
{
    shell("chmod -R u+rwX %s; rm -rf %s", out, out);
}

static struct stat status_of(const char *name)
{
    struct stat st = {0};

    if (lstat(in_scratch(name), &st) < 0)
        printf("# %s: %s\n", name, err_reason(errno));
    return st;
}

/*
 * Packs TREE, unpacks it to OUT. Names, kinds, modes, times, texts of links, sizes,
 * contents, how many names: all the same.
 */
static void compare(const char *tree, const char *out, const char *options)
{
    tap.row = options;
    make_image("image", tree, options);
    open_image("image");
    TAP_OK(unpack_into(out), err);
    close_image();
    /* Of links not how many names they have: mksquashfs makes several of one with some options. */
    shell("for t in %s %s; do (cd $t; find . -printf '%%P %%y %%m %%Ts %%l ' \\( -type f -printf '%%n "
          "%%s\\n' -o -printf "
          "'\\n' \\) | sort >../list-$t; find . -type f -exec md5sum {} + | sort >>../list-$t); done; "
          "diff list-%s list-%s >difference || sed 's/^/# /' difference",
          tree, out, tree, out);
    TAP_INT(status_of("difference").st_size, 0);
}

static void make_tree(void)
{
    make_directory("tree");
    shell("cd tree; mkdir -p usr/lib/deep/er etc empty; seq 200000 >usr/lib/text; echo small >etc/small; "
          ": >etc/none");
    shell("cd tree; ln etc/small usr/lib/deep/again; ln etc/small usr/small; ln -s ../etc/small usr/link; "
          "ln -P usr/link usr/link-again; ln -s /absolute/../nowhere dangling; ln -s loop loop");
    shell("cd tree; ln -s $(printf '%%0252d/' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15) link-long");
    shell("cd tree; n=$(printf %%0255d 7); mkdir $n; echo long >$n/$n; printf '\\377\\n' >\"$(printf "
          "'\\377\\n\\001x')\"; mkfifo -m 642 fifo");
    shell(
        "cd tree; echo head >holes; truncate -s 3000000 holes; echo tail >>holes; truncate -s 9000000 holes; "
        "truncate -s 700001 hole; head -c 500000 /dev/zero >zeros; echo z >zero-block; truncate -s 128K "
        "zero-block");
    shell("cd tree; chmod 751 usr; chmod 1777 empty; chmod 711 etc; chmod 444 usr/lib/text; chmod 640 "
          "etc/none");
    /* Deeper than descriptors are kept, with names on each level before and behind what is deeper. */
    shell(
        "cd tree; p=deep; for i in $(seq 1 70); do mkdir $p; echo $i >$p/a; ln -s d $p/b; p=$p/d; done; "
        "p=deep; for i in $(seq 1 70); do echo $i >$p/z; mkdir -p $p/e/f; ln $p/a $p/e/f/a; last=$p; p=$p/d; "
        "done; ln $last/a top; echo bottom >$last/first; ln $last/first zz-last");
    shell("cd tree; touch -hd @1234567890 usr/link; touch -d @4000000000 holes; touch -d @7 etc/small; touch "
          "-d "
          "@1234567890 deep/d/d etc empty .");
}

static void test_same(void)
{
    static const char *const options[] = {
        "-comp gzip -b 4K -no-fragments", "-comp xz -b 1M -always-use-fragments",
        "-comp lz4 -noI -noD -noF -no-sparse", "-comp lzo -no-duplicates -no-exports", "-comp zstd"};

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        compare("tree", "out", options[i]);
        TAP_TRUE(unpack.result.files > 400 && unpack.result.skipped == 0);
        if (i + 1 < sizeof(options) / sizeof(options[0]))
            remove_out("out");
    }
    tap.row = NULL;
}

/* Of what test_same() left. */
static void test_links_and_holes(void)
{
    const ino_t small = status_of("out/etc/small").st_ino;

    TAP_TRUE(small && status_of("out/usr/lib/deep/again").st_ino == small);
    TAP_TRUE(status_of("out/usr/small").st_ino == small);
    TAP_TRUE(status_of("out/usr/link").st_ino == status_of("out/usr/link-again").st_ino);
    TAP_TRUE(status_of("out/zz-last").st_nlink == 2);
    TAP_TRUE(status_of("out/holes").st_size == 9000000);
    TAP_TRUE(status_of("out/holes").st_blocks * 512 < 1000000);
    TAP_TRUE(status_of("out/zeros").st_size == 500000);
    TAP_INT(status_of("out/zeros").st_blocks, 0);
    TAP_INT(status_of("out/hole").st_blocks, 0);
    TAP_TRUE(status_of("out/etc/none").st_uid == geteuid());
    remove_out("out");
}

/* What a tree of an ordinary user cannot have, as mksquashfs is told. */
static void test_modes(void)
{
    static const struct {
        const char *path;
        mode_t mode;
    } rows[] = {{"closed", S_IFREG},       {"read-only", S_IFDIR | 0555},
                {"shut", S_IFDIR},         {"set", S_IFREG | 0755},
                {"group", S_IFDIR | 0775}, {"sticky", S_IFREG | 0644},
                {"tmp", S_IFDIR | 01777},  {"unreadable", S_IFREG | 0111},
                {"", S_IFDIR | 0555},      {"shut/inside", S_IFREG | 0604}};

    make_directory("modes");
    shell("cd modes; mkdir -p read-only shut/below group tmp; for f in closed set sticky unreadable "
          "shut/inside; do "
          "echo $f >$f; done; ln read-only/../closed shut/other; mkdir read-only/deep; echo x "
          ">read-only/deep/file");
    chmod(in_scratch("modes"), 0555);
    make_image("image", "modes",
               "-comp zstd -p 'closed m 0 0 0' -p 'read-only m 555 0 0' -p 'shut m 0 0 0' "
               "-p 'set m 6755 5 5' -p 'group m 2775 0 0' -p 'sticky m 1644 0 0' -p 'tmp m 1777 0 0' -p "
               "'unreadable m 111 0 0' -p 'shut/inside m 604 0 0' -p 'shut/null c 666 0 0 1 3' -p 'disk b "
               "660 0 0 8 1' -p 'read-only/deep m 500 0 0'");
    open_image("image");
    chmod(in_scratch("modes"), 0755);
    umask(077);
    TAP_OK(unpack_into("out"), err);
    umask(022);
    close_image();
    TAP_INT(unpack.result.skipped, 2);
    TAP_INT(unpack.result.files, 13);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].path;
        if (strcmp(tap.row, "shut/inside") == 0)
            chmod(in_scratch("out/shut"), 0700);
        TAP_INT(status_of(arena_join(&arena, "out/", rows[i].path, NULL)).st_mode, rows[i].mode);
    }
    tap.row = NULL;
    TAP_TRUE(status_of("out/shut/other").st_ino == status_of("out/closed").st_ino);
    TAP_TRUE(access(in_scratch("out/shut/null"), F_OK) < 0 && errno == ENOENT);
    remove_out("out");
}

static void test_attributes(void)
{
    char value[300] = "";

    make_directory("attributes");
    make_directory("attributes/directory");
    make_file("attributes/file", "content");
    if (setxattr(in_scratch("attributes/file"), "user.small", "value", 5, 0) < 0) {
        printf("ok %d # SKIP the file system of %s has no user attributes\n", ++tap.run, scratch);
        return;
    }
    memset(value, 'v', sizeof(value));
    TAP_INT(setxattr(in_scratch("attributes/file"), "user.large", value, sizeof(value), 0), 0);
    TAP_INT(setxattr(in_scratch("attributes/directory"), "user.empty", "", 0, 0), 0);
    chmod(in_scratch("attributes/file"), 0444); /* no attribute can be set on it then */
    make_image("image", "attributes", "-comp zstd -xattrs");
    open_image("image");
    TAP_OK(unpack_into("out"), err);
    close_image();
    memset(value, 0, sizeof(value));
    TAP_INT(getxattr(in_scratch("out/file"), "user.small", value, sizeof(value)), 5);
    TAP_TRUE(memcmp(value, "value", 5) == 0);
    TAP_INT(getxattr(in_scratch("out/file"), "user.large", value, sizeof(value)), sizeof(value));
    TAP_TRUE(value[0] == 'v' && value[299] == 'v');
    TAP_INT(getxattr(in_scratch("out/directory"), "user.empty", NULL, 0), 0);
    TAP_INT(status_of("out/file").st_mode, S_IFREG | 0444);
    remove_out("out");
}

static int left, asked;

static int count_down(void)
{
    asked++;
    return left-- > 0;
}

/* Nobody waits any more: it stops wherever it is, and leaves what can be removed. */
static void test_given_up(void)
{
    int stopped = 0, wrong = 0, result;

    shell("rm -rf some; mkdir -p some/a/b/c some/d; seq 100000 >some/a/text; ln some/a/text some/d/text; "
          "chmod 555 some/a");
    make_image("image", "some", "-comp zstd -b 4K");
    open_image("image");
    unpack.go_on = count_down;
    for (int i = 0;; i++) {
        left = i;
        asked = 0;
        result = unpack_into("out");
        shell("chmod u+w out/a 2>/dev/null || :; rm -rf out");
        if (result == 0)
            break;
        stopped++;
        wrong += result != -1 || err.id != ERR_SERVER || asked != i + 1;
    }
    unpack.go_on = NULL;
    close_image();
    shell("chmod 755 some/a");
    printf("# stopped %d times\n", stopped);
    TAP_TRUE(stopped > 12); /* each name, each part of the file, each directory at the end */
    TAP_INT(wrong, 0);
}

/* A file that may not grow that far. */
static void test_file_limit(void)
{
    const struct rlimit limit = {100000, 100000};
    int status = -1;
    pid_t child;

    open_image("image");
    fflush(stdout);
    child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        _exit(unpack_into("out") == -1 && err.id == ERR_LIMIT && strstr(err.text, "its a/text cannot be")
                  ? 0
                  : 1);
    }
    TAP_TRUE(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    close_image();
    remove_out("out");
}

/* The place of TEXT, which is once in the image's uncompressed tables, or gives up. */
static size_t place_of(const char *bytes, size_t length, const char *text)
{
    const char *found = memmem(bytes, length, text, strlen(text));

    if (!found)
        give_up(text);
    return (size_t)(found - bytes);
}

enum damage { NONE, SAME_NAME, LOOP, OTHER_LOOP, FEWER_INODES, SLASH, DOTS };

/* Makes an image with DAMAGE of a tree whose tables are not compressed. */
static void make_damaged(enum damage damage)
{
    enum { INODES = 4, ROOT_INODE = 32, ENTRY_HEAD = 8 };
    uint64_t root;
    size_t length;
    char *bytes;

    shell("rm -rf names; mkdir -p names/directory-a/inner names/directory-b; echo 1 >names/name-one; echo 2 "
          ">names/name-two");
    make_image("image", "names", "-comp gzip -noI -noD -noF -noX -nopad");
    bytes = fd_read_file(AT_FDCWD, in_scratch("image"), 0, 1 << 20, &arena, &length);
    if (!bytes)
        give_up("image");
    memcpy(&root, bytes + ROOT_INODE, sizeof(root));
    if (damage == SAME_NAME)
        memcpy(bytes + place_of(bytes, length, "name-two"), "name-one", 8);
    if (damage == LOOP)
        memcpy(bytes + place_of(bytes, length, "directory-b") - ENTRY_HEAD, &root, 2);
    if (damage == OTHER_LOOP)
        memcpy(bytes + place_of(bytes, length, "directory-b") - ENTRY_HEAD,
               bytes + place_of(bytes, length, "directory-a") - ENTRY_HEAD, 2);
    if (damage == FEWER_INODES)
        bytes[INODES] = 3;
    if (damage == SLASH)
        memcpy(bytes + place_of(bytes, length, "name-two"), "../../xy", 8);
    if (damage == DOTS)
        memcpy(bytes + place_of(bytes, length, "name-two") - 2, "\1\0..", 4);
    shell("rm image");
    write_at("image", 0, bytes, length);
}

static void test_damage(void)
{
    static const struct {
        enum damage damage;
        const char *text;
    } rows[] = {
        {SAME_NAME, "its name-one is there twice"},
        {LOOP, "its directory directory-b is also in another place"},
        {OTHER_LOOP, "its directory directory-b is also in another place"},
        {FEWER_INODES, "it has more files than it says"},
        {SLASH, "its root directory cannot be read"},
        {DOTS, "its root directory cannot be read"},
    };

    make_damaged(NONE);
    open_image("image");
    TAP_OK(unpack_into("out"), err);
    close_image();
    TAP_INT(unpack.result.files, 5);
    TAP_INT(unpack.result.bytes, 4);
    remove_out("out");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].text;
        make_damaged(rows[i].damage);
        open_image("image");
        TAP_ERR(unpack_into("out"), err, ERR_IMAGE_DAMAGED, rows[i].text);
        close_image();
        remove_out("out");
    }
    tap.row = NULL;
}

/* A place that is not empty, or not ours to write to. */
static void test_place(void)
{
    make_damaged(NONE);
    open_image("image");
    make_directory("out");
    make_directory("elsewhere");
    shell("ln -s ../elsewhere out/directory-a; ln -s ../elsewhere/new out/name-one");
    TAP_ERR(unpack_into("out"), err, ERR_IMAGE_DAMAGED, "is there twice");
    shell("rm out/directory-a");
    TAP_ERR(unpack_into("out"), err, ERR_IMAGE_DAMAGED, "is there twice");
    TAP_INT(rmdir(in_scratch("elsewhere")), 0); /* no link was followed */
    close_image();
    remove_out("out");
}

static void test_too_deep(void)
{
    FILE *file = fopen(in_scratch("pseudo"), "we");
    char path[2 * 2100 + 1] = "";

    if (!file)
        give_up("pseudo");
    for (size_t i = 0; i < 2047; i++) {
        memcpy(path + 2 * i, "d/", 3);
        fprintf(file, "%s d 755 0 0\n", path);
    }
    fclose(file);
    shell("mkdir -p nothing");
    make_image("image", "nothing", "-comp zstd -pf pseudo");
    open_image("image");
    TAP_OK(unpack_into("out"), err);
    TAP_INT(unpack.result.files, 2047);
    close_image();
    shell("rm -rf out");
}

int main(void)
{
    scratch_begin();
    arena_init(&arena, tap_no_memory);
    make_tree();
    test_same();
    test_links_and_holes();
    test_modes();
    test_attributes();
    test_given_up();
    test_file_limit();
    test_damage();
    test_place();
    test_too_deep();
    arena_free(&arena);
    return tap_done();
}
