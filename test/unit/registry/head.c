#include "registry/head.h"

#include "../../tap.h"

enum { NOW = 1000000000 }; /* Sun, 09 Sep 2001 01:46:40 GMT */

static struct head head;

static int add(const char *line)
{
    return head_add(&head, line, strlen(line), NOW);
}

static void begin(void)
{
    memset(&head, 0, sizeof(head));
    add("HTTP/1.1 200 OK\r\n");
}

static void test_status(void)
{
    memset(&head, 0, sizeof(head));
    add("Content-Length: 5\r\n");
    TAP_INT(head.status, 0);
    add("HTTP/1.1 100 Continue\r\n");
    TAP_INT(head.status, 100);
    add("Content-Length: 7\r\n");
    add("\r\n");
    add("HTTP/2 206\r\n");
    TAP_INT(head.status, 206);
    TAP_INT(head.content_length, -1);
    add("HTTP/1.1 2x6\r\n");
    TAP_INT(head.status, 206);
}

static void test_numbers(void)
{
    static const struct {
        const char *line;
        long long length, start, total, retry;
    } cases[] = {
        {"content-length: 0", 0, -1, -1, -1},
        {"CONTENT-LENGTH:9223372036854775807\r\n", INT64_MAX, -1, -1, -1},
        {"Content-Length: 9223372036854775808\r\n", -1, -1, -1, -1},
        {"Content-Length: -5\r\n", -1, -1, -1, -1},
        {"Content-Length: 5, 6\r\n", -1, -1, -1, -1},
        {"Content-Range: bytes 5-9/10\r\n", -1, 5, 10, -1},
        {"Content-Range: bytes 5-9/*\r\n", -1, 5, -1, -1},
        {"Content-Range: bytes */10\r\n", -1, -1, -1, -1},
        {"Content-Range: bytes 5-x/10\r\n", -1, -1, -1, -1},
        {"Content-Range: items 5-9/10\r\n", -1, -1, -1, -1},
        {"Content-Range: bytes 99999999999999999999-9/10\r\n", -1, -1, 10, -1},
        {"Retry-After: 120\r\n", -1, -1, -1, 120},
        {"Retry-After: Sun, 09 Sep 2001 01:47:40 GMT\r\n", -1, -1, -1, 60},
        {"Retry-After: Sun, 09 Sep 2001 01:45:40 GMT\r\n", -1, -1, -1, -1},
        {"Retry-After: soon\r\n", -1, -1, -1, -1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap.row = cases[i].line;
        begin();
        add(cases[i].line);
        TAP_INT(head.content_length, cases[i].length);
        TAP_INT(head.range_start, cases[i].start);
        TAP_INT(head.range_total, cases[i].total);
        TAP_INT(head.retry_after, cases[i].retry);
    }
    tap.row = NULL;
}

static void test_texts(void)
{
    begin();
    add("Content-Type: Application/JSON; charset=utf-8\r\n");
    TAP_STR(head.content_type, "application/json");
    add("Docker-Content-Digest: sha256:00 \t\r\n");
    TAP_STR(head.digest, "sha256:00");
    add("Docker-Content-Digest: a\x1b[31m\r\n");
    TAP_STR(head.digest, "");
    add("ETag: \"x\"\r\n");
    TAP_STR(head.etag, "\"x\"");
    add("ETag: W/\"x\"\r\n");
    TAP_STR(head.etag, "");
    add("Location:   /a b\r\n");
    TAP_STR(head.location, "/a b");
    add("Location\r\n");
    TAP_STR(head.location, "/a b");
    add("WWW-Authenticate: Basic realm=x\r\n");
    add("www-authenticate: Bearer realm=y\r\n");
    TAP_STR(head.authenticate, "Basic realm=x, Bearer realm=y");
    TAP_INT(head_add(&head, "Location: a\0b\r\n", 15, NOW), 0);
    TAP_STR(head.location, "/a b");
}

static void test_limits(void)
{
    static char line[HEAD_MAX + 2];
    int result = 0;

    memset(line, 'x', sizeof(line) - 1);
    memcpy(line, "Location: ", 10);
    begin();
    TAP_INT(head_add(&head, line, 8192 + 9, NOW), 0);
    TAP_INT(strlen(head.location), 8191);
    TAP_INT(head_add(&head, line, 8192 + 10, NOW), 0);
    TAP_STR(head.location, "");
    TAP_INT(head_add(&head, line, 30000, NOW), 0);
    TAP_INT(head_add(&head, line, 30000, NOW), -1);
    /* A new status line does not begin the count anew. */
    begin();
    for (int i = 0; i < 10000 && result == 0; i++)
        result = add("HTTP/1.1 100 Continue\r\n");
    TAP_INT(result, -1);
    begin();
    memcpy(line, "WWW-Authenticate: ", 18);
    for (int i = 0; i < 7; i++)
        head_add(&head, line, 4018, NOW);
    TAP_INT(strlen(head.authenticate), 4000 + 2 + 4000);
}

int main(void)
{
    test_status();
    test_numbers();
    test_texts();
    test_limits();
    return tap_done();
}
