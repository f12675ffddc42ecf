/* SPDX-License-Identifier: MIT */
/* portable/packed.c - panels of 16 rows of blocks, or of float16 (struct lp_packed): packing, products, rows. */
#include "kernel/portable/block.h"
#include "kernel/portable/portable.h"

enum { ROWS = LP_PANEL_ROWS };

/* Float16's numbers are blocks of one. */
static const struct lp_block_format *format_of(enum lp_dtype type) {
    static const struct lp_block_format half = {1, 2, 1, {{0, 2, 2}}};
    return type == LP_F16 ? &half : lp_block_format(type);
}

static int64_t panels_of(int64_t N) {
    return N / ROWS + (N % ROWS > 0);
}

static int64_t blocks_of(const struct lp_block_format *f, int64_t K) {
    return K / f->columns;
}

int64_t lp_portable_packed_bytes(enum lp_dtype type, int64_t N, int64_t K) {
    const struct lp_block_format *f = format_of(type);
    int64_t bytes;
    if (!f || N < 1 || K < 1 || K % f->columns ||
        __builtin_mul_overflow(panels_of(N), blocks_of(f, K), &bytes) ||
        __builtin_mul_overflow(bytes, (int64_t)ROWS * f->bytes, &bytes))
        return 0;
    return bytes;
}

/* Between one row's block and its place in a panel's block. */
static void put_row(uint8_t *restrict panel, const uint8_t *restrict block, const struct lp_block_format *f,
                    int row) {
    for (const struct lp_block_field *e = f->field; e < f->field + LP_BLOCK_FIELDS && e->bytes; e++) {
        for (int i = 0; i < e->bytes; i += e->unit)
            memcpy(panel + i * ROWS + row * e->unit, block + e->at + i, (size_t)e->unit);
        panel += e->bytes * ROWS;
    }
}

static void get_row(uint8_t *restrict block, const uint8_t *restrict panel, const struct lp_block_format *f,
                    int row) {
    for (const struct lp_block_field *e = f->field; e < f->field + LP_BLOCK_FIELDS && e->bytes; e++) {
        for (int i = 0; i < e->bytes; i += e->unit)
            memcpy(block + e->at + i, panel + i * ROWS + row * e->unit, (size_t)e->unit);
        panel += e->bytes * ROWS;
    }
}

void lp_portable_pack(void *packed, const void *w, enum lp_dtype type, int64_t N, int64_t K) {
    const struct lp_block_format *f = format_of(type);
    int64_t blocks = blocks_of(f, K), panels = panels_of(N), panel_block = (int64_t)ROWS * f->bytes;
    static const uint8_t zeros[LP_BLOCK_BYTES_MOST];
#pragma omp parallel for if (N * K >= LP_PARALLEL_WORK)
    for (int64_t p = 0; p < panels; p++)
        for (int64_t b = 0; b < blocks; b++)
            for (int row = 0; row < ROWS; row++) {
                int64_t n = p * ROWS + row;
                const uint8_t *block = n < N ? (const uint8_t *)w + (n * blocks + b) * f->bytes : zeros;
                put_row((uint8_t *)packed + (p * blocks + b) * panel_block, block, f, row);
            }
}

static void split_row(struct lp_block *out, const struct lp_packed *w, const struct lp_block_format *f,
                      int64_t n, int64_t b) {
    uint8_t block[LP_BLOCK_BYTES_MOST];
    int64_t at = n / ROWS * blocks_of(f, w->K) + b;
    get_row(block, (const uint8_t *)w->data + at * ROWS * f->bytes, f, (int)(n % ROWS));
    lp_block_split(out, block, w->type);
}

void lp_portable_gather_packed(float *y, const struct lp_packed *table, const int32_t *id, int64_t n) {
    const struct lp_block_format *f = format_of(table->type);
    int64_t K = table->K, blocks = blocks_of(f, K), at_panel = (int64_t)ROWS * f->bytes;
#pragma omp parallel for if (n * K >= 4 * LP_PARALLEL_WORK)
    for (int64_t i = 0; i < n; i++)
        for (int64_t b = 0; b < blocks; b++) {
            uint8_t block[LP_BLOCK_BYTES_MOST];
            const uint8_t *panel = (const uint8_t *)table->data + (id[i] / ROWS * blocks + b) * at_panel;
            get_row(block, panel, f, (int)(id[i] % ROWS));
            lp_portable_to_f32(y + i * K + b * f->columns, block, table->type, f->columns);
        }
}

/* One group's share of a product. */
static float group_product(const struct lp_block *w, const int8_t *x, float scale, int group, int size) {
    int dot = 0, sum = 0;
    for (int i = 0; i < size; i++) {
        dot += x[i] * w->code[group * size + i];
        sum += x[i];
    }
    return scale * (w->scale[group] * (float)dot - w->min[group] * (float)sum);
}

/* y[M, rows] += block b of all rows of x times that of rows n.. */
static void add_block(float *y, const float *x, const struct lp_packed *w, const struct lp_block_format *f,
                      int64_t n, int rows, int64_t b, int64_t M) {
    struct lp_block block[ROWS];
    for (int row = 0; row < rows; row++)
        split_row(&block[row], w, f, n + row, b);
    for (int64_t m = 0; m < M; m++)
        for (int g = 0; g < f->columns / f->group; g++) {
            int8_t code[LP_BLOCK_MOST];
            float scale = lp_activation_codes(code, x + m * w->K + b * f->columns + g * f->group, f->group);
            for (int row = 0; row < rows; row++)
                y[m * w->N + n + row] += group_product(&block[row], code, scale, g, f->group);
        }
}

static void multiply(const struct lp_product *p, const float *x, int64_t M) {
    const struct lp_packed *w = &p->w;
    const struct lp_block_format *f = lp_block_format(w->type);
    int64_t N = w->N;
#pragma omp parallel for if (M * N * w->K >= LP_PARALLEL_WORK)
    for (int64_t n = 0; n < N; n += ROWS) {
        int rows = N - n < ROWS ? (int)(N - n) : ROWS;
        for (int64_t m = 0; m < M; m++)
            for (int row = 0; row < rows; row++)
                p->y[m * N + n + row] = p->bias ? p->bias[n + row] : 0;
        for (int64_t b = 0; b < blocks_of(f, w->K); b++)
            add_block(p->y, x, w, f, n, rows, b, M);
    }
}

void lp_portable_matmul_packed(const struct lp_product *p, int count, const float *x, int64_t M) {
    for (int i = 0; i < count; i++)
        multiply(&p[i], x, M);
}

/* Of a panel [K][16] with one row of x. */
static void multiply_half(float sum[ROWS], const uint8_t *panel, const float *x, int64_t K) {
    memset(sum, 0, ROWS * sizeof *sum);
    for (int64_t k = 0; k < K; k++)
        for (int row = 0; row < ROWS; row++) {
            uint16_t half;
            memcpy(&half, panel + (k * ROWS + row) * (int64_t)sizeof half, sizeof half);
            sum[row] += x[k] * lp_f16_to_f32(half);
        }
}

void lp_portable_matmul_packed_half(const struct lp_product *p, int count, const float *x, int64_t M) {
    for (int i = 0; i < count; i++, p++) {
        int64_t N = p->w.N, K = p->w.K;
#pragma omp parallel for if (M * N * K >= LP_PARALLEL_WORK)
        for (int64_t n = 0; n < N; n += ROWS)
            for (int64_t m = 0; m < M; m++) {
                float sum[ROWS];
                multiply_half(sum, (const uint8_t *)p->w.data + n * K * (int64_t)sizeof(uint16_t), x + m * K, K);
                for (int row = 0; row < ROWS && n + row < N; row++)
                    p->y[m * N + n + row] = sum[row] + (p->bias ? p->bias[n + row] : 0);
            }
    }
}
