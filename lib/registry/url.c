#include "registry/url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

/* The part WHICH in ARENA, lower case; NULL where there is none. */
static char *part(CURLU *handle, CURLUPart which, unsigned flags, struct arena *arena)
{
    char *text = NULL, *copy;

    if (curl_url_get(handle, which, &text, flags) != CURLUE_OK || !text)
        return NULL;
    copy = arena_strdup(arena, text);
    curl_free(text);
    return copy;
}

static char *lower(char *text)
{
    for (char *p = text; p && *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return text;
}

static int read_parts(struct url *url, CURLU *handle, struct arena *arena, const char **cause)
{
    url->scheme = lower(part(handle, CURLUPART_SCHEME, 0, arena));
    url->host = lower(part(handle, CURLUPART_HOST, 0, arena));
    url->port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT, arena);
    *cause = "it is neither http:// nor https://";
    if (!url->scheme || (strcmp(url->scheme, "http") != 0 && strcmp(url->scheme, "https") != 0))
        return -1;
    *cause = "it has no host";
    if (!url->host || !*url->host || !url->port)
        return -1;
    *cause = "there is a user or password in it";
    if (part(handle, CURLUPART_USER, 0, arena) || part(handle, CURLUPART_PASSWORD, 0, arena))
        return -1;
    *cause = "it cannot be read";
    if (curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK)
        return -1;
    url->text = part(handle, CURLUPART_URL, 0, arena);
    return url->text ? 0 : -1;
}

int url_read(struct url *url, const char *base, const char *text, struct arena *arena, const char **cause)
{
    CURLU *handle = curl_url();
    int result = -1;

    *cause = "it cannot be read";
    if (handle && (!base || curl_url_set(handle, CURLUPART_URL, base, 0) == CURLUE_OK) &&
        curl_url_set(handle, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME | (base ? CURLU_URLENCODE : 0)) ==
            CURLUE_OK)
        result = read_parts(url, handle, arena, cause);
    curl_url_cleanup(handle);
    return result;
}

int url_same_origin(const struct url *a, const struct url *b)
{
    return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0 &&
           strcmp(a->port, b->port) == 0;
}

const char *url_origin(const struct url *url, struct arena *arena)
{
    const char *usual = strcmp(url->scheme, "https") == 0 ? "443" : "80";
    const int plain = strcmp(url->port, usual) == 0;

    return str_quote(arena, arena_join(arena, url->scheme, "://", url->host, plain ? "" : ":",
                                       plain ? "" : url->port, NULL));
}

void url_escape(struct str *out, const char *text)
{
    for (; *text; text++) {
        const char c = *text;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c))
            str_add_char(out, c);
        else
            str_addf(out, "%%%02X", (unsigned char)c);
    }
}
