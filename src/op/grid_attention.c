/* SPDX-License-Identifier: MIT */
/* op/grid_attention.c - attention within square windows of a square of places, or within the whole of it, each head's
 * scores growing by what the query makes of the distance in rows and of that in columns:
 *   score(q, k) = q.k / sqrt(D) + q.Rows[y_q - y_k + n-1] + q.Columns[x_q - x_k + n-1], n the window's side
 * qkv [side*side,3*H*D], tables [2*n-1,D] -> y [side*side,H*D]. What windows at the right and at the bottom have too much
 * is a given row. Li et al. 2022, arXiv:2112.01526, section 4.1, the "decomposed" bias. */
#include "op/half.h"

#include <math.h>
#include <string.h>

enum {
    QUERIES = 1024, /* between two looks at whether the caller canceled */
    BIASED = 256    /* queries whose biases are made at once: they stay in the cache until they are copied */
};

struct grid {
    int64_t side, heads, D, C; /* of a window, in places; C = heads D */
};

/* Room for what is made of some queries. */
struct biases {
    float *table[2];   /* of rows, of columns [2*side-1,D], the farthest behind first */
    float *q;          /* [BIASED,H*D] */
    float *all;        /* [BIASED,H,2*side-1]: what the queries make of every distance */
    float *of_line[2]; /* [QUERIES,H,side]: of those to the rows, to the columns that are there */
};

static bool make_room(lp_run *r, struct biases *b, const lp_tensor *rows, const lp_tensor *columns, const struct grid *s) {
    const lp_tensor *from[2] = {rows, columns};
    int64_t size = 2 * s->side - 1;
    b->q = lp_run_alloc(r, sizeof(float) * (size_t)(BIASED * s->C));
    b->all = lp_run_alloc(r, sizeof(float) * (size_t)(BIASED * s->heads * size));
    for (int k = 0; k < 2; k++) {
        b->of_line[k] = lp_run_alloc(r, sizeof(float) * (size_t)(QUERIES * s->heads * s->side));
        b->table[k] = lp_run_alloc(r, sizeof(float) * (size_t)(size * s->D));
        if (!b->q || !b->all || !b->of_line[k] || !b->table[k])
            return false;
        for (int64_t i = 0; i < size; i++)
            memcpy(b->table[k] + i * s->D, lp_f32(from[k]) + (size - 1 - i) * s->D, sizeof(float) * (size_t)s->D);
    }
    return true;
}

/* What queries first..first+T-1 of a window add to the scores of its rows and columns of keys: of all distances, which
 * are one product, the stretch that a query's own row or column looks at. */
static void make_biases(lp_run *r, const struct biases *b, const float *qkv, int64_t first, int64_t T, const struct grid *s) {
    int64_t S = s->side, H = s->heads, size = 2 * S - 1;
    for (int64_t at = 0; at < T; at += BIASED) {
        int64_t m = T - at < BIASED ? T - at : BIASED;
#pragma omp parallel for if (m * s->C >= LP_COPY_WORK)
        for (int64_t t = 0; t < m; t++)
            memcpy(b->q + t * s->C, qkv + (at + t) * 3 * s->C, sizeof(float) * (size_t)s->C);
        for (int k = 0; k < 2; k++) {
            (r->rough ? r->k->matmul_rough : r->k->matmul_nt)(b->all, b->q, b->table[k], LP_F32, NULL, m * H, size, s->D);
#pragma omp parallel for if (m * H * S >= LP_COPY_WORK)
            for (int64_t t = 0; t < m; t++) {
                int64_t place = first + at + t, line = k ? place % S : place / S;
                for (int64_t h = 0; h < H; h++)
                    memcpy(b->of_line[k] + ((at + t) * H + h) * S, b->all + (t * H + h) * size + S - 1 - line,
                           sizeof(float) * (size_t)S);
            }
        }
    }
}

/* qkv [S*S,3*C] of one window -> y [S*S,C]; b: NULL without biases. */
static void attend(lp_run *r, float *y, const float *qkv, const struct biases *b, const struct grid *s) {
    int64_t S = s->side * s->side, C = s->C;
    for (int64_t at = 0; at < S && lp_enter(r, "grid_attention"); at += QUERIES) {
        int64_t T = S - at < QUERIES ? S - at : QUERIES;
        const float *q = qkv + at * 3 * C;
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
        if (b) {
            make_biases(r, b, q, at, T, s);
            shape.row_bias = b->of_line[0];
            shape.column_bias = b->of_line[1];
        }
        r->k->attention(y + at * C, NULL, q, qkv + C, qkv + 2 * C, &shape);
    }
}

/* A window whose first place is (row, column) of a square of places: its own rows of qkv, or of y, and those of the square.
 * Cut out and put back one by one windows stay in the cache. */
struct window {
    float *qkv, *y;       /* [S*S,3*C], [S*S,C] */
    const float *outside; /* [3*C]: of places beyond the square */
};

static void cut(const struct window *w, const float *qkv, int64_t side, int64_t row, int64_t column, const struct grid *s) {
    int64_t n = s->side, width = 3 * s->C;
#pragma omp parallel for if (n * n * width >= LP_COPY_WORK)
    for (int64_t i = 0; i < n * n; i++) {
        int64_t y = row + i / n, x = column + i % n;
        memcpy(w->qkv + i * width, y < side && x < side ? qkv + (y * side + x) * width : w->outside,
               sizeof(float) * (size_t)width);
    }
}

static void put_back(float *to, const struct window *w, int64_t side, int64_t row, int64_t column, const struct grid *s) {
    int64_t n = s->side, C = s->C, down = side - row < n ? side - row : n, across = side - column < n ? side - column : n;
#pragma omp parallel for if (down * across * C >= LP_COPY_WORK)
    for (int64_t i = 0; i < down; i++)
        memcpy(to + ((row + i) * side + column) * C, w->y + i * n * C, sizeof(float) * (size_t)(across * C));
}

static bool attend_windows(lp_run *r, float *y, const float *qkv, const lp_tensor *outside, int64_t side,
                           const struct biases *b, const struct grid *s) {
    size_t places = (size_t)(s->side * s->side), C = (size_t)s->C;
    float *nothing = lp_run_alloc(r, sizeof(float) * 3 * C);
    struct window w = {.qkv = lp_run_alloc(r, sizeof(float) * places * 3 * C),
                       .y = lp_run_alloc(r, sizeof(float) * places * C),
                       .outside = outside ? lp_f32(outside) : nothing};
    if (!w.qkv || !w.y || !nothing)
        return false;
    memset(nothing, 0, sizeof(float) * 3 * C);
    for (int64_t row = 0; row < side; row += s->side)
        for (int64_t column = 0; column < side; column += s->side) {
            cut(&w, qkv, side, row, column, s);
            attend(r, w.y, w.qkv, b, s);
            put_back(y, &w, side, row, column, s);
        }
    return true;
}

lp_tensor *lp_grid_attention(lp_run *r, lp_tensor *qkv, lp_tensor *outside, lp_tensor *row_table, lp_tensor *column_table,
                             int64_t side, int64_t window, int64_t heads) {
    if (!lp_enter(r, "grid_attention"))
        return NULL;
    int64_t C = lp_dim(qkv, -1) / 3, size = 2 * window - 1;
    struct grid s = {.side = window, .heads = heads, .D = C / heads, .C = C};
    char text[LP_SHAPE_TEXT];
    if (lp_dim(qkv, -1) != 3 * heads * s.D || lp_rows(qkv) != side * side || !row_table != !column_table ||
        (row_table && (lp_count(row_table) != size * s.D || lp_count(column_table) != size * s.D)) ||
        (outside && lp_count(outside) != 3 * C))
        return lp_fail(r, LP_ESHAPE, "qkv is %s, for %ld heads on windows of %ld in %ld", lp_shape_text(qkv, text),
                       (long)heads, (long)window, (long)side);
    if (r->taping && qkv->learns)
        return lp_fail(r, LP_EINTERNAL, "there is no gradient");
    lp_tensor *y = lp_new(r, 2, side * side, C);
    lp_mark m = lp_here(r);
    struct biases b = {0};
    const float *in = lp_wide(r, qkv);
    if (!y || !in || (row_table && !make_room(r, &b, row_table, column_table, &s)))
        return NULL;
    if (window == side)
        attend(r, lp_f32(y), in, row_table ? &b : NULL, &s);
    else if (!attend_windows(r, lp_f32(y), in, outside, side, row_table ? &b : NULL, &s))
        return NULL;
    lp_back_to(r, m);
    return r->error.code ? NULL : y;
}
