/* host/winc/ota_list.h: the list of certificate files of an update.
 *
 * JSON with the reference example's fields, or its C array; signed or not
 * (docs/formats.md, "Certificate list"). Knows host/authority.h. */
#ifndef KW_HOST_WINC_OTA_LIST_H
#define KW_HOST_WINC_OTA_LIST_H

#include "core/hash.h"
#include "core/message.h"
#include "host/error.h"

#define KW_OTA_FILES_MAX 40
#define KW_OTA_NAME_MAX  48 /* with its NUL */
#define KW_OTA_LIST_MAX  65536u
#define KW_OTA_MAC_SIZE  6

enum kw_ota_type { KW_OTA_ROOT, KW_OTA_RSA, KW_OTA_ECC };

struct kw_ota_file {
    enum kw_ota_type type;
    unsigned chain; /* numOfChainCert */
    char name[KW_OTA_NAME_MAX];
    bool is_key; /* the first of an RSA chain */
    bool has_digest;
    uint8_t digest[KW_SHA256_SIZE];
};

struct kw_ota_list {
    struct kw_ota_file file[KW_OTA_FILES_MAX];
    size_t count;
    bool is_signed;
    uint32_t sequence; /* 0: not signed */
    bool names_module;
    uint8_t mac[KW_OTA_MAC_SIZE];
    uint8_t digest[KW_SHA256_SIZE]; /* of the whole list as it came */
};

/* Any list, from its text. A signed one must bear the authority's
 * signature; authority NULL: it cannot be checked, KW_NO_SIGNATURE. */
KW_MUST_USE kw_status kw_ota_list_parse(const char *text, size_t size,
                                        const uint8_t *authority,
                                        struct kw_ota_list *list,
                                        struct kw_error *error);
KW_MUST_USE kw_status kw_ota_list_read(const char *path,
                                       const uint8_t *authority,
                                       struct kw_ota_list *list,
                                       struct kw_error *error);

/* "ROOT_CERT", "TLS_RSA_CERT", "TLS_ECC_CERT". */
const char *kw_ota_type_text(enum kw_ota_type type);

/* What a signature is over: SHA-256 of a fixed text and the payload. */
KW_MUST_USE kw_status kw_ota_list_digest(const uint8_t *payload, size_t size,
                                         uint8_t digest[KW_SHA256_SIZE]);

/* The text of a signed list; the caller frees. mac NULL: the fleet's. */
struct kw_authority;
KW_MUST_USE kw_status kw_ota_list_sign(const struct kw_ota_list *list,
                                       const struct kw_authority *authority,
                                       char **text, struct kw_error *error);

#endif
