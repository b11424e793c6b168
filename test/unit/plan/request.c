/* Names of launches; what the other options say is seen in test/golden. */
#include "plan/request.h"

#include "../../tap.h"

static struct arena arena;

static int is_name(const char *name)
{
    struct request request;
    int result;

    request_init(&request, &arena);
    result = request_set_name(&request, name);
    if (result < 0 ? request.name != NULL : request.name != name)
        return -1;
    return result == 0;
}

int main(void)
{
    static const char *const good[] = {"a", "Z", "solver", "a1", "a-b_c.d+e", "x--", "a."};
    static const char *const bad[] = {
        "",   "1",        "1a",        "-a",   "_a",   ".a", "+",   "a b", "a/b", "a\n", "a,b", "a:b", "a=b",
        "a*", "\xc3\xa4", "a\xc3\xa4", "1234", "12.0", " a", "a@b", "a%d", "@",   "[",   "`",   "{"};
    char text[REQUEST_NAME_LIMIT + 2];

    arena_init(&arena, tap_no_memory);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        tap.row = good[i];
        TAP_INT(is_name(good[i]), 1);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap.row = bad[i];
        TAP_INT(is_name(bad[i]), 0);
    }
    tap.row = NULL;
    memset(text, 'n', sizeof(text));
    text[REQUEST_NAME_LIMIT + 1] = 0;
    TAP_INT(is_name(text), 0);
    text[REQUEST_NAME_LIMIT] = 0;
    TAP_INT(is_name(text), 1);
    arena_free(&arena);
    return tap_done();
}
