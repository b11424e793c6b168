#include "registry/challenge.h"

#include "base/str.h"
#include "../../tap.h"

static struct arena arena;

/* The list as one text: SCHEME realm=... service=... scope=... error=...; */
static const char *show(const char *text)
{
    struct str out = {.arena = &arena};

    for (const struct challenge *c = challenge_parse(text, strlen(text), &arena); c; c = c->next) {
        str_add(&out, c->scheme);
        if (c->realm)
            str_addf(&out, " realm=%s", c->realm);
        if (c->service)
            str_addf(&out, " service=%s", c->service);
        if (c->scope)
            str_addf(&out, " scope=%s", c->scope);
        if (c->error)
            str_addf(&out, " error=%s", c->error);
        str_add_char(&out, ';');
    }
    return str_text(&out);
}

static const struct {
    const char *text, *shown;
} cases[] = {
    {"", ""},
    {"Basic", "basic;"},
    {"Basic realm=\"Registry Realm\"", "basic realm=Registry Realm;"},
    {"BASIC realm=x", "basic realm=x;"},
    {"Bearer "
     "realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:a/b:pull\"",
     "bearer realm=https://auth.docker.io/token service=registry.docker.io scope=repository:a/b:pull;"},
    {"Bearer  realm = \"r\" ,  SCOPE=\"a b\",error=\"invalid_token\"",
     "bearer realm=r scope=a b error=invalid_token;"},
    {"Bearer realm=\"a,b\\\"c\\\\\"", "bearer realm=a,b\"c\\;"},
    {"Bearer realm=\"\"", "bearer realm=;"},
    {"Bearer unknown=\"x\", realm=r", "bearer realm=r;"},
    /* Several, in one header or joined from several. */
    {"Negotiate, Basic realm=x", "negotiate;basic realm=x;"},
    {"Basic realm=x, Bearer realm=y, service=z", "basic realm=x;bearer realm=y service=z;"},
    {"Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\"",
     "newauth realm=apps;basic realm=simple;"},
    {"NTLM abcd==, Bearer realm=r", "ntlm;bearer realm=r;"},
    {"NTLM a/b+c, Bearer realm=r", "ntlm;bearer realm=r;"},
    {",, ,Basic realm=x,,", "basic realm=x;"},
    /* What no server should send. */
    {"Basic realm=Sonatype Nexus Repository Manager", "basic realm=Sonatype;"},
    {"Bearer realm=\"open", ""},
    {"Bearer realm=\"open\\", ""},
    {"Bearer realm=\"open\\\"", ""},
    {"Bearer realm=", "bearer;"},
    {"Bearer realm=a, realm=b", ""},
    {"Bearer realm=a, realm=b, Basic realm=c", "basic realm=c;"},
    {"Bearer realm=\"a\nb\"", ""},
    {"Bearer realm=\"a\rb\", Basic realm=c", "basic realm=c;"},
    {"realm=x", "realm;"},
    {"=x", ""},
    {"\"Basic\" realm=x", ""},
    {"(), Basic realm=x", "basic realm=x;"},
    {"Bearer realm=a\"b\"", "bearer realm=a;"},
    {"Bearer @, realm=x", "bearer realm=x;"},
};

static void test_zero_byte(void)
{
    const char text[] = "Bearer realm=\"a\0b\", Basic realm=c";
    const struct challenge *list = challenge_parse(text, sizeof(text) - 1, &arena);

    TAP_TRUE(challenge_find(list, "bearer") == NULL);
    TAP_TRUE(challenge_find(list, "basic") != NULL);
}

static void test_limit(void)
{
    struct str text = {.arena = &arena};
    const struct challenge *list;
    int count = 0;

    for (int i = 0; i < 1000; i++)
        str_addf(&text, "S%d realm=x, ", i);
    list = challenge_parse(text.data, text.length, &arena);
    for (; list; list = list->next)
        count++;
    TAP_INT(count, CHALLENGE_MAX);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap.row = cases[i].text;
        TAP_STR(show(cases[i].text), cases[i].shown);
    }
    tap.row = NULL;
    test_zero_byte();
    test_limit();
    arena_free(&arena);
    return tap_done();
}
