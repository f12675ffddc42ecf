/* SPDX-License-Identifier: MIT */
/* Values as planners write them: JSON, or Python's notation, or a mixture. Data only; nothing is ever run. */
#ifndef LP_TEXT_LITERAL_H
#define LP_TEXT_LITERAL_H

#include "base/error.h"

#include <jansson.h>

/* One value and nothing else but white space: strict JSON, or else Python's notation: 'a', True, False, None,
 * tuples (as arrays), trailing commas. A single quote inside a single-quoted string ends it only where a
 * string can end (before , : ] } ) or the end), so that {'caption': 'the dog's ball'} is read as meant.
 * Nesting deeper than 64 is refused. text is UTF-8 without NUL. Owned by caller (json_decref); NULL on
 * failure (LP_EINPUT). */
json_t *lp_literal_parse(const char *text, size_t n, struct lp_error *err);

#endif
