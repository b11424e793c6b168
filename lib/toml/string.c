#include "toml/reader.h"

#include <string.h>

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *digit = memchr(digits, c, sizeof(digits) - 1);

    return digit ? (int)(digit - digits) % 16 : -1;
}

static void add_utf8(struct str *out, unsigned long code)
{
    if (code < 0x80) {
        str_add_char(out, (char)code);
        return;
    }
    if (code < 0x800) {
        str_add_char(out, (char)(0xC0 | code >> 6));
    } else {
        if (code < 0x10000) {
            str_add_char(out, (char)(0xE0 | code >> 12));
        } else {
            str_add_char(out, (char)(0xF0 | code >> 18));
            str_add_char(out, (char)(0x80 | (code >> 12 & 0x3F)));
        }
        str_add_char(out, (char)(0x80 | (code >> 6 & 0x3F)));
    }
    str_add_char(out, (char)(0x80 | (code & 0x3F)));
}

/* \uXXXX or \UXXXXXXXX, at whose backslash the reader stands. */
static int read_unicode_escape(struct toml_reader *reader, struct str *out)
{
    const char *escape = reader->p;
    const int digits = escape[1] == 'u' ? 4 : 8;
    unsigned long code = 0;

    reader->p += 2;
    for (int i = 0; i < digits; i++, reader->p++) {
        int digit = reader->p < reader->end ? hex_digit(*reader->p) : -1;
        if (digit < 0)
            return toml_error(reader, escape, "\\%c needs %d hexadecimal digits", escape[1], digits);
        code = code << 4 | (unsigned long)digit;
    }
    if (code == 0)
        return toml_error(reader, escape, "\\%c with the value 0 is refused: text here cannot hold it",
                          escape[1]);
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return toml_error(reader, escape, "U+%04lX is not a character; %s", code,
                          code > 0x10FFFF
                              ? "the last one is U+10FFFF"
                              : "write one beyond U+FFFF as \\U and eight digits, not as two \\u");
    add_utf8(out, code);
    return 0;
}

/* An escape but the backslash that ends a line. */
static int read_escape(struct toml_reader *reader, struct str *out)
{
    static const char letters[] = "btnfr\"\\";
    static const char meanings[] = "\b\t\n\f\r\"\\";
    const char letter = reader->end - reader->p > 1 ? reader->p[1] : 0;
    const char *known = memchr(letters, letter, sizeof(letters) - 1);

    if (letter == 'u' || letter == 'U')
        return read_unicode_escape(reader, out);
    if (!known)
        return toml_error(reader, reader->p,
                          "a backslash must be followed by one of b t n f r \" \\ u U; in '...' it needs "
                          "no escape");
    str_add_char(out, meanings[known - letters]);
    reader->p += 2;
    return 0;
}

/* One character as it is. */
static int read_character(struct toml_reader *reader, struct str *out)
{
    size_t length = str_utf8_length(reader->p, (size_t)(reader->end - reader->p));

    if (toml_is_control(*reader->p))
        return toml_error(reader, reader->p,
                          "a string must not hold the control character U+%04X: write \\u%04X in \"...\"",
                          (unsigned char)*reader->p, (unsigned char)*reader->p);
    str_add_bytes(out, reader->p, length);
    reader->p += length;
    return 0;
}

static int read_one_line(struct toml_reader *reader, char quote, struct str *out)
{
    const char *open = reader->p++;

    while (!toml_take(reader, quote)) {
        if (reader->p == reader->end || toml_newline(reader, reader->p))
            return toml_error(reader, open,
                              "this string does not end in its line: expected a closing %c; a string of more "
                              "lines stands between three quotes",
                              quote);
        if ((*reader->p == '\\' && quote == '"' ? read_escape(reader, out) : read_character(reader, out)) < 0)
            return -1;
    }
    return 0;
}

/* Passes a backslash at the end of a line and all blanks and newlines after it; 0 where there is none. */
static int skip_joint(struct toml_reader *reader)
{
    const char *p = reader->p + 1;

    while (p < reader->end && (*p == ' ' || *p == '\t'))
        p++;
    if (!toml_newline(reader, p))
        return 0;
    while (p < reader->end && (*p == ' ' || *p == '\t' || toml_newline(reader, p)))
        p += toml_newline(reader, p) ? toml_newline(reader, p) : 1;
    reader->p = p;
    return 1;
}

/*
 * Passes quotes in a string of more lines, up to five: three end it, one or two
 * before them are its own. Whether it has ended.
 */
static int read_quotes(struct toml_reader *reader, char quote, struct str *out)
{
    int count = 0;

    while (count < 5 && toml_take(reader, quote))
        count++;
    for (int i = 0; i < (count < 3 ? count : count - 3); i++)
        str_add_char(out, quote);
    return count >= 3;
}

static int read_more_lines(struct toml_reader *reader, char quote, struct str *out)
{
    const char *open = reader->p;

    reader->p += 3;
    reader->p += toml_newline(reader, reader->p);
    while (!read_quotes(reader, quote, out)) {
        size_t newline = toml_newline(reader, reader->p);

        if (reader->p == reader->end)
            return toml_error(reader, open, "this string does not end: expected %c%c%c", quote, quote, quote);
        if (newline) {
            str_add_char(out, '\n');
            reader->p += newline;
        } else if (*reader->p != '\\' || quote != '"') {
            if (read_character(reader, out) < 0)
                return -1;
        } else if (!skip_joint(reader) && read_escape(reader, out) < 0) {
            return -1;
        }
    }
    return 0;
}

const char *toml_read_string(struct toml_reader *reader, int one_line)
{
    struct str out = {.arena = reader->file->arena};
    const char *p = reader->p;
    const int has_three = reader->end - p >= 3 && p[1] == p[0] && p[2] == p[0];

    if (has_three && one_line) {
        toml_error(reader, p, "a key must not be a string of more lines");
        return NULL;
    }
    if ((has_three ? read_more_lines(reader, *p, &out) : read_one_line(reader, *p, &out)) < 0)
        return NULL;
    return str_text(&out);
}
