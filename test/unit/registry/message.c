#include "registry/message.h"

#include "../../tap.h"

static struct arena arena;

static const struct {
    const char *text, *message;
} cases[] = {
    {"{\"errors\":[{\"code\":\"DENIED\",\"message\":\"requested access is denied\",\"detail\":[]}]}",
     "requested access is denied"},
    {"{\"errors\":[{\"code\":\"DENIED\",\"message\":\"\"}]}", "DENIED"},
    {"{\"errors\":[{\"code\":\"DENIED\"},{\"message\":\"x\"}]}", "DENIED"},
    {"{\"errors\":[]}", ""},
    {"{\"errors\":[5]}", ""},
    {"{\"errors\":{\"message\":\"x\"}}", ""},
    {"{\"details\":\"incorrect username or password\"}", "incorrect username or password"},
    {"{\"error\":\"invalid_grant\",\"error_description\":\"it has expired\"}", "it has expired"},
    {"{\"error\":\"invalid_grant\"}", "invalid_grant"},
    {"{\"errors\":[{\"message\":\"a\\u001b[31mb\\nc\\u202ed\\u009be\"}]}", "a [31mb c d e"},
    {"{\"errors\":[{\"message\":\"the password hunter2 is wrong\"}]}", ""},
    {"<html>no</html>", ""},
    {"[]", ""},
    {"\"x\"", ""},
    {"", ""},
};

static void test_length(void)
{
    static const char *const none[] = {NULL};
    char text[1024] = "{\"message\":\"";
    const char *message;

    for (int i = 0; i < 200; i++)
        strcat(text, "\303\244");
    strcat(text, "\"}");
    message = message_read(text, strlen(text), none, &arena);
    TAP_INT(strlen(message), 236 + 3);
    TAP_STR(message + 236, "...");
}

int main(void)
{
    static const char *const secrets[] = {"", "hunter2", NULL};

    arena_init(&arena, tap_no_memory);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap.row = cases[i].text;
        TAP_STR(message_read(cases[i].text, strlen(cases[i].text), secrets, &arena), cases[i].message);
    }
    tap.row = NULL;
    test_length();
    arena_free(&arena);
    return tap_done();
}
