/* SPDX-License-Identifier: MIT */
/* eval/coco.c - a set of pictures: what they show and what was found there. */
#include "eval/coco.h"

#include "base/memory.h"

#include <math.h>

/* Beyond any picture, and its square is exact: a limit that keeps areas finite. */
static const double farthest = LP_RLE_FARTHEST;

static void list_done(struct lp_coco_list *list) {
    for (size_t i = 0; i < list->n; i++)
        lp_rle_done(&list->thing[i].mask);
    lp_free(list->thing);
}

void lp_coco_done(struct lp_coco *set) {
    lp_free(set->category);
    lp_free(set->picture);
    lp_arena_done(&set->names);
    list_done(&set->truth);
    list_done(&set->found);
    *set = (struct lp_coco){0};
}

int lp_coco_find_category(const struct lp_coco *set, int64_t id) {
    int low = 0, high = set->categories;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (set->category[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->categories && set->category[low].id == id ? low : -1;
}

int lp_coco_find_picture(const struct lp_coco *set, int64_t id) {
    int low = 0, high = set->pictures;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (set->picture[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->pictures && set->picture[low].id == id ? low : -1;
}

static bool check(const struct lp_coco *set, const struct lp_coco_thing *t, struct lp_error *err) {
    const double *b = t->box;
    if (t->picture < 0 || t->picture >= set->pictures || t->category < 0 || t->category >= set->categories)
        return lp_error_set(err, LP_EINPUT, "there is no such picture or category");
    if (!isfinite(t->score))
        return lp_error_set(err, LP_EINPUT, "its score is not a number");
    if (!(fabs(b[0]) <= farthest && fabs(b[1]) <= farthest && fabs(b[2]) <= farthest &&
          fabs(b[3]) <= farthest))
        return lp_error_set(err, LP_EINPUT, "its box is far outside any picture");
    if (b[2] < 0 || b[3] < 0)
        return lp_error_set(err, LP_EINPUT, "its box has a width or height below 0");
    if (isnan(t->area) || t->area > farthest * farthest)
        return lp_error_set(err, LP_EINPUT, "its area is larger than any picture");
    const struct lp_coco_picture *p = &set->picture[t->picture];
    return !set->masks || (t->mask.width == p->width && t->mask.height == p->height && p->width) ||
           lp_error_set(err, LP_EINPUT, "its mask is %d x %d, the picture %d x %d", t->mask.width,
                        t->mask.height, p->width, p->height);
}

static bool make_room(struct lp_coco_list *list) {
    if (list->n < list->room)
        return true;
    size_t room = list->room ? 2 * list->room : 256;
    struct lp_coco_thing *grown = lp_realloc(list->thing, room * sizeof *grown);
    if (grown) {
        list->thing = grown;
        list->room = room;
    }
    return grown;
}

static bool add(const struct lp_coco *set, struct lp_coco_list *list, struct lp_coco_thing *thing,
                struct lp_error *err) {
    struct lp_coco_thing t = *thing;
    thing->mask = (struct lp_rle){0};
    if (set->masks)
        lp_rle_box(&t.mask, t.box);
    bool ok = check(set, &t, err) && (make_room(list) || lp_error_memory(err));
    if (t.area < 0)
        t.area = set->masks ? (double)lp_rle_area(&t.mask) : t.box[2] * t.box[3];
    if (!ok || !set->masks)
        lp_rle_done(&t.mask);
    if (ok)
        list->thing[list->n++] = t;
    return ok;
}

bool lp_coco_add_truth(struct lp_coco *set, struct lp_coco_thing *thing, struct lp_error *err) {
    return add(set, &set->truth, thing, err);
}

bool lp_coco_add_found(struct lp_coco *set, struct lp_coco_thing *thing, struct lp_error *err) {
    return add(set, &set->found, thing, err);
}

/* px common to two boxes */
static double overlap(const double a[4], const double b[4]) {
    double width = fmin(a[2] + a[0], b[2] + b[0]) - fmax(a[0], b[0]);
    double height = fmin(a[3] + a[1], b[3] + b[1]) - fmax(a[1], b[1]);
    return width > 0 && height > 0 ? width * height : 0;
}

double lp_coco_iou(const struct lp_coco *set, const struct lp_coco_thing *found,
                   const struct lp_coco_thing *truth) {
    double common =
        overlap(found->box, truth->box); /* of masks, too, where there is none there is nothing common */
    if (common <= 0)
        return 0;
    double area = found->box[2] * found->box[3], other = truth->box[2] * truth->box[3];
    if (set->masks) {
        common = (double)lp_rle_overlap(&found->mask, &truth->mask);
        area = (double)lp_rle_area(&found->mask);
        other = (double)lp_rle_area(&truth->mask);
    }
    return common > 0 ? common / (truth->crowd ? area : area + other - common) : 0;
}
