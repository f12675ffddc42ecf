/* SPDX-License-Identifier: MIT */
/* op/window_attention.c - attention within windows of side x side places of a map, each head's scores growing
 * by what was learnt for the distance of query and key (Liu et al. 2021, arXiv:2103.14030, equation 4):
 *   score(q, k) = q.k / sqrt(D) + table[(y_q - y_k + side-1) (2 side-1) + x_q - x_k + side-1]
 * q k v [rows*columns*side*side,H*D], table [(2*side-1)^2,H] -> y like q. In a shifted map the last windows
 * hold places from opposite borders, which do not see each other (figure 4). */
#include "op/op.h"

#include <math.h>

/* Is added to a score, as the original does: beside any other, e^-100 is 0. */
static const float hidden = -100;

/* Which part of a last window place i belongs to: what was rolled to the bottom and to the right is apart. */
static int64_t part_of(const struct lp_window_settings *s, int64_t i, bool bottom, bool right) {
    int64_t before = s->side - s->shift;
    return 2 * (bottom && i / s->side >= before) + (right && i % s->side >= before);
}

/* bias[q,H,k] of a window that is among the bottom ones, the rightmost ones, or not. */
static void make_bias(float *bias, const float *table, const struct lp_window_settings *s, bool bottom,
                      bool right) {
    int64_t side = s->side, n = side * side, H = s->heads;
    for (int64_t q = 0; q < n; q++)
        for (int64_t k = 0; k < n; k++) {
            int64_t at = (q / side - k / side + side - 1) * (2 * side - 1) + q % side - k % side + side - 1;
            bool apart = part_of(s, q, bottom, right) != part_of(s, k, bottom, right);
            for (int64_t h = 0; h < H; h++)
                bias[(q * H + h) * n + k] = table[at * H + h] + (apart ? hidden : 0);
        }
}

lp_tensor *lp_window_attention(lp_run *r, lp_tensor *q, lp_tensor *k, lp_tensor *v, lp_tensor *table,
                               const struct lp_window_settings *s) {
    if (!lp_enter(r, "window_attention"))
        return NULL;
    int64_t n = s->side * s->side, windows = s->rows * s->columns, C = lp_dim(q, -1), H = s->heads;
    int64_t distances = (2 * s->side - 1) * (2 * s->side - 1);
    char text[LP_SHAPE_TEXT];
    if (C % H || lp_rows(q) != windows * n || !lp_same_shape(q, k) || !lp_same_shape(q, v) || s->shift < 0 ||
        s->shift >= s->side || lp_rows(table) != distances || lp_dim(table, -1) != H)
        return lp_fail(r, LP_ESHAPE, "q is %s, for %ld heads on %ld windows of side %ld",
                       lp_shape_text(q, text), (long)H, (long)windows, (long)s->side);
    if (r->taping && q->learns)
        return lp_fail(r, LP_EINTERNAL, "there is no gradient");
    lp_tensor *y = lp_like(r, q);
    lp_mark m = lp_here(r);
    int kinds = s->shift ? 4 : 1;
    float *bias = lp_run_alloc(r, sizeof(float) * (size_t)(kinds * n * H * n)), /* [kinds,n,H,n] */
        *zeros = lp_run_alloc(r, sizeof(float) * (size_t)(n * H));
    if (!y || !bias || !zeros)
        return NULL;
    for (int i = 0; i < kinds; i++)
        make_bias(bias + i * n * H * n, lp_f32(table), s, i & 2, i & 1);
    for (int64_t i = 0; i < n * H; i++)
        zeros[i] = 0;
    struct lp_attention_shape shape = {.T = n,
                                       .S = n,
                                       .H = H,
                                       .G = H,
                                       .D = C / H,
                                       .q_stride = C,
                                       .kv_stride = C,
                                       .scale = 1 / sqrtf((float)(C / H)),
                                       .rough = r->rough,
                                       .columns = 1, /* on a grid of one column rows are keys */
                                       .column_bias = zeros};
    for (int64_t i = 0; i < windows && lp_enter(r, "window_attention"); i++) {
        int kind = s->shift ? 2 * (i / s->columns == s->rows - 1) + (i % s->columns == s->columns - 1) : 0;
        int64_t at = i * n * C;
        shape.row_bias = bias + kind * n * H * n;
        r->k->attention(lp_f32(y) + at, NULL, lp_f32(q) + at, lp_f32(k) + at, lp_f32(v) + at, &shape);
    }
    lp_back_to(r, m);
    return r->error.code ? NULL : y;
}
