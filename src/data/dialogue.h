/* SPDX-License-Identifier: MIT */
/* One dialogue as it grows turn by turn: handles, simulated skills, the exact texts of the planner's contract
 * (docs: the turns of LLaVA-Plus, arXiv:2311.05437, table 1). Who says what is instruct.c's part. */
#ifndef LP_DATA_DIALOGUE_H
#define LP_DATA_DIALOGUE_H

#include "base/arena.h"
#include "base/json.h"
#include "data/grammar.h"

enum lp_task {
    LP_TASK_DETECT,
    LP_TASK_SEGMENT_INSTANCES,
    LP_TASK_SEGMENT_SEMANTIC,
    LP_TASK_SEGMENT_AT,
    LP_TASK_SEGMENT_LEVELS,
    LP_TASK_SEGMENT_LIKE,
    LP_TASK_CAPTION,
    LP_TASK_TAG,
    LP_TASK_CAPTION_GROUND,
    LP_TASK_TAG_GROUND,
    LP_TASK_OCR,
    LP_TASK_RETRIEVE,
    LP_TASK_GENERATE,
    LP_TASK_EDIT,
    LP_TASK_INPAINT,
    LP_TASK_LAYOUT,
    LP_TASKS,
    LP_TASK_NONE = LP_TASKS
};

/* In the order in which a result lists its handles. */
enum lp_left { LP_LEFT_TEXT, LP_LEFT_COUNT, LP_LEFT_BOX, LP_LEFT_MASK, LP_LEFT_MAP, LP_LEFT_IMAGE, LP_LEFTS };

extern const char *const lp_task_names[LP_TASKS + 1]; /* "detect" ..; the last is "none" */
extern const char *const lp_task_api[LP_TASKS];       /* "grounding_dino" .. */

enum lp_outcome { LP_DONE, LP_EMPTY, LP_NOT_READY, LP_FAILED };

enum { LP_CALLS = 2 };

struct lp_call_made {
    enum lp_task task;
    json_t *params; /* taken */
    enum lp_outcome outcome;
};

struct lp_dialogue {
    const struct lp_grammar *grammar; /* borrowed */
    struct lp_rng *rng;               /* borrowed */
    struct lp_arena arena;
    json_t *turns;       /* array */
    int made[LP_LEFTS];  /* numbers given out so far, by kind */
    bool failed;         /* out of memory, or a phrase list that should be there is not: see `wants` */
    const char *wants;   /* the list */

    /* The round under way. */
    const char *question;             /* with prompt lines */
    const char *asked, *wish;         /* what is sought, what is to be made; "" when there is none */
    struct lp_call_made call[LP_CALLS];
    int calls;
    int first[LP_LEFTS], left[LP_LEFTS]; /* of each kind this round left `left`, beginning with number `first` */
    const char *what, *tool;             /* what is lacking or went wrong, and with which tool */
    enum lp_task last;                   /* task of the latest round that did something, else LP_TASK_NONE */
    enum lp_outcome outcome;             /* of the round: that of the first call that went wrong */
};

void lp_dialogue_start(struct lp_dialogue *d, const struct lp_grammar *grammar, struct lp_rng *rng);
void lp_dialogue_done(struct lp_dialogue *d);

/* The slots of all phrases: those of data/things.h and, in thoughts and answers, <asked> <wish> <api> <what>
 * and the handles of the round {text} {texts} {count} {box} {boxes} {mask} {masks} {map} {img}. Ended by NULL. */
extern const char *const lp_dialogue_slots[];
void lp_dialogue_fill(struct lp_expansion *x, const char *name); /* context: struct lp_dialogue */

/* A random entry of "base/section", or of base when there is no such section or `section` is NULL; tidy, without
 * marks. Lives in the dialogue's arena; "" after a failure. */
const char *lp_dialogue_words(struct lp_dialogue *d, const char *base, const char *section);
/* The same as a sentence: it begins with a capital. */
const char *lp_dialogue_phrase(struct lp_dialogue *d, const char *base, const char *section);

/* A user's turn: `brought` new pictures, `shown` pictures at its front, the text, prompt lines or NULL. Begins a
 * round. */
void lp_dialogue_ask(struct lp_dialogue *d, int brought, int shown, const char *text, const char *prompts);
/* Plans a call; params are taken (NULL: {}). */
void lp_dialogue_call(struct lp_dialogue *d, enum lp_task task, json_t *params);
/* The assistant's plan with all calls, and the result turn, with simulated results. */
void lp_dialogue_run(struct lp_dialogue *d);
/* The assistant's answer to the results. `section`: of the task's answers, or NULL. */
void lp_dialogue_answer(struct lp_dialogue *d, const char *section);
/* The assistant's answer without any skill. */
void lp_dialogue_reply(struct lp_dialogue *d, const char *text);

#endif
