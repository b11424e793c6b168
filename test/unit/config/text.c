#include "config/text.h"

#include "../../tap.h"
#include "base/str.h"

static struct arena arena;

/* What COUNT texts, as files "1", "2" ..., come to. 0 or -1. */
static int read_texts(struct config *config, const char *const texts[], size_t count, struct err *err)
{
    struct config_builder builder = {.arena = &arena};

    for (size_t i = 0; i < count; i++)
        if (config_add_text(&builder, arena_printf(&arena, "%zu", i + 1), texts[i], strlen(texts[i]), err) <
            0)
            return -1;
    config_build(&builder, config);
    return 0;
}

/* The settings as one line. */
static const char *show(const struct config *config)
{
    struct str out = {.arena = &arena};

    for (size_t i = 0; i < config->setting_count; i++) {
        const struct config_setting *setting = &config->settings[i];

        str_addf(&out, "%s%s", i ? " " : "", setting->name);
        if (setting->value)
            str_addf(&out, "=%s", setting->value);
        str_addf(&out, "@%s", setting->origin);
    }
    return str_text(&out);
}

static void test_run(void)
{
    static const struct {
        const char *texts[3];
        const char *expected;
    } rows[] = {
        {{""}, ""},
        {{"[run]\n"}, ""},
        {{"[run]\nbind = [\"/a\",\n  \"/b:/c\"]\n"}, "bind=/a@1:2 bind=/b:/c@1:3"},
        {{"run.bind = [\"/a\"]", "run.bind = [\"/b\"]"}, "bind=/a@1:1 bind=/b@2:1"},
        {{"run.share = \"job\"", "run.share = \"user\"", "run.clean-env = true"},
         "share=user@2:1 clean-env@3:1"},
        {{"run.clean-env = true", "run.clean-env = false"}, ""},
        {{"run.uid = 0\nrun.gid = \"7\""}, "uid=0@1:1 gid=7@1:2"},
        {{"run.uid = 4294967294"}, "uid=4294967294@1:1"},
        {{"run.home = true"}, "home@1:1"},
        {{"run.home = \"$X/y\""}, "home=$X/y@1:1"},
        {{"run.home = \"/x\"", "run.home = false"}, "no-home@2:1"},
        {{"run.no-home = true", "run.home = false"}, "no-home@2:1"},
        {{"run.no-home = true", "run.no-home = false"}, ""},
        {{"run.writable-tmpfs = \"2G\"", "run.writable-tmpfs = true"}, "writable-tmpfs@2:1"},
        {{"run.writable-tmpfs = true", "run.writable-tmpfs = false"}, ""},
        {{"run.env = [\"PRICE=$5\"]"}, "env=PRICE=$5@1:1"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config config;
        struct err err;
        size_t count = 1;

        while (count < 3 && rows[i].texts[count])
            count++;
        tap.row = rows[i].texts[count - 1];
        TAP_OK(read_texts(&config, rows[i].texts, count, &err), err);
        TAP_STR(show(&config), rows[i].expected);
    }
    tap.row = NULL;
}

static void test_images(void)
{
    static const char *const texts[] = {
        "[images]\ndefault-registry = \"a.example\"\ncache = \"$SCRATCH/c\"\ncompression = \"zstd:3\"\n"
        "[registry.\"a.example\"]\nmirrors = [\"m1\", \"m2:5000/p/q\"]\nca-file = \"/ca\"\n"
        "[registry.\"localhost:5000\"]\nplain-http = true\n",
        "[images]\ndefault-registry = \"[::1]:5000\"\nblock-size = 65536\ntimeout = 90\n"
        "[registry.\"a.example\"]\nmirrors = []\n",
    };
    const struct config_registry *registry;
    struct config config;
    struct err err;

    TAP_OK(read_texts(&config, texts, 1, &err), err);
    registry = config_registry(&config, "a.example");
    TAP_TRUE(registry);
    TAP_STR(registry->mirrors[0], "m1");
    TAP_STR(registry->mirrors[1], "m2:5000/p/q");
    TAP_STR(registry->mirrors[2], NULL);
    TAP_OK(read_texts(&config, texts, 2, &err), err);
    TAP_STR(config.default_registry.value, "[::1]:5000");
    TAP_STR(config.default_registry.origin, "2:2");
    TAP_STR(config.cache.value, "$SCRATCH/c");
    TAP_STR(config.cache.origin, "1:3");
    TAP_STR(config.compression.value, "zstd:3");
    TAP_STR(config.block_size.value, "65536");
    TAP_STR(config.timeout.value, "90");
    TAP_INT(config.registry_count, 2);
    registry = config_registry(&config, "a.example");
    TAP_STR(registry->mirrors[0], NULL);
    TAP_STR(registry->ca_file, "/ca");
    TAP_STR(registry->origin, "1:5");
    TAP_INT(registry->plain_http, 0);
    TAP_INT(config_registry(&config, "localhost:5000")->plain_http, 1);
    TAP_STR(config_registry(&config, "localhost:5000")->ca_file, NULL);
    TAP_TRUE(!config_registry(&config, "localhost"));
}

static void test_mistakes(void)
{
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"x", "1:1:2: "},
        {"x = 1", "1:1:1: unknown key x"},
        {"\n[rum]", "1:2:2: unknown table rum; did you mean run?"},
        {"run = 1", "1:1:7: run: expected a table"},
        {"[run]\nbinds = []", "1:2:1: unknown key binds; did you mean bind?"},
        {"[run]\ndry-run = true", "1:2:1: unknown key dry-run"},
        {"[run]\nbind = \"/a\"", "1:2:8: bind: expected a list of strings"},
        {"[run]\nbind = [\"/a\", 1]", "1:2:15: "},
        {"[run]\nbind = [\"$/a\"]", "1:2:9: a dollar begins"},
        {"[run]\nshare = true", "1:2:9: share: expected a string"},
        {"[run]\nuid = -1", "1:2:7: uid is no id"},
        {"[run]\nuid = 4294967295", "1:2:7: uid is no id"},
        {"[run]\nwrite = \"yes\"", "1:2:9: write: expected a boolean"},
        {"[run]\nhome = 1", "1:2:8: home: expected a string"},
        {"[run]\nregistry = \"a\"", "1:2:1: registry is set by key default-registry of table [images]"},
        {"[[run]]", "run: expected a table"},
        {"[images]\ncach = \"/\"", "1:2:1: unknown key cach; did you mean cache?"},
        {"[images]\ncache = \"c\"", "1:2:9: cache must be an absolute path"},
        {"[images]\ncache = \"${c\"", "1:2:9: a dollar begins"},
        {"[images]\ndefault-registry = \"a/b\"", "1:2:20: a/b is no registry"},
        {"[images]\ndefault-registry = \"\"", "1:2:20: '' is no registry"},
        {"[images]\ncompression = \"zip\"", "1:2:15: zip is no compression"},
        {"[images]\ncompression = \"zstd:\"", "is no compression"},
        {"[images]\ncompression = \"zstd:fast\"", "is no compression"},
        {"[images]\nblock-size = 3000", "1:2:14: block-size is not a power of two"},
        {"[images]\nblock-size = \"2M\"", "block-size is not a power of two"},
        {"[images]\ntimeout = 0", "1:2:11: timeout is a number of seconds from 1 to 3600"},
        {"[images]\ntimeout = 3601", "timeout is a number of seconds"},
        {"[images]\ntimeout = \"30\"", "1:2:11"},
        {"[images]\nblock-size = -4096", "block-size is not a power of two"},
        {"[registry]\na = 1", "1:2:5: a: expected a table"},
        {"[registry.\"a b\"]", "1:1:11: 'a b' is no registry"},
        {"[registry.\"a:0\"]", "a:0 is no registry"},
        {"[registry.\"a:65536\"]", "a:65536 is no registry"},
        {"[registry.\"[::1\"]", "is no registry"},
        {"[registry.a]\nmirror = []", "1:2:1: unknown key mirror; did you mean mirrors?"},
        {"[registry.a]\nmirrors = [\"https://b\"]", "1:2:12: https://b is no mirror"},
        {"[registry.a]\nmirrors = [\"b/../c\"]", "is no mirror"},
        {"[registry.a]\nmirrors = [\"/c\"]", "is no mirror"},
        {"[registry.a]\nmirrors = [\"b?c\"]", "is no mirror"},
        {"[registry.a]\nplain-http = 1", "1:2:14: "},
        {"[registry.a]\nca-file = \"ca\"", "1:2:11: ca-file must be an absolute path"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config config;
        struct err err;

        tap.row = rows[i].text;
        TAP_ERR(read_texts(&config, &rows[i].text, 1, &err), err, ERR_CONFIG, rows[i].part);
        TAP_INT(strncmp(err.text, "1:", 2), 0);
    }
    tap.row = NULL;
}

static void test_limits(void)
{
    struct str text = {.arena = &arena};
    const char *texts[2];
    struct config config;
    struct err err;

    str_add(&text, "run.env = [");
    for (int i = 0; i < CONFIG_SETTINGS_MAX; i++)
        str_add(&text, "\"A=1\",");
    str_add(&text, "]\n");
    texts[0] = text.data;
    texts[1] = "run.env = [\"A=1\"]";
    TAP_OK(read_texts(&config, texts, 1, &err), err);
    TAP_INT(config.setting_count, CONFIG_SETTINGS_MAX);
    TAP_ERR(read_texts(&config, texts, 2, &err), err, ERR_CONFIG, "2:1:12: too many settings");
    text.length = 0;
    str_add(&text, "run.env = [\"A=");
    for (int i = 0; i < CONFIG_SETTINGS_SIZE; i++)
        str_add_char(&text, 'x');
    str_add(&text, "\"]");
    texts[0] = text.data;
    TAP_ERR(read_texts(&config, texts, 1, &err), err, ERR_CONFIG, "too many settings");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_run();
    test_images();
    test_mistakes();
    test_limits();
    arena_free(&arena);
    return tap_done();
}
