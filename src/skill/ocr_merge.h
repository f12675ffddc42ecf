/* SPDX-License-Identifier: MIT */
/* Several readings of one picture become one. */
#ifndef LP_SKILL_OCR_MERGE_H
#define LP_SKILL_OCR_MERGE_H

#include "skill/ocr_engine.h"

/* Fills an empty `out` with the most credible words of n readings of views of the same size, no two on one spot,
 * in no useful order (see ocr_order.h). Fails only without memory. */
bool lp_ocr_merge(const struct lp_ocr_reading *readings, int n, struct lp_ocr_reading *out, struct lp_error *err);

/* Letters and digits in a text. */
int lp_ocr_letters(const char *text);

#endif
