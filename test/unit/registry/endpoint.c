#include "registry/endpoint.h"

#include "../../tap.h"

static struct arena arena;

static const struct {
    const char *domain, *repository;
    int plain_http;
    const char *url;
} cases[] = {
    {"example.org", "a", 0, "https://example.org/v2/a/manifests/1"},
    {"example.org:5000", "a/b", 0, "https://example.org:5000/v2/a/b/manifests/1"},
    {"localhost:5000", "a", 0, "https://localhost:5000/v2/a/manifests/1"},
    {"localhost:5000", "a", 1, "http://localhost:5000/v2/a/manifests/1"},
    {"[::1]:5000", "a", 0, "https://[::1]:5000/v2/a/manifests/1"},
    {"docker.io", "debian", 0, "https://registry-1.docker.io/v2/library/debian/manifests/1"},
    {"docker.io", "library/debian", 0, "https://registry-1.docker.io/v2/library/debian/manifests/1"},
    {"index.docker.io", "me/a", 0, "https://registry-1.docker.io/v2/me/a/manifests/1"},
    {"example.docker.io", "a", 0, "https://example.docker.io/v2/a/manifests/1"},
};

int main(void)
{
    struct endpoint endpoint;

    arena_init(&arena, tap_no_memory);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        endpoint_make(&endpoint, cases[i].domain, cases[i].repository, cases[i].plain_http, &arena);
        TAP_STR(endpoint_url(&endpoint, "manifests", "1", &arena), cases[i].url);
        TAP_STR(endpoint.domain, cases[i].domain);
    }
    endpoint_make(&endpoint, "example.org", NULL, 0, &arena);
    TAP_STR(endpoint.repository, NULL);
    TAP_STR(endpoint_credential_domain("registry-1.docker.io"), "docker.io");
    TAP_STR(endpoint_credential_domain("example.org"), "example.org");
    TAP_STR(endpoint_helper_key("docker.io"), "https://index.docker.io/v1/");
    TAP_STR(endpoint_helper_key("example.org:5000"), "example.org:5000");
    arena_free(&arena);
    return tap_done();
}
