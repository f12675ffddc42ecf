/* SPDX-License-Identifier: MIT */
/* What printed pages say: receipts, notices, menus and the like, written by the forms of data/scenes/pages.txt. */
#ifndef LP_DATA_PAGES_H
#define LP_DATA_PAGES_H

#include "base/rng.h"
#include "data/stickers.h"

struct lp_pages;

/* Reads pages.txt of `folder` (data/scenes). One heap object, owned by the caller (lp_pages_close). NULL on failure: LP_EINPUT
 * with file and line. */
struct lp_pages *lp_pages_open(const char *folder, struct lp_error *err);
void lp_pages_close(struct lp_pages *pages);

/* The text of a page, cut to `size`: lines parted by LF, each of less than LP_LINE_LETTERS letters, LP_SCENE_LINES at most. */
void lp_pages_write(const struct lp_pages *pages, const struct lp_stickers *stickers, struct lp_rng *rng, char *text, size_t size);

/* Writes print in which '#' is any digit, '*' a thing's name, '^' that in capitals, '|' the end of a line. text[size]; each line is cut
 * to less than LP_LINE_LETTERS letters. */
void lp_print_fill(const char *form, size_t n, const struct lp_stickers *stickers, struct lp_rng *rng, char *text, size_t size);

#endif
