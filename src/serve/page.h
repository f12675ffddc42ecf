/* SPDX-License-Identifier: MIT */
/* The files of the page, which are in the program: made from serve/page/ when it is built. */
#ifndef LP_SERVE_PAGE_H
#define LP_SERVE_PAGE_H

#include <stddef.h>

struct lp_page_file {
    const char *name, *type; /* "main.js", its Content-Type */
    const char *tag;         /* its ETag, with quotation marks */
    const unsigned char *bytes;
    size_t n;
};
extern const struct lp_page_file lp_page_files[]; /* the first one is the page itself */
extern const int lp_page_files_count;

#endif
