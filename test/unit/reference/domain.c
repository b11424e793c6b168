#include "parts.h"

static const struct good good[] = {
    {"example.org/a", "docker domain=example.org repository=a"},
    {"example.org:5000/a", "docker domain=example.org:5000 repository=a"},
    {"example.org:5000/a:5050", "docker domain=example.org:5000 repository=a tag=5050"},
    {"test:5000/a", "docker domain=test:5000 repository=a"},
    {"test:1/a", "docker domain=test:1 repository=a"},
    {"test:65535/a", "docker domain=test:65535 repository=a"},
    {"localhost/a", "docker domain=localhost repository=a"},
    {"localhost:5000/a/b:c", "docker domain=localhost:5000 repository=a/b tag=c"},
    {"sub-dom1.foo.com/bar/baz/quux", "docker domain=sub-dom1.foo.com repository=bar/baz/quux"},
    {"xn--n3h.com/a", "docker domain=xn--n3h.com repository=a"},
    {"192.168.1.1/a", "docker domain=192.168.1.1 repository=a"},
    {"192.168.1.1:5000/a", "docker domain=192.168.1.1:5000 repository=a"},
    {"0.0/a", "docker domain=0.0 repository=a"},
    {"[::1]/a", "docker domain=[::1] repository=a"},
    {"[::1]:5000/a:b", "docker domain=[::1]:5000 repository=a tag=b"},
    {"[2001:db8:1:2:3:4:5:6]/a", "docker domain=[2001:db8:1:2:3:4:5:6] repository=a"},
    {"[2001:db8::]:5000/a@" SHA256, "docker domain=[2001:db8::]:5000 repository=a digest=" SHA256},
    /* Upper case makes no other registry. */
    {"Example.ORG/a:B", "docker domain=example.org repository=a tag=B"},
    {"HOST:5000/a", "docker domain=host:5000 repository=a"},
    {"[2001:DB8::1]/a", "docker domain=[2001:db8::1] repository=a"},
    /* No domain. */
    {"test/a", "docker repository=test/a"},
    {"test_com/a", "docker repository=test_com/a"},
    {"localhosts/a", "docker repository=localhosts/a"},
    {"local/a", "docker repository=local/a"},
    {"a/example.org/b", "docker repository=a/example.org/b"},
};

static const struct bad bad[] = {
    {"test:x/a", "the port x of the registry test:x is not a number from 1 to 65535"},
    {"test:/a", "the port '' of the registry test: is not a number from 1 to 65535"},
    {"test:0/a", "the port 0 of the registry test:0 is not a number from 1 to 65535"},
    {"test:080/a", "the port 080 of the registry"},
    {"test:65536/a", "the port 65536 of the registry"},
    {"test:99999999999999999999/a", "is not a number from 1 to 65535"},
    {"test:-1/a", "the port -1 of the registry"},
    {"test:5000:1/a", "the port 5000:1 of the registry"},
    {":5000/a", "there is no registry before :5000"},
    {"test_x.com/a", "the registry's name test_x.com holds '_': letters, digits, '-' and '.' may be in it"},
    {"a b.com/a", "the registry's name 'a b.com' holds ' '"},
    {"k\303\244se.de/a", "holds '\303\244'"},
    {"a..b/c", "the registry's name a..b: each part between dots begins and ends with a letter or digit"},
    {".a.b/c", "the registry's name .a.b: each part between dots"},
    {"a.b./c", "the registry's name a.b.: each part between dots"},
    {"-a.b/c", "the registry's name -a.b: each part between dots"},
    {"a-.b/c", "the registry's name a-.b: each part between dots"},
    {"a.-b/c", "the registry's name a.-b: each part between dots"},
    {"a.b-/c", "the registry's name a.b-: each part between dots"},
    {"user:pass.word/a", "the port pass.word of the registry"},
    {"[fe80::1%eth0]:5000/a",
     "'[fe80::1%eth0]' is not an IPv6 address: hexadecimal digits and colons between"},
    {"[::ffff:192.0.2.1]/a", "is not an IPv6 address"},
    {"[]/a", "is not an IPv6 address"},
    {"[:]/a", "is not an IPv6 address"},
    {"[::1/a", "is not an IPv6 address"},
    {"[::1]x/a", "after the address '[::1]' in the registry's name a port may follow"},
    {"[::1]:/a", "the port '' of the registry"},
    {"[::1]:x/a", "the port x of the registry"},
    {"[::1]", "another colon after the colon"},
};

static void test_length(void)
{
    struct reference reference;

    TAP_OK(read_reference(&reference, repeated("a.", 126, "a/b")), err);
    TAP_INT(strlen(reference.domain), REFERENCE_HOST_MAX);
    TAP_OK(read_reference(&reference, repeated("a.", 126, "a:5000/b")), err);
    TAP_ERR(read_reference(&reference, repeated("a.", 126, "aa/b")), err, ERR_USAGE,
            "has more than 253 characters");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    TEST_GOOD(good);
    TEST_BAD(bad);
    test_length();
    arena_free(&arena);
    return tap_done();
}
