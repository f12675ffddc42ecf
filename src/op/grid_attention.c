/* SPDX-License-Identifier: MIT */
/* op/grid_attention.c - attention within squares of side x side places, each head's scores growing by what
 * the query makes of the distance in rows and of that in columns: score(q, k) = q.k / sqrt(D) + q.Rows[y_q -
 * y_k + side-1] + q.Columns[x_q - x_k + side-1] qkv [n*side*side,3*H*D], tables [2*side-1,D] -> y
 * [n*side*side,H*D]. Li et al. 2022, arXiv:2112.01526, section 4.1, the "decomposed" bias. */
#include "op/half.h"

#include <math.h>
#include <string.h>

enum { QUERIES = 1024 }; /* between two looks at whether the caller canceled */

struct grid {
    int64_t n, side, heads, D, C; /* C = heads D */
};

/* The i-th place of the row (or the column) `line` of square g. */
static int64_t place_of(const struct grid *s, bool rows, int64_t g, int64_t line, int64_t i) {
    return g * s->side * s->side + (rows ? line * s->side + i : i * s->side + line);
}

/* bias[n*side*side,H,side]: what the queries' distances to the side rows (or columns) of keys add. All
 * queries of one row share the stretch of the table that they look at, which, turned over, is a matrix as it
 * lies. */
static bool make_bias(lp_run *r, float *bias, const float *qkv, const lp_tensor *table, const struct grid *s,
                      bool rows) {
    int64_t S = s->side, D = s->D, lines = s->n * S;
    float *turned = lp_run_alloc(r, sizeof(float) * (size_t)((2 * S - 1) * D));
    float *q = lp_run_alloc(r, sizeof(float) * (size_t)(lines * s->C));
    float *part = lp_run_alloc(r, sizeof(float) * (size_t)(lines * s->heads * S));
    if (!turned || !q || !part)
        return false;
    for (int64_t i = 0; i < 2 * S - 1; i++)
        memcpy(turned + i * D, lp_f32(table) + (2 * S - 2 - i) * D, sizeof(float) * (size_t)D);
    for (int64_t line = 0; line < S; line++) {
#pragma omp parallel for if (lines * s->C >= LP_COPY_WORK)
        for (int64_t i = 0; i < lines; i++)
            memcpy(q + i * s->C, qkv + place_of(s, rows, i / S, line, i % S) * 3 * s->C,
                   sizeof(float) * (size_t)s->C);
        (r->rough ? r->k->matmul_rough : r->k->matmul_nt)(part, q, turned + (S - 1 - line) * D, LP_F32, NULL,
                                                          lines * s->heads, S, D);
#pragma omp parallel for if (lines * s->heads * S >= LP_COPY_WORK)
        for (int64_t i = 0; i < lines; i++)
            memcpy(bias + place_of(s, rows, i / S, line, i % S) * s->heads * S, part + i * s->heads * S,
                   sizeof(float) * (size_t)(s->heads * S));
    }
    return true;
}

static void attend(lp_run *r, float *y, const float *qkv, const float *row_bias, const float *column_bias,
                   const struct grid *s) {
    int64_t S = s->side * s->side, C = s->C;
    for (int64_t at = 0; at < s->n * S && lp_enter(r, "grid_attention");) {
        int64_t left = S - at % S, T = left < QUERIES ? left : QUERIES;
        const float *keys = qkv + (at - at % S) * 3 * C + C;
        struct lp_attention_shape shape = {.T = T,
                                           .S = S,
                                           .H = s->heads,
                                           .G = s->heads,
                                           .D = s->D,
                                           .q_stride = 3 * C,
                                           .kv_stride = 3 * C,
                                           .scale = 1 / sqrtf((float)s->D),
                                           .rough = r->rough,
                                           .columns = s->side};
        if (row_bias) {
            shape.row_bias = row_bias + at * s->heads * s->side;
            shape.column_bias = column_bias + at * s->heads * s->side;
        }
        r->k->attention(y + at * C, NULL, qkv + at * 3 * C, keys, keys + C, &shape);
        at += T;
    }
}

lp_tensor *lp_grid_attention(lp_run *r, lp_tensor *qkv, lp_tensor *row_table, lp_tensor *column_table,
                             int64_t side, int64_t heads) {
    if (!lp_enter(r, "grid_attention"))
        return NULL;
    int64_t rows = lp_rows(qkv), C = lp_dim(qkv, -1) / 3, size = 2 * side - 1;
    struct grid s = {.n = rows / (side * side), .side = side, .heads = heads, .D = C / heads, .C = C};
    char text[LP_SHAPE_TEXT];
    if (lp_dim(qkv, -1) != 3 * heads * s.D || rows != s.n * side * side || !row_table != !column_table ||
        (row_table && (lp_count(row_table) != size * s.D || lp_count(column_table) != size * s.D)))
        return lp_fail(r, LP_ESHAPE, "qkv is %s, for %ld heads on squares of %ld", lp_shape_text(qkv, text),
                       (long)heads, (long)side);
    if (r->taping && qkv->learns)
        return lp_fail(r, LP_EINTERNAL, "there is no gradient");
    lp_tensor *y = lp_new(r, 2, rows, C);
    lp_mark m = lp_here(r);
    size_t bytes = row_table ? sizeof(float) * (size_t)(rows * heads * side) : 0;
    float *row_bias = bytes ? lp_run_alloc(r, bytes) : NULL,
          *column_bias = bytes ? lp_run_alloc(r, bytes) : NULL;
    const float *in = lp_wide(r, qkv);
    if (!y || !in || (bytes && (!row_bias || !column_bias)))
        return NULL;
    if (row_table && (!make_bias(r, row_bias, in, row_table, &s, true) ||
                      !make_bias(r, column_bias, in, column_table, &s, false)))
        return NULL;
    attend(r, lp_f32(y), in, row_bias, column_bias, &s);
    lp_back_to(r, m);
    return r->error.code ? NULL : y;
}
