#include "registry/message.h"

#include <string.h>

#include "base/str.h"
#include "oci/json-reader.h"

static const char *text_of(const struct json_value *object, const char *name)
{
    const struct json_value *member =
        object && object->kind == JSON_OBJECT ? json_member(object, name) : NULL;

    return member && member->kind == JSON_STRING && *member->text ? member->text : NULL;
}

static const char *find_text(const struct json_value *root)
{
    static const char *const names[] = {"error_description", "details", "message", "error"};
    const struct json_value *errors = root->kind == JSON_OBJECT ? json_member(root, "errors") : NULL;
    const char *text = NULL;

    if (errors && errors->kind == JSON_ARRAY && errors->first) {
        text = text_of(errors->first, "message");
        if (!text)
            text = text_of(errors->first, "code");
    }
    for (size_t i = 0; !text && i < sizeof(names) / sizeof(names[0]); i++)
        text = text_of(root, names[i]);
    return text;
}

/* Whether TEXT holds a secret; one or two characters are found anywhere. */
static int tells(const char *text, const char *const secrets[])
{
    for (; *secrets; secrets++)
        if (strlen(*secrets) > 2 && strstr(text, *secrets))
            return 1;
    return 0;
}

const char *message_read(const char *bytes, size_t length, const char *const secrets[], struct arena *arena)
{
    struct str out = {.arena = arena};
    struct err err;
    const struct json_value *root = json_read(bytes, length, arena, ERR_REGISTRY, &err);
    const char *text = root ? find_text(root) : NULL;
    size_t n;

    if (!text || tells(text, secrets))
        return "";
    for (const char *p = text; *p; p += n) {
        n = str_utf8_length(p, strlen(p));
        if (out.length + n > MESSAGE_MAX - 3) {
            str_add(&out, "...");
            break;
        }
        if (str_is_control(p, n))
            str_add_char(&out, ' ');
        else
            str_add_bytes(&out, p, n);
    }
    return str_text(&out);
}
