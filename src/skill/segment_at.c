/* SPDX-License-Identifier: MIT */
/* skill/segment_at.c - masks of what points or boxes show (SAM, Kirillov et al. 2023, arXiv:2304.02643).
 * Every box is a thing, and every point; with labels all points together are about one. */
#include "skill/masker.h"
#include "skill/table.h"

enum { MOST = 64 };

static const struct lp_param params[] = {
    {.name = "points",
     .kind = LP_PARAM_POINTS,
     .one_of = true,
     .most = MOST,
     .about = "[[x,y], ..], 0..1 of the picture, one on each thing"},
    {.name = "boxes",
     .kind = LP_PARAM_BOXES,
     .one_of = true,
     .most = MOST,
     .about = "[[x0,y0,x1,y1], ..] or box handles, one for each thing"},
    {.name = "point_labels",
     .kind = LP_PARAM_LABELS,
     .hidden = true,
     .most = MOST,
     .about = "[1,0, ..]: all points are about one thing; 1 where one is on it, 0 where not"},
    {.name = NULL},
};

/* What the call asks for, in px of its picture. */
struct asked {
    float point[MOST][2], box[MOST][4];
    int label[MOST];
    struct lp_sam_prompt prompt[MOST];
    int64_t n;
};

static void read_points(struct asked *a, const struct lp_call *call, const json_t *points) {
    const json_t *labels = json_object_get(call->params, "point_labels");
    int64_t n = (int64_t)json_array_size(points);
    for (int64_t i = 0; i < n; i++) {
        const json_t *at = json_array_get(points, (size_t)i);
        a->point[i][0] = (float)(json_number_value(json_array_get(at, 0)) * call->picture->width);
        a->point[i][1] = (float)(json_number_value(json_array_get(at, 1)) * call->picture->height);
        a->label[i] = !labels || json_integer_value(json_array_get(labels, (size_t)i)) == 1;
        a->prompt[i] = (struct lp_sam_prompt){
            .points = labels ? n : 1, .point = &a->point[labels ? 0 : i], .label = &a->label[labels ? 0 : i]};
    }
    a->n = labels && n ? 1 : n;
}

static void read_boxes(struct asked *a, const struct lp_call *call, const json_t *boxes) {
    a->n = (int64_t)json_array_size(boxes);
    for (int64_t i = 0; i < a->n; i++) {
        const json_t *given = json_array_get(boxes, (size_t)i);
        const char *handle = json_string_value(given);
        const struct lp_object *object = handle ? lp_objects_find(call->objects, handle) : NULL;
        for (int k = 0; k < 4; k++) {
            float at = object ? object->box[k] : (float)json_number_value(json_array_get(given, (size_t)k));
            a->box[i][k] = at * (float)(k % 2 ? call->picture->height : call->picture->width);
        }
        a->prompt[i] = (struct lp_sam_prompt){.box = a->box[i]};
    }
}

static bool run(struct lp_call *call, void *opened, struct lp_error *err) {
    struct asked asked;
    const json_t *points = json_object_get(call->params, "points");
    if (points)
        read_points(&asked, call, points);
    else
        read_boxes(&asked, call, json_object_get(call->params, "boxes"));
    return (!json_object_set_new(call->result, "message", json_string("The sam has processed the image.")) ||
            lp_error_memory(err)) &&
           lp_masker_run(opened, call, asked.prompt, asked.n, NULL, err);
}

const struct lp_skill lp_skill_segment_at = {
    .name = "segment_at",
    .api_name = "sam",
    .about = "masks what a point is on or a box surrounds",
    .params = params,
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_MASK,
    .missing = lp_masker_missing,
    .open = lp_masker_open,
    .close = lp_masker_close,
    .run = run,
};
