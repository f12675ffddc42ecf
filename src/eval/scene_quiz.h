/* SPDX-License-Identifier: MIT */
/* Questions about pictures whose content is known, and marks for the answers. */
#ifndef LP_EVAL_SCENE_QUIZ_H
#define LP_EVAL_SCENE_QUIZ_H

#include "base/rng.h"
#include "base/str.h"
#include "data/truth.h"

enum lp_quiz_kind { LP_ASK_PRESENCE, LP_ASK_COUNT, LP_ASK_COLOR, LP_ASK_RELATION, LP_ASK_CAPTION, LP_QUESTION_KINDS };
extern const char *const lp_quiz_names[LP_QUESTION_KINDS]; /* "presence" .. */

struct lp_quiz {
    enum lp_quiz_kind kind;
    char text[256];
    char answer[32]; /* "Yes", "3", "red"; "" for a caption */
};

enum { LP_QUESTIONS = 6 }; /* most of one picture */

/* Questions about a picture: whether something is there (one that is, one that is not), how many, which colour, where
 * from another, and a caption; what the picture gives no question for is left out. brief: with LLaVA-1.5's request for a
 * single word. Returns how many. Same rng, same questions. */
int lp_quiz_make(const struct lp_truth *truth, const struct lp_truth_picture *picture, bool brief, struct lp_rng *rng,
                      struct lp_quiz question[LP_QUESTIONS]);

/* The first number in a text, as digits or a word ("no", "none" 0, "a" 1); -1: there is none. */
int lp_quiz_number(const char *text);

/* Whether an answer in words is the right one: by its first yes or no, number, or colour. Not for captions. */
bool lp_quiz_right(const struct lp_quiz *question, const char *answer);

/* What a caption names: kinds of things that are there and named; kinds that are there; kinds named; of these, not there.
 * A name counts in either number, or by a synonym; of names within names the longest counts. */
struct lp_naming {
    int found, there, named, wrong;
};
bool lp_caption_check(const struct lp_truth *truth, const struct lp_truth_picture *picture, const char *caption,
                      struct lp_naming *naming);

#endif
