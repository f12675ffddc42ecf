/* SPDX-License-Identifier: MIT */
/* nn/linear.c - y = x w^T + b. */
#include "nn/layers.h"

void lp_bind_linear(struct lp_bind *b, const char *name, struct lp_linear *l, int64_t in, int64_t out, bool bias) {
    size_t up = lp_bind_enter(b, "%s", name);
    l->w = lp_bind_tensor(b, "weight", LP_BIND_MATRIX, 2, out, in);
    l->b = bias ? lp_bind_tensor(b, "bias", LP_BIND_SHIFT, 1, out) : NULL;
    l->lora = NULL;
    lp_bind_leave(b, up);
}

void lp_bind_conv(struct lp_bind *b, const char *name, struct lp_linear *l, int64_t in, int64_t out, int64_t kernel,
                  bool bias) {
    size_t up = lp_bind_enter(b, "%s", name);
    l->w = lp_bind_tensor(b, "weight", LP_BIND_MATRIX, 4, out, in, kernel, kernel);
    l->b = bias ? lp_bind_tensor(b, "bias", LP_BIND_SHIFT, 1, out) : NULL;
    l->lora = NULL;
    lp_bind_leave(b, up);
}

lp_tensor *lp_linear(lp_run *r, const struct lp_linear *l, lp_tensor *x) {
    lp_tensor *y = lp_matmul(r, x, l->w, l->b);
    if (!l->lora)
        return y;
    lp_tensor *low = lp_scale(r, lp_matmul(r, x, l->lora->down, NULL), l->lora->scale);
    return lp_add(r, y, lp_matmul(r, low, l->lora->up, NULL));
}
