#include "registry/http.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

struct http {
    CURL *easy;
    const struct registry_options *options;
    int (*is_stopped)(void *);
    void *opaque;
    char error[CURL_ERROR_SIZE];
    /* Of the request that runs: */
    const struct http_sink *sink;
    struct http_result *result;
    struct str text;
    int has_begun;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode initialised;

static void initialise(void)
{
    initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int is_success(const struct head *head)
{
    return head->status >= 200 && head->status <= 299;
}

static size_t on_header(char *line, size_t size, size_t count, void *opaque)
{
    struct http *http = opaque;

    if (head_add(&http->result->head, line, size * count, time(NULL)) < 0) {
        http->result->end = HTTP_FAILED;
        return 0;
    }
    return size * count;
}

/* Tells the sink, once, that its body begins. */
static int begin(struct http *http)
{
    if (http->has_begun)
        return 0;
    http->has_begun = 1;
    return http->sink->begin(http->sink->opaque, &http->result->head);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *opaque)
{
    struct http *http = opaque;
    const size_t length = size * count;

    if (http->sink && is_success(&http->result->head)) {
        if (begin(http) == 0 && http->sink->data(http->sink->opaque, bytes, length) == 0)
            return length;
        http->result->end = HTTP_REFUSED;
        return 0;
    }
    if (length > HTTP_TEXT_MAX - http->text.length)
        return 0;
    str_add_bytes(&http->text, bytes, length);
    return length;
}

static int on_progress(void *opaque, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct http *http = opaque;

    (void)a, (void)b, (void)c, (void)d;
    if (!http->is_stopped || !http->is_stopped(http->opaque))
        return 0;
    http->result->end = HTTP_STOPPED;
    return 1;
}

#define SET(option, value) curl_easy_setopt(http->easy, option, value)

/* Both schemes: which one is right, url_read() and the caller have decided. */
static void allow_protocols(struct http *http)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

/* Whether libcurl has a bundle of the system's authorities, and it is here: minimal nodes have none. */
static int has_system_bundle(void)
{
#if LIBCURL_VERSION_NUM >= 0x074600
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

    return info->age >= CURLVERSION_SEVENTH && info->cainfo && access(info->cainfo, R_OK) == 0;
#else
    return 0;
#endif
}

/* CURLOPT_SSL_CTX_FUNCTION(3) */
static CURLcode add_authority(CURL *easy, void *context, void *opaque)
{
    const struct http *http = opaque;
    const int is_read =
        X509_STORE_load_locations(SSL_CTX_get_cert_store(context), http->options->ca_file, NULL);

    (void)easy;
    ERR_clear_error();
    return is_read == 1 ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

/* A file of the caller's takes the place of the system's bundle; trust is besides. */
static void set_authorities(struct http *http)
{
    const char *file = http->options->ca_file;

    if (file && has_system_bundle() && SET(CURLOPT_SSL_CTX_FUNCTION, add_authority) == CURLE_OK)
        SET(CURLOPT_SSL_CTX_DATA, http);
    else if (file)
        SET(CURLOPT_CAINFO, file);
    if (http->options->ca_directory)
        SET(CURLOPT_CAPATH, http->options->ca_directory);
}

/* What no request changes. */
static void set_up(struct http *http)
{
    allow_protocols(http);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_UNRESTRICTED_AUTH, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE); /* no field of ours to a proxy's CONNECT */
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    /* One thread fetches one thing: streams that share a connection would only add their own rules. */
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_USERAGENT, "coracle/" PACKAGE_VERSION);
    SET(CURLOPT_BUFFERSIZE, 256L * 1024);
    SET(CURLOPT_CONNECTTIMEOUT, (long)http->options->connect_seconds);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1024L);
    SET(CURLOPT_LOW_SPEED_TIME, (long)http->options->stall_seconds);
    SET(CURLOPT_ERRORBUFFER, http->error);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, http);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, http);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, http);
    set_authorities(http);
}

struct http *http_open(const struct registry_options *options, int (*is_stopped)(void *), void *opaque)
{
    struct http *http;

    pthread_once(&once, initialise);
    http = initialised == CURLE_OK ? calloc(1, sizeof(*http)) : NULL;
    if (!http)
        return NULL;
    http->options = options;
    http->is_stopped = is_stopped;
    http->opaque = opaque;
    http->easy = curl_easy_init();
    if (!http->easy) {
        free(http);
        return NULL;
    }
    set_up(http);
    return http;
}

void http_close(struct http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->easy);
    free(http);
}

static struct curl_slist *make_headers(const struct http_request *request, struct arena *arena)
{
    struct curl_slist *list = NULL;

    /* Unasked, some servers compress what has no field of this name: no digest is right then. */
    list = curl_slist_append(list, "Accept-Encoding: identity");
    if (request->authorization)
        list = curl_slist_append(list, arena_join(arena, "Authorization: ", request->authorization, NULL));
    for (const char *const *line = request->headers; line && *line; line++)
        list = curl_slist_append(list, *line);
    return list;
}

/*
 * OpenSSL writes to sockets that the peer may have closed. SIGPIPE is kept from this
 * thread, and taken away where it came, so that the caller's handling of it is untouched.
 */
static CURLcode perform_without_sigpipe(CURL *easy)
{
    sigset_t sigpipe, before, pending;
    struct timespec at_once = {0, 0};
    CURLcode code;

    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
    code = curl_easy_perform(easy);
    if (!sigismember(&pending, SIGPIPE))
        sigtimedwait(&sigpipe, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

/* Whether CODE means that there was a connection, or one stalled. */
static int is_cut(CURLcode code)
{
    return code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
           code == CURLE_SEND_ERROR || code == CURLE_OPERATION_TIMEDOUT;
}

/* Which limit of time it was, and in which phase. */
static void settle_time(struct http *http, struct http_result *result)
{
    double connected = 0;

    curl_easy_getinfo(http->easy, CURLINFO_PRETRANSFER_TIME, &connected);
    result->is_connected = connected > 0;
    result->seconds = result->is_connected ? http->options->stall_seconds : http->options->connect_seconds;
}

/* What a proxy has answered to CONNECT. What is for ever is not worth another try. */
static void settle_proxy(struct http *http, struct http_result *result)
{
    long status = 0;

    curl_easy_getinfo(http->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status < 300)
        return;
    result->proxy = status;
    result->is_cut = status >= 500 || status == 408 || status == 429;
}

static void settle(struct http *http, CURLcode code)
{
    struct http_result *result = http->result;

    result->text = arena_strndup(http->text.arena, str_text(&http->text), http->text.length);
    result->length = http->text.length;
    if (result->end != HTTP_COMPLETE) /* one of ours ended it */
        return;
    if (code == CURLE_OK && http->sink && is_success(&result->head) && begin(http) < 0) { /* no body at all */
        result->end = HTTP_REFUSED;
        return;
    }
    if (code == CURLE_OK && result->head.status)
        return;
    if (result->head.status >= 300 && code != CURLE_PEER_FAILED_VERIFICATION)
        return; /* the status says more than the body's end */
    result->end = HTTP_FAILED;
    result->code = code == CURLE_OK ? CURLE_WEIRD_SERVER_REPLY : code;
    result->is_cut = is_cut(code);
    if (code == CURLE_OPERATION_TIMEDOUT)
        settle_time(http, result);
    settle_proxy(http, result);
    curl_easy_getinfo(http->easy, CURLINFO_SSL_VERIFYRESULT, &result->tls);
    memcpy(result->cause, http->error, sizeof(result->cause) - 1);
}

void http_perform(struct http *http, const struct http_request *request, struct http_result *result,
                  struct arena *arena)
{
    struct curl_slist *headers = make_headers(request, arena);
    CURLcode code;

    memset(result, 0, sizeof(*result));
    result->head.content_length = result->head.range_start = -1;
    result->head.range_total = result->head.retry_after = -1;
    http->result = result;
    http->sink = request->sink;
    http->text = (struct str){.arena = arena};
    http->has_begun = 0;
    *http->error = 0;
    SET(CURLOPT_URL, request->url.text);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_HTTPGET, 1L);
    if (request->form) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE, (long)strlen(request->form));
        SET(CURLOPT_POSTFIELDS, request->form);
    }
    SET(CURLOPT_TIMEOUT, request->is_small ? 4L * (long)http->options->stall_seconds : 0L);
    code = perform_without_sigpipe(http->easy);
    settle(http, code);
    SET(CURLOPT_HTTPHEADER, NULL);
    SET(CURLOPT_POSTFIELDS, NULL);
    curl_slist_free_all(headers);
}
