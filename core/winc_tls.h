/* core/winc_tls.h: the Wi-Fi module's TLS server store, 8192 bytes.
 *
 * Up to 8 files: certificates, private RSA keys and two lists that name the
 * chain in use; docs/formats.md, "The module's TLS store". A change is first
 * a plan: which file comes from where. The plan is laid out and checked
 * whole, then rendered one sector at a time into one buffer; old content is
 * read from where it lies. Files keep their order, so content moves in one
 * direction over the border of the two sectors, and the sector that nothing
 * is read from any more is written first.
 * Knows core/winc_cert.h. */
#ifndef KW_CORE_WINC_TLS_H
#define KW_CORE_WINC_TLS_H

#include "core/winc_cert.h"

#define KW_WINC_TLS_ADDRESS 0x5000u
#define KW_WINC_TLS_SIZE    8192u
#define KW_WINC_TLS_SECTOR  4096u
#define KW_WINC_TLS_FILES   8u
#define KW_WINC_TLS_NAME    48u /* with its NUL */

/* Size of the header: without the CRC word in firmware 19.5.x, with it from
 * 19.6 on. */
#define KW_WINC_TLS_HEADER_195 464u
#define KW_WINC_TLS_HEADER_196 468u

#define KW_WINC_TLS_CERTS (KW_WINC_TLS_FILES - 1) /* of one chain */

enum kw_winc_part {
    KW_WINC_PART_OLD,   /* as it lies in the old store */
    KW_WINC_PART_BYTES, /* a certificate */
    KW_WINC_PART_KEY,   /* a private RSA key in the module's form */
    KW_WINC_PART_LIST,  /* names of other files of the plan */
};

struct kw_winc_file {
    char name[KW_WINC_TLS_NAME];
    uint32_t size;
    uint32_t address;     /* absolute, in the flash */
    uint32_t old_address; /* of a part that is old */
    enum kw_winc_part part;
    union {
        const struct kw_source *source;
        const struct kw_winc_rsa_key *key;
        struct {
            uint8_t member[KW_WINC_TLS_FILES];
            uint8_t count;
        } list;
    };
};

struct kw_winc_tls {
    const struct kw_source *old; /* KW_WINC_TLS_SIZE bytes of the old store */
    uint32_t header_size;
    uint32_t count;
    bool erased; /* the old store's magic is all FF */
    struct kw_winc_file file[KW_WINC_TLS_FILES];
};

/* Reads the table: a plan that changes nothing yet. KW_NO_WINC_STORE: a
 * foreign magic, or a table that cannot be right. header_size is for an
 * erased store, or one that is empty. */
KW_MUST_USE kw_status kw_winc_tls_read(const struct kw_source *old,
                                       uint32_t header_size,
                                       struct kw_winc_tls *tls);

/* One chain: the leaf first, each issuer behind what it issued. */
struct kw_winc_chain {
    const struct kw_winc_cert *cert;
    size_t count;
    const struct kw_winc_rsa_key *key; /* NULL: the key is in a chip */
};

/* Adds or replaces the files of a chain and makes RSA.lst or ECDSA.lst name
 * it. KW_NO_WINC_CHAIN, KW_NO_WINC_KEY, KW_NO_WINC_KEY_TYPE,
 * KW_NO_WINC_NAME_LENGTH, KW_NO_WINC_FILES. The plan is void on failure. */
KW_MUST_USE kw_status kw_winc_tls_put(struct kw_winc_tls *tls,
                                      const struct kw_winc_chain *chain);

/* Removes a file. KW_NO_WINC_ABSENT; KW_NO_WINC_LISTED: a list names it. */
KW_MUST_USE kw_status kw_winc_tls_remove(struct kw_winc_tls *tls,
                                         const char *name);
/* Removes the certificates and keys that no list names. */
KW_MUST_USE kw_status kw_winc_tls_compact(struct kw_winc_tls *tls);
/* Whether a list of the plan names the file. */
KW_MUST_USE kw_status kw_winc_tls_listed(const struct kw_winc_tls *tls,
                                         uint32_t file, bool *listed);

/* Gives each file its address. KW_NO_WINC_TLS_FULL. */
KW_MUST_USE kw_status kw_winc_tls_lay_out(struct kw_winc_tls *tls);
/* Bytes that the laid out store uses. */
uint32_t kw_winc_tls_used(const struct kw_winc_tls *tls);
/* The sector (0 or 1) to write first. */
unsigned kw_winc_tls_first(const struct kw_winc_tls *tls);
/* One sector of the laid out store. */
KW_MUST_USE kw_status kw_winc_tls_render(const struct kw_winc_tls *tls,
                                         unsigned sector,
                                         uint8_t bytes[KW_WINC_TLS_SECTOR]);

#endif
