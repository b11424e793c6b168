#include "host/record-place.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"
#include "sample.h"

static struct arena arena;

static const char *place_for(const char *variable, int rank, uint32_t uid)
{
    char *environment[] = {arena_strdup(&arena, "XDG_RUNTIME_DIRX=/x"), arena_strdup(&arena, variable), NULL};

    return record_place(rank, environment, uid, &arena);
}

static void test_places(void)
{
    TAP_STR(place_for("XDG_RUNTIME_DIR=/run/user/7", 0, 7), "/run/user/7/coracle-7");
    TAP_STR(place_for("XDG_RUNTIME_DIR=/run//user/7/", 0, 7), "/run/user/7/coracle-7");
    TAP_STR(place_for("XDG_RUNTIME_DIR=", 0, 7), NULL);
    TAP_STR(place_for("XDG_RUNTIME_DIR=run", 0, 7), NULL);
    TAP_STR(place_for("XDG_RUNTIME_DIR=/a\nb", 0, 7), NULL);
    TAP_STR(place_for("USER=alice", 0, 7), NULL);
    TAP_STR(place_for("USER=alice", 1, 4294967294), "/tmp/coracle-4294967294");
    TAP_STR(place_for("USER=alice", 2, 7), "/dev/shm/coracle-7");
    for (int rank = 0; rank < RECORD_PLACES; rank++)
        TAP_STR(place_for("XDG_RUNTIME_DIR=/run", rank, 65534), NULL);
}

static void test_is_safe(void)
{
    struct stat st = {.st_mode = S_IFDIR | 0700, .st_uid = 7};

    TAP_TRUE(record_place_is_safe(&st, 7));
    TAP_TRUE(!record_place_is_safe(&st, 8));
    st.st_mode = S_IFLNK | 0700;
    TAP_TRUE(!record_place_is_safe(&st, 7));
    st.st_mode = S_IFREG | 0700;
    TAP_TRUE(!record_place_is_safe(&st, 7));
    for (mode_t bit = 1; bit <= 040; bit <<= 1) {
        st.st_mode = S_IFDIR | 0700 | bit;
        TAP_TRUE(!record_place_is_safe(&st, 7));
    }
}

static void write_record(const char *place, const char *text, size_t length)
{
    const char *path = arena_join(&arena, place, "/record", NULL);
    FD_CLEANUP int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    TAP_INT(fd_write_all(fd, text, length), 0);
}

static void write_record_of(const char *place, const struct record_file *file)
{
    struct str text = {.arena = &arena};

    record_file_print(file, &text);
    write_record(place, text.data, text.length);
}

/* A record in a directory of ours that holds by FACTS. */
static struct record_file record_for(const char *place, const struct record_facts *facts)
{
    struct record_file file = sample;

    file.uid = facts->uid;
    file.boot = facts->boot;
    file.made = facts->now;
    memcpy(file.inputs, facts->inputs, sizeof(file.inputs));
    file.directory = place;
    return file;
}

static void test_read(const char *place)
{
    struct record_facts facts = {.uid = geteuid(),
                                 .gid = 27,
                                 .egid = 1001,
                                 .now = 90,
                                 .boot = 80,
                                 .inputs = {"1", "2", "3", "default", "default", "none"}};
    struct record_file file = record_for(place, &facts);
    struct record_file got;
    char *huge = arena_alloc(&arena, RECORD_KEPT_LIMIT + 1);

    TAP_INT(record_place_read(place, &facts, &got, &arena), -1);
    write_record_of(place, &file);
    TAP_INT(record_place_read(place, &facts, &got, &arena), 0);
    TAP_STR(got.user, "alice");
    TAP_STR(got.directory, place);

    facts.boot = 70;
    TAP_INT(record_place_read(place, &facts, &got, &arena), 1);
    facts.boot = 80;
    file.directory = "/tmp";
    write_record_of(place, &file);
    TAP_INT(record_place_read(place, &facts, &got, &arena), 1);
    write_record(place, "damaged", 7);
    TAP_INT(record_place_read(place, &facts, &got, &arena), 1);
    write_record(place, "", 0);
    TAP_INT(record_place_read(place, &facts, &got, &arena), -1);
    write_record(place, huge, RECORD_KEPT_LIMIT + 1);
    TAP_INT(record_place_read(place, &facts, &got, &arena), -1);
}

static void test_unsafe(const char *place)
{
    const char *link = arena_join(&arena, place, "/link", NULL);
    const char *path = arena_join(&arena, place, "/record", NULL);
    struct record_facts facts = {.uid = geteuid(),
                                 .gid = 27,
                                 .egid = 1001,
                                 .now = 90,
                                 .boot = 80,
                                 .inputs = {"1", "2", "3", "default", "default", "none"}};
    struct record_file file = record_for(place, &facts);
    struct record_file got;

    write_record_of(place, &file);
    TAP_INT(chmod(place, 0750), 0);
    TAP_INT(record_place_read(place, &facts, &got, &arena), -1);
    TAP_INT(chmod(place, 0700), 0);
    TAP_INT(symlink(place, link), 0);
    TAP_INT(record_place_read(link, &facts, &got, &arena), -1);
    TAP_INT(record_place_read(path, &facts, &got, &arena), -1);
    TAP_INT(record_place_read(place, &facts, &got, &arena), 0);

    TAP_INT(unlink(path), 0);
    TAP_INT(mkfifo(path, 0600), 0);
    TAP_INT(record_place_read(place, &facts, &got, &arena), -1);
    TAP_INT(unlink(path), 0);
    TAP_INT(symlink("/etc/passwd", path), 0);
    TAP_INT(record_place_read(place, &facts, &got, &arena), -1);
    TAP_INT(unlink(path), 0);
    TAP_INT(unlink(link), 0);
}

int main(void)
{
    char place[] = "/tmp/coracle-unit-XXXXXX";

    arena_init(&arena, tap_no_memory);
    test_places();
    test_is_safe();
    TAP_TRUE(mkdtemp(place));
    test_read(place);
    test_unsafe(place);
    TAP_INT(rmdir(place), 0);
    arena_free(&arena);
    return tap_done();
}
