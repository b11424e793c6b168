#include "cache/name.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/path.h"
#include "host/machine.h"

static struct arena arena;

static void test_directory(void)
{
    static char home[] = "HOME=/home/u", caches[] = "XDG_CACHE_HOME=/var/c/", relative[] = "XDG_CACHE_HOME=c";
    char *none[] = {NULL}, *of_home[] = {home, NULL}, *of_both[] = {home, caches, NULL},
         *of_relative[] = {home, relative, NULL};

    TAP_STR(cache_directory("/scratch//c/", of_both, &arena), "/scratch/c");
    TAP_STR(cache_directory(NULL, of_both, &arena), "/var/c/coracle");
    TAP_STR(cache_directory(NULL, of_home, &arena), "/home/u/.cache/coracle");
    TAP_STR(cache_directory(NULL, of_relative, &arena), "/home/u/.cache/coracle");
    TAP_STR(cache_directory(NULL, none, &arena), NULL);
}

/* TEXT, completed for REGISTRY. */
static const char *complete(const char *text, const char *registry)
{
    struct reference reference;
    struct err err;

    if (reference_parse(&reference, text, &arena, ERR_USAGE, &err) < 0 ||
        cache_complete(&reference, registry, &arena, &err) < 0)
        return "";
    return reference_print(&reference, &arena);
}

static void test_complete(void)
{
    struct reference reference;
    struct err err;

    TAP_STR(complete("debian", "docker.io"), "docker.io/library/debian:latest");
    TAP_STR(complete("docker.io/debian:12", NULL), "docker.io/library/debian:12");
    TAP_STR(complete("docker.io/a/b", NULL), "docker.io/a/b:latest");
    TAP_STR(complete("ghcr.io/b", "docker.io"), "ghcr.io/b:latest");
    TAP_OK(reference_parse(&reference, "debian:12", &arena, ERR_USAGE, &err), err);
    TAP_ERR(cache_complete(&reference, NULL, &arena, &err), err, ERR_USAGE, "docker.io/debian:12");
}

/* The name of TEXT beneath the machine's directory. */
static const char *name_of(const char *text)
{
    struct reference reference;
    struct host_machine machine;
    const char *name, *prefix;
    struct err err;

    host_machine_find(&machine);
    if (reference_parse(&reference, text, &arena, ERR_USAGE, &err) < 0 ||
        cache_name(&name, "/c", &reference, &arena, &err) < 0)
        return "";
    prefix = machine.level ? arena_printf(&arena, "/c/names/%s-v%d/", machine.name, machine.level)
                           : arena_printf(&arena, "/c/names/%s/", machine.name);
    return strncmp(name, prefix, strlen(prefix)) == 0 ? name + strlen(prefix) : name;
}

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_registry(void)
{
    TAP_STR(name_of("docker.io/library/debian:12"), "docker.io/library/debian:12");
    TAP_STR(name_of("localhost:5000/a/b:c"), "localhost:5000/a/b:c");
    TAP_STR(name_of("localhost:5000/a/b:c@sha256:" HEX), "localhost:5000/a/b@sha256:" HEX);
}

static void make_file(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    TAP_INT(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* Without the stamp at the end. */
static const char *without_stamp(const char *name)
{
    return arena_strndup(&arena, name, strlen(name) - 33);
}

static void test_files(const char *place)
{
    char many[240];
    const char *first, *escaped, *layout;
    struct stat st;

    memset(many, 'x', sizeof(many) - 1);
    many[sizeof(many) - 1] = 0;
    make_file("a%b@c.tar", "1");
    make_file(many, "1");
    TAP_INT(mkdir("layout", 0700), 0);
    make_file("layout/index.json", "1");

    escaped = "";
    for (const char *p = place; *p; p++)
        escaped = *p == '/' ? arena_join(&arena, escaped, "%2F", NULL)
                            : arena_join(&arena, escaped, arena_strndup(&arena, p, 1), NULL);
    first = name_of("docker-archive:a%b@c.tar:x:1");
    TAP_STR(without_stamp(first),
            arena_join(&arena, "docker-archive/", escaped, "%2Fa%25b%40c.tar:x:1", NULL));
    TAP_STR(name_of("docker-archive:a%b@c.tar:x:1"), first);
    TAP_STR(without_stamp(name_of("./a%b@c.tar")),
            arena_join(&arena, "path/", escaped, "%2Fa%25b%40c.tar", NULL));
    /* Another file, and the file changed. */
    TAP_TRUE(strcmp(name_of("docker-archive:a%b@c.tar:x:2"), first) != 0);
    make_file("a%b@c.tar", "12");
    TAP_TRUE(strcmp(name_of("docker-archive:a%b@c.tar:x:1"), first) != 0);
    /* A long one ends as it ends, and fits. */
    TAP_TRUE(strlen(path_basename(name_of(arena_join(&arena, "tar:", many, NULL)))) <= 255);
    /* A layout is what its index says. */
    layout = name_of("oci:layout:x");
    make_file("layout/other", "1");
    TAP_STR(name_of("oci:layout:x"), layout);
    make_file("layout/index.json", "12");
    TAP_TRUE(strcmp(name_of("oci:layout:x"), layout) != 0);
    TAP_STR(name_of("tar:nowhere"), "");
    TAP_INT(stat("nowhere", &st), -1);
    unlink("a%b@c.tar");
    unlink(many);
    unlink("layout/index.json");
    unlink("layout/other");
    rmdir("layout");
}

int main(void)
{
    char place[] = "/tmp/coracle-test-XXXXXX";

    arena_init(&arena, tap_no_memory);
    test_directory();
    test_complete();
    test_registry();
    TAP_TRUE(mkdtemp(place) && chdir(place) == 0);
    test_files(place);
    TAP_INT(rmdir(place), 0);
    arena_free(&arena);
    return tap_done();
}
