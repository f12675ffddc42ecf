/* SPDX-License-Identifier: MIT */
/* model/grounding_dino_picture.c - a picture on its way to the encoder.
 *   picture --shortest side to 800 px, longest to 1333 at most, Pillow's bilinear--> pixels [3,h,w]
 *     --Swin--> maps of strides 8, 16, 32, and one or more from the last by convolutions of stride 2
 *     --1x1 convolutions, group norms--> [places,C] of all maps
 * Sizes are those of transformers' models/grounding_dino/image_processing_grounding_dino.py. */
#include "model/grounding_dino_model.h"

#include <math.h>
#include <string.h>

enum { GROUPS = 32 };

bool lp_dino_fit(const struct lp_grounding_dino *m, int width, int height, int *scaled_width,
                 int *scaled_height, struct lp_error *err) {
    double shortest = width < height ? width : height, longest = width < height ? height : width;
    double size = (double)m->shortest_px;
    if (longest / shortest * size > (double)m->longest_px)
        size = (double)m->longest_px * shortest / longest;
    int small = (int)nearbyint(size); /* half to even, as Python rounds */
    *scaled_width = width < height ? small : (int)(size * width / height);
    *scaled_height = width < height ? (int)(size * height / width) : small;
    if ((width <= height ? width : height) == small) {
        *scaled_width = width;
        *scaled_height = height;
    }
    return (*scaled_width > 0 && *scaled_height > 0) ||
           lp_error_set(err, LP_EINPUT, "a picture of %d x %d px is too long and thin to be seen at %ld px",
                        width, height, (long)m->longest_px);
}

bool lp_dino_prepare(const struct lp_grounding_dino *m, const struct lp_image *image, int scaled_width,
                     int scaled_height, float *pixels, struct lp_error *err) {
    struct lp_image *seen = lp_resize(image, scaled_width, scaled_height, m->preprocess.filter, err);
    if (seen)
        lp_preprocess_normalize(&m->preprocess, seen->pixel, (size_t)scaled_width * (size_t)scaled_height,
                                pixels);
    lp_image_close(seen);
    return seen != NULL;
}

/* Swin's maps that are wanted, then those that follow from the last: where each comes from, and how all lie.
 */
static void lay_out(const struct lp_swin_level *level, int64_t stages, int64_t levels,
                    struct lp_dino_maps *maps, const struct lp_swin_level *from[LP_DINO_LEVELS]) {
    *maps = (struct lp_dino_maps){0};
    for (int64_t i = 0; i < stages; i++)
        if (level[i].x) {
            from[maps->count] = &level[i];
            maps->map[maps->count].H = level[i].H;
            maps->map[maps->count++].W = level[i].W;
        }
    for (; maps->count < levels; maps->count++) {
        from[maps->count] = NULL;
        maps->map[maps->count].H = (maps->map[maps->count - 1].H + 1) / 2;
        maps->map[maps->count].W = (maps->map[maps->count - 1].W + 1) / 2;
    }
    for (int64_t i = 0; i < levels; i++)
        maps->places += maps->map[i].H * maps->map[i].W;
}

/* Map i before its norm: from a map of Swin's, or from the one before, which is Swin's last for the first of
 * these. */
static lp_tensor *project(lp_run *r, const struct lp_grounding_dino *m, int64_t i,
                          const struct lp_dino_maps *maps, const struct lp_swin_level *const from[],
                          lp_tensor *before) {
    if (from[i])
        return lp_linear(r, &m->project[i], from[i]->x);
    struct lp_conv_settings halve = {
        .height = maps->map[i - 1].H, .width = maps->map[i - 1].W, .kernel = 3, .stride = 2, .padding = 1};
    return lp_linear(r, &m->project[i], lp_unfold(r, from[i - 1] ? from[i - 1]->x : before, &halve));
}

lp_tensor *lp_dino_see(lp_run *r, const struct lp_grounding_dino *m, lp_tensor *pixels,
                       struct lp_dino_maps *maps) {
    struct lp_swin_level level[LP_SWIN_MOST_STAGES];
    const struct lp_swin_level *from[LP_DINO_LEVELS];
    int64_t C = m->config.channels;
    lp_mark start = lp_here(r);
    if (!lp_swin_levels(r, &m->backbone, pixels, level))
        return NULL;
    lay_out(level, m->config.backbone.stages, m->config.levels, maps, from);
    lp_tensor *y = lp_new(r, 2, maps->places, C);
    lp_tensor part = {.type = LP_F32, .ndim = 2, .dim = {0, C}, .data = lp_f32(y)};
    for (int64_t i = 0; i < maps->count && y; i++) {
        lp_mark mark = lp_here(r);
        lp_tensor *x = project(r, m, i, maps, from, &part);
        x = lp_group_norm(r, x, m->project_norm[i].w, m->project_norm[i].b, GROUPS, m->project_norm[i].eps);
        part.data = (float *)part.data + part.dim[0] * C;
        part.dim[0] = maps->map[i].H * maps->map[i].W;
        if (x)
            memcpy(part.data, lp_f32(x), sizeof(float) * (size_t)(part.dim[0] * C));
        lp_back_to(r, mark);
    }
    return lp_keep(r, start, r->error.code ? NULL : y);
}

void lp_dino_periods(float *period, int64_t C, double temperature) {
    for (int64_t i = 0; i < C; i++)
        period[i] = (float)pow(temperature, (double)(i / 2 * 2) / (double)C);
}

void lp_dino_wave(float *to, float x, const float *period, int64_t C) {
    float turns = x * 6.28318531f;
    for (int64_t i = 0; i < C; i++)
        to[i] = i % 2 ? cosf(turns / period[i]) : sinf(turns / period[i]);
}

/* Codes of the rows or columns of a map [n,C]: these count from 1, the last is one turn. */
static void code_line(float *to, int64_t n, const float *period, int64_t C) {
    for (int64_t i = 0; i < n; i++)
        lp_dino_wave(to + i * C, (float)(i + 1) / ((float)n + 1e-6f), period, C);
}

lp_tensor *lp_dino_place_codes(lp_run *r, const struct lp_grounding_dino *m,
                               const struct lp_dino_maps *maps) {
    int64_t C = m->config.channels, half = C / 2;
    lp_tensor *y = lp_enter(r, "place_codes") ? lp_new(r, 2, maps->places, C) : NULL;
    lp_mark mark = lp_here(r);
    float *out = lp_f32(y), *period = y ? lp_run_alloc(r, sizeof(float) * (size_t)half) : NULL;
    if (!period)
        return NULL;
    lp_dino_periods(period, half, m->config.temperature);
    for (int64_t i = 0; i < maps->count; i++) {
        int64_t H = maps->map[i].H, W = maps->map[i].W;
        const float *level = lp_f32(m->level_code) + i * C;
        float *row = lp_run_alloc(r, sizeof(float) * (size_t)(H * half)),
              *column = row ? lp_run_alloc(r, sizeof(float) * (size_t)(W * half)) : NULL;
        if (!column)
            return NULL;
        code_line(row, H, period, half);
        code_line(column, W, period, half);
        for (int64_t at = 0; at < H * W; at++)
            for (int64_t c = 0; c < half; c++) {
                out[at * C + c] = row[at / W * half + c] + level[c];
                out[at * C + half + c] = column[at % W * half + c] + level[half + c];
            }
        out += H * W * C;
    }
    lp_back_to(r, mark);
    return y;
}

lp_tensor *lp_dino_middles(lp_run *r, const struct lp_dino_maps *maps) {
    lp_tensor *y = lp_enter(r, "middles") ? lp_new(r, 2, maps->places, (int64_t)2) : NULL;
    float *out = lp_f32(y);
    for (int64_t i = 0; i < maps->count && y; i++)
        for (int64_t at = 0; at < maps->map[i].H * maps->map[i].W; at++) {
            *out++ = ((float)(at % maps->map[i].W) + 0.5f) / (float)maps->map[i].W;
            *out++ = ((float)(at / maps->map[i].W) + 0.5f) / (float)maps->map[i].H;
        }
    return y;
}
