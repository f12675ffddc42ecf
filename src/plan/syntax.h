/* SPDX-License-Identifier: MIT */
/* The grammar of an assistant's turn, byte by byte: what may come next, so that what is sampled always
 * parses.
 *
 *   turn    = [" "] "\"thoughts" EMOJI "\" " text LF "\"actions" EMOJI "\" " actions LF "\"value" EMOJI "\" "
 * text stop actions = "[]" | "[" call {", " call} "]"                      as Python's json.dumps writes it
 *   call    = {"API_name": "<a known skill>", "API_params": {<its parameters in schema order>}}
 *
 * Skills, parameters and limits come from the skills' declarations; points, boxes and handles from what the
 * conversation holds. A plan's later call may name what an earlier one will leave. */
#ifndef LP_PLAN_SYNTAX_H
#define LP_PLAN_SYNTAX_H

#include "base/arena.h"
#include "skill/skill.h"

enum {
    LP_SYNTAX_CALLS = 4,      /* most calls of one plan */
    LP_SYNTAX_THOUGHTS = 480, /* bytes */
    LP_SYNTAX_LITERALS = 60,  /* points or boxes that a plan can choose from */
    LP_SYNTAX_FREE_ITEMS = 4, /* points or boxes that it may invent when the user gave none */
    LP_SYNTAX_FORCED = 256    /* bytes that lp_syntax_forced looks ahead */
};

/* What the conversation holds. */
struct lp_facts {
    int have[LP_OBJECT_KINDS]; /* objects of each kind; they are numbered 1..have */
    bool reference;            /* a reference picture came with the request */
    bool no_tools;             /* an answer turn: actions are [] */
    bool must_call;            /* actions are not [], where any call makes sense */
    uint32_t barred;           /* skills that may not be called: bits by their place in lp_skills */
    bool space;                /* the turn begins with a space (most templates) */
    const char *stop;          /* the template's stop string; static */
    const char *point[LP_SYNTAX_LITERALS],
        *box[LP_SYNTAX_LITERALS]; /* "[0.45, 0.9]": the user's, as in the prompt */
    int points, boxes;
};

/* The compiled grammar; constant once made. */
struct lp_syntax {
    struct lp_facts facts;
    const char *name[LP_SKILL_COUNT];     /* "grounding_dino\"" */
    const char *param[LP_SKILL_COUNT][8]; /* ", \"caption\": \"" */
    struct lp_arena arena;
};

bool lp_syntax_init(struct lp_syntax *syntax, const struct lp_facts *facts, struct lp_error *err);
void lp_syntax_done(struct lp_syntax *syntax);

/* A place in a turn. Copy it to look ahead. */
struct lp_place {
    uint8_t phase, sub;   /* enum in syntax_inner.h; what phase means by sub */
    uint8_t then;         /* the phase after a fixed text */
    uint8_t skill, param; /* of the call being written */
    uint8_t calls, items; /* calls so far; items of the list being written */
    uint8_t last;         /* 1 + index of the last literal used */
    uint8_t number_of;    /* numbers written of the current point or box */
    uint8_t utf8_left, utf8_lo, utf8_hi;
    uint8_t mark[3], stop; /* bytes of the three markers and of the stop string that match so far */
    bool hurry;            /* the caller's: end everything as soon as the grammar allows */
    uint16_t at, length;   /* bytes matched of a fixed text; bytes of a free one */
    uint16_t unit;         /* of \uXXXX */
    uint32_t given;        /* parameters written */
    uint64_t alive;        /* options that still match */
    int handle, lo, hi;    /* digits of a handle so far; what it may be */
    const char *text;      /* fixed text */
    uint8_t promised[LP_OBJECT_KINDS]; /* objects that this plan's earlier calls will leave */
};

void lp_place_init(struct lp_place *place, const struct lp_syntax *syntax);

/* Takes one byte. False: it is not legal there, the place is then undefined (keep a copy). */
bool lp_place_step(struct lp_place *place, const struct lp_syntax *syntax, uint8_t byte);

bool lp_place_is_text(
    const struct lp_place *place); /* in thoughts or value, where almost anything is legal */
bool lp_place_in_value(const struct lp_place *place); /* EOS is legal here once may_end */
bool lp_place_may_end(const struct lp_place *place);  /* the turn is complete if nothing more comes */
bool lp_place_ended(const struct lp_place *place);    /* the stop string has come */

/* Which bytes are legal next. */
void lp_place_legal(const struct lp_place *place, const struct lp_syntax *syntax, bool legal[256]);

/* The bytes that must come next because nothing else is legal; returns how many it wrote, at most
 * LP_SYNTAX_FORCED. */
size_t lp_syntax_forced(const struct lp_syntax *syntax, const struct lp_place *place, char *out);

#endif
