#include <curl/curl.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#include "base/str.h"
#include "registry/http.h"

/* What is wrong with a certificate, and what helps. */
static const char *certificate_problem(long code)
{
    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "its certificate has expired (is this machine's clock right?)";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "its certificate is not valid yet (is this machine's clock right?)";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "its certificate is signed by itself or by an authority that is not trusted here: name the "
               "authority's certificate in the configuration";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "nobody who is trusted here has signed its certificate: name the authority's certificate in "
               "the configuration";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "its certificate is for another name";
    case X509_V_ERR_CERT_REVOKED:
        return "its certificate was revoked";
    default:
        return NULL;
    }
}

static const char *tls_problem(const struct http_result *result, struct arena *arena)
{
    const char *known = result->tls ? certificate_problem(result->tls) : NULL;

    if (known)
        return known;
    /* Names are compared by libcurl itself. */
    if (strstr(result->cause, "subject name") || strstr(result->cause, "target host"))
        return certificate_problem(X509_V_ERR_HOSTNAME_MISMATCH);
    if (result->tls)
        return arena_join(
            arena, "its certificate is not accepted: ", X509_verify_cert_error_string(result->tls), NULL);
    return arena_join(arena, "its certificate is not accepted: ", str_quote(arena, result->cause), NULL);
}

const char *http_proxy_refusal(long status, struct arena *arena)
{
    if (status == 407)
        return "the proxy wants a user and password (407), as in https_proxy=http://USER:PASSWORD@HOST:PORT, "
               "or does not take those that it got";
    return arena_printf(arena,
                        "the proxy does not connect to it (status %ld): see https_proxy and no_proxy in the "
                        "environment",
                        status);
}

static const char *reason(const struct http_result *result, struct arena *arena)
{
    const char *cause =
        *result->cause ? str_quote(arena, result->cause) : curl_easy_strerror((CURLcode)result->code);

    if (result->proxy)
        return http_proxy_refusal(result->proxy, arena);
    if (strstr(result->cause, "Unsupported proxy")) /* and then its address, with the password in it */
        return "a proxy's address is of no kind that is known here: http_proxy and https_proxy in the "
               "environment are http://HOST:PORT";
    switch (result->code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return "there is no such host, or the DNS does not answer: is the name right, and has this node a "
               "network?";
    case CURLE_COULDNT_RESOLVE_PROXY:
        return "the proxy's host is not known: see http_proxy and https_proxy in the environment";
    case CURLE_COULDNT_CONNECT:
        return arena_join(arena, "no connection: ", cause, NULL);
    case CURLE_PEER_FAILED_VERIFICATION:
        return tls_problem(result, arena);
    case CURLE_SSL_CACERT_BADFILE:
        return arena_join(arena, "the authorities' certificates cannot be read: ", cause, NULL);
    case CURLE_SSL_CONNECT_ERROR:
        return arena_join(
            arena,
            "TLS cannot be agreed on (does it speak plain http? plain-http in the configuration says so): ",
            cause, NULL);
    case CURLE_OPERATION_TIMEDOUT:
        return arena_printf(
            arena,
            result->is_connected
                ? "it has sent nothing, or less than 1 KiB/s, for %u seconds; `coracle pull --timeout`, "
                  "or key timeout of [images] in the configuration, allows more"
                : "there was no connection within %u seconds: is a firewall between, or a proxy "
                  "needed? `coracle pull --timeout`, or key timeout of [images] in the configuration, "
                  "allows more",
            result->seconds);
    case CURLE_PARTIAL_FILE:
        return "the connection was cut before all that it had announced was there";
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return arena_join(arena, "the connection was cut: ", cause, NULL);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return "what it answers is not HTTP (a TLS server that is spoken to in plain http?)";
    case 0:
        return arena_printf(arena, "the header of its answer has more than %d bytes", HEAD_MAX);
    default:
        return cause;
    }
}

int http_error(const struct http_result *result, const struct url *url, struct arena *arena, struct err *err)
{
    return err_set(err, ERR_REGISTRY, "%s: %s", url_origin(url, arena), reason(result, arena));
}
