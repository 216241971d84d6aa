#include "sim/winc1500/firmware.h"

#include <netdb.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "sim/winc1500/identity.h"

#define CHAIN_MAX 8
#define STEP_MS   100

/* Source: the module's socket interface, suites 0 to 15. */
static const char SUITES[] =
    "AES128-SHA:AES128-SHA256:DHE-RSA-AES128-SHA:DHE-RSA-AES128-SHA256:"
    "AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:AES256-SHA:AES256-SHA256:"
    "DHE-RSA-AES256-SHA:DHE-RSA-AES256-SHA256:ECDHE-RSA-AES128-SHA:"
    "ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA256:"
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES128-GCM-SHA256";

struct session {
    const struct kw_sim_firmware *firmware;
    const struct kw_sim_connect *wanted;
    struct kw_sim_connection *connection;
};

static bool refuse(struct session *session, const char *why) {
    (void)snprintf(session->connection->reason,
                   sizeof session->connection->reason, "%s", why);
    return false;
}

/* --- a root of the store as a key --- */

static bool push_root(OSSL_PARAM_BLD *builder, const uint8_t *store,
                      const struct kw_winc_root *root, uint8_t point[65],
                      BIGNUM *number[2]) {
    if (root->key_type == KW_WINC_RSA) {
        number[0] = BN_bin2bn(store + root->key_at[0], root->key_size[0], NULL);
        number[1] = BN_bin2bn(store + root->key_at[1], root->key_size[1], NULL);
        return OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N,
                                      number[0]) == 1 &&
               OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E,
                                      number[1]) == 1;
    }
    if (root->key_size[0] != 32 || root->key_size[1] != 32) {
        return false;
    }
    point[0] = 4;
    memcpy(point + 1, store + root->key_at[0], 64);
    return OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME,
                                           "P-256", 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY,
                                            point, 65) == 1;
}

static EVP_PKEY *key_of(OSSL_PARAM_BLD *builder, const char *type) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (parameters == NULL || context == NULL ||
        EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) !=
            1) {
        key = NULL;
    }
    OSSL_PARAM_free(parameters);
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *root_key(const uint8_t *store,
                          const struct kw_winc_root *root) {
    uint8_t point[65];
    BIGNUM *number[2] = {NULL, NULL};
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (builder != NULL && push_root(builder, store, root, point, number)) {
        key = key_of(builder, root->key_type == KW_WINC_RSA ? "RSA" : "EC");
    }
    BN_free(number[0]);
    BN_free(number[1]);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

/* --- trust --- */

static struct kw_winc_date now(void) {
    struct tm parts;
    const time_t seconds = time(NULL);
    (void)gmtime_r(&seconds, &parts);
    return (struct kw_winc_date){
        .year = (uint16_t)(parts.tm_year + 1900),
        .month = (uint8_t)(parts.tm_mon + 1),
        .day = (uint8_t)parts.tm_mday,
        .hour = (uint8_t)parts.tm_hour,
        .minute = (uint8_t)parts.tm_min,
        .second = (uint8_t)parts.tm_sec,
    };
}

static bool in_time(const struct kw_winc_date *from,
                    const struct kw_winc_date *until) {
    const struct kw_winc_date today = now();
    return kw_winc_date_compare(from, &today) <= 0 &&
           kw_winc_date_compare(&today, until) <= 0;
}

/* Whether a root of the store signed the certificate. */
static bool root_vouches(struct session *session, X509 *certificate,
                         const struct kw_winc_cert *about) {
    const uint8_t *store = session->firmware->flash + KW_WINC_ROOT_ADDRESS;
    struct kw_winc_root root;
    if (kw_winc_root_find(store, about->issuer_hash, &root) != KW_OK) {
        return refuse(session, "no root of the store has the issuer's name");
    }
    if (!in_time(&root.not_before, &root.not_after)) {
        return refuse(session, "the root in the store has expired");
    }
    EVP_PKEY *key = root_key(store, &root);
    const bool verified = key != NULL && X509_verify(certificate, key) == 1;
    EVP_PKEY_free(key);
    memcpy(session->connection->root, root.hash, KW_SHA1_SIZE);
    return verified || refuse(session, "the root in the store did not sign "
                                       "the server's chain");
}

static X509 *issuer_of(X509 *certificate, STACK_OF(X509) * others) {
    for (int i = 0; i < sk_X509_num(others); i++) {
        X509 *other = sk_X509_value(others, i);
        EVP_PKEY *key = X509_get0_pubkey(other);
        if (other != certificate &&
            X509_check_issued(other, certificate) == X509_V_OK &&
            X509_check_ca(other) == 1 && key != NULL &&
            X509_verify(certificate, key) == 1) {
            return other;
        }
    }
    return NULL;
}

static bool vouched(struct session *session, X509 *certificate) {
    unsigned char *der = NULL;
    const int size = i2d_X509(certificate, &der);
    const struct kw_source source = {.memory = der,
                                     .size = size > 0 ? (uint32_t)size : 0};
    struct kw_winc_cert about;
    bool trusted = false;
    if (size > 0 && kw_winc_cert_read(&source, &about) == KW_OK) {
        trusted = in_time(&about.not_before, &about.not_after)
                      ? root_vouches(session, certificate, &about)
                      : refuse(session, "the server's chain has expired");
    } else {
        (void)refuse(session, "the module cannot read the server's chain");
    }
    OPENSSL_free(der);
    return trusted;
}

static bool trusts(struct session *session, X509 *leaf,
                   STACK_OF(X509) * others) {
    X509 *certificate = leaf;
    for (int i = 0; i < CHAIN_MAX && certificate != NULL; i++) {
        if (vouched(session, certificate)) {
            return true;
        }
        if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
            return false;
        }
        certificate = issuer_of(certificate, others);
    }
    return false;
}

static bool has_name(X509 *leaf, const char *host) {
    return X509_check_host(leaf, host, 0, 0, NULL) == 1 ||
           X509_check_ip_asc(leaf, host, 0) == 1;
}

static int verify(X509_STORE_CTX *store, void *self) {
    struct session *session = self;
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    const bool named =
        !session->wanted->check_name || has_name(leaf, session->wanted->host);
    if (!named) {
        (void)refuse(session, "the server's certificate is for another name");
    }
    const bool fine =
        named && trusts(session, leaf, X509_STORE_CTX_get0_untrusted(store));
    X509_STORE_CTX_set_error(store,
                             fine ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
    return fine ? 1 : 0;
}

/* --- the connection --- */

static SSL_CTX *make_context(struct session *session) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) {
        return NULL;
    }
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    (void)SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    (void)SSL_CTX_set_cipher_list(context, SUITES);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, verify, session);
    return context;
}

static int64_t now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* In short steps, so that a stop is heard between them. */
static kw_status wait_for(const struct kw_sim_connect *wanted, BIO *bio,
                          short events, int64_t deadline) {
    struct pollfd waiting = {.fd = (int)BIO_get_fd(bio, NULL),
                             .events = events};
    while (poll(&waiting, 1, STEP_MS) <= 0) {
        KW_ENSURE(wanted->stopped == NULL || *wanted->stopped == 0,
                  KW_INTERRUPTED);
        KW_ENSURE(now_ms() < deadline, KW_ABSENT_ANSWER);
    }
    return KW_OK;
}

static int64_t deadline_of(const struct kw_sim_connect *wanted) {
    return now_ms() + (int64_t)wanted->timeout_s * 1000;
}

static kw_status resolve(struct session *session) {
    const struct kw_sim_connect *wanted = session->wanted;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    const int failure = getaddrinfo(wanted->host, wanted->port, &hints, &found);
    if (failure != 0) {
        (void)refuse(session, gai_strerror(failure));
        return KW_ABSENT;
    }
    freeaddrinfo(found);
    return KW_OK;
}

/* Each of the host's addresses in turn, as OpenSSL does it. */
static kw_status dial(struct session *session, BIO *bio) {
    const struct kw_sim_connect *wanted = session->wanted;
    const int64_t deadline = deadline_of(wanted);
    KW_TRY(resolve(session));
    (void)BIO_set_conn_hostname(bio, wanted->host);
    (void)BIO_set_conn_port(bio, wanted->port);
    (void)BIO_set_nbio(bio, 1);
    while (BIO_do_connect(bio) != 1) {
        KW_ENSURE(BIO_should_retry(bio), KW_ABSENT);
        KW_TRY(wait_for(wanted, bio, POLLOUT, deadline));
    }
    return KW_OK;
}

static void note(struct session *session, SSL *ssl) {
    X509 *peer = SSL_get0_peer_certificate(ssl);
    struct kw_sim_connection *connection = session->connection;
    (void)snprintf(connection->cipher, sizeof connection->cipher, "%s",
                   SSL_get_cipher_name(ssl));
    (void)X509_NAME_oneline(X509_get_subject_name(peer), connection->subject,
                            sizeof connection->subject);
}

static kw_status no_handshake(struct session *session) {
    if (session->connection->reason[0] == '\0') {
        const char *why = ERR_reason_error_string(ERR_peek_last_error());
        (void)refuse(session,
                     why != NULL ? why : "the server closed the connection");
    }
    return KW_NO;
}

static kw_status shake_hands(struct session *session, SSL *ssl) {
    const int64_t deadline = deadline_of(session->wanted);
    (void)SSL_set_tlsext_host_name(ssl, session->wanted->host);
    for (int done = 0; done != 1;) {
        ERR_clear_error();
        done = SSL_connect(ssl);
        const int error = SSL_get_error(ssl, done);
        if (done == 1) {
            continue;
        }
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
            return no_handshake(session);
        }
        KW_TRY(wait_for(session->wanted, SSL_get_rbio(ssl),
                        error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,
                        deadline));
    }
    session->connection->reason[0] = '\0';
    note(session, ssl);
    (void)SSL_shutdown(ssl);
    return KW_OK;
}

static kw_status connect_with(struct session *session, SSL_CTX *context) {
    SSL *ssl = SSL_new(context);
    BIO *bio = BIO_new(BIO_s_connect());
    kw_status status = KW_SYSTEM_MEMORY;
    if (ssl != NULL && bio != NULL) {
        SSL_set_bio(ssl, bio, bio);
        status = dial(session, bio);
        status = status == KW_OK ? shake_hands(session, ssl) : status;
        bio = NULL; /* it goes with the session */
    }
    BIO_free_all(bio);
    SSL_free(ssl);
    return status;
}

kw_status kw_sim_firmware_connect(const struct kw_sim_firmware *firmware,
                                  const struct kw_sim_connect *wanted,
                                  struct kw_sim_connection *connection) {
    struct kw_sim_firmware mine = *firmware;
    struct session session = {firmware, wanted, connection};
    *connection = (struct kw_sim_connection){.identity = "none"};
    SSL_CTX *context = make_context(&session);
    KW_ENSURE(context != NULL, KW_SYSTEM_MEMORY);
    EC_KEY_METHOD *method = NULL;
    kw_status status =
        kw_sim_identity(&mine, context, &method, connection->identity);
    status = status == KW_OK ? connect_with(&session, context) : status;
    SSL_CTX_free(context);
    kw_sim_identity_free(method);
    ERR_clear_error();
    return status;
}
