#include "toml/reader.h"

#include <string.h>

/* Places are asked for from the beginning to the end, but for errors: no byte is counted often. */
struct toml_place toml_place_of(struct toml_reader *reader, const char *at)
{
    if (at < reader->marked) {
        reader->marked = reader->start;
        reader->place = (struct toml_place){1, 1};
    }
    for (const char *p = reader->marked; p < at; p++) {
        if (*p == '\n') {
            reader->place.line++;
            reader->place.column = 1;
        } else if (((unsigned char)*p & 0xC0) != 0x80) {
            reader->place.column++;
        }
    }
    reader->marked = at;
    return reader->place;
}

int toml_error(struct toml_reader *reader, const char *at, const char *format, ...)
{
    struct toml_place place = toml_place_of(reader, at);
    va_list args;
    const char *cause;

    va_start(args, format);
    cause = arena_vprintf(reader->file->arena, format, args);
    va_end(args);
    return err_set(reader->err, reader->file->id, "%s:%u:%u: %s", reader->file->name, place.line,
                   place.column, cause);
}

int toml_expected(struct toml_reader *reader, const char *expected)
{
    const char *p = reader->p;
    size_t length = str_utf8_length(p, (size_t)(reader->end - p));
    const char *found;

    if (p == reader->end)
        found = "the end of the file";
    else if (toml_newline(reader, p))
        found = "the end of the line";
    else if (length && !str_is_control(p, length))
        found = arena_printf(reader->file->arena, "'%.*s'", (int)length, p);
    else if (length == 1)
        found = arena_printf(reader->file->arena, "the control character U+%04X", (unsigned char)*p);
    else
        found = "a control character";
    return toml_error(reader, p, "expected %s, found %s", expected, found);
}

int toml_next_is(const struct toml_reader *reader, char c)
{
    return reader->p < reader->end && *reader->p == c;
}

int toml_take(struct toml_reader *reader, char c)
{
    if (!toml_next_is(reader, c))
        return 0;
    reader->p++;
    return 1;
}

size_t toml_newline(const struct toml_reader *reader, const char *p)
{
    if (p < reader->end && *p == '\n')
        return 1;
    return reader->end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

int toml_is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7F;
}

void toml_skip_blanks(struct toml_reader *reader)
{
    while (toml_next_is(reader, ' ') || toml_next_is(reader, '\t'))
        reader->p++;
}

/* Passes a comment, if there is one, up to the newline. */
static int skip_comment(struct toml_reader *reader)
{
    if (!toml_take(reader, '#'))
        return 0;
    for (; reader->p < reader->end && !toml_newline(reader, reader->p); reader->p++)
        if (toml_is_control(*reader->p))
            return toml_error(reader, reader->p, "a comment must not hold the control character U+%04X",
                              (unsigned char)*reader->p);
    return 0;
}

int toml_skip_lines(struct toml_reader *reader)
{
    size_t newline;

    do {
        toml_skip_blanks(reader);
        if (skip_comment(reader) < 0)
            return -1;
        newline = toml_newline(reader, reader->p);
        reader->p += newline;
    } while (newline);
    return 0;
}

int toml_read_line_end(struct toml_reader *reader)
{
    toml_skip_blanks(reader);
    if (skip_comment(reader) < 0)
        return -1;
    if (reader->p < reader->end && !toml_newline(reader, reader->p))
        return toml_expected(reader, "the end of the line");
    reader->p += toml_newline(reader, reader->p);
    return 0;
}

int toml_check_text(struct toml_reader *reader)
{
    static const char mark[] = "\xEF\xBB\xBF";

    if (reader->end - reader->start > TOML_SIZE_MAX)
        return toml_error(reader, reader->start, "the file has more than %d bytes", TOML_SIZE_MAX);
    for (const char *p = reader->start; p < reader->end;) {
        size_t length = str_utf8_length(p, (size_t)(reader->end - p));
        if (!length)
            return toml_error(reader, p, "this is not UTF-8: byte 0x%02x", (unsigned char)*p);
        p += length;
    }
    if (reader->end - reader->start >= 3 && memcmp(reader->start, mark, 3) == 0)
        reader->start = reader->p = reader->marked = reader->start + 3;
    return 0;
}
