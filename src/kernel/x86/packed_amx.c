/* SPDX-License-Identifier: MIT */
/* packed_amx.c - many rows of x with packed weights (struct lp_packed) by TDPBF16PS. The weights of some
 * panels are turned into pairs of bf16 once, to a slab, which stays in the cache while all rows of x pass;
 * fewer rows are left to the table before, as they are bound by memory.
 *
 * Numbers are the sum of their parts, each of which is a bf16: blocks and their x are rounded to one part;
 * float16 is two, exactly, and its x two, of together 16 bits. A step of K is 16 pairs: of x [part][row][16],
 * of a panel [part][16][row]. */
#include "kernel/x86/ivec_avx512_vnni.h"

#include "kernel/x86/pairs_avx512_bf16.h"

#include "kernel/vector/packed_unpack.h"

#include "kernel/parts.h"
#include "kernel/scratch.h"
#include "kernel/vector/panels.h"
#include "kernel/x86/amx.h"
#include "kernel/x86/x86.h"

/* MANY_ROWS: from so many rows of x on; AHEAD: bytes by which memory is asked for weights. */
enum { MANY_ROWS = 32, HALF_PARTS = 2, AHEAD = 4096 };
enum { STEP = 2 * AMX_ROWS, STEP_FLOATS = AMX_ROWS * LANES, TILE_HEIGHT = 2 * AMX_ROWS };
/* A slab is of at most so many numbers of so many rows of w, fewer where a number is two parts. It and x, of
 * up to CACHED_X floats, lie in the second-level cache; an x that does not is read less often with a slab
 * twice as wide. */
enum { SLAB_K = 64 * STEP, SLAB_COLUMNS = 8 * LP_PANEL_ROWS, CACHED_X = 1 << 18 };

static void (*few_of_blocks)(const struct lp_product *, int, const float *, int64_t);
static void (*few_of_halves)(const struct lp_product *, int, const float *, int64_t);

struct job {
    float *x; /* panels of TILE_HEIGHT rows or, the last one, of half as many */
    int64_t M, K, steps;
    int parts;
    int64_t columns; /* of y in one slab, at most */
};

/* Numbers without the bits that bf16 has no room for. */
ALWAYS_INLINE vec top_of(vec a) {
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32((int)0xffff0000)));
}

ALWAYS_INLINE vec low_to_top(vec a) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a), 16));
}

/* pair_of without rounding. */
ALWAYS_INLINE vec pair_of_tops(vec a, vec b) {
    __m512i low = _mm512_srli_epi32(_mm512_castps_si512(a), 16);
    return _mm512_castsi512_ps(_mm512_mask_blend_epi16(0xaaaaaaaa, low, _mm512_castps_si512(b)));
}

/* Rows of x become panels, by all threads of the team. Numbers past K are zeros. */
static void split_rows(const struct job *j, const float *x) {
    const ivec evens = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const ivec odds = _mm512_or_si512(evens, _mm512_set1_epi32(1));
#pragma omp for schedule(static)
    for (int64_t m = 0; m < j->M; m++) {
        int64_t m0 = m / TILE_HEIGHT * TILE_HEIGHT, height = j->M - m0 > AMX_ROWS ? TILE_HEIGHT : AMX_ROWS;
        float *out = j->x + (m0 * j->steps * j->parts + m - m0) * AMX_ROWS;
        for (int64_t k = 0; k < j->K; k += STEP) {
            const float *from = x + m * j->K + k;
            int64_t left = least(j->K - k, LANES), right = least(j->K - k - left, LANES);
            vec a = vec_load_n(from, left), b = vec_load_n(from + LANES, right);
            vec even = _mm512_permutex2var_ps(a, evens, b), odd = _mm512_permutex2var_ps(a, odds, b);
            for (int i = 0; i < j->parts; i++, out += height * AMX_ROWS) {
                vec pair = pair_of(even, odd);
                vec_store(out, pair);
                even -= low_to_top(pair);
                odd -= top_of(pair);
            }
        }
    }
}

/* A code added to a power of two, as a float: its bits are put among that number's. */
ALWAYS_INLINE float code_base(enum lp_dtype type) {
    return type == LP_Q8_0 ? 0x1p15f : 0x1p7f;
}

/* The codes that are byte n of each lane, which are unsigned: eight bits of LP_Q8_0, at most seven of the
 * others. */
ALWAYS_INLINE vec based_code(enum lp_dtype type, ivec codes, int n) {
    const ivec first = _mm512_set4_epi32(0x0c0c0c0c, 0x08080808, 0x04040404, 0);
    __mmask64 place = type == LP_Q8_0 ? 0x2222222222222222 : 0x4444444444444444;
    return _mm512_castsi512_ps(_mm512_mask_shuffle_epi8(_mm512_castps_si512(vec_set(code_base(type))), place,
                                                        codes,
                                                        _mm512_add_epi8(first, _mm512_set1_epi8((char)n))));
}

/* To the second-level cache: the first has too few buffers to wait for memory and to take the slab's lines at
 * once. */
ALWAYS_INLINE void expect_weights(const uint8_t *w, int64_t bytes) {
    for (int64_t i = 0; i < bytes; i += 64)
        __builtin_prefetch(w + AHEAD + i, 0, 2);
}

/* K numbers of each row of a panel. */
ALWAYS_INLINE void unpack_blocks(enum lp_dtype type, float *slab, const uint8_t *block, int64_t K) {
    int64_t columns = columns_of(type), bytes = LP_PANEL_ROWS * lp_dtype_row_bytes(type, columns);
    for (int64_t k = 0; k < K; k += columns, block += bytes) {
        struct block_scales s;
        load_scales(type, &s, block);
        for (int run = 0; run < runs_of(type); run++) {
            vec d[2], start[2];
            expect_weights(block + run * bytes / runs_of(type), bytes / runs_of(type));
            for (int c = 0; c < halves_of(type); c++) {
                d[c] = group_scale(type, &s, run_group(type, run, c), 0);
                start[c] = d[c] * vec_set(-code_base(type) - (float)zero_of(type));
                if (type == LP_Q4_K)
                    start[c] -= group_min(&s, run_group(type, run, c), 0);
            }
            for (int step = 0; step < steps_of(type); step++) {
                ivec code[2];
                unpack_codes(type, code, block, run, step, 0);
                for (int c = 0; c < halves_of(type); c++) {
                    int64_t at = k + run_group(type, run, c) * group_of(type) + 4 * run_place(type, step, c);
                    vec f[4];
                    for (int n = 0; n < 4; n++)
                        f[n] = vec_fma(based_code(type, code[c], n), d[c], start[c]);
                    vec_store(slab + at / 2 * LANES, pair_of(f[0], f[1]));
                    vec_store(slab + at / 2 * LANES + LANES, pair_of(f[2], f[3]));
                }
            }
        }
    }
}

/* The same of float16, whose 11 bits are those of the top and at most three that follow. Pairs past K are
 * zeros. */
static void unpack_halves(float *slab, const uint16_t *w, int64_t K) {
    for (int64_t u = 0; u < ceil_div(K, STEP) * AMX_ROWS; u++, w += 2 * LP_PANEL_ROWS) {
        float *out = slab + (u / AMX_ROWS * HALF_PARTS * AMX_ROWS + u % AMX_ROWS) * LANES;
        vec a = 2 * u < K ? vec_load_f16(w) : vec_set(0);
        vec b = 2 * u + 1 < K ? vec_load_f16(w + LP_PANEL_ROWS) : vec_set(0);
        expect_weights((const uint8_t *)w, 4 * LP_PANEL_ROWS);
        vec_store(out, pair_of_tops(a, b));
        vec_store(out + STEP_FLOATS, pair_of_tops(a - top_of(a), b - top_of(b)));
    }
}

/* Numbers k0.. of the 16 rows of w from n on. */
static void unpack(float *slab, const struct lp_packed *w, int64_t n, int64_t k0, int64_t K) {
    int64_t at = n * lp_dtype_row_bytes(w->type, w->K) + LP_PANEL_ROWS * lp_dtype_row_bytes(w->type, k0);
    const uint8_t *from = (const uint8_t *)w->data + at;
    switch (w->type) {
    case LP_Q8_0:
        unpack_blocks(LP_Q8_0, slab, from, K);
        break;
    case LP_Q4_0:
        unpack_blocks(LP_Q4_0, slab, from, K);
        break;
    case LP_Q4_K:
        unpack_blocks(LP_Q4_K, slab, from, K);
        break;
    case LP_Q6_K:
        unpack_blocks(LP_Q6_K, slab, from, K);
        break;
    default:
        unpack_halves(slab, (const uint16_t *)(const void *)from, K);
        break;
    }
}

/* The products of both numbers' last parts are left out: they are too small. */
ALWAYS_INLINE void multiply_steps(int64_t height, const float *x, const float *w, int64_t right,
                                  int64_t steps, int parts) {
    int64_t x_part = height * AMX_ROWS;
    amx_zero_sums();
    for (int64_t s = 0; s < steps; s++, x += x_part * parts, w += STEP_FLOATS * parts)
        for (int i = 0; i < parts; i++)
            for (int k = 0; i + k < parts; k++) {
                const float *a = x + i * x_part, *c = w + k * STEP_FLOATS;
                if (height > AMX_ROWS)
                    amx_multiply_four(a, a + STEP_FLOATS, AMX_ROWS, c, c + right, LANES);
                else
                    amx_multiply_two(a, AMX_ROWS, c, c + right, LANES);
            }
}

/* Rows m.. of x with two panels of w, which are rows n.. of it, and whose numbers k0.. are in the slab. */
static void multiply_tile(const struct job *j, const struct lp_product *p, int64_t m, int64_t n,
                          const float *slab, int64_t k0, int64_t steps) {
    _Alignas(64) float sum[TILE_HEIGHT][TILE_COLUMNS];
    int64_t N = p->w.N, rows = least(j->M - m, TILE_HEIGHT), right = steps * STEP_FLOATS * j->parts;
    bool both = rows > AMX_ROWS;
    const float *x =
        j->x + (m * j->steps + k0 / STEP * (both ? TILE_HEIGHT : AMX_ROWS)) * AMX_ROWS * j->parts;
    float *y = p->y + m * N + n;
    struct tile t = {
        .columns = (int)least(N - n, TILE_COLUMNS), .add = k0 > 0, .bias = p->bias ? p->bias + n : NULL};
    expect_tile(y, N, (int)rows);
    if (both)
        multiply_steps(TILE_HEIGHT, x, slab, right, steps, j->parts);
    else
        multiply_steps(AMX_ROWS, x, slab, right, steps, j->parts);
    amx_store_sums(sum[0], TILE_COLUMNS, both);
    for (int64_t i = 0; i < rows; i++)
        finish_row(&t, y + i * N, vec_load(sum[i]), vec_load(sum[i] + LANES));
}

/* Columns n0..n1 of y. */
static void multiply_columns(const struct job *j, const struct lp_product *p, int64_t n0, int64_t n1,
                             float *slab) {
    for (int64_t k0 = 0; k0 < j->K; k0 += SLAB_K) {
        int64_t K = least(j->K - k0, SLAB_K), steps = ceil_div(K, STEP), row = steps * AMX_ROWS * j->parts;
        for (int64_t n = n0; n < n1; n += LP_PANEL_ROWS)
            unpack(slab + (n - n0) * row, &p->w, n, k0, K);
        for (int64_t m = 0; m < j->M; m += TILE_HEIGHT)
            for (int64_t n = n0; n < n1; n += TILE_COLUMNS)
                multiply_tile(j, p, m, n, slab + (n - n0) * row, k0, steps);
    }
}

/* By all threads of the team. Small matrices are cut finer, so that each thread gets some. */
static void multiply_product(const struct job *j, const struct lp_product *p, float *slab) {
    int64_t N = p->w.N, share = ceil_div(N, 2 * omp_get_num_threads() * TILE_COLUMNS) * TILE_COLUMNS;
    int64_t columns = least(j->columns, share);
#pragma omp for schedule(dynamic) nowait
    for (int64_t n = 0; n < N; n += columns)
        multiply_columns(j, p, n, least(n + columns, N), slab);
}

/* False, and nothing done, when memory is lacking. */
static bool multiply(const struct lp_product *p, int count, const float *x, int64_t M, int parts) {
    struct job j = {.M = M, .K = p->w.K, .steps = ceil_div(p->w.K, STEP), .parts = parts};
    int64_t work = 0, x_size = ceil_div(M, AMX_ROWS) * AMX_ROWS * j.steps * AMX_ROWS * parts;
    for (int i = 0; i < count; i++)
        work += M * p[i].w.N * j.K;
    j.columns = (x_size > CACHED_X ? 2 : 1) * SLAB_COLUMNS / parts;
    int threads = work >= PACKED_PARALLEL_WORK ? omp_get_max_threads() : 1;
    int64_t slab_size = j.columns * parts * SLAB_K / 2;
    float *slabs = lp_scratch((size_t)(slab_size * threads + x_size));
    if (!slabs)
        return false;
    j.x = slabs + slab_size * threads;
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        amx_begin();
        split_rows(&j, x);
        for (int i = 0; i < count; i++)
            multiply_product(&j, &p[i], slabs + slab_size * omp_get_thread_num());
    }
    return true;
}

static void matmul_packed(const struct lp_product *p, int count, const float *x, int64_t M) {
    if (M < MANY_ROWS || !multiply(p, count, x, M, 1))
        few_of_blocks(p, count, x, M);
}

static void matmul_packed_half(const struct lp_product *p, int count, const float *x, int64_t M) {
    if (M < MANY_ROWS || !multiply(p, count, x, M, HALF_PARTS))
        few_of_halves(p, count, x, M);
}

void lp_amx_put_packed(struct lp_kernels *table) {
    few_of_blocks = table->matmul_packed;
    few_of_halves = table->matmul_packed_half;
    table->matmul_packed = matmul_packed;
    table->matmul_packed_half = matmul_packed_half;
}
