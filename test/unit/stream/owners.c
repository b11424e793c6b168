#include <sys/stat.h>

#include "stream/work.h"
#include "test/tap.h"

static struct arena arena;

static int parse(struct owners *owners, const char *text, struct err *err)
{
    return owners_parse(owners, text, strlen(text), &arena, err);
}

static void check_good(void)
{
    struct owners owners;
    const struct owner *owner;
    struct err err = {0};

    TAP_OK(parse(&owners,
                 "#mtree\n"
                 "./z\\040\\134\\043\\377\\012 type=link uid=7 gid=8 mode=0777\n"
                 ". type=dir uid=5 gid=6 mode=0755\n"
                 "# a comment\n\n"
                 "./usr/bin/wall type=file uid=0 gid=5 mode=2755\n"
                 "./no type=file uid=4294967294 gid=0\n",
                 &err),
           err);
    TAP_INT(owners.count, 4);
    owner = owners_find(&owners, "usr/bin/wall");
    TAP_TRUE(owner && owner->gid == 5 && owner->mode == (S_IFREG | 02755));
    owner = owners_find(&owners, "");
    TAP_TRUE(owner && owner->uid == 5 && S_ISDIR(owner->mode));
    owner = owners_find(&owners, "z \\#\xFF\n");
    TAP_TRUE(owner && owner->uid == 7 && S_ISLNK(owner->mode));
    owner = owners_find(&owners, "no");
    TAP_TRUE(owner && owner->uid == 4294967294U);
    TAP_TRUE(owners_find(&owners, "usr/bin") == NULL);
    TAP_OK(parse(&owners, "#mtree\n", &err), err);
    TAP_TRUE(owners_find(&owners, "") == NULL);
}

static void check_bad(void)
{
    static const char *const bad[] = {
        "#mtree\n./a type=file uid=-1 gid=0\n",
        "#mtree\n./a type=file uid=4294967295 gid=0\n",
        "#mtree\n./a type=file uid=0 gid=99999999999\n",
        "not this\n",
    };
    struct owners owners;
    struct err err = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap.row = bad[i];
        TAP_ERR(parse(&owners, bad[i], &err), err, ERR_IMAGE_DAMAGED, "");
    }
    tap.row = NULL;
    TAP_ERR(owners_parse(&owners, "\0\0\0\0", 4, &arena, &err), err, ERR_IMAGE_DAMAGED, "");
}

/* A record may come from anyone: each prefix, and each byte changed, is a record or an error. */
static void check_mutants(void)
{
    static const char good[] =
        "#mtree\n/set uid=3 gid=4\n./a\\040b type=file uid=1 gid=2 mode=4755 \\\n"
        "  size=3 time=1.5\nd type=dir\n x\n..\n./l type=link link=a\\057b\n/unset uid\n";
    int taken = 0, refused = 0;

    for (size_t i = 0; i < sizeof(good); i++) {
        for (int c = 0; c < 256; c += 17) {
            char text[sizeof(good)];
            struct owners owners;
            struct err err = {0};
            int result;

            memcpy(text, good, sizeof(good));
            text[i] = (char)c;
            result = owners_parse(&owners, text, c ? sizeof(good) - 1 : i, &arena, &err);
            taken += result == 0;
            refused += result < 0 && err.id == ERR_IMAGE_DAMAGED;
        }
    }
    TAP_TRUE(taken > 100);
    TAP_TRUE(refused > 0);
    TAP_INT(taken + refused, sizeof(good) * 16);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    check_good();
    check_bad();
    check_mutants();
    arena_free(&arena);
    return tap_done();
}
