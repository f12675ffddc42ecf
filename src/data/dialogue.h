/* SPDX-License-Identifier: MIT */
/* One dialogue as it grows turn by turn: handles, simulated skills, the exact texts of the planner's contract
 * (docs: the turns of LLaVA-Plus, arXiv:2311.05437, table 1). Who says what is instruct.c's part. */
#ifndef LP_DATA_DIALOGUE_H
#define LP_DATA_DIALOGUE_H

#include "base/arena.h"
#include "base/json.h"
#include "data/grammar.h"
#include "data/results.h"
#include "data/things.h"

enum { LP_CALLS = 2, LP_SHOWN = 16 };

struct lp_call_made {
    enum lp_task task;
    json_t *params; /* taken */
    struct lp_result result;
};

/* What a visual question is about, in words; "" where it has none. */
struct lp_fact {
    const char *it, *them;       /* "dog", "dogs" */
    const char *one, *counted;   /* "a dog", "any scissors"; as many as there are: "three dogs" */
    const char *is;              /* "is", of scissors "are" */
    const char *other, *relation; /* "cat", "to the left of" */
    const char *brief, *side;    /* the answer in a word or a sentence; "on the left" */
};

extern const struct lp_fact lp_fact_none;

struct lp_dialogue {
    const struct lp_grammar *grammar; /* borrowed */
    struct lp_rng *rng;               /* borrowed */
    const struct lp_imperfection *how; /* of the skills; borrowed */
    struct lp_world world;            /* all scenes, and the one that is spoken of */
    struct lp_arena arena;
    json_t *turns;       /* array */
    int made[LP_LEFTS];  /* numbers given out so far, by kind */
    const struct lp_truth_picture *shown[LP_SHOWN]; /* img_1 .. as far as turns have shown or will show them */
    int shows;
    bool failed;         /* out of memory, or a phrase list that should be there is not: see `wants` */
    const char *wants;   /* the list */

    /* The round under way. */
    const char *question;             /* with prompt lines */
    const char *asked, *wish;         /* what is sought, what is to be made; "" when there is none */
    const char *given;                /* results that stand before the next question, or "" */
    int given_text[LP_TASKS];         /* text_N that such a result left, 0: none */
    const char *found, *places, *missing; /* the results in words (data/told.h) */
    struct lp_fact fact;              /* what a question about the pixels is about */
    struct lp_call_made call[LP_CALLS];
    int calls;
    int first[LP_LEFTS], left[LP_LEFTS]; /* of each kind this round left `left`, beginning with number `first` */
    const char *what, *tool;             /* what is lacking or went wrong, and with which tool */
    const char *sought;                  /* caption of the latest call that had one, or "" */
    enum lp_task last;                   /* task of the latest round that did something, else LP_TASK_NONE */
    enum lp_task_outcome outcome;        /* of the round: that of the first call that went wrong */
};

void lp_dialogue_start(struct lp_dialogue *d, const struct lp_grammar *grammar, const struct lp_truth *truth,
                       const struct lp_imperfection *how, struct lp_rng *rng);
void lp_dialogue_done(struct lp_dialogue *d);

/* The slots of all phrases: those of data/things.h and, in thoughts and answers, <asked> <wish> <api> <what>
 * <found> <places> <missing> <shows> <it> <is> <them> <one> <counted> <other> <relation> <brief> <side>
 * and the handles of the round {text} {texts} {count} {box} {boxes} {mask} {masks} {map} {img}. Ended by NULL. */
extern const char *const lp_dialogue_slots[];
void lp_dialogue_fill(struct lp_expansion *x, const char *name); /* context: struct lp_dialogue */

/* A random entry of "base/section", or of base when there is no such section or `section` is NULL; tidy, without
 * marks. Lives in the dialogue's arena; "" after a failure. */
const char *lp_dialogue_words(struct lp_dialogue *d, const char *base, const char *section);
/* The same as a sentence: it begins with a capital. */
const char *lp_dialogue_phrase(struct lp_dialogue *d, const char *base, const char *section);

/* The next picture that turns show. */
void lp_dialogue_show(struct lp_dialogue *d, const struct lp_truth_picture *picture);
/* Plays the skills that look at whole pictures (detect, caption, tag, ocr) before anybody asks: their results will
 * stand in the next question's turn. */
void lp_dialogue_give(struct lp_dialogue *d);

/* A user's turn: `brought` new pictures, `shown` pictures at its front, the text, prompt lines or NULL. Begins a
 * round. */
void lp_dialogue_ask(struct lp_dialogue *d, int brought, int shown, const char *text, const char *prompts);
/* Plans a call; params are taken (NULL: {}). */
void lp_dialogue_call(struct lp_dialogue *d, enum lp_task task, json_t *params);
/* The assistant's plan with all calls, and the result turn, with simulated results. */
void lp_dialogue_run(struct lp_dialogue *d);
/* The assistant's answer to the results. `section`: of the task's answers, or NULL. */
void lp_dialogue_answer(struct lp_dialogue *d, const char *section);
/* The assistant's answer to a request for `task` whose results were given with the question. caption: what to find. */
void lp_dialogue_answer_given(struct lp_dialogue *d, enum lp_task task, const char *section, const char *caption);
/* The assistant's answer without any skill. `why`: the list of its thoughts, after "thoughts/". */
void lp_dialogue_reply(struct lp_dialogue *d, const char *why, const char *text);

#endif
