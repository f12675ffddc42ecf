/* SPDX-License-Identifier: MIT */
/* train/muon.c - Muon for the matrices of blocks: momentum whose singular values are all brought near 1 before it is applied,
 * Jordan et al. 2024, kellerjordan.github.io/posts/muon; its size matched to AdamW's as in Liu et al. 2025, arXiv:2502.16982. */
#include "train/train.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

static const float momentum = 0.95f;

bool lp_muon_learns(const struct lp_parameter *p) {
    const lp_tensor *x = p->tensor;
    return x->learns && x->ndim == 2 && strstr(p->name, ".layers.");
}

int64_t lp_muon_room(const lp_tensor *x) {
    int64_t m = x->dim[0], n = x->dim[1], small = m < n ? m : n;
    return 2 * m * n + 2 * small * small;
}

/* x[m,n] = U S V^T becomes about U V^T by five Newton-Schulz steps x <- a x + (b xx^T + c (xx^T)^2) x, for which bf16 is
 * exact enough; `room` as above. */
static void orthogonalise(const struct lp_kernels *k, float *x, int64_t m, int64_t n, float *room) {
    static const float a = 3.4445f, b = -4.7750f, c = 2.0315f;
    int64_t small = m < n ? m : n, square = small * small;
    float *y = room, *next = y + m * n, *gram = next + m * n, *gram2 = gram + square;
    float scale = (float)(1 / (sqrt(k->sum_squares(x, m * n)) + 1e-7));
    for (int64_t i = 0; i < m * n; i++)
        y[i] = scale * x[i];
    for (int step = 0; step < 5; step++) {
        if (m < n) {
            k->matmul_rough(gram, y, y, LP_F32, NULL, m, m, n);
        } else {
            memset(gram, 0, sizeof *gram * (size_t)square);
            k->matmul_tn_rough(gram, y, y, n, n, m);
        }
        k->matmul_rough(gram2, gram, gram, LP_F32, NULL, small, small, small);
        for (int64_t i = 0; i < square; i++)
            gram[i] = b * gram[i] + c * gram2[i];
        if (m < n)
            k->matmul_nn_rough(next, gram, y, m, n, m, false);
        else
            k->matmul_nn_rough(next, y, gram, m, n, n, false);
        for (int64_t i = 0; i < m * n; i++)
            y[i] = a * y[i] + next[i];
    }
    memcpy(x, y, sizeof *x * (size_t)(m * n));
}

void lp_muon_direction(const struct lp_kernels *k, const lp_tensor *x, float *moment, float gradient_scale, float *room) {
    for (int64_t i = 0; i < lp_count(x); i++) {
        float g = gradient_scale * x->grad[i];
        moment[i] = momentum * moment[i] + g;
        x->grad[i] = g + momentum * moment[i]; /* Nesterov's look ahead */
    }
    orthogonalise(k, x->grad, x->dim[0], x->dim[1], room);
}

void lp_muon_apply(const struct lp_kernels *k, lp_tensor *x, double rate, double decay) {
    int64_t m = x->dim[0], n = x->dim[1];
    float keep = (float)(1 - rate * decay), *w = lp_f32(x);
    for (int64_t i = 0; i < m * n; i++)
        w[i] *= keep;
    k->add_scaled(w, x->grad, (float)(-rate * 0.2 * sqrt((double)(m > n ? m : n))), m * n);
}
