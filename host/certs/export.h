/* host/certs/export.h: a chain in files: PEM, DER, C definitions.
 *
 * C definitions are those that firmware on the vendor's library includes:
 * cust_def_1_signer.c/.h and cust_def_2_device.c/.h. They are written from
 * the chain alone; what differs between chips is an element.
 * Sources: cryptoauthlib's public header atcacert_def.h; docs/certs.md.
 * Knows host/certs/chain.h and host/certs/definition.h. */
#ifndef KW_HOST_CERTS_EXPORT_H
#define KW_HOST_CERTS_EXPORT_H

#include "host/certs/chain.h"

enum { KW_EXPORT_PEM = 1, KW_EXPORT_DER = 2, KW_EXPORT_C = 4 };

/* Writes new files into the folder, which is made; names them to `wrote`. */
KW_MUST_USE kw_status kw_chain_export(const struct kw_chain *chain,
                                      const struct kw_chip_certs *certs,
                                      unsigned forms, const char *folder,
                                      void (*wrote)(void *observer,
                                                    const char *file),
                                      void *observer, struct kw_error *error);

/* host/certs/c_definition.c: the texts of the two files of a certificate;
 * the caller frees; NULL without memory. */
struct kw_c_definition {
    char *source;
    char *header;
    char name[32]; /* of the files, without .c and .h */
};
KW_MUST_USE kw_status kw_c_definition(const struct kw_chain *chain, int which,
                                      const struct kw_chip_certs *certs,
                                      struct kw_c_definition *definition,
                                      struct kw_error *error);

#endif
