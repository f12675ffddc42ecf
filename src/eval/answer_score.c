/* SPDX-License-Identifier: MIT */
/* eval/answer_score.c - reading numbers and places out of answers. */
#include "eval/answer_score.h"

#include "eval/scene_quiz.h"
#include "image/boxes.h"

#include <string.h>
#include <strings.h>

void lp_answer_ask(const struct lp_truth *t, const struct lp_truth_picture *p, struct lp_rng *rng, struct lp_str *out) {
    static const char *const requests[] = {"Find the %s.", "Detect all %s and tell me how many there are.",
                                           "Where are the %s? Mark them with boxes.", "Count the %s with a detector."};
    int category = p->wholes && lp_rng_below(rng, 6) ? p->object[lp_rng_below(rng, (uint32_t)p->wholes)].category
                                                     : (int)lp_rng_below(rng, (uint32_t)t->categories);
    lp_str_printf(out, requests[lp_rng_below(rng, sizeof requests / sizeof *requests)], t->category[category].plural);
}

/* The longest name of a place at `at`; -1: none. */
static int place_at(const char *at) {
    int best = -1;
    for (int i = 0; i < LP_PLACES; i++)
        if (!strncasecmp(at, lp_place_names[i], strlen(lp_place_names[i])) &&
            (best < 0 || strlen(lp_place_names[i]) > strlen(lp_place_names[best])))
            best = i;
    return best;
}

/* Counts places; the text without them, and without the "one" or "one is" in front of each, goes to `rest`. */
static int take_places(const char *answer, int place[LP_PLACES], struct lp_str *rest) {
    static const char *const subjects[] = {"one is ", "one "};
    int places = 0;
    for (const char *at = answer; *at;) {
        size_t skip = 0;
        for (int i = 0; i < 2 && !skip; i++)
            if (!strncasecmp(at, subjects[i], strlen(subjects[i])) && place_at(at + strlen(subjects[i])) >= 0)
                skip = strlen(subjects[i]);
        int found = place_at(at + skip);
        if (found < 0) {
            lp_str_putc(rest, *at++);
            continue;
        }
        place[found]++;
        places++;
        at += skip + strlen(lp_place_names[found]);
    }
    return places;
}

/* "not", "nothing": as much as the number 0. */
static bool denies(const char *text) {
    return strcasestr(text, " not ") || strcasestr(text, "nothing");
}

bool lp_answer_score_add(struct lp_answer_score *s, const char *answer, const float (*box)[4], int n) {
    struct lp_str rest = {0};
    int place[LP_PLACES] = {0}, places = take_places(answer, place, &rest);
    int number = lp_quiz_number(lp_str_text(&rest));
    bool counted = number >= 0 || denies(lp_str_text(&rest)), whole = !rest.failed;
    bool counted_right = counted && (number > 0 ? number : 0) == n, placed_right = places == n;
    lp_str_done(&rest);
    for (int i = 0; i < n; i++)
        place[lp_box_place(box[i])]--;
    for (int i = 0; i < LP_PLACES; i++)
        placed_right &= place[i] == 0;
    bool right = whole && (counted || places) && (!counted || counted_right) && (!places || placed_right);
    s->looked++;
    s->counted += counted;
    s->counted_right += counted_right;
    s->placed += places > 0;
    s->placed_right += places > 0 && placed_right;
    s->right += right;
    return right;
}

static double share(int n, int of) {
    return of ? 100.0 * n / of : 0;
}

void lp_answer_score_table(const struct lp_answer_score *s, struct lp_str *out) {
    lp_str_printf(out, "asked to find, to count or to locate  %6d\nthe detector was called               %6d  %5.1f %%\n", s->asked,
                  s->looked, share(s->looked, s->asked));
    lp_str_printf(out, "a number told, and right              %6d  %5.1f %%\n", s->counted, share(s->counted_right, s->counted));
    lp_str_printf(out, "places told, and right                %6d  %5.1f %%\n", s->placed, share(s->placed_right, s->placed));
    lp_str_printf(out, "answers right in all of that          %6d  %5.1f %%\n", s->right, share(s->right, s->looked));
}

json_t *lp_answer_score_json(const struct lp_answer_score *s) {
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "asked", s->asked, "looked", s->looked, "counted", s->counted,
                     "counted_right", s->counted_right, "placed", s->placed, "placed_right", s->placed_right, "right", s->right);
}
