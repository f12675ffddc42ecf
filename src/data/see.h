/* SPDX-License-Identifier: MIT */
/* Visual chat: questions that the pixels answer without any skill, as LLaVA's conversations about a picture. */
#ifndef LP_DATA_SEE_H
#define LP_DATA_SEE_H

#include "data/dialogue.h"

/* Place, comparison and detail have no brief form. A caption tells what the others ask. */
enum lp_see {
    LP_SEE_PRESENCE,
    LP_SEE_COUNT,
    LP_SEE_COLOR,
    LP_SEE_RELATION,
    LP_SEE_PLACE,
    LP_SEE_COMPARISON,
    LP_SEE_DETAIL,
    LP_SEE_CAPTION,
    LP_SEES,
    LP_SEE_BRIEFS = LP_SEE_PLACE /* those before it have a brief form */
};

/* One question and its answer as two turns about the dialogue's present picture, at its front when `shown`.
 * brief: the short forms of LLaVA-1.5 ("Answer the question using a single word or phrase."), else as people talk.
 * A kind that the picture gives no question for becomes another; false: there is nothing new to ask, so nothing is added. */
bool lp_see_ask(struct lp_dialogue *d, enum lp_see kind, bool brief, bool shown);

#endif
