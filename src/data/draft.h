/* SPDX-License-Identifier: MIT */
/* One instruction as a user might type it, with all that its plan needs to know. */
#ifndef LP_DATA_DRAFT_H
#define LP_DATA_DRAFT_H

#include "data/dialogue.h"

/* What the user marks: nothing; points or a box; a point; a region of a reference picture. */
enum lp_places { LP_PLACES_NONE, LP_PLACES_ANY, LP_PLACES_POINT, LP_PLACES_REFERENCE };

/* Instructions of one kind. */
struct lp_family {
    const char *list;     /* phrases: this list and its sections */
    enum lp_task task;    /* what they want */
    enum lp_task before;  /* the call that has to come first, or LP_TASK_NONE */
    enum lp_places places;
    uint32_t picture; /* how often there is a picture, percent */
    uint32_t weight;  /* share of the mix */
};

/* Strings live in the dialogue's arena; "" when there is none. */
struct lp_draft {
    const char *text, *prompts; /* the instruction; its prompt lines or NULL */
    const char *section;        /* of its family's lists, or NULL */
    const char *caption;        /* "dogs . red car" */
    const char *asked;          /* "dogs and red car" */
    const char *wish;           /* the prompt of a generator */
    const char *reply;          /* what stands after => in a phrase that needs no skill */
    json_t *points, *boxes;     /* owned; what the user marked */
    int picture;                /* img_N that is meant, 0: the newest */
    int ordinal;                /* "the second one": 2; "the last": -1; none: 0 */
    int mask, map;              /* mask_N, map_N that is meant, 0: the one to be made */
};

/* Writes a draft over `draft` (which is first emptied). `pictures`: how many the user brings with it; when there are
 * several, the draft chooses the one that it and the dialogue speak of. */
bool lp_draft_make(struct lp_draft *draft, struct lp_dialogue *d, const struct lp_family *family, int pictures);
void lp_draft_done(struct lp_draft *draft);

#endif
