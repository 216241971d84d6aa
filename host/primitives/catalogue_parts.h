/* host/primitives/catalogue_parts.h: what the files of the catalogue share.
 *
 * Knows host/primitives/catalogue.h. */
#ifndef KW_HOST_PRIMITIVES_CATALOGUE_PARTS_H
#define KW_HOST_PRIMITIVES_CATALOGUE_PARTS_H

#include "host/primitives/catalogue.h"

#define KW_SCHEMA_PRIMITIVES "keywright/data-primitives/1"
#define KW_SCHEMA_ALGORITHMS "keywright/data-algorithms/1"
#define KW_SCHEMA_STANDARD   "keywright/data-standard/1"
#define KW_SCHEMA_PLATFORM   "keywright/data-platform/1"

/* The members of a document of that schema; NULL: no such schema. */
const struct kw_member *kw_data_shape(const char *schema);

/* False: the key is there already. key NULL: the entry has none. */
bool kw_table_add(struct kw_catalogue *catalogue, struct kw_table *table,
                  const char *key, const char *id, json_t *entry);

/* True when the document has this schema. */
bool kw_document_is(const struct kw_document *document, const char *schema);

/* Fills the tables. */
void kw_catalogue_names(struct kw_catalogue *catalogue,
                        struct kw_problems *problems);
/* Makes the words of tables that have no problem so far. */
void kw_catalogue_words(struct kw_catalogue *catalogue,
                        struct kw_problems *problems);
/* The rules that no shape knows: cycles, unmapped requirements, bases. */
void kw_catalogue_rules(struct kw_catalogue *catalogue,
                        struct kw_problems *problems);

#endif
