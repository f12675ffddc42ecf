/* SPDX-License-Identifier: MIT */
/* op/deformable_attention.c - multi-scale deformable attention, Zhu et al. 2020, arXiv:2010.04159, equation
 * 3: instead of meeting all places a query's head looks at a few, which it chooses itself, in each of several
 * maps of the picture. With w = softmax over a head's levels l and points p of weight,
 *   y[q,h] = sum over l and p of w[q,h,l,p] value_l[place(q,h,l,p),h]
 * struct lp_deform_shape says where these places lie; between places values are bilinear. */
#include "op/op.h"

enum { QUERIES = 2048 }; /* between two looks at whether the caller canceled */

static bool fits(const lp_tensor *value, const lp_tensor *offset, const lp_tensor *weight,
                 const lp_tensor *reference, const struct lp_deform_shape *s) {
    int64_t Q = lp_rows(reference), samples = s->heads * s->levels * s->points, places = 0;
    if (s->heads < 1 || s->levels < 1 || s->levels > LP_DEFORM_LEVELS || s->points < 1 ||
        s->points > LP_DEFORM_POINTS || lp_dim(value, -1) % s->heads)
        return false;
    for (int64_t i = 0; i < s->levels; i++)
        places += s->map[i].H * s->map[i].W;
    return lp_rows(value) == places && lp_rows(offset) == Q && lp_rows(weight) == Q &&
           lp_dim(offset, -1) == 2 * samples && lp_dim(weight, -1) == samples &&
           (lp_dim(reference, -1) == 2 || lp_dim(reference, -1) == 4);
}

lp_tensor *lp_deformable_attention(lp_run *r, lp_tensor *value, lp_tensor *offset, lp_tensor *weight,
                                   lp_tensor *reference, const struct lp_deform_shape *shape) {
    if (!lp_enter(r, "deformable_attention"))
        return NULL;
    char a[LP_SHAPE_TEXT], b[LP_SHAPE_TEXT];
    if (!fits(value, offset, weight, reference, shape))
        return lp_fail(r, LP_ESHAPE, "values are %s, weights %s, for %ld heads, %ld levels and %ld points",
                       lp_shape_text(value, a), lp_shape_text(weight, b), (long)shape->heads,
                       (long)shape->levels, (long)shape->points);
    if (r->taping && value->learns)
        return lp_fail(r, LP_EINTERNAL, "there is no gradient");
    int64_t Q = lp_rows(reference), C = lp_dim(value, -1), R = lp_dim(reference, -1), n = lp_dim(weight, -1);
    struct lp_deform_shape s = *shape;
    s.D = C / s.heads;
    s.reference_size = R;
    lp_tensor *y = lp_new(r, 2, Q, C);
    lp_mark m = lp_here(r);
    float *share = lp_run_alloc(r, sizeof(float) * (size_t)(QUERIES * n));
    for (int64_t at = 0; at < Q && y && share && lp_enter(r, "deformable_attention"); at += QUERIES) {
        s.queries = Q - at < QUERIES ? Q - at : QUERIES;
        r->k->softmax(share, lp_f32(weight) + at * n, s.queries * s.heads, s.levels * s.points);
        r->k->deformable_attention(lp_f32(y) + at * C, lp_f32(value), lp_f32(offset) + at * 2 * n, share,
                                   lp_f32(reference) + at * R, &s);
    }
    lp_back_to(r, m);
    return r->error.code ? NULL : y;
}
