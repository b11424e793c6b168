#include "registry/auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/str.h"
#include "oci/json-reader.h"
#include "registry/fetch.h"

enum {
    TOKEN_MAX = 48 * 1024, /* bytes; servers take no longer header */
    EXPIRES_DEFAULT = 60,  /* seconds, token.md */
    EXPIRES_MAX = 86400,
};

void auth_init(struct auth *auth)
{
    memset(auth, 0, sizeof(*auth));
    pthread_mutex_init(&auth->lock, NULL);
}

static void set_secret(char **place, const char *text)
{
    if (*place)
        OPENSSL_cleanse(*place, strlen(*place));
    free(*place);
    *place = text ? strdup(text) : NULL;
}

static void set_header(struct auth *auth, const char *header)
{
    set_secret(&auth->header, header);
    auth->generation++;
}

static void remember(const char **place, const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    free((void *)(uintptr_t)*place);
    *place = copy;
}

static void remember_challenge(struct auth *auth, const struct challenge *challenge)
{
    if (challenge == &auth->challenge)
        return;
    remember(&auth->challenge.realm, challenge->realm);
    remember(&auth->challenge.service, challenge->service);
    remember(&auth->challenge.scope, challenge->scope);
}

void auth_free(struct auth *auth)
{
    static const struct challenge none;

    set_header(auth, NULL);
    set_secret(&auth->identity, NULL);
    remember_challenge(auth, &none);
    pthread_mutex_destroy(&auth->lock);
}

const char *auth_basic(const struct registry_credentials *credentials, struct arena *arena)
{
    const char *pair = arena_join(arena, credentials->user, ":", credentials->password, NULL);
    const size_t length = strlen(pair);
    char *out = arena_alloc(arena, sizeof("Basic ") + (length + 2) / 3 * 4 + 1);

    memcpy(out, "Basic ", 6);
    EVP_EncodeBlock((unsigned char *)out + 6, (const unsigned char *)pair, (int)length);
    return out;
}

int auth_denied(struct fetch *fetch, const char *who, int status, const char *words)
{
    const struct registry_credentials *credentials = &fetch->registry->credentials;
    const char *origin = credentials->origin, *domain = fetch->registry->endpoint.domain;

    if (credentials->identity_token)
        err_set(fetch->err, ERR_REGISTRY_DENIED,
                "%s: %s: the identity token from %s is not accepted (%d); `coracle login %s` gets another%s",
                fetch->what, who, origin, status, domain, words);
    else if (credentials->user)
        err_set(fetch->err, ERR_REGISTRY_DENIED,
                "%s: %s: user %s with the password from %s is not let in (%d), or may not see this; `coracle "
                "login %s` tries another%s",
                fetch->what, who, str_quote(fetch->arena, credentials->user), origin, status, domain, words);
    else
        err_set(
            fetch->err, ERR_REGISTRY_DENIED,
            "%s: %s lets nobody in without credentials (%d), and there are none for %s; `coracle login %s` "
            "keeps them. Some registries say this of names that do not exist%s",
            fetch->what, who, status, domain, domain, words);
    return OUTCOME_FAILED;
}

/* Adds NAME=VALUE. */
static void add_pair(struct str *out, const char *name, const char *value)
{
    if (out->length && !strchr("?&", out->data[out->length - 1]))
        str_add_char(out, '&');
    str_add(out, name);
    str_add_char(out, '=');
    url_escape(out, value);
}

/* The scopes, separated by blanks, of CHALLENGE or our own: a parameter each for GET, one for POST. */
static void add_scope(struct fetch *fetch, struct str *out, const struct challenge *challenge, int is_form)
{
    const char *repository = fetch->registry->endpoint.repository;
    const char *scope = challenge->scope;
    char *copy, *rest;

    if (!scope && repository)
        scope = arena_join(fetch->arena, "repository:", repository, ":pull", NULL);
    if (!scope)
        return;
    copy = arena_strdup(fetch->arena, scope);
    if (is_form) {
        add_pair(out, "scope", copy);
        return;
    }
    for (char *one = strtok_r(copy, " ", &rest); one; one = strtok_r(NULL, " ", &rest))
        add_pair(out, "scope", one);
}

static const char *make_form(struct fetch *fetch, const struct challenge *challenge)
{
    struct str form = {.arena = fetch->arena};

    add_pair(&form, "grant_type", "refresh_token");
    add_pair(&form, "client_id", "coracle");
    if (challenge->service)
        add_pair(&form, "service", challenge->service);
    add_scope(fetch, &form, challenge, 1);
    add_pair(&form, "refresh_token", fetch->registry->credentials.identity_token);
    return str_text(&form);
}

/* token.md: "offline_token" */
static int is_identity_wanted(const struct fetch *fetch)
{
    return fetch->registry->auth.wants_identity && fetch->registry->credentials.user;
}

static const char *make_query(struct fetch *fetch, const struct challenge *challenge, const char *realm)
{
    struct str text = {.arena = fetch->arena};

    str_add(&text, realm);
    str_add_char(&text, strchr(realm, '?') ? '&' : '?');
    if (challenge->service)
        add_pair(&text, "service", challenge->service);
    add_scope(fetch, &text, challenge, 0);
    if (is_identity_wanted(fetch)) {
        add_pair(&text, "offline_token", "true");
        add_pair(&text, "client_id", "coracle");
    }
    return str_text(&text);
}

/* Fills REQUEST for a token. */
static int make_request(struct fetch *fetch, const struct challenge *challenge, struct http_request *request)
{
    const struct registry_credentials *credentials = &fetch->registry->credentials;
    struct url realm;
    const char *cause;

    if (url_read(&realm, NULL, challenge->realm, fetch->arena, &cause) < 0)
        return err_set(fetch->err, ERR_REGISTRY, "it names a token server that is not asked: %s", cause);
    if (strcmp(realm.scheme, "http") == 0 && !fetch->registry->options.plain_http)
        return err_set(
            fetch->err, ERR_REGISTRY,
            "it names the token server %s, which is not asked: credentials would travel without TLS",
            url_origin(&realm, fetch->arena));
    request->url = realm;
    request->is_small = 1;
    if (credentials->identity_token) {
        request->form = make_form(fetch, challenge);
        return 0;
    }
    if (credentials->user)
        request->authorization = auth_basic(credentials, fetch->arena);
    request->url.text = make_query(fetch, challenge, realm.text);
    return 0;
}

static const char *text_member(const struct json_value *object, const char *name)
{
    const struct json_value *member = object->kind == JSON_OBJECT ? json_member(object, name) : NULL;

    return member && member->kind == JSON_STRING && *member->text ? member->text : NULL;
}

/* Whether TOKEN can stand in a header: visible ASCII alone. */
static int is_usable(const char *token)
{
    size_t length = 0;

    for (; token[length]; length++)
        if (token[length] <= ' ' || token[length] >= 0x7F)
            return 0;
    return length <= TOKEN_MAX;
}

static double lifetime(const struct json_value *object)
{
    const struct json_value *member = json_member(object, "expires_in");
    uint64_t seconds = EXPIRES_DEFAULT;

    if (member && member->kind == JSON_NUMBER && num_parse(member->text, EXPIRES_MAX, &seconds) < 0)
        seconds = strtod(member->text, NULL) > EXPIRES_MAX ? EXPIRES_MAX : EXPIRES_DEFAULT;
    return (double)seconds;
}

static int take_token(struct fetch *fetch, const struct http_result *result, double asked, const char *server)
{
    struct auth *auth = &fetch->registry->auth;
    struct err err;
    const struct json_value *object =
        json_read(result->text, result->length, fetch->arena, ERR_REGISTRY, &err);
    const char *token = object ? text_member(object, "token") : NULL, *identity;
    double seconds;

    if (object && !token)
        token = text_member(object, "access_token");
    if (!token || !is_usable(token)) {
        err_set(fetch->err, ERR_REGISTRY, "%s: what its token server %s answers holds no token%s%s",
                fetch->what, server, object ? "" : ": ", object ? "" : err.text);
        return OUTCOME_FAILED;
    }
    identity = text_member(object, "refresh_token");
    if (identity && is_identity_wanted(fetch) && is_usable(identity))
        set_secret(&auth->identity, identity);
    seconds = lifetime(object);
    set_header(auth, arena_join(fetch->arena, "Bearer ", token, NULL));
    auth->is_basic = 0;
    auth->expires = asked + seconds - (seconds > 40 ? 10 : seconds / 4);
    return OUTCOME_DONE;
}

/* What the token server has answered instead of a token. */
static int token_refused(struct fetch *fetch, const struct http_result *result, const struct url *server)
{
    const int status = result->head.status;
    const char *name = url_origin(server, fetch->arena);

    if (status == 401 || status == 403)
        return auth_denied(fetch, arena_join(fetch->arena, "its token server ", name, NULL), status,
                           status_words(fetch, result));
    if (status >= 400 && status < 500 && status != 408 && status != 429 &&
        fetch->registry->credentials.identity_token) {
        err_set(fetch->err, ERR_REGISTRY_DENIED,
                "%s: its token server %s does not take the identity token from %s (status %d); `coracle "
                "login %s` gets another%s",
                fetch->what, name, fetch->registry->credentials.origin, status,
                fetch->registry->endpoint.domain, status_words(fetch, result));
        return OUTCOME_FAILED;
    }
    fetch->retry_after = result->head.retry_after;
    err_set(fetch->err, ERR_REGISTRY, "%s: its token server %s answers with status %d instead of a token%s",
            fetch->what, name, status, status_words(fetch, result));
    return status == 408 || status == 429 || status >= 500 ? OUTCOME_AGAIN : OUTCOME_FAILED;
}

static int fetch_token(struct fetch *fetch, const struct challenge *challenge)
{
    struct http_request request = {.is_small = 1};
    struct http_result result;
    const double asked = clock_seconds();

    if (make_request(fetch, challenge, &request) < 0)
        return OUTCOME_FAILED;
    http_perform(fetch->http, &request, &result, fetch->arena);
    if (result.end != HTTP_COMPLETE) {
        int outcome = fetch_failure(fetch, &result, &request.url);
        err_prefix(fetch->err, "%s: its token server", fetch->what);
        return outcome;
    }
    if (result.head.status != 200)
        return token_refused(fetch, &result, &request.url);
    remember_challenge(&fetch->registry->auth, challenge);
    return take_token(fetch, &result, asked, url_origin(&request.url, fetch->arena));
}

static int answer_basic(struct fetch *fetch, const struct http_result *result)
{
    struct registry *registry = fetch->registry;

    if (!registry->credentials.user || registry->auth.is_basic)
        return auth_denied(fetch, url_origin(&fetch->from, fetch->arena), 401, status_words(fetch, result));
    set_header(&registry->auth, auth_basic(&registry->credentials, fetch->arena));
    registry->auth.is_basic = 1;
    registry->auth.expires = 0;
    return OUTCOME_DONE;
}

/* A 401 whose LIST of challenges holds none that is known. */
static int unanswerable(struct fetch *fetch, const struct challenge *list)
{
    const char *who = url_origin(&fetch->from, fetch->arena);

    if (list)
        err_set(fetch->err, ERR_REGISTRY_DENIED,
                "%s: %s wants to be authenticated by %s, which is not known here (401)", fetch->what, who,
                str_quote(fetch->arena, list->scheme));
    else
        err_set(
            fetch->err, ERR_REGISTRY_DENIED,
            "%s: %s lets nobody in (401) and does not say how to authenticate, as a registry would: is its "
            "name right, and no proxy before it? `coracle login %s` keeps credentials%s",
            fetch->what, who, fetch->registry->endpoint.domain, status_words(fetch, &fetch->result));
    return OUTCOME_FAILED;
}

static int answer(struct fetch *fetch, const struct head *head)
{
    const struct challenge *list =
        challenge_parse(head->authenticate, strlen(head->authenticate), fetch->arena);
    const struct challenge *bearer = challenge_find(list, "bearer");
    struct auth *auth = &fetch->registry->auth;

    if (bearer && bearer->realm)
        return fetch_token(fetch, bearer);
    /* Harbor asks who comes with a token that is not good any more for a password: nobody has one here. */
    if (auth->challenge.realm && !fetch->registry->credentials.user)
        return fetch_token(fetch, &auth->challenge);
    if (challenge_find(list, "basic"))
        return answer_basic(fetch, &fetch->result);
    return unanswerable(fetch, list);
}

int auth_current(struct fetch *fetch, const char **header, unsigned *generation)
{
    struct auth *auth = &fetch->registry->auth;
    int outcome = OUTCOME_DONE;

    pthread_mutex_lock(&auth->lock);
    if (auth->header && auth->expires > 0 && clock_seconds() >= auth->expires)
        outcome = fetch_token(fetch, &auth->challenge);
    *header = auth->header ? arena_strdup(fetch->arena, auth->header) : NULL;
    *generation = auth->generation;
    pthread_mutex_unlock(&auth->lock);
    return outcome;
}

int auth_answer(struct fetch *fetch, unsigned generation, const struct head *head)
{
    struct auth *auth = &fetch->registry->auth;
    int outcome = OUTCOME_DONE;

    pthread_mutex_lock(&auth->lock);
    if (auth->generation == generation) /* else another thread has answered */
        outcome = answer(fetch, head);
    pthread_mutex_unlock(&auth->lock);
    return outcome;
}
