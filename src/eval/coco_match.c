/* SPDX-License-Identifier: MIT */
/* eval/coco_match.c - finds and truths of one category in one picture, paired by COCO's rules:
 *
 * The surest find chooses first, the truth that it shares most with, at least the iou asked for. A truth is
 * taken once, a crowd as often as wanted. Truths to ignore (crowds, those of another size) are chosen only
 * where no other can be; a find that got one, or got none and is of another size itself, is ignored. Of
 * equals the later truth wins. */
#include "eval/coco_match.h"

#include "base/memory.h"

#include <math.h>

const double lp_coco_size_limits[LP_COCO_SIZES][2] = {{0, 1e10}, {0, 1024}, {1024, 9216}, {9216, 1e10}};

double lp_coco_iou_at(int i) {
    const double first = 0.5, last = 0.95;
    return i == LP_COCO_IOUS - 1 ? last : i * ((last - first) / (LP_COCO_IOUS - 1)) + first;
}

static bool of_size(const struct lp_coco_thing *t, int size) {
    return t->area >= lp_coco_size_limits[size][0] && t->area <= lp_coco_size_limits[size][1];
}

/* A truth with what it shares with the present find. */
struct candidate {
    const struct lp_coco_thing *truth;
    double iou;
    uint16_t *taken; /* [sizes], bit i: at the i-th iou */
};

/* The place of the best one left, or -1. */
static int choose(const struct candidate *c, int n, int size, int i) {
    for (int ignored = 0; ignored < 2; ignored++) {
        double most = fmin(lp_coco_iou_at(i), 1 - 1e-10);
        int best = -1;
        for (int k = 0; k < n; k++) {
            bool ignore = c[k].truth->crowd || !of_size(c[k].truth, size);
            bool gone = c[k].taken[size] >> i & 1 && !c[k].truth->crowd;
            if (ignore != ignored || gone || c[k].iou < most)
                continue;
            most = c[k].iou;
            best = k;
        }
        if (best >= 0)
            return best;
    }
    return -1;
}

static void judge(const struct lp_coco_thing *found, const struct candidate *c, int n,
                  struct lp_coco_verdict *v, bool *forgets) {
    for (int size = 0; size < LP_COCO_SIZES; size++)
        for (int i = 0; i < LP_COCO_IOUS; i++) {
            uint16_t bit = (uint16_t)(1 << i);
            int best = choose(c, n, size, i);
            bool ignored = best < 0 && !of_size(found, size);
            if (best >= 0) {
                const struct lp_coco_thing *truth = c[best].truth;
                c[best].taken[size] |= bit;
                ignored = truth->crowd || !of_size(truth, size) || (truth->id == 0 && !of_size(found, size));
                v->right[size] |= truth->id != 0 ? bit : 0;
                *forgets |= truth->id == 0;
            }
            v->ignored[size] |= ignored ? bit : 0;
        }
}

bool lp_coco_match(const struct lp_coco *set, const struct lp_coco_thing *const *truth, size_t truths,
                   const struct lp_coco_thing *const *found, size_t finds, struct lp_coco_verdict *verdict,
                   int64_t to_find[LP_COCO_SIZES], bool *forgets, struct lp_error *err) {
    struct candidate *near = lp_alloc_array(truths, sizeof *near);
    uint16_t(*taken)[LP_COCO_SIZES] = lp_alloc_array(truths, sizeof *taken);
    bool ok = (near && taken) || lp_error_memory(err);
    for (size_t k = 0; ok && k < truths; k++)
        for (int size = 0; size < LP_COCO_SIZES; size++)
            to_find[size] += !truth[k]->crowd && of_size(truth[k], size);
    for (size_t i = 0; ok && i < finds; i++) {
        int n = 0;
        for (size_t k = 0; k < truths; k++) {
            double iou = lp_coco_iou(set, found[i], truth[k]);
            if (iou >= lp_coco_iou_at(0))
                near[n++] = (struct candidate){truth[k], iou, taken[k]};
        }
        judge(found[i], near, n, &verdict[i], forgets);
    }
    lp_free(near);
    lp_free(taken);
    return ok;
}
