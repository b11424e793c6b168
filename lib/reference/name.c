#include "reference/name.h"

#include <string.h>

#include "base/str.h"

int name_is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static int is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

int name_is_alphanumeric(char c)
{
    return name_is_lower(c) || is_upper(c);
}

const char *name_character(struct arena *arena, const char *text)
{
    size_t length = str_utf8_length(text, strlen(text));

    if (length && !str_is_control(text, length) && *text != '\'')
        return arena_printf(arena, "'%.*s'", (int)length, text);
    return length ? str_quote(arena, arena_strndup(arena, text, length))
                  : arena_printf(arena, "the byte 0x%02x", (unsigned char)*text);
}

static const char *quote(const struct name_reader *reader, const char *text)
{
    return str_quote(reader->arena, text);
}

/* REPOSITORY in lower case, which is what was meant. */
static const char *lower(const struct name_reader *reader, const char *repository)
{
    char *copy = arena_strdup(reader->arena, repository);

    for (char *p = copy; *p; p++)
        if (is_upper(*p))
            *p = (char)(*p - 'A' + 'a');
    return quote(reader, copy);
}

static int fail_character(const struct name_reader *reader, const char *repository, const char *at)
{
    if (is_upper(*at))
        return err_set(reader->err, reader->id,
                       "the repository %s has an upper case letter, which none may have: write %s",
                       quote(reader, repository), lower(reader, repository));
    return err_set(
        reader->err, reader->id,
        "the repository %s holds %s: lower case letters, digits, '.', '_', '-' and '/' may be in it",
        quote(reader, repository), name_character(reader->arena, at));
}

/* The length of a separator: ".", "_", "__" or as many "-" as there are. 0 where there is none. */
static size_t separator_length(const char *p)
{
    if (*p == '_')
        return p[1] == '_' ? 2 : 1;
    return *p == '.' ? 1 : strspn(p, "-");
}

/* One part between slashes: letters and digits, with separators between them. The end of it, or NULL. */
static const char *check_component(const struct name_reader *reader, const char *repository, const char *p)
{
    const char *start = p;

    for (;;) {
        const char *word = p;

        while (name_is_lower(*p))
            p++;
        if (p == start && (!*p || *p == '/')) {
            err_set(reader->err, reader->id, "the repository %s has an empty part: a slash too many",
                    quote(reader, repository));
            return NULL;
        }
        if (p > word && (!*p || *p == '/'))
            return p;
        if (*p && *p != '/' && !separator_length(p)) {
            fail_character(reader, repository, p);
            return NULL;
        }
        if (p == word) {
            err_set(
                reader->err, reader->id,
                "the repository %s: each part between slashes begins and ends with a letter or digit, and "
                "between them stands '.', '_', '__' or '-'",
                quote(reader, repository));
            return NULL;
        }
        p += separator_length(p);
    }
}

static int check_repository(const struct name_reader *reader, const char *repository)
{
    const char *p = repository;

    if (!*repository)
        return err_set(reader->err, reader->id, "the repository is missing");
    while ((p = check_component(reader, repository, p)) && *p == '/')
        p++;
    if (!p)
        return -1;
    if (strlen(repository) > REFERENCE_REPOSITORY_MAX)
        return err_set(reader->err, reader->id, "the repository %s has more than %d characters",
                       quote(reader, repository), REFERENCE_REPOSITORY_MAX);
    return 0;
}

static int check_tag(const struct name_reader *reader, const char *tag)
{
    if (!*tag)
        return err_set(reader->err, reader->id,
                       "the tag is empty: leave the colon out, or write a tag after it");
    if (!name_is_alphanumeric(*tag) && *tag != '_')
        return err_set(reader->err, reader->id,
                       "the tag %s begins with %s: a letter, a digit or '_' must be its first",
                       quote(reader, tag), name_character(reader->arena, tag));
    for (const char *p = tag; *p; p++)
        if (!name_is_alphanumeric(*p) && !strchr("_.-", *p))
            return err_set(reader->err, reader->id,
                           "the tag %s holds %s: letters, digits, '_', '.' and '-' may be in it",
                           quote(reader, tag), name_character(reader->arena, p));
    if (strlen(tag) > REFERENCE_TAG_MAX)
        return err_set(reader->err, reader->id, "the tag %s has more than %d characters", quote(reader, tag),
                       REFERENCE_TAG_MAX);
    return 0;
}

static int fail_digest(const struct name_reader *reader, const char *digest)
{
    return err_set(
        reader->err, reader->id,
        "what stands after '@' is a digest, sha256:HEX or sha512:HEX, and not %s; a user's name does "
        "not belong here",
        quote(reader, digest));
}

static int check_digest(const struct name_reader *reader, const char *digest)
{
    static const struct {
        const char *prefix;
        size_t digits;
    } algorithms[] = {{"sha256:", 64}, {"sha512:", 128}};

    if (!*digest)
        return err_set(reader->err, reader->id,
                       "the digest is empty: leave the '@' out, or write sha256:HEX after it");
    if (strchr(digest, '@'))
        return err_set(reader->err, reader->id, "there are two '@': one digest may stand at the end");
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        size_t prefix = strlen(algorithms[i].prefix), digits;

        if (strncmp(digest, algorithms[i].prefix, prefix) != 0)
            continue;
        digits = strspn(digest + prefix, "0123456789abcdef");
        if (digest[prefix + digits])
            return err_set(reader->err, reader->id, "the digest holds %s: 0 to 9 and a to f may be in it",
                           name_character(reader->arena, digest + prefix + digits));
        if (digits != algorithms[i].digits)
            return err_set(reader->err, reader->id, "the digest has %zu digits: %s has %zu of them", digits,
                           i ? "sha512" : "sha256", algorithms[i].digits);
        return 0;
    }
    return fail_digest(reader, digest);
}

/* Whether the LENGTH bytes before the first slash are a domain. */
static int is_domain(const char *text, size_t length)
{
    static const char localhost[] = "localhost";

    if (*text == '[' || memchr(text, '.', length) || memchr(text, ':', length))
        return 1;
    return length == strlen(localhost) && strncmp(text, localhost, length) == 0;
}

/* The slash after the domain; NULL where there is none. An IPv6 address has colons. */
static const char *domain_end(const char *text)
{
    const char *slash = strchr(text, '/');

    return slash && is_domain(text, (size_t)(slash - text)) ? slash : NULL;
}

/* [DOMAIN/]REPOSITORY[:TAG] */
static int parse_tagged(const struct name_reader *reader, const char *text)
{
    const char *slash = domain_end(text);
    const char *repository = slash ? slash + 1 : text;
    const char *colon = strchr(repository, ':');

    if (colon && (strchr(colon + 1, ':') || strchr(colon + 1, '/')))
        return err_set(reader->err, reader->id,
                       "%s after the colon of %s cannot be: one tag stands at the end",
                       strchr(colon + 1, '/') ? "a slash" : "another colon", quote(reader, repository));
    if (slash && name_parse_domain(reader, arena_strndup(reader->arena, text, (size_t)(slash - text)),
                                   &reader->reference->domain) < 0)
        return -1;
    if (colon)
        reader->reference->tag = arena_strdup(reader->arena, colon + 1);
    reader->reference->repository =
        arena_strndup(reader->arena, repository, colon ? (size_t)(colon - repository) : strlen(repository));
    if (check_repository(reader, reader->reference->repository) < 0)
        return -1;
    return colon ? check_tag(reader, reader->reference->tag) : 0;
}

int name_parse(const struct name_reader *reader, const char *text)
{
    const char *at = strchr(text, '@');

    if (strchr(text, '#'))
        return err_set(reader->err, reader->id, "between registry and repository stands '/' and not '#'");
    if (at && check_digest(reader, at + 1) < 0)
        return -1;
    if (at)
        reader->reference->digest = arena_strdup(reader->arena, at + 1);
    return parse_tagged(reader, at ? arena_strndup(reader->arena, text, (size_t)(at - text)) : text);
}
