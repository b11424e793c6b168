#include "host/userns.h"

#include "../../tap.h"

static void test_format_map(void)
{
    static const struct {
        uint32_t inside, outside;
        const char *text;
    } rows[] = {{0, 1000, "0 1000 1"}, {7, 0, "7 0 1"}, {4294967294, 4294967294, "4294967294 4294967294 1"}};
    char text[USERNS_MAP];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].text;
        TAP_STR(userns_format_map(text, rows[i].inside, rows[i].outside), rows[i].text);
        TAP_TRUE(strlen(text) < sizeof(text));
    }
    tap.row = NULL;
}

int main(void)
{
    test_format_map();
    return tap_done();
}
