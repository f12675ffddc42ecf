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

/* Rows from .. from + n - 1 of a matrix or a vector, where they lie. */
static lp_tensor *part_of(struct lp_bind *b, const lp_tensor *x, int64_t from, int64_t n) {
    lp_tensor *part = lp_arena_alloc(b->arena, sizeof *part);
    if (!part || !x || !x->data) {
        b->failed = b->failed || !part;
        return NULL;
    }
    int64_t row = lp_count(x) / x->dim[0];
    *part = *x;
    part->dim[0] = n;
    part->data = (uint8_t *)x->data + lp_dtype_row_bytes(x->type, from * row);
    return part;
}

void lp_bind_stacked(struct lp_bind *b, const char *weight, const char *bias, struct lp_linear *const layer[], int n,
                     int64_t in, int64_t out) {
    const lp_tensor *w = lp_bind_tensor(b, weight, LP_BIND_MATRIX, 2, n * out, in);
    const lp_tensor *shift = bias ? lp_bind_tensor(b, bias, LP_BIND_SHIFT, 1, n * out) : NULL;
    for (int i = 0; i < n; i++)
        *layer[i] = (struct lp_linear){.w = part_of(b, w, i * out, out),
                                       .b = bias ? part_of(b, shift, i * out, out) : NULL};
}

lp_tensor *lp_linear(lp_run *r, const struct lp_linear *l, lp_tensor *x) {
    lp_tensor *y = lp_matmul(r, x, l->w, l->b);
    if (!l->lora)
        return y;
    lp_tensor *low = lp_scale(r, lp_matmul(r, x, l->lora->down, NULL), l->lora->scale);
    return lp_add(r, y, lp_matmul(r, low, l->lora->up, NULL));
}

void lp_linears(lp_run *r, int n, const struct lp_linear *const l[], lp_tensor *x, lp_tensor *y[]) {
    lp_tensor *w[LP_PRODUCTS], *b[LP_PRODUCTS];
    bool at_once = !r->taping && !r->half;
    for (int i = 0; i < n; i++) {
        w[i] = l[i]->w;
        b[i] = l[i]->b;
        at_once = at_once && w[i]->packed && !l[i]->lora && (w[i]->type == LP_F16) == (w[0]->type == LP_F16);
    }
    if (at_once)
        lp_matmul_packed(r, x, n, w, b, y);
    for (int i = 0; !at_once && i < n; i++)
        y[i] = lp_linear(r, l[i], x);
}
