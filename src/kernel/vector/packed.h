/* SPDX-License-Identifier: MIT */
/* vector/packed.h - y[M,N] = x[M,K] w^T + bias with packed weights (struct lp_packed): x becomes codes of 8
 * bits, sums over a group are of integers. Needs vector/packed_x.h and vector/packed_unpack.h.
 *
 * Few rows of x are multiplied with the weights as these stream by: each thread reads long stretches of
 * memory from end to end. For many rows the codes of a tile's columns are unpacked to a slab, which stays in
 * the cache while all panels of x pass. */
#ifndef LP_KERNEL_VECTOR_PACKED_H
#define LP_KERNEL_VECTOR_PACKED_H

#include "kernel/portable/portable.h"
#include "kernel/scratch.h"
#include "kernel/vector/panels.h"

#include <omp.h>

/* AHEAD: bytes by which memory is asked for weights while several rows of x keep the processor busy; for one
 * or two rows memory is the limit, and reading in order is all it wants. */
enum { AHEAD = 2048 };

enum { COLUMNS = 2 * LANES, SLAB_K = 2048, X_TASK_GROUPS = 64 };

struct packed_job {
    float *y;
    const struct lp_packed *w;
    const float *bias;
    int64_t M, N, K, height; /* at most `height` rows of x in a panel */
    uint8_t *x;              /* panels of x, which jobs of one kind of codes share */
    bool rounds;             /* is the first of these */
};

ALWAYS_INLINE int64_t panel_bytes(enum lp_dtype type, int64_t K) {
    return LP_PANEL_ROWS * lp_dtype_row_bytes(type, K);
}

ALWAYS_INLINE void finish(float *y, vec sum, const float *plus, int64_t n) {
    if (n <= 0)
        return;
    if (plus)
        sum += n < LANES ? vec_load_n(plus, n) : vec_load(plus);
    if (n < LANES)
        vec_store_n(y, sum, n);
    else
        vec_store(y, sum);
}

/* One run of a block, one part of its rows, with M rows of x; x points to the block's first group. */
ALWAYS_INLINE void stream_run(int M, enum lp_dtype type, vec *sum, const struct block_scales *s,
                              const uint8_t *x, int run, int part) {
    int halves = halves_of(type), group = group_of(type);
    bool one_group = type == LP_Q4_0;
    ivec dot[2][PACKED_FEW_ROWS];
    const int32_t *xs[2];
    for (int c = 0; c < halves; c++) {
        xs[c] = (const int32_t *)(const void *)(x + run_group(type, run, c) * x_group_bytes(group, M));
        for (int m = 0; m < M; m++)
            dot[c][m] = ivec_set(one_group && c ? 0 : xs[c][M + m]);
    }
#pragma GCC unroll 8
    for (int step = 0; step < steps_of(type); step++) {
        ivec code[2];
        unpack_codes(type, code, s->block, run, step, part);
        if (M > 2)
            __builtin_prefetch(s->block + AHEAD + panel_bytes(type, columns_of(type)) / runs_of(type) * run +
                               LINE * step);
        for (int c = 0; c < halves; c++)
            for (int m = 0; m < M; m++)
                dot[c][m] = ivec_dot(type == LP_Q8_0, dot[c][m], code[c],
                                     ivec_set(xs[c][(3 + run_place(type, step, c)) * M + m]));
    }
    for (int c = 0; c < (one_group ? 1 : halves); c++) {
        int g = run_group(type, run, c);
        const float *scale = (const float *)(const void *)xs[c], *scaled = scale + 2 * M;
        vec d = group_scale(type, s, g, part), least = type == LP_Q4_K ? group_min(s, g, part) : d;
        for (int m = 0; m < M; m++) {
            ivec all = one_group ? ivec_add(dot[0][m], dot[1][m]) : dot[c][m];
            sum[m] = vec_fma(vec_of_ivec(all), d * vec_set(scale[m]), sum[m]);
            if (type == LP_Q4_K)
                sum[m] -= least * vec_set(scaled[m]);
        }
    }
}

/* Panel `panel` with all M rows of x. */
ALWAYS_INLINE void stream_panel(int M, enum lp_dtype type, const struct packed_job *j, int64_t panel) {
    vec sum[PARTS][PACKED_FEW_ROWS];
    const uint8_t *w = (const uint8_t *)j->w->data + panel * panel_bytes(type, j->K), *x = j->x;
    for (int part = 0; part < PARTS; part++)
        for (int m = 0; m < M; m++)
            sum[part][m] = vec_set(0);
    for (int64_t k = 0; k < j->K; k += columns_of(type)) {
        struct block_scales s;
        load_scales(type, &s, w);
#pragma GCC unroll 2
        for (int run = 0; run < runs_of(type); run++)
            for (int part = 0; part < PARTS; part++)
                stream_run(M, type, sum[part], &s, x, run, part);
        w += panel_bytes(type, columns_of(type));
        x += columns_of(type) / group_of(type) * x_group_bytes(group_of(type), M);
    }
    for (int part = 0; part < PARTS; part++)
        for (int m = 0; m < M; m++) {
            int64_t n = panel * LP_PANEL_ROWS + part * LANES;
            finish(j->y + m * j->N + n, sum[part][m], j->bias ? j->bias + n : NULL, j->N - n);
        }
}

ALWAYS_INLINE void stream_panels(int M, enum lp_dtype type, const struct packed_job *j) {
    if (M > PACKED_FEW_ROWS)
        return; /* so that narrower instruction sets carry no code for it */
    int64_t panels = (j->N + LP_PANEL_ROWS - 1) / LP_PANEL_ROWS;
    int64_t stretch = stretch_of(panels);
#pragma omp for schedule(dynamic, stretch) nowait
    for (int64_t p = 0; p < panels; p++)
        stream_panel(M, type, j, p);
}

ALWAYS_INLINE void stream_type(enum lp_dtype type, const struct packed_job *j) {
    switch (j->M) {
    case 1:
        stream_panels(1, type, j);
        break;
    case 2:
        stream_panels(2, type, j);
        break;
    case 3:
        stream_panels(3, type, j);
        break;
    case 4:
        stream_panels(4, type, j);
        break;
    case 5:
        stream_panels(5, type, j);
        break;
    case 6:
        stream_panels(6, type, j);
        break;
    case 7:
        stream_panels(7, type, j);
        break;
    case 8:
        stream_panels(8, type, j);
        break;
    }
}

/* A slab is, group after group: COLUMNS scales, COLUMNS mins, [group / 4][COLUMNS] four codes each. */
ALWAYS_INLINE int64_t slab_group_bytes(int group) {
    return COLUMNS * (8 + group);
}

/* Columns n0.. of the tile, K columns k0..k1 of the weights; panels past the last repeat it. */
ALWAYS_INLINE void unpack_slab(enum lp_dtype type, uint8_t *slab, const struct packed_job *j, int64_t n0,
                               int64_t k0, int64_t k1) {
    int group = group_of(type), groups = columns_of(type) / group;
    int64_t last = (j->N - 1) / LP_PANEL_ROWS;
    for (int side = 0; side < 2; side++) {
        int64_t n = n0 + side * LANES, panel = n / LP_PANEL_ROWS < last ? n / LP_PANEL_ROWS : last;
        int part = (int)(n % LP_PANEL_ROWS / LANES);
        const uint8_t *w =
            (const uint8_t *)j->w->data + panel * panel_bytes(type, j->K) + panel_bytes(type, k0);
        uint8_t *out = slab + side * LANES * 4;
        for (int64_t k = k0; k < k1; k += columns_of(type), w += panel_bytes(type, columns_of(type))) {
            struct block_scales s;
            load_scales(type, &s, w);
            for (int g = 0; g < groups; g++) {
                float *scale = (float *)(void *)(out + g * slab_group_bytes(group));
                vec_store(scale, group_scale(type, &s, g, part));
                if (type == LP_Q4_K)
                    vec_store(scale + COLUMNS, group_min(&s, g, part));
            }
            for (int run = 0; run < runs_of(type); run++)
                for (int step = 0; step < steps_of(type); step++) {
                    ivec code[2];
                    unpack_codes(type, code, w, run, step, part);
                    for (int c = 0; c < halves_of(type); c++)
                        ivec_store(out + run_group(type, run, c) * slab_group_bytes(group) +
                                       4 * COLUMNS * (2 + run_place(type, step, c)),
                                   code[c]);
                }
            out += groups * slab_group_bytes(group);
        }
    }
}

/* y[h, COLUMNS] (+)= a panel of h rows of x times a slab of `groups` groups. */
ALWAYS_INLINE void slab_tile(int h, enum lp_dtype type, const struct packed_job *j, int64_t m0, int64_t n0,
                             const uint8_t *x, const uint8_t *slab, int64_t groups, bool add) {
    if (h > PACKED_TILE_ROWS)
        return;
    int group = group_of(type);
    vec sum[PACKED_TILE_ROWS][2];
    for (int i = 0; i < h; i++)
        sum[i][0] = sum[i][1] = vec_set(0);
    for (int64_t g = 0; g < groups; g++, x += x_group_bytes(group, h), slab += slab_group_bytes(group)) {
        const float *scale = (const float *)(const void *)slab, *x_scale = (const float *)(const void *)x;
        const int32_t *xs = (const int32_t *)(const void *)x;
        ivec dot[PACKED_TILE_ROWS][2];
        for (int i = 0; i < h; i++)
            dot[i][0] = dot[i][1] = ivec_set(xs[h + i]);
#pragma GCC unroll 8
        for (int q = 0; q < group / 4; q++) {
            const uint8_t *codes = slab + 4 * COLUMNS * (2 + q);
            ivec left = ivec_load(codes), right = ivec_load(codes + 4 * LANES);
            for (int i = 0; i < h; i++) {
                ivec f = ivec_set(xs[(3 + q) * h + i]);
                dot[i][0] = ivec_dot(type == LP_Q8_0, dot[i][0], left, f);
                dot[i][1] = ivec_dot(type == LP_Q8_0, dot[i][1], right, f);
            }
        }
        for (int side = 0; side < 2; side++) {
            vec d = vec_load(scale + side * LANES);
            for (int i = 0; i < h; i++)
                sum[i][side] = vec_fma(vec_of_ivec(dot[i][side]), d * vec_set(x_scale[i]), sum[i][side]);
            if (type == LP_Q4_K) {
                vec least = vec_load(scale + COLUMNS + side * LANES);
                for (int i = 0; i < h; i++)
                    sum[i][side] -= least * vec_set(x_scale[2 * h + i]);
            }
        }
    }
    for (int i = 0; i < h; i++)
        for (int side = 0; side < 2; side++) {
            int64_t n = n0 + side * LANES;
            float *y = j->y + (m0 + i) * j->N + n;
            finish(y, sum[i][side], add ? y : j->bias ? j->bias + n : NULL, j->N - n);
        }
}

ALWAYS_INLINE void slab_tile_of(int64_t h, enum lp_dtype type, const struct packed_job *j, int64_t m0,
                                int64_t n0, const uint8_t *x, const uint8_t *slab, int64_t groups, bool add) {
    switch (h) {
    case 1:
        slab_tile(1, type, j, m0, n0, x, slab, groups, add);
        break;
    case 2:
        slab_tile(2, type, j, m0, n0, x, slab, groups, add);
        break;
    case 3:
        slab_tile(3, type, j, m0, n0, x, slab, groups, add);
        break;
    case 4:
        slab_tile(4, type, j, m0, n0, x, slab, groups, add);
        break;
    case 5:
        slab_tile(5, type, j, m0, n0, x, slab, groups, add);
        break;
    case 6:
        slab_tile(6, type, j, m0, n0, x, slab, groups, add);
        break;
    }
}

/* All rows of x with columns n0.. of y. */
ALWAYS_INLINE void slab_columns(enum lp_dtype type, const struct packed_job *j, int64_t n0, uint8_t *slab) {
    int group = group_of(type);
    for (int64_t k0 = 0; k0 < j->K; k0 += SLAB_K) {
        int64_t k1 = j->K - k0 < SLAB_K ? j->K : k0 + SLAB_K;
        unpack_slab(type, slab, j, n0, k0, k1);
        for (int64_t m = 0; m < j->M; m += j->height) {
            int64_t h = j->M - m < j->height ? j->M - m : j->height;
            const uint8_t *x =
                j->x + m * (j->K / group) * x_group_bytes(group, 1) + k0 / group * x_group_bytes(group, h);
            slab_tile_of(h, type, j, m, n0, x, slab, (k1 - k0) / group, k0 > 0);
        }
    }
}

ALWAYS_INLINE void multiply_type(enum lp_dtype type, const struct packed_job *j, uint8_t *slab) {
    if (j->M <= PACKED_FEW_ROWS) {
        stream_type(type, j);
        return;
    }
#pragma omp for schedule(dynamic) nowait
    for (int64_t n0 = 0; n0 < j->N; n0 += COLUMNS)
        slab_columns(type, j, n0, slab);
}

static void multiply_q8_0(const struct packed_job *j, uint8_t *slab) {
    multiply_type(LP_Q8_0, j, slab);
}
static void multiply_q4_0(const struct packed_job *j, uint8_t *slab) {
    multiply_type(LP_Q4_0, j, slab);
}
static void multiply_q4_k(const struct packed_job *j, uint8_t *slab) {
    multiply_type(LP_Q4_K, j, slab);
}
static void multiply_q6_k(const struct packed_job *j, uint8_t *slab) {
    multiply_type(LP_Q6_K, j, slab);
}

/* By all threads of the team: stretches of one panel of x each. */
static void round_x(const struct packed_job *j, const float *x) {
    int group = group_of(j->w->type), zero = zero_of(j->w->type);
    int64_t groups = j->K / group, tasks = (groups + X_TASK_GROUPS - 1) / X_TASK_GROUPS;
    int64_t panels = (j->M + j->height - 1) / j->height;
#pragma omp for schedule(static) nowait
    for (int64_t i = 0; i < panels * tasks; i++) {
        int64_t m = i / tasks * j->height, g0 = i % tasks * X_TASK_GROUPS;
        int64_t g1 = groups - g0 < X_TASK_GROUPS ? groups : g0 + X_TASK_GROUPS;
        pack_x(j->x + m * groups * x_group_bytes(group, 1), x + m * j->K, group, zero, j->K,
               j->M - m < j->height ? j->M - m : j->height, g0, g1);
    }
}

/* Bytes of x as codes for weights of the type. */
static int64_t x_bytes(enum lp_dtype type, int64_t M, int64_t K) {
    return M * (K / group_of(type)) * x_group_bytes(group_of(type), 1);
}

/* Fills the jobs; x's codes begin at `codes`. Returns the bytes of these. */
static int64_t plan_jobs(struct packed_job *j, const struct lp_product *p, int count, int64_t M, uint8_t *codes) {
    int64_t panels = M <= PACKED_FEW_ROWS ? 1 : (M + PACKED_TILE_ROWS - 1) / PACKED_TILE_ROWS, bytes = 0;
    for (int i = 0; i < count; i++) {
        const struct lp_packed *w = &p[i].w;
        int same = 0;
        while (group_of(p[same].w.type) != group_of(w->type) || zero_of(p[same].w.type) != zero_of(w->type))
            same++;
        j[i] = (struct packed_job){.y = p[i].y,
                                   .w = w,
                                   .bias = p[i].bias,
                                   .M = M,
                                   .N = w->N,
                                   .K = w->K,
                                   .height = (M + panels - 1) / panels,
                                   .x = same < i ? j[same].x : codes + bytes,
                                   .rounds = same == i};
        bytes += same == i ? x_bytes(w->type, M, w->K) : 0;
    }
    return bytes;
}

static void matmul_packed(const struct lp_product *p, int count, const float *x, int64_t M) {
    static void (*const multiply[LP_DTYPES])(const struct packed_job *,
                                             uint8_t *) = {[LP_Q8_0] = multiply_q8_0,
                                                           [LP_Q4_0] = multiply_q4_0,
                                                           [LP_Q4_K] = multiply_q4_k,
                                                           [LP_Q6_K] = multiply_q6_k};
    int64_t work = 0, slab_bytes = 0;
    for (int i = 0; i < count; i++) {
        int group = group_of(p[i].w.type);
        int64_t bytes = M <= PACKED_FEW_ROWS ? 0 : SLAB_K / group * slab_group_bytes(group);
        slab_bytes = bytes > slab_bytes ? bytes : slab_bytes;
        work += M * p[i].w.N * p[i].w.K;
    }
    struct packed_job j[LP_PRODUCTS];
    int threads = work >= PACKED_PARALLEL_WORK ? omp_get_max_threads() : 1;
    int64_t all = slab_bytes * threads + plan_jobs(j, p, count, M, NULL);
    uint8_t *slabs = work > 0 ? (uint8_t *)lp_scratch((size_t)(all / 4)) : NULL;
    if (!slabs) {
        lp_portable_matmul_packed(p, count, x, M);
        return;
    }
    plan_jobs(j, p, count, M, slabs + slab_bytes * threads);
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        for (int i = 0; i < count; i++)
            if (j[i].rounds)
                round_x(&j[i], x);
#pragma omp barrier
        for (int i = 0; i < count; i++)
            multiply[j[i].w->type](&j[i], slabs + slab_bytes * omp_get_thread_num());
    }
}

#endif
