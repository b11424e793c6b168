#include "oci/image-config.h"

#include "base/str.h"
#include "../../tap.h"

static struct arena arena;
static struct err err;
static struct oci_image_config config;

static int parse(const char *text)
{
    memset(&config, 0xA5, sizeof(config));
    return oci_image_config_parse(&config, text, strlen(text), &arena, &err);
}

/* "a|b|c|", NULL where the list is NULL. */
static const char *joined(char *const *list)
{
    struct str out = {.arena = &arena};

    for (; list && *list; list++)
        str_addf(&out, "%s|", *list);
    return out.data;
}

/* The image-spec's own example, shortened, with members that we ignore. */
static void test_whole(void)
{
    TAP_OK(parse("{\n"
                 "  \"created\": \"2015-10-31T22:22:56.015925234Z\",\n"
                 "  \"author\": \"Alyssa P. Hacker <alyspdev@example.com>\",\n"
                 "  \"architecture\": \"arm64\", \"variant\": \"v8\", \"os\": \"linux\",\n"
                 "  \"config\": {\n"
                 "    \"User\": \"alice:1000\",\n"
                 "    \"ExposedPorts\": {\"8080/tcp\": {}},\n"
                 "    \"Env\": [\"PATH=/usr/bin:/bin\", \"EMPTY=\", \"EQ=a=b\", \"PATH=/again\"],\n"
                 "    \"Entrypoint\": [\"/bin/my-app-binary\"],\n"
                 "    \"Cmd\": [\"--foreground\", \"\", \"a b\"],\n"
                 "    \"Volumes\": {\"/var/log\": {}},\n"
                 "    \"WorkingDir\": \"/home/alice\",\n"
                 "    \"Labels\": {\"com.example.git.url\": \"https://example.com/x.git\"}\n"
                 "  },\n"
                 "  \"rootfs\": {\"diff_ids\": [\"sha256:c6f9\"], \"type\": \"layers\"},\n"
                 "  \"history\": [{\"created_by\": \"/bin/sh -c #(nop)\", \"empty_layer\": true}]\n"
                 "}\n"),
           err);
    TAP_STR(config.user, "alice:1000");
    TAP_STR(config.workdir, "/home/alice");
    TAP_STR(joined(config.env), "PATH=/usr/bin:/bin|EMPTY=|EQ=a=b|PATH=/again|");
    TAP_STR(joined(config.entrypoint), "/bin/my-app-binary|");
    TAP_STR(joined(config.cmd), "--foreground||a b|");
}

/* The ways in which writers say nothing. */
static void test_nothing_said(void)
{
    static const char *const rows[] = {
        "{}",
        "{\"config\":null,\"os\":null}",
        "{\"config\":{}}",
        "{\"architecture\":\"\",\"os\":\"\",\"variant\":\"\",\"config\":{\"User\":\"\",\"WorkingDir\":\"\"}}",
        "{\"architecture\":1,\"os\":[],\"variant\":{}}", /* members that nobody asks for */
        "{\"config\":{\"Env\":null,\"Entrypoint\":null,\"Cmd\":null,\"User\":null,\"WorkingDir\":null}}",
        "{\"config\":{\"Env\":[],\"Entrypoint\":[],\"Cmd\":[]}}",
        "{\"Config\":{\"Cmd\":[\"x\"]},\"config\":{\"cmd\":[\"x\"],\"env\":1}}",
    };
    static const struct oci_image_config nothing;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i];
        TAP_OK(parse(rows[i]), err);
        TAP_INT(memcmp(&config, &nothing, sizeof(config)), 0);
    }
    tap.row = NULL;
}

static void test_bad(void)
{
    static const struct {
        const char *text;
        const char *error;
    } rows[] = {
        {"", "image configuration: line 1, column 1: expected a value"},
        {"{\"os\":}", "image configuration: line 1, column 7: "},
        {"[]", "image configuration must be an object and is an array"},
        {"\"x\"", "image configuration must be an object and is a string"},
        {"null", "image configuration must be an object and is null"},
        {"{\"config\":[]}", "image configuration: config must be an object and is an array"},
        {"{\"config\":{\"User\":0}}", "config.User must be a string and is a number"},
        {"{\"config\":{\"WorkingDir\":true}}", "config.WorkingDir must be a string and is a boolean"},
        {"{\"config\":{\"Env\":{\"A\":\"b\"}}}", "config.Env must be an array of strings and is an object"},
        {"{\"config\":{\"Entrypoint\":\"/bin/sh\"}}",
         "config.Entrypoint must be an array of strings and is a string"},
        {"{\"config\":{\"Cmd\":[\"a\",1]}}", "config.Cmd[1] must be a string and is a number"},
        {"{\"config\":{\"Cmd\":[null]}}", "config.Cmd[0] must be a string and is null"},
        {"{\"config\":{\"Env\":[\"A=b\",\"C\"]}}", "config.Env[1] must be NAME=VALUE and is C"},
        {"{\"config\":{\"Env\":[\"=x\"]}}", "config.Env[0] must be NAME=VALUE and is =x"},
        {"{\"config\":{\"Env\":[\"\"]}}", "config.Env[0] must be NAME=VALUE and is ''"},
        {"{\"config\":{\"Env\":[\"\\u001b[2J\"]}}", "config.Env[0] must be NAME=VALUE and is $'\\x1b[2J'"},
        {"{\"config\":{\"Cmd\":[],\"Cmd\":[\"x\"]}}", "the object has the member Cmd twice"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].text;
        TAP_ERR(parse(rows[i].text), err, ERR_IMAGE_CONFIG, rows[i].error);
    }
    tap.row = NULL;
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_whole();
    test_nothing_said();
    test_bad();
    arena_free(&arena);
    return tap_done();
}
