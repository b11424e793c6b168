/* parts - reads a reference and shows its parts, for the tests of this folder. */
#ifndef CORACLE_TEST_REFERENCE_PARTS_H
#define CORACLE_TEST_REFERENCE_PARTS_H

#include "base/str.h"
#include "reference/reference.h"
#include "../../tap.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA256 "sha256:" HEX64
#define SHA512 "sha512:" HEX64 HEX64

static struct arena arena;
static struct err err;

struct good {
    const char *text;
    const char *parts;
};

struct bad {
    const char *text;
    const char *error; /* a part of it */
};

/* A copy that is exactly as long as the text: valgrind and ASan see a look past the end. */
static inline int read_reference(struct reference *reference, const char *text)
{
    char *copy = malloc(strlen(text) + 1);
    int result;

    if (!copy)
        tap_no_memory();
    memcpy(copy, text, strlen(text) + 1);
    result = reference_parse(reference, copy, &arena, ERR_USAGE, &err);
    free(copy);
    return result;
}

static inline void add(struct str *out, const char *label, const char *part)
{
    if (part)
        str_addf(out, " %s=%s", label, part);
}

/* "TRANSPORT path=... domain=... repository=... tag=... digest=... name=... index=...", what is there. */
static inline const char *parts_of(const char *text)
{
    struct str out = {.arena = &arena};
    struct reference reference;

    if (read_reference(&reference, text) < 0)
        return err.text;
    str_add(&out,
            reference.transport == REFERENCE_PATH ? "path" : reference_transport_name(reference.transport));
    add(&out, "path", reference.path);
    add(&out, "domain", reference.domain);
    add(&out, "repository", reference.repository);
    add(&out, "tag", reference.tag);
    add(&out, "digest", reference.digest);
    add(&out, "name", reference.name);
    if (reference.index >= 0)
        str_addf(&out, " index=%d", reference.index);
    return str_text(&out);
}

static inline void test_good(const struct good *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tap.row = cases[i].text;
        TAP_STR(parts_of(cases[i].text), cases[i].parts);
    }
    tap.row = NULL;
}

static inline void test_bad(const struct bad *cases, size_t count)
{
    struct reference reference;

    for (size_t i = 0; i < count; i++) {
        tap.row = cases[i].text;
        TAP_ERR(read_reference(&reference, cases[i].text), err, ERR_USAGE, cases[i].error);
    }
    tap.row = NULL;
}

/* TIMES times PART, with AFTER behind it. */
static inline const char *repeated(const char *part, int times, const char *after)
{
    struct str out = {.arena = &arena};

    for (int i = 0; i < times; i++)
        str_add(&out, part);
    str_add(&out, after);
    return str_text(&out);
}

#define TEST_GOOD(cases) test_good(cases, sizeof(cases) / sizeof((cases)[0]))
#define TEST_BAD(cases) test_bad(cases, sizeof(cases) / sizeof((cases)[0]))

#endif
