#include "registry/url.h"

#include "../../tap.h"

static struct arena arena;

static const struct {
    const char *base, *text, *shown; /* TEXT SCHEME HOST PORT, or the cause */
} cases[] = {
    {NULL, "https://example.org", "https://example.org/ https example.org 443"},
    {NULL, "HTTPS://Example.ORG:443/a?b#c", "https://Example.ORG:443/a?b https example.org 443"},
    {NULL, "http://[::1]:5000/v2/", "http://[::1]:5000/v2/ http [::1] 5000"},
    {NULL, "http://127.0.0.1", "http://127.0.0.1/ http 127.0.0.1 80"},
    {"https://r/v2/a/blobs/x", "/y?z", "https://r/y?z https r 443"},
    {"https://r/v2/a/blobs/x", "y", "https://r/v2/a/blobs/y https r 443"},
    {"https://r/v2/a/blobs/x", "//other/y", "https://other/y https other 443"},
    {"https://r/v2/a", "http://r/v2/a", "http://r/v2/a http r 80"},
    {"https://r/v2/a", "../../../x", "https://r/x https r 443"},
    {NULL, "file:///etc/passwd", "it is neither http:// nor https://"},
    {"https://r/", "ftp://x/", "it is neither http:// nor https://"},
    {"https://r/", "javascript:x", "it cannot be read"},
    {NULL, "https://user@example.org/", "there is a user or password in it"},
    {NULL, "https://:p@example.org/", "there is a user or password in it"},
    {NULL, "", "it cannot be read"},
    {NULL, "/token", "it cannot be read"},
    {NULL, "https://", "it cannot be read"},
    {NULL, "https://a b/", "it cannot be read"},
    {NULL, "https://a:99999/", "it cannot be read"},
};

static void test_read(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct url url;
        const char *cause = NULL;
        tap.row = cases[i].text;
        if (url_read(&url, cases[i].base, cases[i].text, &arena, &cause) == 0)
            cause = arena_printf(&arena, "%s %s %s %s", url.text, url.scheme, url.host, url.port);
        TAP_STR(cause, cases[i].shown);
    }
    tap.row = NULL;
}

static int is_same(const char *a, const char *b)
{
    struct url one, other;
    const char *cause;

    return url_read(&one, NULL, a, &arena, &cause) == 0 && url_read(&other, NULL, b, &arena, &cause) == 0 &&
           url_same_origin(&one, &other);
}

static void test_origin(void)
{
    struct url url;
    const char *cause;
    struct str out = {.arena = &arena};

    TAP_TRUE(is_same("https://a/x", "https://A:443/y"));
    TAP_TRUE(!is_same("https://a/", "http://a/"));
    TAP_TRUE(!is_same("https://a/", "https://a:444/"));
    TAP_TRUE(!is_same("https://a/", "https://a.b/"));
    TAP_TRUE(!is_same("https://a/", "https://a./"));
    TAP_INT(url_read(&url, NULL, "https://h:5000/secret?token=secret", &arena, &cause), 0);
    TAP_STR(url_origin(&url, &arena), "https://h:5000");
    TAP_INT(url_read(&url, NULL, "http://h:80/", &arena, &cause), 0);
    TAP_STR(url_origin(&url, &arena), "http://h");
    url_escape(&out, "repository:a/b:pull,push &=+%~\xC3\xA4");
    TAP_STR(out.data, "repository%3Aa%2Fb%3Apull%2Cpush%20%26%3D%2B%25~%C3%A4");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_read();
    test_origin();
    arena_free(&arena);
    return tap_done();
}
