#include "registry/head.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"

/* Copies TEXT, or "" where it does not fit or has control characters. */
static void set_text(char *place, size_t room, const char *text)
{
    size_t length = strlen(text);

    for (const char *p = text; *p; p++)
        if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7F)
            length = room;
    if (length >= room)
        length = 0;
    memcpy(place, text, length);
    place[length] = 0;
}

static int64_t number(const char *text)
{
    uint64_t value;

    return num_parse(text, INT64_MAX, &value) == 0 ? (int64_t)value : -1;
}

static void set_content_type(struct head *head, const char *value)
{
    set_text(head->content_type, sizeof(head->content_type), value);
    head->content_type[strcspn(head->content_type, "; \t")] = 0;
    for (char *p = head->content_type; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
}

/* bytes START-END/TOTAL */
static void set_content_range(struct head *head, const char *value)
{
    char text[80];
    char *dash, *slash;

    head->range_start = head->range_total = -1;
    set_text(text, sizeof(text), value);
    if (strncasecmp(text, "bytes ", 6) != 0 || !(dash = strchr(text, '-')) || !(slash = strchr(dash, '/')))
        return;
    *dash = *slash = 0;
    if (number(dash + 1) < 0)
        return;
    head->range_start = number(text + 6);
    head->range_total = number(slash + 1);
}

static void set_etag(struct head *head, const char *value)
{
    size_t length;

    set_text(head->etag, sizeof(head->etag), value);
    length = strlen(head->etag);
    if (length < 2 || head->etag[0] != '"' || head->etag[length - 1] != '"')
        head->etag[0] = 0;
}

static void set_retry_after(struct head *head, const char *value, int64_t now)
{
    int64_t date;

    head->retry_after = number(value);
    if (head->retry_after >= 0)
        return;
    date = curl_getdate(value, NULL);
    if (date > now) /* else a clock is wrong, and "at once" would spend all attempts */
        head->retry_after = date - now;
}

static void add_authenticate(struct head *head, const char *value)
{
    char text[sizeof(head->authenticate)];
    size_t used = strlen(head->authenticate);

    set_text(text, sizeof(text), value);
    if (*text && used + strlen(text) + 2 < sizeof(head->authenticate))
        snprintf(head->authenticate + used, sizeof(head->authenticate) - used, "%s%s", used ? ", " : "",
                 text);
}

static void set_field(struct head *head, const char *name, const char *value, int64_t now)
{
    if (strcasecmp(name, "content-length") == 0)
        head->content_length = number(value);
    else if (strcasecmp(name, "content-type") == 0)
        set_content_type(head, value);
    else if (strcasecmp(name, "content-range") == 0)
        set_content_range(head, value);
    else if (strcasecmp(name, "docker-content-digest") == 0)
        set_text(head->digest, sizeof(head->digest), value);
    else if (strcasecmp(name, "etag") == 0)
        set_etag(head, value);
    else if (strcasecmp(name, "location") == 0)
        set_text(head->location, sizeof(head->location), value);
    else if (strcasecmp(name, "retry-after") == 0)
        set_retry_after(head, value, now);
    else if (strcasecmp(name, "www-authenticate") == 0)
        add_authenticate(head, value);
}

/* HTTP/VERSION STATUS [REASON]: the three digits; else 0. */
static int status_of(const char *line)
{
    const char *p = strchr(line, ' ');
    int status = 0;

    if (strncmp(line, "HTTP/", 5) != 0 || !p)
        return 0;
    for (int i = 1; i <= 3; i++) {
        if (p[i] < '0' || p[i] > '9')
            return 0;
        status = status * 10 + (p[i] - '0');
    }
    return status;
}

int head_add(struct head *head, const char *line, size_t length, int64_t now)
{
    char copy[8192 + 64];
    char *colon, *value, *end;
    size_t bytes = head->bytes + length;

    head->bytes = bytes;
    if (bytes > HEAD_MAX)
        return -1;
    if (length >= sizeof(copy) || memchr(line, 0, length))
        return 0; /* no field of ours is as long */
    memcpy(copy, line, length);
    end = copy + length;
    while (end > copy && strchr("\r\n\t ", end[-1]))
        end--;
    *end = 0;
    if (status_of(copy)) {
        memset(head, 0, sizeof(*head));
        head->status = status_of(copy);
        head->bytes = bytes;
        head->content_length = head->range_start = head->range_total = head->retry_after = -1;
        return 0;
    }
    colon = strchr(copy, ':');
    if (!colon)
        return 0;
    *colon = 0;
    value = colon + 1 + strspn(colon + 1, " \t");
    set_field(head, copy, value, now);
    return 0;
}
