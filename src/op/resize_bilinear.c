/* SPDX-License-Identifier: MIT */
/* op/resize_bilinear.c - maps at another size, between their numbers.  x [n,h,w] -> y [n,H,W], as PyTorch's
 * interpolate(mode="bilinear", align_corners=False). */
#include "op/half.h"

static struct lp_resize_shape shape_of(const lp_tensor *x, int64_t H, int64_t W) {
    int64_t h = lp_dim(x, 1), w = lp_dim(x, 2);
    return (struct lp_resize_shape){
        .n = lp_dim(x, 0), .h = h, .w = w, .x_row = w, .x_map = h * w, .H = H, .W = W};
}

static void backward(struct lp_node *n) {
    lp_run *r = n->run;
    float *dx = lp_grad(r, n->in[0]);
    struct lp_resize_shape shape = shape_of(n->in[0], lp_dim(n->out, 1), lp_dim(n->out, 2));
    if (dx)
        r->k->resize_bilinear_grad(dx, n->out->grad, &shape);
}

lp_tensor *lp_resize_bilinear(lp_run *r, lp_tensor *x, int64_t H, int64_t W) {
    if (!lp_enter(r, "resize_bilinear"))
        return NULL;
    char text[LP_SHAPE_TEXT];
    if (x->ndim != 3 || lp_count(x) == 0 || H < 1 || W < 1)
        return lp_fail(r, LP_ESHAPE, "x is %s, wanted is %ld x %ld", lp_shape_text(x, text), (long)H,
                       (long)W);
    lp_tensor *y = lp_new(r, 3, lp_dim(x, 0), H, W);
    lp_mark m = lp_here(r);
    const float *in = lp_wide(r, x);
    if (!y || !in)
        return NULL;
    struct lp_resize_shape shape = shape_of(x, H, W);
    r->k->resize_bilinear(lp_f32(y), in, &shape);
    lp_back_to(r, m);
    return lp_record(r, backward, y, NULL, x, NULL, NULL, NULL, 0);
}
