#include "base/num.h"

#include "../../tap.h"

static const struct {
    const char *text;
    uint64_t limit;
    uint64_t value;
} good[] = {
    {"0", 0, 0},
    {"0", 5, 0},
    {"007", 7, 7},
    {"10", 10, 10},
    {"18446744073709551615", UINT64_MAX, UINT64_MAX},
    {"9223372036854775807", INT64_MAX, INT64_MAX},
};

static const struct {
    const char *text;
    uint64_t limit;
} bad[] = {
    {"", 9},
    {"1", 0},
    {"9", 5},
    {"11", 10},
    {"20", 10},
    {"18446744073709551616", UINT64_MAX},
    {"184467440737095516150", UINT64_MAX},
    {"99999999999999999999999", UINT64_MAX},
    {"9223372036854775808", INT64_MAX},
    {"-1", 9},
    {"+1", 9},
    {" 1", 9},
    {"1 ", 9},
    {"1\n", 9},
    {"0x1", 99},
    {"1.0", 99},
    {"1e1", 99},
    {"\331\241", 9}, /* U+0661, a digit in another script */
};

static void test_parse(void)
{
    uint64_t value;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        tap.row = good[i].text;
        value = 77;
        TAP_INT(num_parse(good[i].text, good[i].limit, &value), 0);
        TAP_TRUE(value == good[i].value);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap.row = bad[i].text;
        TAP_INT(num_parse(bad[i].text, bad[i].limit, &value), -1);
    }
    tap.row = NULL;
    value = 77;
    TAP_INT(num_parse("1x", 9, &value), -1);
    TAP_INT(value, 77);
}

static void test_parse_id(void)
{
    uint32_t id = 77;

    TAP_INT(num_parse_id("0", &id), 0);
    TAP_INT(id, 0);
    TAP_INT(num_parse_id("4294967294", &id), 0);
    TAP_INT(id, 4294967294);
    TAP_INT(num_parse_id("4294967295", &id), -1);
    TAP_INT(num_parse_id("4294967296", &id), -1);
    TAP_INT(num_parse_id("-1", &id), -1);
    TAP_INT(num_parse_id("root", &id), -1);
    TAP_INT(id, 4294967294);
}

static void test_parse_size(void)
{
    static const struct {
        const char *text;
        long long bytes; /* -1: refused */
    } rows[] = {
        {"0", 0},
        {"1", 1},
        {"1k", 1024},
        {"1K", 1024},
        {"2m", 2 * 1024 * 1024},
        {"2M", 2 * 1024 * 1024},
        {"3G", 3LL << 30},
        {"3g", 3LL << 30},
        {"4T", 4LL << 40},
        {"4t", 4LL << 40},
        {"9223372036854775807", INT64_MAX},
        {"8388607T", 8388607LL << 40},
        {"8388608T", -1},
        {"9223372036854775807k", -1},
        {"9223372036854775808", -1},
        {"", -1},
        {"k", -1},
        {"1kk", -1},
        {"1kB", -1},
        {"1P", -1},
        {"1 k", -1},
        {"-1k", -1},
        {"1.5G", -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t bytes = 0;
        int result;
        tap.row = rows[i].text;
        result = num_parse_size(rows[i].text, &bytes);
        TAP_INT(result < 0 ? -1 : (long long)bytes, rows[i].bytes);
    }
    tap.row = NULL;
}

static void test_format(void)
{
    char out[21];

    TAP_INT(num_format(out, 0), 1);
    TAP_STR(out, "0");
    TAP_INT(num_format(out, 1234567890), 10);
    TAP_STR(out, "1234567890");
    TAP_INT(num_format(out, UINT64_MAX), 20);
    TAP_STR(out, "18446744073709551615");
}

static void test_little_endian(void)
{
    static const unsigned char bytes[] = {0xff, 0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88};
    static const unsigned char ones[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    TAP_INT(num_le16(bytes + 1), 0x8201);
    TAP_INT(num_le32(bytes + 1), 0x84038201);
    TAP_TRUE(num_le64(bytes + 1) == 0x8807860584038201);
    TAP_INT(num_le16(ones), UINT16_MAX);
    TAP_INT(num_le32(ones), UINT32_MAX);
    TAP_TRUE(num_le64(ones) == UINT64_MAX);
}

int main(void)
{
    test_parse();
    test_parse_id();
    test_parse_size();
    test_format();
    test_little_endian();
    return tap_done();
}
