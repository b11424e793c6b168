#include "base/num.h"

#include <string.h>

/* Digits at *TEXT up to LIMIT; leaves *TEXT behind them. */
static int parse_digits(const char **text, uint64_t limit, uint64_t *value)
{
    uint64_t result = 0;
    const char *p = *text;

    if (*p < '0' || *p > '9')
        return -1;
    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (result > (limit - digit) / 10 || digit > limit)
            return -1;
        result = result * 10 + digit;
    }
    *text = p;
    *value = result;
    return 0;
}

int num_parse(const char *text, uint64_t limit, uint64_t *value)
{
    uint64_t result;

    if (parse_digits(&text, limit, &result) < 0 || *text)
        return -1;
    *value = result;
    return 0;
}

int num_parse_id(const char *text, uint32_t *id)
{
    uint64_t value;

    if (num_parse(text, UINT32_MAX - 1, &value) < 0)
        return -1;
    *id = (uint32_t)value;
    return 0;
}

int num_parse_size(const char *text, uint64_t *bytes)
{
    static const char units[] = "kKmMgGtT";
    uint64_t value;
    unsigned shift = 0;
    const char *unit;

    if (parse_digits(&text, INT64_MAX, &value) < 0)
        return -1;
    if (*text) {
        unit = strchr(units, *text);
        if (!unit || text[1])
            return -1;
        shift = 10 * (unsigned)((unit - units) / 2 + 1);
    }
    if (value > (uint64_t)INT64_MAX >> shift)
        return -1;
    *bytes = value << shift;
    return 0;
}

int num_format(char *out, uint64_t value)
{
    char digits[20];
    int n = 0;

    do
        digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    for (int i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    out[n] = 0;
    return n;
}

uint16_t num_le16(const unsigned char bytes[2])
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

uint32_t num_le32(const unsigned char bytes[4])
{
    return num_le16(bytes) | (uint32_t)num_le16(bytes + 2) << 16;
}

uint64_t num_le64(const unsigned char bytes[8])
{
    return num_le32(bytes) | (uint64_t)num_le32(bytes + 4) << 32;
}
