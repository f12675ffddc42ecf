/* SPDX-License-Identifier: MIT */
/* data/pictures.c - the pool of simple pictures: told, then drawn, by the same random numbers. */
#include "data/pictures.h"

#include "base/file.h"
#include "base/rng.h"
#include "data/things.h"
#include "image/draw_text.h"
#include "image/image.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIDE = 224 };

static const struct {
    const char *name;
    uint8_t rgb[3];
} colors[] = {{"red", {214, 40, 40}},    {"green", {46, 150, 60}},   {"blue", {40, 84, 204}},
              {"yellow", {244, 208, 40}}, {"orange", {244, 132, 32}}, {"purple", {128, 52, 160}},
              {"pink", {248, 140, 184}},  {"black", {20, 20, 24}},    {"white", {248, 248, 246}},
              {"brown", {124, 76, 40}},   {"grey", {136, 138, 142}}};
static const char *const kinds[] = {"circle", "square", "triangle"};

enum { COLORS = sizeof colors / sizeof *colors, KINDS = sizeof kinds / sizeof *kinds };

static void seed(struct lp_rng *rng, int number, int part) {
    lp_rng_seed(rng, 0x9e1c7005u + 2 * (uint64_t)number + (uint64_t)part);
}

void lp_picture_describe(struct lp_picture *p, int number) {
    struct lp_rng rng;
    seed(&rng, number, 0);
    *p = (struct lp_picture){0};
    snprintf(p->name, sizeof p->name, "%04d.jpg", number);
    uint32_t color = lp_rng_below(&rng, COLORS), kind = lp_rng_below(&rng, KINDS);
    if (lp_rng_below(&rng, 4))
        p->background = colors[color].name;
    p->shapes = 1 + (int)lp_rng_below(&rng, LP_PICTURE_SHAPES);
    for (int i = 0; i < p->shapes; i++) {
        struct lp_picture_shape *shape = &p->shape[i];
        color = (color + 1 + lp_rng_below(&rng, 3)) % COLORS; /* at most 9 on: never the background's again */
        shape->color = colors[color].name;
        shape->kind = kinds[(kind + (uint32_t)i) % KINDS];
        shape->size = 0.09f + 0.07f * lp_rng_float(&rng);
        shape->x = 0.17f + 0.33f * (float)i + 0.04f * lp_rng_float(&rng);
        shape->y = 0.2f + 0.4f * lp_rng_float(&rng);
    }
    if (lp_rng_below(&rng, 2) == 0) {
        struct lp_str word = {0};
        lp_things_word(&rng, &word);
        snprintf(p->word, sizeof p->word, "%.12s", lp_str_text(&word));
        lp_str_done(&word);
    }
}

static const uint8_t *rgb_of(const char *name) {
    for (size_t i = 0; i < COLORS; i++)
        if (!strcmp(colors[i].name, name))
            return colors[i].rgb;
    return colors[0].rgb;
}

/* A flat colour with a slight gradient, or coloured noise in blocks. */
static void draw_background(struct lp_image *image, const struct lp_picture *p, struct lp_rng *rng) {
    float slope = 24 * (lp_rng_float(rng) - 0.5f);
    int block = 1 << lp_rng_below(rng, 5);
    uint8_t noise[SIDE * 3];
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 3; c++) {
                if (!p->background && y % block == 0 && x % block == 0)
                    noise[3 * (x / block) + c] = (uint8_t)(90 + lp_rng_below(rng, 90));
                float v = p->background ? (float)rgb_of(p->background)[c] + slope * (float)y / SIDE
                                        : (float)noise[3 * (x / block) + c];
                image->pixel[3 * (SIDE * y + x) + c] = (uint8_t)fminf(255, fmaxf(0, v));
            }
}

static bool inside(const struct lp_picture_shape *s, float x, float y) {
    float dx = (x - s->x) / s->size, dy = (y - s->y) / s->size;
    if (s->kind == kinds[0])
        return dx * dx + dy * dy <= 1;
    if (s->kind == kinds[1])
        return fabsf(dx) <= 0.9f && fabsf(dy) <= 0.9f;
    return dy >= -1 && dy <= 1 && fabsf(dx) <= (dy + 1) / 2;
}

static void draw_shape(struct lp_image *image, const struct lp_picture_shape *s) {
    const uint8_t *rgb = rgb_of(s->color);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            if (inside(s, ((float)x + 0.5f) / SIDE, ((float)y + 0.5f) / SIDE))
                memcpy(image->pixel + 3 * (SIDE * y + x), rgb, 3);
}

/* The word near the lower edge, black or white, whichever shows better. */
static bool draw_word(struct lp_image *image, const struct lp_picture *p, struct lp_error *err) {
    struct lp_draw_text text;
    if (!lp_draw_text_make(&text, p->word, 18, SIDE - 16, err))
        return false;
    const uint8_t *under = image->pixel + 3 * (SIDE * (SIDE - 30) + 20);
    int ink = under[0] + under[1] + under[2] > 384 ? 0 : 255;
    for (int y = 0; y < text.height && y < 40; y++)
        for (int x = 0; x < text.width && x < SIDE - 16; x++)
            for (int c = 0; c < 3; c++) {
                uint8_t *to = image->pixel + 3 * (SIDE * (SIDE - 42 + y) + 12 + x) + c;
                int alpha = text.alpha[text.width * y + x];
                *to = (uint8_t)((*to * (255 - alpha) + ink * alpha) / 255);
            }
    lp_draw_text_done(&text);
    return true;
}

static bool save_one(const char *folder, int number, struct lp_error *err) {
    struct lp_picture p;
    struct lp_rng rng;
    char path[PATH_MAX];
    lp_picture_describe(&p, number);
    seed(&rng, number, 1);
    struct lp_image *image = lp_image_new(SIDE, SIDE, err);
    bool ok = image && lp_file_join(path, sizeof path, folder, p.name, err);
    if (ok) {
        draw_background(image, &p, &rng);
        for (int i = 0; i < p.shapes; i++)
            draw_shape(image, &p.shape[i]);
    }
    ok = ok && (!p.word[0] || draw_word(image, &p, err)) && lp_image_save(image, path, err);
    lp_image_close(image);
    return ok;
}

bool lp_pictures_save(const char *folder, struct lp_error *err) {
    bool ok = lp_file_make_folder(folder, err);
    for (int i = 0; ok && i < LP_PICTURES; i++)
        ok = save_one(folder, i, err);
    return ok;
}
