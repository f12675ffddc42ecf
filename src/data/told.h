/* SPDX-License-Identifier: MIT */
/* What was found or is there, told in words. */
#ifndef LP_DATA_TOLD_H
#define LP_DATA_TOLD_H

#include "base/json.h"
#include "base/str.h"
#include "data/truth.h"

/* Things found, of which those with a score below `least` (0..1) are passed over: "two dogs and a red car". count: number
 * of the result's count, which is quoted where several things of one kind are all there is ("{count_1} dogs"), as it is
 * never wrong; 0: it has none. */
int lp_told_found(const json_t *phrases, const json_t *scores, double least, int count, struct lp_str *out);
/* Where they are: "it is on the left", "one is on the left and one in the middle",
 * "the dog is on the left and the car at the top". first: number of the first box's handle, whose place is quoted
 * instead ("one is {place_3}"); 0: they have none. Returns how many there were. */
int lp_told_places(const json_t *boxes, const json_t *phrases, const json_t *scores, double least, int first,
                   struct lp_str *out);
/* The phrases of a caption ("dogs . red car") without any such thing, joined by " or "; returns how many. */
int lp_told_missing(const char *caption, const json_t *phrases, const json_t *scores, double least, struct lp_str *out);

/* One kind of thing in a picture. */
struct lp_kind {
    const char *name, *color; /* color NULL: none, or not all of one */
    int n;
};
/* The kinds of whole things a picture shows, most numerous first; returns how many (at most `most`). */
int lp_told_kinds(const struct lp_truth *truth, const struct lp_truth_picture *picture, struct lp_kind *kind, int most);
/* "two dogs, a red car and a tree on a beach" */
void lp_told_scene(const struct lp_kind *kind, int kinds, const char *background, struct lp_str *out);

#endif
