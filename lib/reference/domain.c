#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "reference/name.h"

static char to_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* [ADDRESS]: hexadecimal digits and colons; neither a zone nor an IPv4 address in it. */
static int check_address(const struct name_reader *reader, const char *host, size_t length)
{
    size_t valid = strspn(host + 1, "0123456789abcdef:");

    if (length < 4 || valid != length - 2 || host[length - 1] != ']')
        return err_set(reader->err, reader->id,
                       "%s is not an IPv6 address: hexadecimal digits and colons between [ and ]",
                       str_quote(reader->arena, host));
    return 0;
}

/* Labels of letters, digits and "-", not at their ends, with dots between them. */
static int check_labels(const struct name_reader *reader, const char *host)
{
    const char *quoted = str_quote(reader->arena, host);

    for (const char *label = host;; label++) {
        const char *end = label;

        while (name_is_lower(*end) || *end == '-')
            end++;
        if (*end && *end != '.')
            return err_set(reader->err, reader->id,
                           "the registry's name %s holds %s: letters, digits, '-' and '.' may be in it",
                           quoted, name_character(reader->arena, end));
        if (end == label || *label == '-' || end[-1] == '-')
            return err_set(reader->err, reader->id,
                           "the registry's name %s: each part between dots begins and ends with a letter or "
                           "digit",
                           quoted);
        if (!*end)
            return 0;
        label = end;
    }
}

static int check_port(const struct name_reader *reader, const char *port, const char *text)
{
    uint64_t value;

    if (num_parse(port, 65535, &value) < 0 || *port == '0')
        return err_set(reader->err, reader->id,
                       "the port %s of the registry %s is not a number from 1 to 65535",
                       str_quote(reader->arena, port), str_quote(reader->arena, text));
    return 0;
}

int name_parse_domain(const struct name_reader *reader, const char *text, const char **domain)
{
    char *copy = arena_strdup(reader->arena, text), *port, *host;
    size_t length;

    for (char *p = copy; *p; p++)
        *p = to_lower(*p);
    port = *copy == '[' && strchr(copy, ']') ? strchr(copy, ']') + 1 : copy + strcspn(copy, ":");
    length = (size_t)(port - copy);
    host = arena_strndup(reader->arena, copy, length);
    if (length == 0)
        return err_set(reader->err, reader->id, "there is no registry before %s",
                       str_quote(reader->arena, text));
    if (length > REFERENCE_HOST_MAX)
        return err_set(reader->err, reader->id, "the registry's name %s has more than %d characters",
                       str_quote(reader->arena, host), REFERENCE_HOST_MAX);
    if ((*host == '[' ? check_address(reader, host, length) : check_labels(reader, host)) < 0)
        return -1;
    if (*port && *port != ':')
        return err_set(reader->err, reader->id,
                       "after the address %s in the registry's name a port may follow",
                       str_quote(reader->arena, host));
    if (*port && check_port(reader, port + 1, text) < 0)
        return -1;
    *domain = copy;
    return 0;
}
