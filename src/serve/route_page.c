/* SPDX-License-Identifier: MIT */
/* serve/route_page.c - GET / and /page/NAME: the page, from the program's own bytes. It needs no key, as it holds nothing
 * but itself; what it asks for under /v1 does. */
#include "serve/page.h"
#include "serve/routes.h"

#include <string.h>

/* Nothing from elsewhere, nothing that stands in the markup, no frame around it, no markup made from text. Pictures
 * are fetched with the key and shown from memory (blob:). */
static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
                             "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

static void answer(struct lp_exchange *x, const struct lp_page_file *f) {
    const char *known = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    bool same = known && strstr(known, f->tag);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(same ? 0 : f->n, (void *)f->bytes, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return;
    MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, f->tag);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache"); /* kept, but asked about each time */
    MHD_add_response_header(response, "Content-Security-Policy", policy);
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    lp_answer(x, same ? 304 : 200, f->type, response);
}

void lp_route_page(struct lp_exchange *x) {
    answer(x, &lp_page_files[0]);
}

void lp_route_page_file(struct lp_exchange *x) {
    struct lp_fault fault;
    char name[40];
    lp_exchange_part(x, 0, name, sizeof name);
    for (int i = 1; i < lp_page_files_count; i++)
        if (!strcmp(name, lp_page_files[i].name)) {
            answer(x, &lp_page_files[i]);
            return;
        }
    lp_fault_set(&fault, 404, NULL, "not_found", "the page has no such file");
    lp_answer_fault(x, &fault);
}
