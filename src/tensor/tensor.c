/* SPDX-License-Identifier: MIT */
/* tensor/tensor.c - shapes. */
#include "tensor/tensor.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

int64_t lp_dim(const lp_tensor *x, int axis) {
    int i = axis < 0 ? x->ndim + axis : axis;
    return i >= 0 && i < x->ndim ? x->dim[i] : 1;
}

int64_t lp_count(const lp_tensor *x) {
    int64_t n = 1;
    for (int i = 0; i < x->ndim; i++)
        n *= x->dim[i];
    return n;
}

int64_t lp_rows(const lp_tensor *x) {
    int64_t n = 1;
    for (int i = 0; i + 1 < x->ndim; i++)
        n *= x->dim[i];
    return n;
}

float *lp_f32(const lp_tensor *x) {
    assert(!x || x->type == LP_F32);
    return x ? x->data : NULL;
}

bool lp_same_shape(const lp_tensor *a, const lp_tensor *b) {
    if (a->ndim != b->ndim)
        return false;
    for (int i = 0; i < a->ndim; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

const char *lp_shape_text(const lp_tensor *x, char text[LP_SHAPE_TEXT]) {
    int n = 0;
    for (int i = 0; i < x->ndim; i++)
        n += snprintf(text + n, LP_SHAPE_TEXT - (size_t)n, "%c%" PRId64, i ? ',' : '[', x->dim[i]);
    snprintf(text + n, LP_SHAPE_TEXT - (size_t)n, "%s", x->ndim ? "]" : "[]");
    return text;
}
