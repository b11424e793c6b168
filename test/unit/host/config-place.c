#include "host/config-place.h"

#include "../../tap.h"

static struct arena arena;

static void test_user(const char *a, const char *b, const char *file, const char *named, const char *word)
{
    char *const environment[] = {arena_strdup(&arena, a), b ? arena_strdup(&arena, b) : NULL, NULL};
    const struct config_place place = config_place_user(environment, &arena);

    tap.row = a;
    TAP_STR(place.file, file);
    TAP_STR(place.named, named);
    TAP_STR(config_place_word(&place, &arena), word);
    tap.row = NULL;
}

static void test_site(const char *variable, const char *file, const char *named, const char *word)
{
    char *const environment[] = {arena_strdup(&arena, variable), NULL};
    const struct config_place place = config_place_site(environment, &arena);

    TAP_STR(place.file, file);
    TAP_STR(place.named, named);
    TAP_STR(config_place_word(&place, &arena), word);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_site("NOTHING=1", SYSCONFDIR "/coracle/coracle.toml", NULL, "default");
    test_site("CORACLE_SITE_CONFIG=", NULL, "CORACLE_SITE_CONFIG", "none");
    test_site("CORACLE_SITE_CONFIG=/s.toml", "/s.toml", "CORACLE_SITE_CONFIG", "/s.toml");
    test_site("CORACLE_SITE_CONFIG=s.toml", "s.toml", "CORACLE_SITE_CONFIG", "unusable");
    test_user("NOTHING=1", NULL, NULL, NULL, "none");
    test_user("HOME=/h", NULL, "/h/.config/coracle/coracle.toml", NULL,
              "default:/h/.config/coracle/coracle.toml");
    test_user("HOME=/h/", "XDG_CONFIG_HOME=/x//y/", "/x/y/coracle/coracle.toml", NULL,
              "default:/x/y/coracle/coracle.toml");
    test_user("HOME=/h", "XDG_CONFIG_HOME=", "/h/.config/coracle/coracle.toml", NULL,
              "default:/h/.config/coracle/coracle.toml");
    test_user("HOME=/h", "XDG_CONFIG_HOME=x", "/h/.config/coracle/coracle.toml", NULL,
              "default:/h/.config/coracle/coracle.toml");
    test_user("HOME=/two\nlines", NULL, NULL, NULL, "none");
    test_user("HOME=/h", "CORACLE_CONFIG=/c", "/c", "CORACLE_CONFIG", "/c");
    test_user("HOME=/h", "CORACLE_CONFIG=", NULL, "CORACLE_CONFIG", "none");
    test_user("HOME=/h", "CORACLE_CONFIG=/two\nlines", "/two\nlines", "CORACLE_CONFIG", "unusable");
    TAP_TRUE(!config_place_is_usable(""));
    TAP_TRUE(config_place_is_usable("/a"));
    arena_free(&arena);
    return tap_done();
}
