/* SPDX-License-Identifier: MIT */
/* image/resize.c - Pillow's convolution resize in 8 bits, bit for bit.
 *
 * Per axis, output i looks at the inputs around c = (i + 0.5) * in / out; its weights are the filter's,
 * stretched when shrinking, normalised to 1 and rounded to 22 fractional bits. Columns first, rows second,
 * each result rounded and clipped to 8 bits (Pillow, "Concepts: filters"; checked against Pillow by
 * tests/image/test_resize.c).
 *
 * Speed: a weight w is held as two 16-bit numbers, w = 2048 high + low, so that the sum over a row of 16-bit
 * samples is two plain dot products, which compilers turn into the multiply-add instructions every CPU has.
 */
#include "image/resize.h"

#include "base/memory.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#define BITS 22
#define LOW_BITS 11
#define BLOCK 2048       /* taps summed before a 32-bit sum could overflow */
#define STEP 8           /* taps come in multiples of it, the last ones with weight 0 */
#define PARALLEL 1000000 /* multiplications that pay for starting threads */

static double bilinear(double x) {
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

static double bicubic(double x) { /* Keys 1981, a = -0.5 */
    const double a = -0.5;
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double sinc(double x) {
    x *= M_PI;
    return x == 0 ? 1 : sin(x) / x;
}

static double lanczos(double x) {
    return -3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

static const struct {
    double (*weight)(double x);
    double support;
} filters[] = {[LP_BILINEAR] = {bilinear, 1}, [LP_BICUBIC] = {bicubic, 2}, [LP_LANCZOS] = {lanczos, 3}};

/* The weights of n outputs of one axis of the canvas. Those of the picture's own samples are kept one by one;
 * what lies outside has one colour, so that the sum of its weights is enough. */
struct axis {
    int n;
    int stride;          /* taps an output has room for, a multiple of STEP */
    int *first;          /* [n] first sample of the picture it looks at */
    int *count;          /* [n] how many */
    int16_t *high, *low; /* [n,stride] */
    int32_t *outside;    /* [n] sum of the weights outside the picture */
    int32_t *total;      /* [n] sum of all weights */
    int from, to;        /* samples of the picture that any output looks at */
};

/* Where along one axis the picture lies and what part is wanted of the result. */
struct span {
    int canvas, offset, extent; /* the picture is canvas[offset, offset + extent) */
    int64_t result, at;         /* the canvas becomes `result` long; n outputs from `at` on */
    int n;
};

static void axis_done(struct axis *a) {
    lp_free(a->first);
    lp_free(a->count);
    lp_free(a->high);
    lp_free(a->low);
    lp_free(a->outside);
    lp_free(a->total);
}

/* Fills output i's weights; scratch has room for all taps of one output. */
static void axis_set(struct axis *a, int i, const struct span *s, enum lp_filter filter, double *scratch) {
    double scale = (double)s->canvas / (double)s->result, stretch = scale > 1 ? scale : 1;
    double support = filters[filter].support * stretch, center = ((double)(s->at + i) + 0.5) * scale, sum = 0;
    int64_t first = (int64_t)(center - support + 0.5), end = (int64_t)(center + support + 0.5);
    first = first < 0 ? 0 : first;
    end = end > s->canvas ? s->canvas : end;
    for (int64_t t = first; t < end; t++)
        sum += scratch[t - first] = filters[filter].weight(((double)t - center + 0.5) * (1 / stretch));
    for (int64_t t = first; t < end; t++) {
        double w = (sum != 0 ? scratch[t - first] / sum : scratch[t - first]) * (1 << BITS);
        int32_t fixed = (int32_t)(w < 0 ? w - 0.5 : w + 0.5);
        a->total[i] += fixed;
        if (t < s->offset || t >= s->offset + s->extent) {
            a->outside[i] += fixed;
            continue;
        }
        if (a->count[i] == 0)
            a->first[i] = (int)(t - s->offset);
        size_t tap = (size_t)i * (size_t)a->stride + (size_t)a->count[i]++;
        a->high[tap] = (int16_t)(fixed >> LOW_BITS);
        a->low[tap] = (int16_t)(fixed & ((1 << LOW_BITS) - 1));
    }
}

static bool axis_make(struct axis *a, const struct span *s, enum lp_filter filter, struct lp_error *err) {
    double taps = ceil(filters[filter].support * fmax((double)s->canvas / (double)s->result, 1)) * 2 + 1;
    size_t all = (size_t)fmin(taps, s->canvas), n = (size_t)s->n;
    *a = (struct axis){
        .n = s->n, .stride = ((int)fmin(taps, s->extent) + STEP - 1) / STEP * STEP, .from = s->extent};
    if ((double)s->n * a->stride > LP_IMAGE_MAX_PIXELS)
        return lp_error_set(err, LP_EMEMORY, "a picture with a side of %d pixels is too long to be resized",
                            s->extent);
    double *scratch = lp_alloc_array(all, sizeof *scratch);
    a->first = lp_alloc_array(n, sizeof *a->first);
    a->count = lp_alloc_array(n, sizeof *a->count);
    a->high = lp_alloc_array(n * (size_t)a->stride, sizeof *a->high);
    a->low = lp_alloc_array(n * (size_t)a->stride, sizeof *a->low);
    a->outside = lp_alloc_array(n, sizeof *a->outside);
    a->total = lp_alloc_array(n, sizeof *a->total);
    bool ok = scratch && a->first && a->count && a->high && a->low && a->outside && a->total;
    for (int i = 0; ok && i < s->n; i++) {
        axis_set(a, i, s, filter, scratch);
        if (a->count[i] == 0)
            continue;
        a->from = a->first[i] < a->from ? a->first[i] : a->from;
        a->to = a->first[i] + a->count[i] > a->to ? a->first[i] + a->count[i] : a->to;
    }
    a->from = a->from < a->to ? a->from : a->to;
    lp_free(scratch);
    return ok || lp_error_memory(err);
}

static uint8_t round8(uint32_t sum) {
    int32_t rounded = (int32_t)(sum + (1u << (BITS - 1))) >> BITS;
    return (uint8_t)(rounded < 0 ? 0 : rounded > 255 ? 255 : rounded);
}

/* The weighted sum of n samples, n a multiple of STEP. */
static uint32_t dot(const int16_t *sample, const int16_t *high, const int16_t *low, int n) {
    uint32_t sum = 0;
    for (int from = 0; from < n; from += BLOCK) {
        int to = n - from < BLOCK ? n : from + BLOCK;
        int32_t h = 0, l = 0;
        for (int t = from; t < to; t++) {
            h += (int32_t)sample[t] * high[t];
            l += (int32_t)sample[t] * low[t];
        }
        sum += ((uint32_t)h << LOW_BITS) + (uint32_t)l;
    }
    return sum;
}

/* n pixels as three planes of 16-bit samples, `room` apart. */
static void take_row(int16_t *plane, size_t room, const uint8_t *pixel, int n) {
    int16_t *r = plane, *g = r + room, *b = g + room;
    for (int x = 0; x < n; x++, pixel += 3) {
        r[x] = pixel[0];
        g[x] = pixel[1];
        b[x] = pixel[2];
    }
}

/* First pass: the picture's rows v->from..v->to-1 -> wide[rows,n,3]. blank[n,3] is what it makes of a row
 * that lies outside the picture; plane is scratch, 3 * room for every thread. */
static void resize_columns(uint8_t *wide, const struct axis *h, const struct axis *v,
                           const struct lp_image *image, const uint8_t color[3], const uint8_t *blank,
                           int16_t *plane, size_t room) {
    int n = h->n;
    bool pays = (double)(v->to - v->from) * n * h->stride > PARALLEL;
#pragma omp parallel for schedule(static) if (pays)
    for (int y = v->from; y < v->to; y++) {
        int16_t *mine = plane + room * 3 * (size_t)omp_get_thread_num();
        uint8_t *out = wide + (size_t)(y - v->from) * (size_t)n * 3;
        take_row(mine, room, image->pixel + ((size_t)y * (size_t)image->width + (size_t)h->from) * 3,
                 h->to - h->from);
        for (int i = 0; i < n; i++) {
            size_t tap = (size_t)i * (size_t)h->stride;
            int taps = (h->count[i] + STEP - 1) / STEP * STEP, at = h->first[i] - h->from;
            if (taps == 0)
                memcpy(out, blank + 3 * i, 3);
            for (size_t c = 0; c < 3 && taps > 0; c++)
                out[c] = round8((uint32_t)h->outside[i] * color[c] +
                                dot(mine + room * c + at, h->high + tap, h->low + tap, taps));
            out += 3;
        }
    }
}

/* Second pass: wide[rows,n,3] -> pixel[v->n,n,3], in pieces that stay in the cache. */
static void resize_rows(uint8_t *pixel, const struct axis *v, const uint8_t *wide, const uint8_t *blank,
                        int n) {
    enum { PIECE = 512 };
    size_t row = (size_t)n * 3;
    bool pays = (double)v->n * (double)row * v->stride > PARALLEL;
#pragma omp parallel for schedule(static) if (pays)
    for (int i = 0; i < v->n; i++) {
        const int16_t *high = v->high + (size_t)i * (size_t)v->stride,
                      *low = v->low + (size_t)i * (size_t)v->stride;
        const uint8_t *in = wide + (v->count[i] ? (size_t)(v->first[i] - v->from) * row : 0);
        for (size_t at = 0; at < row; at += PIECE) {
            uint32_t sum[PIECE];
            size_t m = row - at < PIECE ? row - at : PIECE;
            for (size_t j = 0; j < m; j++)
                sum[j] = (uint32_t)v->outside[i] * blank[at + j];
            for (int t = 0; t < v->count[i]; t++) {
                uint32_t w = (uint32_t)high[t] * (1u << LOW_BITS) + (uint32_t)low[t];
                const uint8_t *from = in + (size_t)t * row + at;
                for (size_t j = 0; j < m; j++)
                    sum[j] += w * from[j];
            }
            for (size_t j = 0; j < m; j++)
                pixel[(size_t)i * row + at + j] = round8(sum[j]);
        }
    }
}

/* Both passes, given the weights. */
static bool resize(struct lp_image *out, const struct axis *h, const struct axis *v,
                   const struct lp_image *image, const uint8_t color[3], struct lp_error *err) {
    if ((int64_t)(v->to - v->from) * h->n > LP_IMAGE_MAX_PIXELS)
        return lp_error_set(err, LP_EMEMORY, "a picture of %d x %d pixels is too long and thin to be resized",
                            image->width, image->height);
    size_t room = (size_t)(h->to - h->from) + STEP, row = (size_t)h->n * 3;
    uint8_t *wide = lp_alloc_array((size_t)(v->to - v->from), row), *blank = lp_alloc(row);
    int16_t *plane = lp_alloc_array((size_t)omp_get_max_threads(), room * 3 * sizeof *plane);
    bool ok = wide && blank && plane;
    if (ok) {
        for (size_t i = 0; i < row; i++)
            blank[i] = round8((uint32_t)h->total[i / 3] * color[i % 3]);
        resize_columns(wide, h, v, image, color, blank, plane, room);
        resize_rows(out->pixel, v, wide, blank, h->n);
    } else {
        lp_error_memory(err);
    }
    lp_free(plane);
    lp_free(blank);
    lp_free(wide);
    return ok;
}

struct lp_image *lp_resize_part(const struct lp_image *image, const struct lp_resize_part *p,
                                enum lp_filter filter, struct lp_error *err) {
    struct lp_image *out = lp_image_new(p->part_width, p->part_height, err);
    if (!out)
        return NULL;
    struct axis h = {0}, v = {0};
    struct span across = {p->canvas_width, p->left, image->width, p->width, p->x, p->part_width};
    struct span down = {p->canvas_height, p->top, image->height, p->height, p->y, p->part_height};
    bool ok = axis_make(&h, &across, filter, err) && axis_make(&v, &down, filter, err) &&
              resize(out, &h, &v, image, p->color, err);
    axis_done(&h);
    axis_done(&v);
    if (ok)
        return out;
    lp_image_close(out);
    return NULL;
}

struct lp_image *lp_resize(const struct lp_image *image, int width, int height, enum lp_filter filter,
                           struct lp_error *err) {
    if (width == image->width && height == image->height)
        return lp_image_copy(image, err);
    struct lp_resize_part whole = {.canvas_width = image->width,
                                   .canvas_height = image->height,
                                   .width = width,
                                   .height = height,
                                   .part_width = width,
                                   .part_height = height};
    return lp_resize_part(image, &whole, filter, err);
}
