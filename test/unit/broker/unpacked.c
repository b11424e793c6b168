/* Images that were unpacked: what is taken away, and when. */
#include "stage.h"

static char scratch[PATH_MAX / 4];

/* What the parent of unpacked images is. Deep in the scratch: what goes wrong with a name stays in it. */
static char place[PATH_MAX / 2];

/* What a leader says that unpacks into NAME of that place. */
static void say_unpacking(const struct peer *leader, const char *name, unsigned which)
{
    struct share_message message = {SHARE_MESSAGE_MAGIC, SHARE_UNPACKING, which, 0};
    char bytes[sizeof(message) + 256];
    size_t length = sizeof(message), count = 0;
    int fds[2], parent = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (which & SHARE_DIRECTORY) {
        int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        fds[count++] = dir < 0 ? fcntl(parent, F_DUPFD_CLOEXEC, 0) : dir;
    }
    if (which & SHARE_PARENT)
        fds[count++] = fcntl(parent, F_DUPFD_CLOEXEC, 0);
    memcpy(bytes, &message, sizeof(message));
    length += (size_t)sprintf(bytes + length, "/unpacked/%s/root", name) + 1;
    length += (size_t)sprintf(bytes + length, "%s", name) + 1;
    share_send(leader->socket, bytes, length, fds, count);
    share_close(fds, count);
    close(parent);
}

static int is_there(const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", place, name);
    return access(path, F_OK) == 0;
}

static void make_directory(const char *path, mode_t mode)
{
    if (mkdir(path, mode) < 0 && errno != EEXIST)
        stage_give_up("mkdir");
}

static void make_unpacked(const char *name)
{
    char path[PATH_MAX];

    snprintf(place, sizeof(place), "%s/around", scratch);
    make_directory(place, 0700);
    strcat(place, "/place");
    make_directory(place, 0700);
    snprintf(path, sizeof(path), "%s/%s", place, name);
    make_directory(path, 0700);
    strcat(path, "/inside");
    make_directory(path, 0);
}

static void test_unpacked(void)
{
    const struct share_hello hello = hello_of(1, 2, 1, 0);
    int userns = stage_thing(), mountns = stage_thing(), mounts[2];
    struct answer answer;
    struct stage stage;
    struct peer other;

    stage_pipe(mounts);
    make_unpacked(SHARE_DIRECTORY_PREFIX "image");
    stage_start(&stage, 0, &hello);
    say_unpacking(&stage.first, SHARE_DIRECTORY_PREFIX "image", SHARE_DIRECTORY | SHARE_PARENT);
    peer_offer(&stage.first, SHARE_READY,
               &(struct offer){.userns = userns, .mountns = mountns, .mountinfo = mounts[0]});
    other = peer_start(&stage);
    peer_hello(&other, hello_of(1, 2, 2, 0), "");
    peer_hear(&other, &answer);
    TAP_INT(answer.kind, SHARE_SERVED);
    TAP_INT(answer.descriptors, SHARE_USERNS | SHARE_DIRECTORY);
    TAP_STR(answer.text, "/unpacked/" SHARE_DIRECTORY_PREFIX "image/root");
    answer_close(&answer);
    peer_end(&stage.first);
    TAP_TRUE(stage_lives(&stage));
    TAP_TRUE(is_there(SHARE_DIRECTORY_PREFIX "image"));
    peer_end(&other);
    STAGE_ENDS(&stage);
    TAP_TRUE(!is_there(SHARE_DIRECTORY_PREFIX "image"));
    share_close(mounts, 2);
    close(userns);
    close(mountns);
}

/* Half of an image is nobody's: the leader was killed while it unpacked. */
static void test_half_unpacked(void)
{
    const struct share_hello hello = hello_of(1, 2, 1, 0);
    struct built built = {stage_thing(), stage_thing(), {-1, -1}};
    struct answer answer;
    struct stage stage;
    struct peer next, other;

    stage_pipe(built.mounts);
    make_unpacked(SHARE_DIRECTORY_PREFIX "half");
    make_unpacked(SHARE_DIRECTORY_PREFIX "whole");
    stage_start(&stage, 0, &hello);
    say_unpacking(&stage.first, SHARE_DIRECTORY_PREFIX "half", SHARE_DIRECTORY | SHARE_PARENT);
    next = peer_start(&stage);
    peer_hello(&next, hello, "");
    TAP_TRUE(stage_lives(&stage));
    peer_end(&stage.first);
    TAP_INT(peer_kind(&next), SHARE_LEAD);
    say_unpacking(&next, SHARE_DIRECTORY_PREFIX "whole", SHARE_DIRECTORY | SHARE_PARENT);
    peer_offer(
        &next, SHARE_READY,
        &(struct offer){.userns = built.userns, .mountns = built.mountns, .mountinfo = built.mounts[0]});
    other = peer_start(&stage);
    peer_hello(&other, hello_of(1, 2, 2, 0), "");
    peer_hear(&other, &answer);
    TAP_INT(answer.kind, SHARE_SERVED);
    TAP_STR(answer.text, "/unpacked/" SHARE_DIRECTORY_PREFIX "whole/root");
    answer_close(&answer);
    peer_end(&next);
    peer_end(&other);
    STAGE_ENDS(&stage);
    TAP_TRUE(!is_there(SHARE_DIRECTORY_PREFIX "half"));
    TAP_TRUE(!is_there(SHARE_DIRECTORY_PREFIX "whole"));
    built_close(&built);
}

/*
 * Nothing but a directory in the one that was handed over is ever taken away. No
 * name here leads out of the scratch: a broker that obeyed would take all away
 * that it leads to.
 */
static void test_names_of_unpacked(void)
{
    static const char *const names[] = {"kept",
                                        "kept/inside",
                                        "../place/kept",
                                        "",
                                        ".",
                                        "..",
                                        "kept/",
                                        SHARE_DIRECTORY_PREFIX "/../kept",
                                        SHARE_DIRECTORY_PREFIX "file"};
    const struct share_hello hello = hello_of(1, 2, 1, 0);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct stage stage;

        tap.row = names[i];
        make_unpacked("kept");
        stage_start(&stage, 0, &hello);
        say_unpacking(&stage.first, names[i], SHARE_DIRECTORY | SHARE_PARENT);
        TAP_TRUE(stage_lives(&stage));
        peer_end(&stage.first);
        STAGE_ENDS(&stage);
        TAP_TRUE(is_there("kept/inside"));
    }
    tap.row = NULL;
}

/* Said twice, without what it takes to remove it: nothing is lost (the sanitizers tell). */
static void test_unpacking_twice(void)
{
    const struct share_hello hello = hello_of(1, 2, 1, 0);
    struct stage stage;

    make_unpacked(SHARE_DIRECTORY_PREFIX "twice");
    stage_start(&stage, 0, &hello);
    say_unpacking(&stage.first, SHARE_DIRECTORY_PREFIX "twice", SHARE_DIRECTORY);
    say_unpacking(&stage.first, SHARE_DIRECTORY_PREFIX "twice", SHARE_DIRECTORY);
    say_unpacking(&stage.first, SHARE_DIRECTORY_PREFIX "twice", SHARE_PARENT);
    say_unpacking(&stage.first, SHARE_DIRECTORY_PREFIX "twice", SHARE_DIRECTORY | SHARE_PARENT);
    say_unpacking(&stage.first, SHARE_DIRECTORY_PREFIX "twice", 0);
    TAP_TRUE(stage_lives(&stage));
    peer_end(&stage.first);
    STAGE_ENDS(&stage);
}

/* Fills the unpacked image NAME with COUNT directories of as many files; where that is slow, for a second. */
static void fill(const char *name, int count)
{
    const int64_t end = stage_now() + 1000;
    char path[PATH_MAX];

    for (int i = 0; i < count && stage_now() < end; i++) {
        snprintf(path, sizeof(path), "%s/%s/%d", place, name, i);
        make_directory(path, 0700);
        for (int k = 0; k < count; k++) {
            snprintf(path, sizeof(path), "%s/%s/%d/%d", place, name, i, k);
            close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        }
    }
}

static int changes(const char *path, const struct stat *before)
{
    struct stat now;

    return stat(path, &now) == 0 && memcmp(&now.st_mtim, &before->st_mtim, sizeof(now.st_mtim)) != 0;
}

/* Whether a rank met others between two moments at which some of a large image was gone and some was not. */
static int meets_meanwhile(void)
{
    enum { COUNT = 150 };
    const struct share_hello hello = hello_of(1, 2, 1, 0);
    const char *name = SHARE_DIRECTORY_PREFIX "large";
    struct built built = {stage_thing(), stage_thing(), {-1, -1}};
    struct peer other, next;
    struct stage stage;
    struct stat before;
    char path[PATH_MAX];
    int meets;

    stage_pipe(built.mounts);
    make_unpacked(name);
    fill(name, COUNT);
    snprintf(path, sizeof(path), "%s/%s", place, name);
    if (stat(path, &before) < 0)
        stage_give_up(path);
    stage_start(&stage, 0, &hello);
    say_unpacking(&stage.first, name, SHARE_DIRECTORY | SHARE_PARENT);
    peer_offer(
        &stage.first, SHARE_READY,
        &(struct offer){.userns = built.userns, .mountns = built.mountns, .mountinfo = built.mounts[0]});
    other = peer_start(&stage);
    peer_ask(&other, 2, 1);
    TAP_INT(peer_kind(&other), SHARE_BUILD);
    peer_ready(&other, &built);
    next = peer_start(&stage);
    TAP_INT(stage_count(&stage, SHARE_ITEM_IMAGE), 2);
    peer_end(&stage.first);
    while (!changes(path, &before) && is_there(name))
        ;
    peer_ask(&next, 2, 1);
    TAP_INT(peer_kind(&next), SHARE_ENTER);
    meets = changes(path, &before);
    peer_end(&next);
    TAP_TRUE(stage_comes_to(&stage, SHARE_ITEM_IMAGE, 1));
    peer_end(&other);
    STAGE_ENDS(&stage);
    TAP_TRUE(!is_there(name));
    built_close(&built);
    return meets;
}

/* This test may not get the processor in time. A broker that does nothing else is never met. */
static void test_meets_meanwhile(void)
{
    int meets = 0;

    for (int i = 0; i < 8 && !meets; i++)
        meets = meets_meanwhile();
    TAP_TRUE(meets);
}

int main(void)
{
    stage_make_scratch(scratch, sizeof(scratch));
    test_unpacked();
    test_half_unpacked();
    test_meets_meanwhile();
    test_unpacking_twice();
    test_names_of_unpacked();
    stage_remove_scratch(scratch);
    return tap_done();
}
