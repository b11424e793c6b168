#include "share/view.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"

static struct arena arena;
static char scratch[PATH_MAX / 4];

static void __attribute__((noreturn)) give_up(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static const char *path_of(const char *name)
{
    return arena_join(&arena, scratch, "/", name, NULL);
}

static void make_directory(const char *name)
{
    if (mkdir(path_of(name), 0700) < 0)
        give_up(name);
}

static void make_file(const char *name, const char *text)
{
    FD_CLEANUP int fd = open(path_of(name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
        give_up(name);
}

static struct sys_identity identity_of(const char *name)
{
    struct sys_identity identity;

    if (sys_identify(AT_FDCWD, path_of(name), 0, &identity) < 0)
        give_up(name);
    return identity;
}

/* --- rows ------------------------------------------------------------------------- */

enum { ROWS = 3 };

/* A plan whose rows are ROWS. */
static struct plan plan_of(struct plan_row rows[ROWS])
{
    rows[0] = (struct plan_row){
        .kind = ROW_BIND, .source = path_of("directory"), .target = "/a", .flags = MOUNT_DIRECTORY};
    rows[1] = (struct plan_row){.kind = ROW_TMPFS, .target = "/b", .size = 4096};
    rows[2] = (struct plan_row){.kind = ROW_FILE, .target = "/c", .content = "text"};
    return (struct plan){.rows = rows, .row_count = ROWS};
}

static struct share_view view_of(const struct plan *plan)
{
    const struct sys_identity image = identity_of("image");
    struct share_view view;

    share_view_take(&view, plan, &image, &arena);
    return view;
}

static int is_equal(const struct share_view *view, const struct plan *plan)
{
    const struct share_view other = view_of(plan);

    return digest_equal(&view->digest, &other.digest);
}

#define DIFFERS(change)                                \
    do {                                               \
        struct plan_row rows[ROWS];                    \
        struct plan other = plan_of(rows);             \
        change;                                        \
        TAP_TRUE(#change && !is_equal(&view, &other)); \
    } while (0)

#define EQUALS(change)                               \
    do {                                             \
        struct plan_row rows[ROWS];                  \
        struct plan other = plan_of(rows);           \
        change;                                      \
        TAP_TRUE(#change &&is_equal(&view, &other)); \
    } while (0)

static void test_rows(void)
{
    struct plan_row of_view[ROWS];
    const struct plan plan = plan_of(of_view);
    const struct share_view view = view_of(&plan);

    EQUALS(other.row_count = ROWS);
    DIFFERS(other.row_count--);
    DIFFERS(other.row_count = 0);
    DIFFERS(rows[0].kind = ROW_TMPFS);
    DIFFERS(rows[0].source = path_of("other"));
    DIFFERS(rows[0].source = path_of("nowhere"));
    DIFFERS(rows[0].target = "/a/");
    DIFFERS(rows[0].flags |= MOUNT_READ_ONLY);
    DIFFERS(rows[0].flags |= MOUNT_OPTIONAL);
    DIFFERS(rows[1].size++);
    DIFFERS(rows[1].target = "/bb");
    DIFFERS(rows[2].content = "texts");
    DIFFERS(rows[2].content = "");
    DIFFERS(rows[2].target = "/d");
    DIFFERS(struct plan_row row = rows[0]; rows[0] = rows[1]; rows[1] = row);
    DIFFERS(other.root_mode = ROOT_WRITE);
    /* Names of one thing, and what is each launch's own. */
    EQUALS(rows[0].source = path_of("link-to-directory"));
    EQUALS(rows[0].source = path_of("other/../directory"));
    EQUALS(rows[0].origin = "another");
    EQUALS(other.name = "a-name");
    EQUALS(other.environment = NULL);
    EQUALS(other.image = "another");
}

/* Where text ends counts: no text can run into the next one. */
static void test_borders(void)
{
    struct plan_row rows[2] = {{.kind = ROW_FILE, .target = "/a", .content = "bc"},
                               {.kind = ROW_FILE, .target = "/d", .content = "e"}};
    const struct plan plan = {.rows = rows, .row_count = 2};
    const struct share_view view = view_of(&plan);

    rows[0].target = "/ab";
    rows[0].content = "c";
    TAP_TRUE(!is_equal(&view, &plan));
}

/* --- sources ---------------------------------------------------------------------- */

static void test_replaced(void)
{
    struct plan_row rows[ROWS];
    const struct plan plan = plan_of(rows);
    struct share_view view = view_of(&plan);

    make_file("directory/new", "");
    TAP_TRUE(is_equal(&view, &plan)); /* what is in a directory is no matter */
    if (rename(path_of("directory"), path_of("moved")) < 0)
        give_up("rename");
    TAP_TRUE(!is_equal(&view, &plan)); /* gone */
    make_directory("directory");
    TAP_TRUE(!is_equal(&view, &plan));
    if (rmdir(path_of("directory")) < 0 || rename(path_of("moved"), path_of("directory")) < 0)
        give_up("rename");
    TAP_TRUE(is_equal(&view, &plan));
    unlink(path_of("directory/new"));
    rows[0].source = path_of("file");
    rows[0].flags = 0;
    view = view_of(&plan);
    make_file("file", "more");
    TAP_TRUE(is_equal(&view, &plan)); /* a bind shows what is written */
    make_file("file.new", "");
    if (rename(path_of("file.new"), path_of("file")) < 0)
        give_up("rename");
    TAP_TRUE(!is_equal(&view, &plan));
}

/* The file itself, where it must be the caller's own; what a link leads to where not. */
static void test_own_file(void)
{
    struct plan_row rows[ROWS];
    const struct plan plan = plan_of(rows);
    struct share_view view;
    struct stat link;

    rows[0].source = path_of("link-to-file");
    rows[0].flags = MOUNT_OWN_FILE;
    view = view_of(&plan);
    TAP_INT(lstat(rows[0].source, &link), 0);
    TAP_INT(view.sources[0].inode, link.st_ino);
    rows[0].flags = 0;
    view = view_of(&plan);
    TAP_INT(view.sources[0].inode, identity_of("file").inode);
}

/* Rows without a source, and sources that only a mount can replace, are not looked at. */
static void test_not_looked_at(void)
{
    static const char *const kernels[] = {"/proc", "/sys", "/dev"};
    struct plan_row rows[ROWS];
    const struct plan plan = plan_of(rows);
    struct share_view view = view_of(&plan);

    TAP_INT(view.sources[1].inode, 0);
    TAP_INT(view.sources[2].inode, 0);
    TAP_TRUE(share_view_has_source(&view, &plan, 1, -1));
    TAP_TRUE(share_view_has_source(&view, &plan, 2, -1));
    for (size_t i = 0; i < 3; i++) {
        rows[0].source = kernels[i];
        rows[0].flags = MOUNT_DIRECTORY;
        view = view_of(&plan);
        TAP_INT(view.sources[0].inode, 0);
        TAP_TRUE(share_view_has_source(&view, &plan, 0, -1));
        rows[0].flags = 0;
        view = view_of(&plan);
        TAP_TRUE(view.sources[0].inode != 0);
    }
    rows[0].source = "/proc/self";
    rows[0].flags = MOUNT_DIRECTORY;
    view = view_of(&plan);
    TAP_TRUE(view.sources[0].inode != 0);
}

static void test_has_source(void)
{
    struct plan_row rows[ROWS];
    const struct plan plan = plan_of(rows);
    struct share_view view = view_of(&plan);
    FD_CLEANUP int same = open(path_of("link-to-directory"), O_PATH | O_CLOEXEC);
    FD_CLEANUP int other = open(path_of("other"), O_PATH | O_CLOEXEC);

    TAP_TRUE(share_view_has_source(&view, &plan, 0, same));
    TAP_TRUE(!share_view_has_source(&view, &plan, 0, other));
    TAP_TRUE(!share_view_has_source(&view, &plan, 0, -1));
    TAP_TRUE(!share_view_has_source(&view, &plan, 0, 1000)); /* not open */
    /* An optional one that was not there must not have come. */
    rows[0].source = path_of("nowhere");
    view = view_of(&plan);
    TAP_TRUE(share_view_has_source(&view, &plan, 0, -1));
    TAP_TRUE(!share_view_has_source(&view, &plan, 0, other));
}

/* --- the image -------------------------------------------------------------------- */

static int has_image(const struct share_view *view, const char *name)
{
    FD_CLEANUP int fd = open(path_of(name), O_PATH | O_CLOEXEC);

    return share_view_has_image(view, fd);
}

static struct share_view view_on(const char *name, const struct plan *plan)
{
    const struct sys_identity image = identity_of(name);
    struct share_view view;

    share_view_take(&view, plan, &image, &arena);
    return view;
}

/* A file is another one when it was written to. */
static void test_image_file(void)
{
    struct plan_row rows[ROWS];
    struct plan plan = plan_of(rows);
    struct share_view view = view_of(&plan), unpacked;

    TAP_INT(view.image.is_served, 1);
    TAP_TRUE(has_image(&view, "image"));
    TAP_TRUE(!has_image(&view, "file"));
    TAP_TRUE(!has_image(&view, "directory"));
    TAP_TRUE(!share_view_has_image(&view, -1));
    plan.unpack_wanted = 1;
    unpacked = view_of(&plan);
    TAP_INT(unpacked.image.is_served, 2);
    TAP_TRUE(has_image(&unpacked, "image"));
    TAP_TRUE(!digest_equal(&view.digest, &unpacked.digest));
    make_file("image", "more");
    TAP_TRUE(!has_image(&view, "image"));
    TAP_TRUE(!has_image(&unpacked, "image"));
    plan.unpack_wanted = 0;
    TAP_TRUE(!is_equal(&view, &plan));
    view = view_of(&plan);
    /* Its times set back: the change of that is noted. */
    if (utimensat(AT_FDCWD, path_of("image"), (const struct timespec[2]){{1, 0}, {1, 1}}, 0) < 0)
        give_up("utimensat");
    TAP_TRUE(!has_image(&view, "image"));
}

/* Of a directory the list of names counts, and not its mode or owner. */
static void test_image_directory(void)
{
    struct plan_row rows[ROWS];
    const struct plan plan = plan_of(rows);
    struct share_view view;

    if (utimensat(AT_FDCWD, path_of("directory"), (const struct timespec[2]){{1, 0}, {1, 1}}, 0) < 0)
        give_up("utimensat");
    view = view_on("directory", &plan);
    TAP_INT(view.image.is_served, 0);
    TAP_INT(view.image.ctime, 0);
    TAP_INT(view.image.size, 0);
    TAP_TRUE(has_image(&view, "directory"));
    if (chmod(path_of("directory"), 0755) < 0)
        give_up("chmod");
    TAP_TRUE(has_image(&view, "directory"));
    TAP_TRUE(!has_image(&view, "other"));
    make_file("directory/new", "");
    TAP_TRUE(!has_image(&view, "directory"));
    unlink(path_of("directory/new"));
}

/* --- mounts ----------------------------------------------------------------------- */

static void enter_namespaces(void)
{
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        _exit(77);
}

/* The same directory by another mount, and all the same in another mount namespace. */
static int play_mounts(void)
{
    struct plan_row rows[ROWS];
    const struct plan plan = plan_of(rows);
    struct share_view view = view_of(&plan), image, other;
    int wrong = 0;

    enter_namespaces();
    wrong |= is_equal(&view, &plan) ? 1 : 0;
    view = view_of(&plan);
    if (!view.sources[0].mount)
        return 76;
    if (mount(path_of("directory"), path_of("directory"), "none", MS_BIND, NULL) < 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
        return 78;
    wrong |= is_equal(&view, &plan) ? 2 : 0;
    image = view_on("other", &plan);
    if (mount(path_of("other"), path_of("other"), "none", MS_BIND, NULL) < 0)
        return 78;
    other = view_on("other", &plan);
    wrong |= digest_equal(&image.digest, &other.digest) ? 4 : 0;
    return wrong;
}

static void test_mounts(void)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(play_mounts());
    if (child < 0 || waitpid(child, &status, 0) != child)
        give_up("fork");
    status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (status == 77 || status == 76)
        printf("ok %d # SKIP %s\n", ++tap.run,
               status == 77 ? "no user namespace can be made" : "the kernel does not tell which mount it is");
    else
        TAP_INT(status, 0);
}

int main(void)
{
    const char *place = getenv("TMPDIR");

    arena_init(&arena, tap_no_memory);
    snprintf(scratch, sizeof(scratch), "%s/coracle-unit-XXXXXX", place ? place : "/tmp");
    if (!mkdtemp(scratch))
        give_up("mkdtemp");
    make_directory("directory");
    make_directory("other");
    make_file("file", "text");
    make_file("image", "image");
    if (symlink("directory", path_of("link-to-directory")) < 0 ||
        symlink("file", path_of("link-to-file")) < 0)
        give_up("symlink");
    test_rows();
    test_borders();
    test_replaced();
    test_own_file();
    test_not_looked_at();
    test_has_source();
    test_image_file();
    test_image_directory();
    test_mounts();
    unlink(path_of("link-to-directory"));
    unlink(path_of("link-to-file"));
    unlink(path_of("file"));
    unlink(path_of("image"));
    rmdir(path_of("directory"));
    rmdir(path_of("other"));
    if (rmdir(scratch) < 0)
        give_up("rmdir");
    arena_free(&arena);
    return tap_done();
}
