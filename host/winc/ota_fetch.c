#include "host/winc/ota_fetch.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/bytes.h"
#include "host/files.h"

#define CONNECT_S  10L
#define CA_MAX     (1u << 22)
#define BACK_OFF_M 200u /* ms; doubles at each try */

struct transfer {
    const struct kw_ota_server *server;
    struct kw_ota_body *body;
    size_t limit;
    bool too_long;
    char host[256];
    char why[256]; /* why the server is not trusted */
};

void kw_ota_body_free(struct kw_ota_body *body) {
    if (body->bytes != NULL) {
        kw_wipe(body->bytes, body->size);
        free(body->bytes);
    }
    *body = (struct kw_ota_body){.bytes = NULL};
}

/* --- the body --- */

/* The buffer is as large as the limit from the start, so that no copy of a
 * private key stays behind in freed memory. */
static size_t take(char *data, size_t unit, size_t count, void *self) {
    struct transfer *transfer = self;
    const size_t size = unit * count;
    if (size > transfer->limit - transfer->body->size) {
        transfer->too_long = true;
        return 0;
    }
    memcpy(transfer->body->bytes + transfer->body->size, data, size);
    transfer->body->size += size;
    return size;
}

static int progress(void *self, curl_off_t a, curl_off_t b, curl_off_t c,
                    curl_off_t d) {
    const struct transfer *transfer = self;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return transfer->server->stopped != NULL && transfer->server->stopped();
}

/* --- trust --- */

static bool is_pinned(const char *path, const X509 *leaf) {
    BIO *bio = BIO_new_file(path, "r");
    bool pinned = false;
    X509 *kept = NULL;
    while (bio != NULL && !pinned &&
           (kept = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        pinned = X509_cmp(kept, leaf) == 0;
        X509_free(kept);
    }
    BIO_free(bio);
    ERR_clear_error();
    return pinned;
}

kw_status kw_ota_check_ca(const char *path, struct kw_error *error) {
    uint8_t *text = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(path, CA_MAX, &text, &size, error));
    BIO *bio = BIO_new_mem_buf(text, (int)size);
    X509 *first = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    const bool fine = first != NULL;
    X509_free(first);
    BIO_free(bio);
    free(text);
    ERR_clear_error();
    if (!fine) {
        (void)kw_error(error, KW_PARSE, "%s holds no certificate in PEM", path);
        return kw_error_hint(error,
                             "`openssl x509 -inform der -in %s -out "
                             "server.pem` makes PEM of DER",
                             path);
    }
    return KW_OK;
}

static bool in_time(const X509 *leaf) {
    return X509_cmp_current_time(X509_get0_notBefore(leaf)) < 0 &&
           X509_cmp_current_time(X509_get0_notAfter(leaf)) > 0;
}

static bool has_name(X509 *leaf, const char *host) {
    return X509_check_host(leaf, host, 0, 0, NULL) == 1 ||
           X509_check_ip_asc(leaf, host, 0) == 1;
}

static int distrust(struct transfer *transfer, X509_STORE_CTX *store,
                    const char *why) {
    (void)snprintf(transfer->why, sizeof transfer->why, "%s", why);
    if (X509_STORE_CTX_get_error(store) == X509_V_OK) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    }
    return 0;
}

static int verify(X509_STORE_CTX *store, void *self) {
    struct transfer *transfer = self;
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    if (leaf != NULL && is_pinned(transfer->server->ca, leaf)) {
        if (!in_time(leaf)) {
            return distrust(transfer, store, "its certificate has expired");
        }
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    if (X509_verify_cert(store) != 1) {
        return distrust(
            transfer, store,
            X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)));
    }
    return has_name(leaf, transfer->host)
               ? 1
               : distrust(transfer, store,
                          "its certificate is for another name");
}

/* libcurl would check the name of a pinned certificate too: the callback
 * above checks all that libcurl would, and the pin. */
static CURLcode set_trust(CURL *curl, void *context, void *self) {
    (void)curl;
    SSL_CTX_set_cert_verify_callback(context, verify, self);
    return CURLE_OK;
}

/* --- one try --- */

static char *url_of(const struct kw_ota_server *server, const char *name) {
    const size_t size = strlen(server->url);
    const bool slash = size > 0 && server->url[size - 1] == '/';
    return kw_format("%s%s%s", server->url, slash ? "" : "/", name);
}

static kw_status take_host(struct transfer *transfer, const char *url,
                           struct kw_error *error) {
    CURLU *parts = curl_url();
    char *host = NULL;
    char *scheme = NULL;
    const bool fine =
        parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == 0 &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == 0 &&
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == 0 &&
        strcmp(scheme, "https") == 0 && strlen(host) < sizeof transfer->host;
    if (fine) {
        const size_t size = strlen(host);
        const bool bracket = host[0] == '[';
        (void)snprintf(transfer->host, sizeof transfer->host, "%.*s",
                       (int)(size - (bracket ? 2 : 0)),
                       host + (bracket ? 1 : 0));
    }
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(parts);
    return fine ? KW_OK : kw_error(error, KW_USAGE, "%s is no https URL", url);
}

static void set_options(CURL *curl, const char *url,
                        struct transfer *transfer) {
    const struct kw_ota_server *server = transfer->server;
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                           (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(curl, CURLOPT_SSLVERSION,
                           (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)server->timeout_s);
    (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_CAINFO, server->ca);
    (void)curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    (void)curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, set_trust);
    (void)curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, transfer);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
}

static kw_status judge(const struct transfer *transfer, CURLcode code,
                       long http, const char *url, struct kw_error *error) {
    if (transfer->too_long) {
        return kw_error(error, KW_PARSE_SIZE, "%s is longer than %zu bytes",
                        url, transfer->limit);
    }
    if (transfer->why[0] != '\0' || code == CURLE_PEER_FAILED_VERIFICATION) {
        (void)kw_error(error, KW_NO, "the server of %s is not trusted: %s", url,
                       transfer->why[0] != '\0' ? transfer->why
                                                : curl_easy_strerror(code));
        return kw_error_hint(error, "--server-ca must be the server's own "
                                    "certificate, or an authority that "
                                    "vouches for its name");
    }
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        return kw_error(error, KW_INTERRUPTED,
                        "interrupted; nothing was "
                        "changed");
    }
    if (code != CURLE_OK) {
        return kw_error(error, KW_ABSENT, "cannot fetch %s: %s", url,
                        curl_easy_strerror(code));
    }
    if (http != 200) {
        (void)kw_error(error, KW_NO, "%s: the server answers %ld", url, http);
        return kw_error_hint(error, http >= 300 && http < 400
                                        ? "redirects are not followed"
                                        : "is the file there?");
    }
    return KW_OK;
}

static kw_status attempt(struct transfer *transfer, const char *url,
                         struct kw_error *error) {
    long http = 0;
    CURL *curl = curl_easy_init();
    if (curl == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    transfer->body->size = 0;
    transfer->why[0] = '\0';
    transfer->too_long = false;
    set_options(curl, url, transfer);
    const CURLcode code = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
    curl_easy_cleanup(curl);
    return judge(transfer, code, http, url, error);
}

/* Only a server that is not there is worth another try. */
static kw_status try_often(struct transfer *transfer, const char *url,
                           struct kw_error *error) {
    unsigned wait = BACK_OFF_M;
    kw_status status = attempt(transfer, url, error);
    for (unsigned i = 1; i < transfer->server->tries && status == KW_ABSENT;
         i++) {
        const struct timespec pause = {.tv_sec = wait / 1000,
                                       .tv_nsec = wait % 1000 * 1000000L};
        (void)nanosleep(&pause, NULL);
        wait *= 2;
        status = attempt(transfer, url, error);
    }
    return status;
}

kw_status kw_ota_fetch(const struct kw_ota_server *server, const char *name,
                       size_t limit, struct kw_ota_body *body,
                       struct kw_error *error) {
    struct transfer transfer = {.server = server, .body = body, .limit = limit};
    char *url = url_of(server, name);
    *body = (struct kw_ota_body){.bytes = malloc(limit + 1)};
    kw_status status = url == NULL || body->bytes == NULL
                           ? kw_error(error, KW_SYSTEM_MEMORY, "out of memory")
                           : take_host(&transfer, url, error);
    if (status == KW_OK) {
        status = try_often(&transfer, url, error);
    }
    free(url);
    if (status != KW_OK) {
        kw_ota_body_free(body);
    }
    return status;
}
