/* SPDX-License-Identifier: MIT */
/* data/statistics_draw.c - statistics as bars, one row a kind: dialogues, length and variety of instructions. */
#include "data/statistics.h"

#include "image/chart_bars.h"

struct lp_image *lp_statistics_draw(const struct lp_statistics *s, struct lp_error *err) {
    double dialogues[LP_KINDS], distinct[LP_KINDS], words[LP_KINDS], vocabulary[LP_KINDS];
    for (int k = 0; k < LP_KINDS; k++) {
        double records = s->dialogues[k] ? (double)s->dialogues[k] : 1;
        dialogues[k] = (double)s->dialogues[k];
        distinct[k] = (double)s->instructions[k].n;
        words[k] = (double)s->spoken[k] / records;
        vocabulary[k] = (double)s->words[k].n;
    }
    const struct lp_chart_panel panel[] = {{"dialogues (dark: distinct)", dialogues, distinct, {24, 110, 210}, 0},
                                           {"words an instruction", words, NULL, {60, 160, 110}, 1},
                                           {"distinct words", vocabulary, NULL, {230, 140, 40}, 0}};
    return lp_chart_bars(&(struct lp_chart_bars){NULL, lp_kind_names, LP_KINDS, panel, 3}, err);
}

bool lp_statistics_save(const struct lp_statistics *s, const char *path, struct lp_error *err) {
    struct lp_image *image = lp_statistics_draw(s, err);
    bool ok = image && lp_image_save(image, path, err);
    lp_image_close(image);
    return ok;
}
