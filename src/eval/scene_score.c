/* SPDX-License-Identifier: MIT */
/* eval/scene_score.c - counting. */
#include "eval/scene_score.h"

#include <stdio.h>
#include <string.h>

void lp_scene_score_add(struct lp_scene_score *s, const struct lp_quiz *q, bool right) {
    s->asked[q->kind]++;
    s->right[q->kind] += right;
    for (int i = 0; i < LP_SCENE_ANSWERS; i++) {
        if (s->answer[q->kind][i].n && strcmp(s->answer[q->kind][i].text, q->answer))
            continue;
        snprintf(s->answer[q->kind][i].text, sizeof s->answer[q->kind][i].text, "%s", q->answer);
        s->answer[q->kind][i].n++;
        return;
    }
}

void lp_scene_score_caption(struct lp_scene_score *s, const struct lp_naming *n) {
    s->asked[LP_ASK_CAPTION]++;
    s->captions.found += n->found;
    s->captions.there += n->there;
    s->captions.named += n->named;
    s->captions.wrong += n->wrong;
}

static double share(int part, int whole) {
    return whole ? (double)part / whole : 0;
}

double lp_scene_score_rate(const struct lp_scene_score *s, enum lp_quiz_kind kind) {
    return share(s->right[kind], s->asked[kind]);
}

double lp_scene_score_majority(const struct lp_scene_score *s, enum lp_quiz_kind kind) {
    int most = 0;
    for (int i = 0; i < LP_SCENE_ANSWERS; i++)
        most = s->answer[kind][i].n > most ? s->answer[kind][i].n : most;
    return share(most, s->asked[kind]);
}

double lp_scene_score_named(const struct lp_scene_score *s) {
    return share(s->captions.found, s->captions.there);
}

double lp_scene_score_wrong(const struct lp_scene_score *s) {
    return share(s->captions.wrong, s->captions.named);
}

void lp_scene_score_table(const struct lp_scene_score *s, struct lp_str *out) {
    lp_str_puts(out, "question    asked   right   always the most frequent answer\n");
    for (int k = 0; k < LP_ASK_CAPTION; k++)
        lp_str_printf(out, "%-10s %6d  %5.1f %%  %5.1f %%\n", lp_quiz_names[k], s->asked[k],
                      100 * lp_scene_score_rate(s, (enum lp_quiz_kind)k),
                      100 * lp_scene_score_majority(s, (enum lp_quiz_kind)k));
    lp_str_printf(out, "caption    %6d  named %.1f %% of what is there; %.1f %% of what is named is not there\n",
                  s->asked[LP_ASK_CAPTION], 100 * lp_scene_score_named(s), 100 * lp_scene_score_wrong(s));
}

json_t *lp_scene_score_json(const struct lp_scene_score *s) {
    json_t *all = json_object();
    bool ok = all;
    for (int k = 0; ok && k < LP_ASK_CAPTION; k++)
        ok = !json_object_set_new(all, lp_quiz_names[k],
                                  json_pack("{s:i, s:i, s:f, s:f}", "asked", s->asked[k], "right", s->right[k], "rate",
                                            lp_scene_score_rate(s, (enum lp_quiz_kind)k), "majority",
                                            lp_scene_score_majority(s, (enum lp_quiz_kind)k)));
    ok = ok && !json_object_set_new(all, "caption",
                                    json_pack("{s:i, s:f, s:f}", "asked", s->asked[LP_ASK_CAPTION], "named",
                                              lp_scene_score_named(s), "wrong", lp_scene_score_wrong(s)));
    if (ok)
        return all;
    json_decref(all);
    return NULL;
}
