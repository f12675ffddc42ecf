/* SPDX-License-Identifier: MIT */
/* Rates of a planner over a set of instructions: per skill, over all, and what is taken for what. */
#ifndef LP_EVAL_PLAN_SCORE_H
#define LP_EVAL_PLAN_SCORE_H

#include "eval/plan_match.h"
#include "image/image.h"
#include "skill/skill.h"

/* A line's group is the skill that ends its first acceptable plan; LP_SKILL_COUNT: none is needed. */
#define LP_PLAN_GROUPS (LP_SKILL_COUNT + 1)

/* Zero-initialised is empty. */
struct lp_plan_score {
    int lines[LP_PLAN_GROUPS];
    int skills[LP_PLAN_GROUPS];    /* plans with the right skills in the right order */
    int arguments[LP_PLAN_GROUPS]; /* of these, with the right arguments */
    int empty[LP_PLAN_GROUPS];     /* plans that wrongly call nothing */
    /* [group][what the plan came to]: right plans are on the diagonal; the last column counts wrong plans that end in
     * the right skill. */
    int confusion[LP_PLAN_GROUPS][LP_PLAN_GROUPS + 1];
};

/* The sums over all lines; rates are 0 where there is nothing to count. */
struct lp_plan_rates {
    int lines, none;        /* lines that need a skill, lines that need none */
    double skills;          /* right skills among lines that need a skill */
    double arguments;       /* right skills with right arguments among the same */
    double missed;          /* of these lines, planned without any call */
    double needless;        /* of lines that need none, planned with a call */
};

int lp_plan_group(const json_t *expected);                  /* of a line */
const char *lp_plan_group_name(int group);                  /* "detect" .. "none"; static */
void lp_plan_score_add(struct lp_plan_score *score, const json_t *expected, const json_t *actions,
                       enum lp_plan_verdict verdict);
struct lp_plan_rates lp_plan_score_rates(const struct lp_plan_score *score);

void lp_plan_score_table(const struct lp_plan_score *score, struct lp_str *out); /* for people */
/* {"lines", "rates", "skills": {name: ..}, "confusion": ..}; owned by caller; NULL when out of memory. */
json_t *lp_plan_score_json(const struct lp_plan_score *score, struct lp_error *err);
/* The confusion table drawn; owned by caller. */
struct lp_image *lp_plan_score_picture(const struct lp_plan_score *score, struct lp_error *err);

#endif
