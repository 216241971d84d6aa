/* host/primitives/output.h: what leaves as text: drawings, tables, OSCAL.
 *
 * Each function answers a string that the caller frees, NULL without
 * memory. The same input gives the same bytes on each machine. Names come
 * from files that anybody may have written: every form escapes them.
 * Knows projects. */
#ifndef KW_HOST_PRIMITIVES_OUTPUT_H
#define KW_HOST_PRIMITIVES_OUTPUT_H

#include <stdio.h>

#include "host/primitives/project.h"

/* The dependency graph of the primitives of a set (bit n: primitive n). */
char *kw_graph_svg(const struct kw_catalogue *catalogue, uint32_t model,
                   uint64_t set);
char *kw_graph_dot(const struct kw_catalogue *catalogue, uint32_t model,
                   uint64_t set);
char *kw_graph_mermaid(const struct kw_catalogue *catalogue, uint32_t model,
                       uint64_t set);

/* The document of kw_project_document as Markdown and as CSV (RFC 4180). */
char *kw_markdown(const json_t *document);
char *kw_csv(const json_t *document);

/* The lists of section 3.3 as documents of their own: what has to be
 * implemented, and what is left to user guidance. */
char *kw_markdown_implementation(const json_t *document);
char *kw_markdown_guidance(const struct kw_project *project);

/* OSCAL 1.2.1; kind: "catalog", "component", "mapping", "results". */
json_t *kw_oscal(const struct kw_project *project, const char *kind);

/* Writes text for XML, without a way out of an element or attribute. */
void kw_put_xml(FILE *out, const char *text);

#endif
