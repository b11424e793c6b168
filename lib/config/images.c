#include "config/images.h"

#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "config/config.h"
#include "config/expand.h"

#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

enum { SMALLEST_BLOCK = 4096, LARGEST_BLOCK = 1024 * 1024, LARGEST_PORT = 65535 };

/* Whether the LENGTH bytes at TEXT are HOST or HOST:PORT; an IPv6 address stands between brackets. */
static int is_domain(const char *text, size_t length)
{
    size_t host =
        *text == '[' ? strspn(text + 1, "0123456789abcdefABCDEF:.") : strspn(text, ALPHANUMERIC ".-");
    uint64_t port = 0;
    char digits[6] = "";

    if (*text == '[' && host && text[1 + host] == ']')
        host += 2;
    else if (*text == '[' || !strchr(ALPHANUMERIC, *text))
        return 0;
    if (!host || host == length)
        return host == length && length > 0;
    if (host > length || text[host] != ':' || length - host - 1 >= sizeof(digits))
        return 0;
    memcpy(digits, text + host + 1, length - host - 1);
    return num_parse(digits, LARGEST_PORT, &port) == 0 && port > 0;
}

int config_is_domain(const char *text)
{
    return *text && is_domain(text, strlen(text));
}

int config_check_registry(const struct toml_value *value, const char **text, struct arena *arena,
                          struct err *err)
{
    if (toml_expect(value, TOML_STRING, err) < 0)
        return -1;
    if (!config_is_domain(value->text))
        return toml_fail(value, err, "%s is no registry; it is HOST or HOST:PORT",
                         str_quote(arena, value->text));
    *text = value->text;
    return 0;
}

int config_check_cache(const struct toml_value *value, const char **text, struct arena *arena,
                       struct err *err)
{
    const char *mistake;

    (void)arena;
    if (toml_expect(value, TOML_STRING, err) < 0)
        return -1;
    mistake = config_expand_mistake(value->text);
    if (mistake)
        return toml_fail(value, err, "%s", mistake);
    if (*value->text != '/' && *value->text != '$')
        return toml_fail(value, err, "cache must be an absolute path");
    *text = value->text;
    return 0;
}

int config_check_compression(const struct toml_value *value, const char **text, struct arena *arena,
                             struct err *err)
{
    static const char *const methods[] = {"zstd", "lz4", "gzip", "xz"};
    uint64_t level;

    if (toml_expect(value, TOML_STRING, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        const char *rest = value->text + strlen(methods[i]);

        if (strncmp(value->text, methods[i], strlen(methods[i])) != 0 ||
            (*rest && (*rest != ':' || num_parse(rest + 1, 100, &level) < 0)))
            continue;
        *text = value->text;
        return 0;
    }
    return toml_fail(value, err, "%s is no compression; it is zstd, lz4, gzip or xz, and :LEVEL",
                     str_quote(arena, value->text));
}

int config_check_block_size(const struct toml_value *value, const char **text, struct arena *arena,
                            struct err *err)
{
    const char *written = value->kind == TOML_INTEGER && value->integer > 0
                              ? arena_printf(arena, "%llu", (unsigned long long)value->integer)
                              : value->text;
    uint64_t size;

    if (value->kind != TOML_INTEGER && toml_expect(value, TOML_STRING, err) < 0)
        return -1;
    if (!written || num_parse_size(written, &size) < 0 || size < SMALLEST_BLOCK || size > LARGEST_BLOCK ||
        (size & (size - 1)))
        return toml_fail(value, err, "block-size is not a power of two from 4K to 1M");
    *text = written;
    return 0;
}

int config_check_timeout(const struct toml_value *value, const char **text, struct arena *arena,
                         struct err *err)
{
    if (toml_expect(value, TOML_INTEGER, err) < 0)
        return -1;
    if (value->integer < 1 || value->integer > CONFIG_TIMEOUT_MAX)
        return toml_fail(value, err, "timeout is a number of seconds from 1 to %d", CONFIG_TIMEOUT_MAX);
    *text = arena_printf(arena, "%d", (int)value->integer);
    return 0;
}

/* Behind the domain nothing that ends or changes the meaning of an address. */
static int is_mirror(const char *text)
{
    const char *prefix = text + strcspn(text, "/");

    return is_domain(text, (size_t)(prefix - text)) && !prefix[strspn(prefix, ALPHANUMERIC "/._-")] &&
           !strstr(prefix, "//") && !strstr(prefix, "/.");
}

int config_check_mirrors(const struct toml_value *value, const char *const **list, struct arena *arena,
                         struct err *err)
{
    const char **mirrors;
    size_t count = 0;

    if (toml_expect(value, TOML_ARRAY, err) < 0)
        return -1;
    mirrors = arena_alloc(arena, (value->count + 1) * sizeof(*mirrors));
    for (const struct toml_value *item = value->first; item; item = item->next) {
        if (toml_expect(item, TOML_STRING, err) < 0)
            return -1;
        if (!is_mirror(item->text))
            return toml_fail(item, err, "%s is no mirror; it is HOST[:PORT][/PREFIX]",
                             str_quote(arena, item->text));
        mirrors[count++] = item->text;
    }
    *list = mirrors;
    return 0;
}

int config_check_file(const struct toml_value *value, const char **text, struct err *err)
{
    if (toml_expect(value, TOML_STRING, err) < 0)
        return -1;
    if (*value->text != '/')
        return toml_fail(value, err, "%s must be an absolute path", value->key);
    *text = value->text;
    return 0;
}
