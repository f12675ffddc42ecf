/* SPDX-License-Identifier: MIT */
/* cli/cmd_eval_prompts.c - llava-plus eval prompts: segment_at's masks at clicks and in boxes against the truth. */
#include "base/file.h"
#include "base/memory.h"
#include "cli/cmd_eval.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "eval/prompt_score.h"
#include "image/image.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct eval_prompts {
    const char *scenes, *json;
    int64_t count;
    double least_click, least_box;
    struct lp_prompt_score score;
};

static bool look(struct eval_prompts *e, struct lp_bench *bench, const struct lp_truth_picture *p, struct lp_error *err) {
    char path[PATH_MAX];
    struct lp_image *image = lp_file_join(path, sizeof path, e->scenes, p->file, err) ? lp_image_open(path, err) : NULL;
    bool done = image && lp_prompt_score_add(&e->score, bench, p, image, err);
    lp_image_close(image);
    return done;
}

static bool measure(struct eval_prompts *e, struct lp_error *err) {
    struct lp_truth *t = lp_truth_open(e->scenes, err);
    struct lp_bench *bench = t ? lp_bench_open(err) : NULL;
    bool done = bench && lp_skill_ready(lp_skill_find("segment_at"), err);
    int64_t n = t ? (e->count && e->count < t->pictures ? e->count : t->pictures) : 0;
    double told_ms = 0;
    for (int64_t i = 0; done && i < n; i++) {
        done = look(e, bench, &t->picture[i], err);
        lp_progress_show(i + 1, n, "pictures", &told_ms);
    }
    lp_bench_close(bench);
    lp_truth_close(t);
    return done && (e->score.things[LP_PROMPTED_ALL] ||
                    lp_error_set(err, LP_EINPUT, "%s: nothing in its pictures has a mask as run lengths", e->scenes));
}

static bool report(const struct eval_prompts *e, struct lp_error *err) {
    struct lp_str table = {0};
    json_t *json = e->json ? lp_prompt_score_json(&e->score) : NULL;
    bool done = !e->json || lp_json_save(e->json, json, err);
    json_decref(json);
    if (!done)
        return false;
    lp_prompt_score_table(&e->score, &table);
    return lp_eval_print(&table, err);
}

static bool good_enough(const struct eval_prompts *e, struct lp_error *err) {
    double click = lp_prompt_score_click(&e->score, LP_PROMPTED_ALL), box = lp_prompt_score_box(&e->score, LP_PROMPTED_ALL);
    if (click < e->least_click)
        return lp_error_set(err, LP_EINPUT, "one click: %.4f is below %.4f", click, e->least_click);
    return box >= e->least_box || lp_error_set(err, LP_EINPUT, "box: %.4f is below %.4f", box, e->least_box);
}

int lp_cmd_eval_prompts(int argc, char **argv) {
    struct eval_prompts e = {0};
    const struct lp_option options[] = {
        {"scenes", 0, "DIR", "pictures with their truth, as `data scenes` writes them", LP_OPTION_STRING, NULL, &e.scenes, 0, 0},
        {"count", 'n', "N", "only the first N pictures; 0: all", LP_OPTION_INT, "0", &e.count, 0, 1e9},
        {"json", 0, "OUT", "write the means to this file", LP_OPTION_STRING, NULL, &e.json, 0, 0},
        {"least-click", 0, "R", "fail when the mean of all clicks is below", LP_OPTION_FLOAT, "0", &e.least_click, 0, 1},
        {"least-box", 0, "R", "fail when the mean of all boxes is below", LP_OPTION_FLOAT, "0", &e.least_box, 0, 1},
        {0}};
    const struct lp_usage usage = {"eval prompts", "--scenes DIR [options]",
                                   "Asks segment_at for each thing by one click and by its box; how well the masks fit.",
                                   options, 0, 0};
    struct lp_error err = {0};
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    bool done = e.scenes ? measure(&e, &err) : lp_error_set(&err, LP_EUSAGE, "say with --scenes DIR which pictures to ask about");
    done = done && report(&e, &err) && good_enough(&e, &err);
    return done ? 0 : lp_command_fail("eval prompts", &err);
}
