/* SPDX-License-Identifier: MIT */
/* The order in which a person reads words that lie somewhere in a picture. */
#ifndef LP_SKILL_OCR_ORDER_H
#define LP_SKILL_OCR_ORDER_H

#include "skill/ocr_engine.h"

/* Sorts the words into reading order and sets .line to their row, from 1; marks at a row's ends that are no writing
 * go. Rows of a receipt or table are read across, columns of prose one after the other. Fails only without memory. */
bool lp_ocr_order(struct lp_ocr_reading *reading, struct lp_error *err);

#endif
