/* SPDX-License-Identifier: MIT */
/* eval/prompt_score.c - clicks and boxes from the truth, the skill's masks beside the truth's. */
#include "eval/prompt_score.h"

#include "base/memory.h"
#include "image/image.h"
#include "image/rle.h"

#include <string.h>

/* Chamfer distance: 3 for a step along an axis, 4 for a diagonal one, which is within 8 % of the straight line
 * (Borgefors 1986). far[(height+2),(width+2)] has a rim that is outside. */
static void measure_depth(int *far, int width, int height) {
    int row = width + 2;
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < width * height; k++) {
            int i = pass ? width * height - 1 - k : k, back = pass ? 1 : -1;
            int *p = &far[(i / width + 1) * row + i % width + 1];
            const int from[4] = {p[back] + 3, p[back * row] + 3, p[back * (row + 1)] + 4, p[back * (row - 1)] + 4};
            for (int j = 0; j < 4; j++)
                *p = from[j] < *p ? from[j] : *p;
        }
}

bool lp_mask_innermost(const uint8_t *mask, int width, int height, int at[2]) {
    int *far = lp_alloc_array((size_t)(width + 2), (size_t)(height + 2) * sizeof *far), most = 0;
    if (!far)
        return false;
    for (int i = 0; i < width * height; i++)
        far[(i / width + 1) * (width + 2) + i % width + 1] = mask[i] ? INT32_MAX / 2 : 0;
    measure_depth(far, width, height);
    at[0] = at[1] = -1;
    for (int i = 0; i < width * height; i++) {
        int deep = far[(i / width + 1) * (width + 2) + i % width + 1];
        if (deep > most) {
            most = deep;
            at[0] = i % width;
            at[1] = i / width;
        }
    }
    lp_free(far);
    return true;
}

static double overlap(const uint8_t *a, const uint8_t *b, int64_t n) {
    int64_t both = 0, either = 0;
    for (int64_t i = 0; i < n; i++) {
        both += a[i] && b[i];
        either += a[i] || b[i];
    }
    return either ? (double)both / (double)either : 0;
}

/* One call of the skill about one thing -> how its mask fits. Takes params. */
static bool ask(struct lp_bench *bench, const struct lp_image *image, json_t *params, const uint8_t *mask, double *fits,
                struct lp_error *err) {
    struct lp_objects objects = {0};
    struct lp_call call = {
        .skill = lp_skill_find("segment_at"), .params = params, .objects = &objects, .picture = image, .bench = bench};
    bool done = params ? lp_skill_run(&call, err) : lp_error_memory(err);
    if (done)
        *fits = overlap(objects.item[call.first]->pixel, mask, (int64_t)image->width * image->height);
    lp_call_done(&call);
    lp_objects_done(&objects);
    json_decref(params);
    return done;
}

static void note(struct lp_prompt_score *s, enum lp_prompted which, double click, double box) {
    s->things[which]++;
    s->click[which] += click;
    s->box[which] += box;
}

bool lp_prompt_score_add(struct lp_prompt_score *s, struct lp_bench *bench, const struct lp_truth_picture *p,
                         const struct lp_image *image, struct lp_error *err) {
    double w = p->width, h = p->height;
    if (image->width != p->width || image->height != p->height)
        return lp_error_set(err, LP_EINPUT, "%s has %d x %d px, its truth %d x %d", p->file, image->width,
                            image->height, p->width, p->height);
    uint8_t *mask = lp_alloc_array((size_t)p->width, (size_t)p->height);
    bool done = mask || lp_error_memory(err);
    for (int i = 0; done && i < p->objects; i++) {
        const struct lp_truth_object *o = &p->object[i];
        int at[2];
        double click, box;
        if (!o->rle || o->area <= 0)
            continue;
        done = lp_rle_decode(mask, p->width, p->height, o->rle, strlen(o->rle), err) &&
               (lp_mask_innermost(mask, p->width, p->height, at) || lp_error_memory(err)) &&
               ask(bench, image, json_pack("{s:[[f,f]]}", "points", (at[0] + 0.5) / w, (at[1] + 0.5) / h), mask, &click, err) &&
               ask(bench, image,
                   json_pack("{s:[[f,f,f,f]]}", "boxes", o->box[0] / w, o->box[1] / h, o->box[2] / w, o->box[3] / h), mask, &box,
                   err);
        if (done) {
            note(s, i < p->wholes ? LP_PROMPTED_WHOLES : LP_PROMPTED_PARTS, click, box);
            note(s, LP_PROMPTED_ALL, click, box);
        }
    }
    lp_free(mask);
    return done;
}

static double mean(double sum, int64_t n) {
    return n ? sum / (double)n : 0;
}

double lp_prompt_score_click(const struct lp_prompt_score *s, enum lp_prompted which) {
    return mean(s->click[which], s->things[which]);
}

double lp_prompt_score_box(const struct lp_prompt_score *s, enum lp_prompted which) {
    return mean(s->box[which], s->things[which]);
}

static const char *const names[LP_PROMPTED] = {"wholes", "parts", "all"};

void lp_prompt_score_table(const struct lp_prompt_score *s, struct lp_str *out) {
    lp_str_puts(out, "mean intersection over union\n           things  one click   box\n");
    for (int k = 0; k < LP_PROMPTED; k++)
        lp_str_printf(out, "%-9s %7ld     %.4f  %.4f\n", names[k], (long)s->things[k],
                      lp_prompt_score_click(s, (enum lp_prompted)k), lp_prompt_score_box(s, (enum lp_prompted)k));
}

json_t *lp_prompt_score_json(const struct lp_prompt_score *s) {
    json_t *all = json_object();
    for (int k = 0; all && k < LP_PROMPTED; k++) {
        json_t *one = json_pack("{s:I, s:f, s:f}", "things", (json_int_t)s->things[k], "click",
                                lp_prompt_score_click(s, (enum lp_prompted)k), "box",
                                lp_prompt_score_box(s, (enum lp_prompted)k));
        if (json_object_set_new(all, names[k], one)) {
            json_decref(all);
            return NULL;
        }
    }
    return all;
}
