#include "parts.h"

/* Names in a registry: repository, tag, digest. */
static const struct good good[] = {
    {"debian", "docker repository=debian"},
    {"debian:1/2", "docker domain=debian:1 repository=2"},
    {"debian:12", "docker repository=debian tag=12"},
    {"library/debian:12", "docker repository=library/debian tag=12"},
    {"a/b/c/d", "docker repository=a/b/c/d"},
    {"0", "docker repository=0"},
    {"a", "docker repository=a"},
    {"test_com", "docker repository=test_com"},
    {"test.com", "docker repository=test.com"},
    {"test.com:tag", "docker repository=test.com tag=tag"},
    {"test.com:5000", "docker repository=test.com tag=5000"},
    {"foo_bar.com:8080", "docker repository=foo_bar.com tag=8080"},
    {"foo/foo_bar.com:8080", "docker repository=foo/foo_bar.com tag=8080"},
    {"192.168.1.1", "docker repository=192.168.1.1"},
    {"localhost", "docker repository=localhost"},
    {"localhost:5000", "docker repository=localhost tag=5000"},
    {"app.sqfs", "docker repository=app.sqfs"},
    {"images/app.sif", "docker repository=images/app.sif"},
    {"a_b/c__d/e-f/g--h/i---j/k.l", "docker repository=a_b/c__d/e-f/g--h/i---j/k.l"},
    {"1/2/3:4", "docker repository=1/2/3 tag=4"},
    {"debian:Bookworm", "docker repository=debian tag=Bookworm"},
    {"debian:_x", "docker repository=debian tag=_x"},
    {"debian:1.2-3_4.", "docker repository=debian tag=1.2-3_4."},
    {"debian:latest", "docker repository=debian tag=latest"},
    {"debian@" SHA256, "docker repository=debian digest=" SHA256},
    {"debian@" SHA512, "docker repository=debian digest=" SHA512},
    {"debian:12@" SHA256, "docker repository=debian tag=12 digest=" SHA256},
    {"test:5000/repo:tag@" SHA256, "docker domain=test:5000 repository=repo tag=tag digest=" SHA256},
    {"xn--7o8h.com/myimage:xn--7o8h.com@" SHA512,
     "docker domain=xn--7o8h.com repository=myimage tag=xn--7o8h.com digest=" SHA512},
    {"b.gcr.io/test.example.com/my-app:test.example.com",
     "docker domain=b.gcr.io repository=test.example.com/my-app tag=test.example.com"},
    {"docker.io/library/debian", "docker domain=docker.io repository=library/debian"},
    {"docker.io/debian", "docker domain=docker.io repository=debian"},
};

static const struct bad bad[] = {
    {"Debian",
     "image Debian: the repository Debian has an upper case letter, which none may have: write debian"},
    {"Foo/Bar:X", "the repository Foo/Bar has an upper case letter, which none may have: write foo/bar"},
    {"example.org/Foo", "the repository Foo has an upper case letter, which none may have: write foo"},
    {"debian:", "image debian:: the tag is empty: leave the colon out, or write a tag after it"},
    {"debian:@" SHA256, "the tag is empty"},
    {":12", "the repository is missing"},
    {"@" SHA256, "the repository is missing"},
    {":", "the repository is missing"},
    {"@", "the digest is empty"},
    {"debian:-x", "the tag -x begins with '-': a letter, a digit or '_' must be its first"},
    {"debian:.x", "the tag .x begins with '.'"},
    {"debian:1+2", "the tag 1+2 holds '+': letters, digits, '_', '.' and '-' may be in it"},
    {"debian:1 2", "the tag '1 2' holds ' '"},
    {"debian:1\n", "the tag $'1\\n' holds $'\\n'"},
    {"debian:\303\244", "the tag \303\244 begins with '\303\244'"},
    {"debian:1:2", "another colon after the colon of debian:1:2 cannot be: one tag stands at the end"},
    {"debian::", "another colon after the colon"},
    {"a/b:1/2", "a slash after the colon of a/b:1/2 cannot be: one tag stands at the end"},
    {"debian/", "the repository debian/ has an empty part: a slash too many"},
    {"a//b", "the repository a//b has an empty part: a slash too many"},
    {"a/b//c", "the repository a/b//c has an empty part"},
    {"example.org/", "the repository is missing"},
    {"example.org//a", "the repository /a has an empty part"},
    {"example.org/:1", "the repository is missing"},
    {"-debian", "the repository -debian: each part between slashes begins and ends with a letter or digit"},
    {"debian-", "the repository debian-: each part between slashes begins and ends"},
    {"_debian", "the repository _debian: each part"},
    {"debian_", "the repository debian_: each part"},
    {".debian", "the repository .debian: each part"},
    {"debian.", "the repository debian.: each part"},
    {"a/-b", "the repository a/-b: each part"},
    {"a/b-/c", "the repository a/b-/c: each part"},
    {"a..b",
     "the repository a..b: each part between slashes begins and ends with a letter or digit, and between "
     "them stands '.', '_', '__' or '-'"},
    {"a/../b", "the repository a/../b: each part"},
    {"a___b", "the repository a___b: each part"},
    {"a_-b", "the repository a_-b: each part"},
    {"a.-b", "the repository a.-b: each part"},
    {"a-_b", "the repository a-_b: each part"},
    {"a b", "the repository 'a b' holds ' ': lower case letters, digits, '.', '_', '-' and '/' may be in it"},
    {" debian", "the repository ' debian' holds ' '"},
    {"debian ", "the repository 'debian ' holds ' '"},
    {"a\tb", "holds $'\\t'"},
    {"a\033[2Jb", "holds $'\\x1b'"},
    {"a\377b", "holds the byte 0xff"},
    {"k\303\244se", "holds '\303\244'"},
    {"a'b", "holds $'\\''"},
    {"aa/asdf$$^/aa", "the repository 'aa/asdf$$^/aa' holds '$'"},
    {"a+b", "holds '+'"},
    {"a%20b", "holds '%'"},
    {"a\\b", "holds '\\'"},
    {"a*", "holds '*'"},
    {"registry.example.org#a/b", "between registry and repository stands '/' and not '#'"},
    {"debian@", "image debian@: the digest is empty: leave the '@' out, or write sha256:HEX after it"},
    {"debian@sha256", "what stands after '@' is a digest, sha256:HEX or sha512:HEX, and not sha256"},
    {"debian@sha256:", "the digest has 0 digits: sha256 has 64 of them"},
    {"debian@sha256:abc", "the digest has 3 digits: sha256 has 64 of them"},
    {"debian@" SHA256 "0", "the digest has 65 digits: sha256 has 64 of them"},
    {"debian@sha512:" HEX64, "the digest has 64 digits: sha512 has 128 of them"},
    {"debian@sha256:" HEX64 HEX64, "the digest has 128 digits: sha256 has 64 of them"},
    {"debian@sha256:ABCDEF" HEX64, "the digest holds 'A': 0 to 9 and a to f may be in it"},
    {"debian@sha256:xyz", "the digest holds 'x'"},
    {"debian@sha256:ab ", "the digest holds ' '"},
    {"debian@sha1:0123456789abcdef0123456789abcdef01234567",
     "is a digest, sha256:HEX or sha512:HEX, and not sha1:"},
    {"debian@SHA256:" HEX64, "and not SHA256:"},
    {"debian@" HEX64, "is a digest, sha256:HEX or sha512:HEX, and not 0123"},
    {"debian@12", "is a digest, sha256:HEX or sha512:HEX, and not 12"},
    {"me@example.org/a", "and not example.org/a; a user's name does not belong here"},
    {"debian@" SHA256 "@" SHA256, "there are two '@': one digest may stand at the end"},
    {"a@b@c", "there are two '@'"},
    {"debian@@", "there are two '@'"},
    {"debian@" SHA256 ":12", "the digest holds ':'"},
};

static void test_lengths(void)
{
    const char *longest = repeated("a/", 127, "a"), *longer = repeated("a/", 127, "aa");
    const char *name;
    struct reference reference;

    TAP_OK(read_reference(&reference, longest), err);
    TAP_INT(strlen(reference.repository), REFERENCE_REPOSITORY_MAX);
    TAP_ERR(read_reference(&reference, longer), err, ERR_USAGE, "has more than 255 characters");
    name = arena_join(&arena, "example.org/", longest, ":", repeated("t", REFERENCE_TAG_MAX, ""), "@" SHA512,
                      NULL);
    TAP_OK(read_reference(&reference, name), err);
    TAP_INT(strlen(reference.repository), REFERENCE_REPOSITORY_MAX);
    TAP_INT(strlen(reference.tag), REFERENCE_TAG_MAX);
    TAP_ERR(
        read_reference(&reference, arena_join(&arena, "a:", repeated("t", REFERENCE_TAG_MAX + 1, ""), NULL)),
        err, ERR_USAGE, "has more than 128 characters");
    /* The cause is not pushed off the end. */
    TAP_ERR(read_reference(&reference, repeated("a/", 100000, "A")), err, ERR_USAGE,
            "has an upper case letter");
    TAP_ERR(read_reference(&reference, repeated("\001", 100000, "")), err, ERR_USAGE, "holds $'\\x01'");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    TEST_GOOD(good);
    TEST_BAD(bad);
    test_lengths();
    arena_free(&arena);
    return tap_done();
}
