/* SPDX-License-Identifier: MIT */
/* cli/cmd_eval_coco.c - llava-plus eval detect, eval segment: boxes and masks against COCO's annotations. */
#include "base/file.h"
#include "base/memory.h"
#include "cli/cmd_eval.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "eval/coco_detect.h"
#include "eval/coco_read.h"
#include "eval/coco_report.h"
#include "skill/detector.h"

#include <stdio.h>
#include <string.h>

struct eval_coco {
    const char *truth, *results, *images, *categories, *json, *curves, *bars;
    int64_t most;
    double least_ap, least_ap50;
    bool agnostic;
    struct lp_coco set;
    bool *chosen; /* [categories]; NULL: all */
    struct lp_coco_score score;
    double told_ms;
};

/* Marks the categories of one name; there may be several. */
static bool choose(struct eval_coco *e, const char *name, size_t n) {
    bool any = false;
    for (int c = 0; c < e->set.categories; c++)
        if (strlen(e->set.category[c].name) == n && !memcmp(e->set.category[c].name, name, n))
            any = e->chosen[c] = true;
    return any;
}

static bool choose_categories(struct eval_coco *e, struct lp_error *err) {
    if (!e->categories)
        return true;
    if (!(e->chosen = lp_alloc_array((size_t)e->set.categories, sizeof *e->chosen)))
        return lp_error_memory(err);
    for (const char *at = e->categories; at;) {
        size_t n = strcspn(at, ",");
        if (!choose(e, at, n))
            return lp_error_set(err, LP_EUSAGE, "%s has no category '%.*s'", e->truth, (int)n, at);
        at = at[n] ? at + n + 1 : NULL;
    }
    return true;
}

static void tell(void *context, int64_t done, int64_t count) {
    struct eval_coco *e = context;
    lp_progress_show(done, count, "boxes and masks compared", &e->told_ms);
}

static void tell_pictures(void *context, int64_t done, int64_t count) {
    struct eval_coco *e = context;
    lp_progress_show(done, count, "pictures", &e->told_ms);
}

static bool detect(struct eval_coco *e, struct lp_error *err) {
    const struct lp_coco_detect_settings settings = {
        .folder = e->images, .chosen = e->chosen, .tell = tell_pictures, .context = e};
    void *detector = lp_skill_ready(lp_skill_find("detect"), err) ? lp_detector_open(err) : NULL;
    bool done = detector && (lp_coco_detect(&e->set, detector, &settings, err) || lp_error_prefix(err, "%s", e->truth));
    lp_detector_close(detector);
    return done;
}

static bool measure(struct eval_coco *e, struct lp_error *err) {
    if (!lp_coco_read_truth(&e->set, e->truth, err) || !choose_categories(e, err) ||
        !(e->images ? detect(e, err) : lp_coco_read_results(&e->set, e->results, err)))
        return false;
    const struct lp_coco_settings settings = {
        .most = (int)e->most, .agnostic = e->agnostic, .chosen = e->chosen, .tell = tell, .context = e};
    return lp_coco_score(&e->set, &settings, &e->score, err);
}

static bool write_json(const struct eval_coco *e, struct lp_error *err) {
    json_t *json = lp_coco_json(&e->set, &e->score, err);
    bool done = lp_json_save(e->json, json, err);
    json_decref(json);
    return done;
}

/* Saves a picture and is done with it. */
static bool write_picture(struct lp_image *picture, const char *path, struct lp_error *err) {
    bool done = picture && lp_image_save(picture, path, err);
    lp_image_close(picture);
    return done;
}

/* The files that were asked for, then the table. */
static bool report(const struct eval_coco *e, struct lp_error *err) {
    struct lp_str table = {0};
    if ((e->json && !write_json(e, err)) ||
        (e->curves && !write_picture(lp_coco_curves(&e->set, &e->score, err), e->curves, err)) ||
        (e->bars && !write_picture(lp_coco_bars(&e->set, &e->score, err), e->bars, err)))
        return false;
    lp_coco_table(&e->set, &e->score, &table);
    bool done = lp_eval_print(&table, err);
    if (done && e->score.forgets)
        fputs("an annotation of the id 0 was found, but counts as missed, as in pycocotools: count ids from "
              "1\n",
              stderr);
    return done;
}

static bool at_least(const char *name, double value, double least, struct lp_error *err) {
    return value >= least || least <= 0 || lp_error_set(err, LP_EINPUT, "%s: %.4f is below %.4f", name, value, least);
}

static bool good_enough(const struct eval_coco *e, struct lp_error *err) {
    return at_least("AP", e->score.summary.ap, e->least_ap, err) &&
           at_least("AP50", e->score.summary.ap50, e->least_ap50, err);
}

static bool says_what_to_compare(const struct eval_coco *e, struct lp_error *err) {
    return (e->truth && !e->results != !e->images) ||
           lp_error_set(err, LP_EUSAGE, "%s",
                        e->set.masks ? "say with --truth FILE and --results FILE what to compare"
                                     : "say with --truth FILE what is there, and with --results FILE what was found or with "
                                       "--images DIR where to look");
}

static int eval_coco(int argc, char **argv, bool masks) {
    struct eval_coco e = {.set = {.masks = masks}};
    const struct lp_option options[] = {
        {"truth", 't', "FILE", "what is there: COCO's annotations (instances.json)", LP_OPTION_STRING, NULL,
         &e.truth, 0, 0},
        {"results", 'r', "FILE", "what was found: COCO's results, a JSON list", LP_OPTION_STRING, NULL,
         &e.results, 0, 0},
        {"categories", 0, "NAME[,NAME]", "only these categories", LP_OPTION_STRING, NULL, &e.categories, 0,
         0},
        {"max-detections", 0, "N", "how many of a category's surest finds count in a picture", LP_OPTION_INT,
         "100", &e.most, 1, 1e5},
        {"agnostic", 0, NULL, "take all categories for one", LP_OPTION_FLAG, NULL, &e.agnostic, 0, 0},
        {"json", 0, "OUT", "write the numbers to this file", LP_OPTION_STRING, NULL, &e.json, 0, 0},
        {"picture", 0, "FILE", "draw precision over recall into this file (.png)", LP_OPTION_STRING, NULL,
         &e.curves, 0, 0},
        {"bars", 0, "FILE", "draw the 60 worst categories as bars into this file (.png)", LP_OPTION_STRING,
         NULL, &e.bars, 0, 0},
        {"least-ap", 0, "R", "fail when AP is below", LP_OPTION_FLOAT, "0", &e.least_ap, 0, 1},
        {"least-ap50", 0, "R", "fail when AP50 is below", LP_OPTION_FLOAT, "0", &e.least_ap50, 0, 1},
        masks ? (struct lp_option){0}
              : (struct lp_option){"images", 'i', "DIR",
                                   "in place of --results: pictures in which Grounding DINO looks for all categories",
                                   LP_OPTION_STRING, NULL, &e.images, 0, 0},
        {0}};
    const char *command = masks ? "eval segment" : "eval detect";
    const struct lp_usage usage = {
        command,
        masks ? "--truth FILE --results FILE [options]" : "--truth FILE --results FILE | --images DIR [options]",
        masks ? "Compares masks with COCO's annotations: average precision and recall, as pycocotools."
              : "Compares boxes with COCO's annotations: average precision and recall, as pycocotools.",
        options,
        0,
        0};
    struct lp_error err = {0};
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    bool done = says_what_to_compare(&e, &err) && measure(&e, &err) && report(&e, &err) && good_enough(&e, &err);
    lp_free(e.chosen);
    lp_coco_score_done(&e.score);
    lp_coco_done(&e.set);
    return done ? 0 : lp_command_fail(command, &err);
}

int lp_cmd_eval_detect(int argc, char **argv) {
    return eval_coco(argc, argv, false);
}

int lp_cmd_eval_segment(int argc, char **argv) {
    return eval_coco(argc, argv, true);
}
