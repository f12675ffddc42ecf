/* SPDX-License-Identifier: MIT */
/* Shared by syntax.c (the turn and its free texts) and syntax_calls.c (the actions). */
#ifndef LP_PLAN_SYNTAX_INNER_H
#define LP_PLAN_SYNTAX_INNER_H

#include "plan/syntax.h"

enum phase {
    FIXED,    /* place->text, then the phase `then` */
    THOUGHTS, /* free text up to a line feed */
    VALUE,    /* free text up to the stop string or EOS */
    ENDED,
    /* the phases of syntax_calls.c: choices between fixed texts (bits of `alive`) .. */
    OPEN,  /* "[]" or the first call */
    NAME,  /* which skill */
    PARAM, /* which parameter, or the end of the call */
    MORE,  /* another call or the end */
    ITEM,  /* which point or box */
    NEXT,  /* another item or the list's end */
    /* .. and open kinds of values */
    STRING,
    HANDLE,
    NUMBER
};

void lp_place_fix(struct lp_place *p, const char *text, enum phase then);
void lp_place_enter(struct lp_place *p, const struct lp_syntax *s, enum phase phase);

/* For the phases of syntax_calls.c. */
void lp_calls_enter(struct lp_place *p, const struct lp_syntax *s, enum phase phase);
bool lp_calls_step(struct lp_place *p, const struct lp_syntax *s, uint8_t byte);

#endif
