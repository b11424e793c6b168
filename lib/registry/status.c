#include <string.h>

#include "base/str.h"
#include "registry/fetch.h"
#include "registry/message.h"

const char *status_words(const struct fetch *fetch, const struct http_result *result)
{
    const char *words = message_read(result->text, result->length, fetch->registry->secrets, fetch->arena);

    return *words ? arena_join(fetch->arena, "; it says: ", words, NULL) : "";
}

static enum outcome later(struct fetch *fetch, const struct http_result *result, const char *words)
{
    fetch->retry_after = result->head.retry_after;
    if (result->head.status == 429)
        err_set(fetch->err, ERR_REGISTRY,
                "%s: it has had too many requests from here (429): try again later, or log in, which often "
                "allows more%s",
                fetch->what, words);
    else
        err_set(fetch->err, ERR_REGISTRY, "%s: it is in trouble (status %d)%s", fetch->what,
                result->head.status, words);
    return OUTCOME_AGAIN;
}

static enum outcome forbidden(struct fetch *fetch, const char *words)
{
    const struct registry_credentials *credentials = &fetch->registry->credentials;

    if (credentials->user || credentials->identity_token)
        err_set(fetch->err, ERR_REGISTRY_DENIED, "%s: the credentials from %s do not allow this (403)%s",
                fetch->what, credentials->origin, words);
    else
        err_set(fetch->err, ERR_REGISTRY_DENIED,
                "%s: not allowed without credentials (403); `coracle login %s` keeps them%s", fetch->what,
                fetch->registry->endpoint.domain, words);
    return OUTCOME_FAILED;
}

/* A host that the registry redirects to. It signs addresses for a short time: they may have expired. */
static enum outcome foreign(struct fetch *fetch, const struct http_result *result, const struct url *from,
                            const char *words)
{
    const int status = result->head.status;

    fetch->retry_after = result->head.retry_after;
    err_set(fetch->err, ERR_REGISTRY, "%s: %s, which it redirects to, answers with status %d%s", fetch->what,
            url_origin(from, fetch->arena), status, words);
    return status == 401 || status == 403 || status == 408 || status == 429 || status >= 500 ? OUTCOME_AGAIN
                                                                                             : OUTCOME_FAILED;
}

enum outcome status_outcome(struct fetch *fetch, const struct http_result *result, const struct url *from,
                            int is_foreign)
{
    const int status = result->head.status;
    const char *words = status_words(fetch, result);

    if (is_foreign)
        return foreign(fetch, result, from, words);
    if (status == 408 || status == 425 || status == 429 || status >= 500)
        return later(fetch, result, words);
    if (status == 407) {
        err_set(fetch->err, ERR_REGISTRY, "%s: %s", fetch->what, http_proxy_refusal(status, fetch->arena));
        return OUTCOME_FAILED;
    }
    if (status == 403)
        return forbidden(fetch, words);
    if (status == 404)
        err_set(fetch->err, ERR_IMAGE_MISSING,
                "%s: there is none, or it is not shown to you (404); check its name, and whether you have to "
                "log in%s",
                fetch->what, words);
    else
        err_set(fetch->err, ERR_REGISTRY, "%s: it answers with status %d, which is not expected%s",
                fetch->what, status, words);
    return OUTCOME_FAILED;
}
