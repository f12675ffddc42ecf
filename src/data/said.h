/* SPDX-License-Identifier: MIT */
/* What a user says in a turn, and what of it another wording must keep. */
#ifndef LP_DATA_SAID_H
#define LP_DATA_SAID_H

#include "base/json.h"

/* A turn in three parts, borrowed from it: pictures and results that were given in front; the user's own words; marks on
 * the picture ("Input point: ..") and forms ("Answer the question using a single word or phrase.") behind. */
struct lp_said {
    const char *front, *text, *back;
    size_t front_bytes, bytes; /* of front and text; back goes to the end */
};
void lp_said_split(const char *turn, struct lp_said *said);

/* What a wording of `text` must keep: the parameters of the calls that follow it (JSON [{"API_name", "API_params"}]; NULL:
 * none), as far as the text holds their words, its numbers and what stands in quotes. An array of texts, owned by
 * caller; NULL when out of memory. *found is false where a parameter does not come from the text in any way that could
 * be looked for. */
json_t *lp_said_keeps(const char *text, const json_t *actions, bool *found);

enum lp_wording {
    LP_WORDING_GOOD,
    LP_WORDING_LOST,  /* it lacks something that it must keep */
    LP_WORDING_SAME,  /* it is the seed again */
    LP_WORDING_SHAPE, /* it is empty, too long, has several lines, control characters or marks of the format */
    LP_WORDINGS
};
enum lp_wording lp_said_check(const char *seed, const json_t *keeps, const char *wording);

#endif
