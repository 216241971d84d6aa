/* cli/primitives_page.c: the page, one file. */
#include <string.h>

#include "cli/primitives.h"
#include "host/primitives/page.h"

kw_status kw_primitives_page(struct kw_cli *cli,
                             const struct kw_arguments *arguments) {
    struct kw_primitives primitives;
    char *html = NULL;
    kw_status status = kw_primitives_open(cli, arguments, &primitives);
    if (status == KW_OK) {
        status = kw_page(&primitives.catalogue, &html, &cli->error);
    }
    if (status == KW_OK) {
        const size_t size = html == NULL ? 0 : strlen(html);
        status = kw_emit(cli, arguments, html);
        json_object_set_new(cli->result, "bytes",
                            json_integer((json_int_t)size));
    }
    if (status == KW_OK) {
        kw_print(cli, "%s: open it in a browser; it needs no network\n",
                 kw_argument(arguments, "--output"));
    }
    kw_primitives_close(&primitives);
    return status;
}
