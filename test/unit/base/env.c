#include "base/env.h"

#include "../../tap.h"

int main(void)
{
    char first[] = "AB=1", second[] = "A=2", third[] = "A=3", empty[] = "E=", nameless[] = "=x",
         bare[] = "BARE";
    char *const environment[] = {first, second, third, empty, nameless, bare, NULL};
    char *const none[] = {NULL};

    TAP_STR(env_find(environment, "A"), "2");
    TAP_STR(env_find(environment, "AB"), "1");
    TAP_STR(env_find(environment, "E"), "");
    TAP_STR(env_find(environment, "BARE"), NULL);
    TAP_STR(env_find(environment, "B"), NULL);
    TAP_STR(env_find(environment, "ABC"), NULL);
    TAP_STR(env_find(none, "A"), NULL);
    return tap_done();
}
