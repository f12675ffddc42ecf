/* SPDX-License-Identifier: MIT */
/* Skills played from the truth: what a skill would give back for a picture whose contents are known, with a
 * detector's and a reader's imperfections. For making dialogues and for measuring planners without any weights. */
#ifndef LP_DATA_RESULTS_H
#define LP_DATA_RESULTS_H

#include "base/json.h"
#include "base/rng.h"
#include "data/task.h"
#include "data/truth.h"

/* How far skills fall short of the truth: percent of the cases, unless said otherwise. */
struct lp_imperfection {
    int missed;   /* a thing, a tag or a line that is there is not found */
    int spurious; /* something is found that is not there; its score is below LP_DOUBTFUL */
    int low;      /* a thing that is there gets a low score (still at least LP_DOUBTFUL) */
    int jitter;   /* an edge of a box is off by up to so many hundredths of the picture's side */
    int mistaken; /* a caption names one thing wrongly or leaves it out */
    int misread;  /* of a thousand letters */
    int unready, failed;
};

/* Nothing amiss; and what usual skills do (all of them ready). */
extern const struct lp_imperfection lp_skills_perfect, lp_skills_imperfect;

enum { LP_DOUBTFUL = 35 }; /* hundredths: a box with a lower score is rather not what was asked for */

/* Who plays skills, with what. */
struct lp_stage {
    const struct lp_truth *truth;             /* names of categories */
    const struct lp_imperfection *how;
    struct lp_rng *rng;
    /* More texts from outside: one of "reason", "lacking" (with the task), "web_caption"; a text that lives until the
     * result is done with. NULL: a few plain ones are used. */
    const char *(*word)(void *context, const char *list, enum lp_task task);
    void *context;
};

/* What a played skill gave. */
struct lp_result {
    json_t *dict; /* as the planner sees it: two decimals, lists cut after 12, "handles" last */
    enum lp_task_outcome outcome;
    int first[LP_LEFTS], left[LP_LEFTS]; /* of each kind `left` handles, beginning with number `first` */
    json_t *boxes, *phrases, *scores;    /* of all boxes: [x0,y0,x1,y1] 0..1, what each is (a text line for ocr), 0..1 */
    json_t *texts;                       /* the contents of its text handles, in order */
    const char *what;                    /* what is lacking or went wrong, as a clause; else NULL */
    char kept[128];                      /* where `what` may live */
};

/* Plays `task` on a picture. params: of the call, in normal form. made: handles that there are by kind; raised by what
 * the skill leaves. picture NULL: nothing is known, so nothing is found. `bereft`: what it needs from an earlier call
 * is not there, so it fails. Same random numbers, same result. False when out of memory; done is needed either way. */
bool lp_result_play(struct lp_result *result, const struct lp_stage *stage, enum lp_task task, const json_t *params,
                    const struct lp_truth_picture *picture, bool bereft, int made[LP_LEFTS], struct lp_error *err);
void lp_result_done(struct lp_result *result); /* zero-initialised is fine */

#endif
