#include "oci/platform.h"

#include <stddef.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"

/* Other names of architectures. VARIANT: what the name stands for where none is given. */
static const struct {
    const char *alias, *architecture, *variant;
} aliases[] = {
    {"x86_64", "amd64", ""},  {"x86-64", "amd64", ""},
    {"aarch64", "arm64", ""}, {"arm64e", "arm64", ""},
    {"i386", "386", ""},      {"i486", "386", ""},
    {"i586", "386", ""},      {"i686", "386", ""},
    {"armhf", "arm", "v7"},   {"armel", "arm", "v6"},
    {"armv5l", "arm", "v5"},  {"armv5tel", "arm", "v5"},
    {"armv6l", "arm", "v6"},  {"armv7l", "arm", "v7"},
    {"armv8l", "arm", "v8"},  {"loongarch64", "loong64", ""},
};

/* What may stand alone for linux: those of Go that run Linux. */
static const char *const architectures[] = {"386",     "amd64",   "arm",      "arm64",  "loong64",
                                            "mips",    "mips64",  "mips64le", "mipsle", "ppc64",
                                            "ppc64le", "riscv64", "s390x"};

static int is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static char *lower(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);

    for (char *p = copy; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return copy;
}

/* "7" is "v7". */
static const char *with_v(struct arena *arena, const char *variant)
{
    return *variant >= '0' && *variant <= '9' ? arena_join(arena, "v", variant, NULL) : variant;
}

struct oci_platform oci_platform_make(const char *os, const char *architecture, const char *variant,
                                      struct arena *arena)
{
    struct oci_platform platform = {lower(arena, os), lower(arena, architecture),
                                    with_v(arena, lower(arena, variant ? variant : ""))};

    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (!is(platform.architecture, aliases[i].alias))
            continue;
        platform.architecture = aliases[i].architecture;
        if (!*platform.variant)
            platform.variant = aliases[i].variant;
        break;
    }
    if (is(platform.architecture, "arm") && !*platform.variant)
        platform.variant = "v7";
    if ((is(platform.architecture, "amd64") && is(platform.variant, "v1")) ||
        (is(platform.architecture, "arm64") && (is(platform.variant, "v8") || is(platform.variant, "v8.0"))))
        platform.variant = "";
    return platform;
}

struct oci_platform oci_platform_of_machine(const char *machine, int level, struct arena *arena)
{
    struct oci_platform platform = oci_platform_make("linux", machine, NULL, arena);

    if (is(platform.architecture, "amd64") && level > 1)
        platform.variant = arena_printf(arena, "v%d", level);
    return platform;
}

static int is_architecture(const struct oci_platform *platform)
{
    for (size_t i = 0; i < sizeof(architectures) / sizeof(architectures[0]); i++)
        if (is(platform->architecture, architectures[i]))
            return 1;
    return 0;
}

/* Whether TEXT is one to three parts between slashes, none empty, of letters, digits and "._-". */
static int is_well_formed(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    for (int parts = 1;; parts++) {
        size_t length = strspn(text, allowed);

        if (!length || parts > 3)
            return 0;
        if (!text[length])
            return 1;
        if (text[length] != '/')
            return 0;
        text += length + 1;
    }
}

int oci_platform_parse(struct oci_platform *platform, const char *text, struct arena *arena, enum err_id id,
                       struct err *err)
{
    char *os = arena_strdup(arena, text), *architecture = strchr(os, '/'), *variant = NULL;

    if (!is_well_formed(text))
        return err_set(err, id, "platform %s: a platform is OS/ARCHITECTURE[/VARIANT], as in linux/arm64",
                       str_quote(arena, text));
    if (!architecture) {
        *platform = oci_platform_make("linux", os, NULL, arena);
        if (!is_architecture(platform))
            return err_set(
                err, id,
                "platform %s: this is no architecture that is known; write OS/ARCHITECTURE[/VARIANT], "
                "as in linux/arm64",
                str_quote(arena, text));
        return 0;
    }
    *architecture++ = '\0';
    variant = strchr(architecture, '/');
    if (variant)
        *variant++ = '\0';
    *platform = oci_platform_make(os, architecture, variant, arena);
    return 0;
}

struct version {
    uint64_t major, minor;
};

/* "v8.2"; "" is LOWEST. 0, or -1 where it is something else. */
static int read_version(struct version *version, const char *variant, uint64_t lowest)
{
    char digits[8] = "";
    const char *dot = strchr(variant, '.');
    size_t length = dot ? (size_t)(dot - variant) : strlen(variant);

    version->major = lowest;
    version->minor = 0;
    if (!*variant)
        return 0;
    if (*variant != 'v' || length > sizeof(digits))
        return -1;
    memcpy(digits, variant + 1, length - 1);
    if (num_parse(digits, 99, &version->major) < 0)
        return -1;
    return dot ? num_parse(dot + 1, 99, &version->minor) : 0;
}

/* Whether what is made for OFFERED runs on HOST. */
static int includes(const struct version *host, const struct version *offered, int is_arm64)
{
    if (!is_arm64)
        return offered->major < host->major ||
               (offered->major == host->major && offered->minor <= host->minor);
    if (offered->major == host->major)
        return offered->minor <= host->minor;
    return host->major == 9 && offered->major == 8 && offered->minor <= host->minor + 5;
}

int oci_platform_rank(const struct oci_platform *wanted, const struct oci_platform *offered)
{
    const int is_arm64 = is(wanted->architecture, "arm64");
    const uint64_t lowest = is_arm64 ? 8 : 1;
    struct version host, image;

    if (!is(wanted->os, offered->os) || !is(wanted->architecture, offered->architecture))
        return 0;
    if (is(wanted->variant, offered->variant))
        return 10000;
    if (!is_arm64 && !is(wanted->architecture, "amd64") && !is(wanted->architecture, "arm"))
        return 0;
    if (read_version(&host, wanted->variant, lowest) < 0 ||
        read_version(&image, offered->variant, lowest) < 0 || !includes(&host, &image, is_arm64))
        return 0;
    return (int)(image.major * 100 + image.minor) + 1;
}

int oci_platform_compare(const struct oci_platform *a, const struct oci_platform *b)
{
    int order = strcmp(a->os, b->os);

    if (!order)
        order = strcmp(a->architecture, b->architecture);
    return order ? order : strcmp(a->variant, b->variant);
}

const char *oci_platform_text(const struct oci_platform *platform, struct arena *arena)
{
    return str_quote(arena, arena_join(arena, platform->os, "/", platform->architecture,
                                       *platform->variant ? "/" : "", platform->variant, NULL));
}
