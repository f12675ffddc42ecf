/* SPDX-License-Identifier: MIT */
/* Rates of answers about scenes, beside what always giving the most frequent answer would reach. */
#ifndef LP_EVAL_SCENE_SCORE_H
#define LP_EVAL_SCENE_SCORE_H

#include "base/json.h"
#include "eval/scene_quiz.h"

enum { LP_SCENE_ANSWERS = 16 }; /* different answers of a kind */

/* Zero-initialised is empty. */
struct lp_scene_score {
    int asked[LP_QUESTION_KINDS], right[LP_QUESTION_KINDS];
    struct {
        char text[32];
        int n;
    } answer[LP_QUESTION_KINDS][LP_SCENE_ANSWERS]; /* the truth's, for the baseline */
    struct lp_naming captions; /* sums */
};

void lp_scene_score_add(struct lp_scene_score *score, const struct lp_quiz *question, bool right);
void lp_scene_score_caption(struct lp_scene_score *score, const struct lp_naming *naming);

double lp_scene_score_rate(const struct lp_scene_score *score, enum lp_quiz_kind kind); /* 0 where none was asked */
double lp_scene_score_majority(const struct lp_scene_score *score, enum lp_quiz_kind kind);
double lp_scene_score_named(const struct lp_scene_score *score); /* of what is there, named in captions */
double lp_scene_score_wrong(const struct lp_scene_score *score); /* of what is named, not there */

void lp_scene_score_table(const struct lp_scene_score *score, struct lp_str *out); /* for people */
json_t *lp_scene_score_json(const struct lp_scene_score *score);                   /* NULL when out of memory */

#endif
