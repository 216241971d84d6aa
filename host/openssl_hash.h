/* host/openssl_hash.h: the hash seam of core/hash.h, by OpenSSL.
 * Knows core/hash.h. */
#ifndef KW_HOST_OPENSSL_HASH_H
#define KW_HOST_OPENSSL_HASH_H

#include "core/hash.h"

extern const struct kw_hash kw_openssl_hash;

#endif
