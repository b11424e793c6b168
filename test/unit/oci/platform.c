#include "oci/platform.h"

#include "../../tap.h"

static struct arena arena;
static struct err err;

static const char *parsed(const char *text)
{
    struct oci_platform platform;

    if (oci_platform_parse(&platform, text, &arena, ERR_USAGE, &err) < 0)
        return err.text;
    return oci_platform_text(&platform, &arena);
}

static void test_parse(void)
{
    static const char *const rows[][2] = {
        {"linux/amd64", "linux/amd64"},
        {"linux/amd64/v1", "linux/amd64"},
        {"linux/amd64/v3", "linux/amd64/v3"},
        {"linux/amd64/3", "linux/amd64/v3"},
        {"Linux/X86_64", "linux/amd64"},
        {"linux/x86-64", "linux/amd64"},
        {"linux/arm64/v8", "linux/arm64"},
        {"linux/aarch64", "linux/arm64"},
        {"linux/arm64/v8.2", "linux/arm64/v8.2"},
        {"linux/arm", "linux/arm/v7"},
        {"linux/arm/6", "linux/arm/v6"},
        {"linux/armhf", "linux/arm/v7"},
        {"linux/armel", "linux/arm/v6"},
        {"linux/armhf/v8", "linux/arm/v8"},
        {"linux/i386", "linux/386"},
        {"windows/amd64", "windows/amd64"},
        {"wasip1/wasm", "wasip1/wasm"},
        {"arm64", "linux/arm64"},
        {"ppc64le", "linux/ppc64le"},
        {"aarch64", "linux/arm64"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i][0];
        TAP_STR(parsed(rows[i][0]), rows[i][1]);
    }
    tap.row = NULL;
}

static void test_bad(void)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"", "platform '': a platform is OS/ARCHITECTURE[/VARIANT]"},
        {"/", "platform /: a platform is"},
        {"linux/", "a platform is"},
        {"/amd64", "a platform is"},
        {"linux//v8", "a platform is"},
        {"linux/arm/v7/x", "a platform is"},
        {"linux/arm/", "a platform is"},
        {"linux/am d64", "a platform is"},
        {"linux,amd64", "a platform is"},
        {"linux/\033[2J", "platform $'linux/\\x1b[2J': a platform is"},
        {"linux", "platform linux: this is no architecture that is known"},
        {"x64", "no architecture that is known"},
    };
    struct oci_platform platform;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].text;
        TAP_ERR(oci_platform_parse(&platform, rows[i].text, &arena, ERR_USAGE, &err), err, ERR_USAGE,
                rows[i].error);
    }
    tap.row = NULL;
}

static void test_machine(void)
{
    static const struct {
        const char *machine;
        int level;
        const char *platform;
    } rows[] = {
        {"x86_64", 0, "linux/amd64"},  {"x86_64", 1, "linux/amd64"},    {"x86_64", 3, "linux/amd64/v3"},
        {"aarch64", 0, "linux/arm64"}, {"armv7l", 0, "linux/arm/v7"},   {"armv6l", 0, "linux/arm/v6"},
        {"armv8l", 0, "linux/arm/v8"}, {"i686", 0, "linux/386"},        {"ppc64le", 0, "linux/ppc64le"},
        {"s390x", 0, "linux/s390x"},   {"riscv64", 3, "linux/riscv64"}, {"loongarch64", 0, "linux/loong64"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct oci_platform platform = oci_platform_of_machine(rows[i].machine, rows[i].level, &arena);

        tap.row = rows[i].machine;
        TAP_STR(oci_platform_text(&platform, &arena), rows[i].platform);
    }
    tap.row = NULL;
}

static int rank(const char *wanted_text, const char *offered_text)
{
    struct oci_platform wanted, offered;

    if (oci_platform_parse(&wanted, wanted_text, &arena, ERR_USAGE, &err) < 0 ||
        oci_platform_parse(&offered, offered_text, &arena, ERR_USAGE, &err) < 0)
        return -1;
    return oci_platform_rank(&wanted, &offered);
}

/* Of each row the first suits the host best, then the second ...; what follows NULL does not suit. */
static void test_rank(void)
{
    static const struct {
        const char *host;
        const char *best_first[6];
        const char * not [6];
    } rows[] = {
        {"amd64", {"amd64"}, {"linux/amd64/v2", "386", "windows/amd64", "arm64"}},
        {"linux/amd64/v3",
         {"linux/amd64/v3", "linux/amd64/v2", "linux/amd64/v1"},
         {"linux/amd64/v4", "linux/amd64/vx", "linux/amd64/v", "linux/amd64/v1000"}},
        {"linux/arm/v8",
         {"linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"},
         {"arm64", "linux/arm/v9"}},
        {"linux/arm/v7", {"arm", "linux/arm/v6", "linux/arm/v5"}, {"linux/arm/v8"}},
        {"linux/arm/v6", {"linux/arm/v6", "linux/arm/v5"}, {"arm", "linux/arm/v8"}},
        {"arm64", {"arm64"}, {"linux/arm/v7", "linux/arm64/v8.1", "linux/arm64/v9"}},
        {"linux/arm64/v8.4", {"linux/arm64/v8.4", "linux/arm64/v8.2", "arm64"}, {"linux/arm64/v8.5"}},
        {"linux/arm64/v9",
         {"linux/arm64/v9", "linux/arm64/v8.5", "linux/arm64/v8"},
         {"linux/arm64/v8.6", "linux/arm64/v9.1"}},
        {"linux/ppc64le", {"ppc64le"}, {"linux/ppc64le/power9", "linux/ppc64"}},
        {"linux/ppc64le/power9", {"linux/ppc64le/power9"}, {"ppc64le"}},
        {"riscv64", {"riscv64"}, {"linux/riscv64/rva22u64"}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const *best = rows[i].best_first;

        for (size_t j = 0; j < 6 && best[j]; j++) {
            tap.row = arena_printf(&arena, "%s on %s", best[j], rows[i].host);
            TAP_TRUE(rank(rows[i].host, best[j]) > 0);
            if (j)
                TAP_TRUE(rank(rows[i].host, best[j]) < rank(rows[i].host, best[j - 1]));
        }
        for (size_t j = 0; j < 6 && rows[i].not [j]; j++) {
            tap.row = arena_printf(&arena, "%s not on %s", rows[i].not [j], rows[i].host);
            TAP_INT(rank(rows[i].host, rows[i].not [j]), 0);
        }
    }
    tap.row = NULL;
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_parse();
    test_bad();
    test_machine();
    test_rank();
    arena_free(&arena);
    return tap_done();
}
