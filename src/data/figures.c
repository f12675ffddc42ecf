/* SPDX-License-Identifier: MIT */
/* data/figures.c - figures as layers of shapes, and their pixels. */
#include "data/figures.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { RECT, ROUND, OVAL, TRIANGLE, TRAPEZE };
enum { ALL = 0x7ff, RED = 1, ORANGE = 2, YELLOW = 4, GREEN = 8, BLUE = 16, PURPLE = 32, PINK = 64, WHITE = 512, GRAY = 1024 };
enum { WHITE_INDEX = 9 };

#define TONE true, {0, 0, 0}
#define PAINT(r, g, b) false, {r, g, b}

const struct lp_figure lp_figures[] = {
    {"house", "home", "building", ALL & ~GRAY, -1, {
        {"chimney", RECT, 0.4f, -0.98f, 0.64f, -0.3f, PAINT(150, 84, 62)},
        {"wall", RECT, -0.82f, -0.3f, 0.82f, 1, TONE},
        {"roof", TRIANGLE, -1, -1, 1, -0.18f, PAINT(122, 62, 48)},
        {"door", RECT, -0.2f, 0.36f, 0.2f, 1, PAINT(104, 66, 38)},
        {NULL, OVAL, 0.06f, 0.64f, 0.14f, 0.72f, PAINT(240, 200, 80)},
        {"window", RECT, -0.66f, 0.02f, -0.3f, 0.4f, PAINT(252, 252, 250)},
        {NULL, RECT, -0.61f, 0.07f, -0.5f, 0.35f, PAINT(140, 200, 240)},
        {NULL, RECT, -0.46f, 0.07f, -0.35f, 0.35f, PAINT(140, 200, 240)},
        {"window", RECT, 0.3f, 0.02f, 0.66f, 0.4f, PAINT(252, 252, 250)},
        {NULL, RECT, 0.35f, 0.07f, 0.46f, 0.35f, PAINT(140, 200, 240)},
        {NULL, RECT, 0.5f, 0.07f, 0.61f, 0.35f, PAINT(140, 200, 240)}}},
    {"tree", "", "plant", GREEN | ORANGE | YELLOW | RED | PINK, -1, {
        {"trunk", TRAPEZE, -0.2f, 0.1f, 0.2f, 1, PAINT(112, 72, 40)},
        {"foliage", OVAL, -0.62f, -1, 0.62f, 0.1f, TONE},
        {"", OVAL, -0.92f, -0.6f, 0.1f, 0.4f, TONE},
        {"", OVAL, -0.1f, -0.6f, 0.92f, 0.4f, TONE},
        {"", OVAL, -0.5f, -0.5f, 0.5f, 0.5f, TONE}}},
    {"snowman~snowmen", "", "person", RED | BLUE | GREEN | PURPLE | ORANGE, WHITE_INDEX, {
        {"body", OVAL, -0.68f, -0.12f, 0.68f, 1, PAINT(246, 249, 252)},
        {"head", OVAL, -0.44f, -0.72f, 0.44f, 0.12f, PAINT(250, 252, 255)},
        {"hat", RECT, -0.3f, -1, 0.3f, -0.58f, PAINT(34, 34, 40)},
        {"", RECT, -0.5f, -0.66f, 0.5f, -0.54f, PAINT(34, 34, 40)},
        {"scarf", ROUND, -0.42f, -0.02f, 0.42f, 0.14f, TONE},
        {"", RECT, 0.14f, 0.06f, 0.32f, 0.46f, TONE},
        {"nose", TRIANGLE, -0.08f, -0.34f, 0.08f, -0.1f, PAINT(245, 130, 25)},
        {NULL, OVAL, -0.24f, -0.44f, -0.12f, -0.32f, PAINT(30, 30, 34)},
        {NULL, OVAL, 0.12f, -0.44f, 0.24f, -0.32f, PAINT(30, 30, 34)},
        {NULL, OVAL, -0.06f, 0.3f, 0.06f, 0.42f, PAINT(30, 30, 34)},
        {NULL, OVAL, -0.06f, 0.58f, 0.06f, 0.7f, PAINT(30, 30, 34)}}},
    {"robot", "", "device", ALL & ~GRAY, -1, {
        {"antenna", RECT, -0.04f, -0.96f, 0.04f, -0.7f, PAINT(120, 124, 130)},
        {"", OVAL, -0.1f, -1, 0.1f, -0.8f, PAINT(120, 124, 130)},
        {"arm", ROUND, -0.86f, -0.08f, -0.58f, 0.56f, PAINT(150, 154, 160)},
        {"arm", ROUND, 0.58f, -0.08f, 0.86f, 0.56f, PAINT(150, 154, 160)},
        {"leg", RECT, -0.38f, 0.6f, -0.12f, 1, PAINT(110, 114, 120)},
        {"leg", RECT, 0.12f, 0.6f, 0.38f, 1, PAINT(110, 114, 120)},
        {"body", ROUND, -0.56f, -0.1f, 0.56f, 0.7f, TONE},
        {"head", ROUND, -0.46f, -0.74f, 0.46f, -0.14f, TONE},
        {NULL, OVAL, -0.3f, -0.62f, -0.06f, -0.38f, PAINT(250, 250, 250)},
        {NULL, OVAL, 0.06f, -0.62f, 0.3f, -0.38f, PAINT(250, 250, 250)},
        {NULL, OVAL, -0.23f, -0.55f, -0.13f, -0.45f, PAINT(20, 20, 24)},
        {NULL, OVAL, 0.13f, -0.55f, 0.23f, -0.45f, PAINT(20, 20, 24)},
        {NULL, RECT, -0.22f, -0.3f, 0.22f, -0.22f, PAINT(20, 20, 24)},
        {NULL, RECT, -0.3f, 0.1f, 0.3f, 0.4f, PAINT(225, 228, 232)},
        {NULL, OVAL, -0.2f, 0.18f, -0.04f, 0.32f, PAINT(210, 50, 50)},
        {NULL, OVAL, 0.04f, 0.18f, 0.2f, 0.32f, PAINT(60, 160, 80)}}},
    {"flower", "blossom", "plant", RED | ORANGE | YELLOW | BLUE | PURPLE | PINK | WHITE, -1, {
        {"stem", RECT, -0.05f, -0.1f, 0.05f, 1, PAINT(60, 140, 60)},
        {"leaf~leaves", OVAL, 0.02f, 0.5f, 0.5f, 0.72f, PAINT(76, 165, 72)},
        {"petal", OVAL, -0.24f, -1, 0.24f, -0.4f, TONE},
        {"petal", OVAL, 0.1f, -0.78f, 0.66f, -0.28f, TONE},
        {"petal", OVAL, -0.02f, -0.46f, 0.48f, 0.12f, TONE},
        {"petal", OVAL, -0.48f, -0.46f, 0.02f, 0.12f, TONE},
        {"petal", OVAL, -0.66f, -0.78f, -0.1f, -0.28f, TONE},
        {"center", OVAL, -0.22f, -0.62f, 0.22f, -0.18f, PAINT(122, 78, 34)}}},
    {"van", "minivan", "vehicle", ALL, -1, {
        {"body", ROUND, -1, -0.56f, 0.72f, 0.44f, TONE},
        {"", ROUND, 0.2f, -0.16f, 1, 0.44f, TONE},
        {"window", ROUND, -0.82f, -0.4f, -0.34f, -0.04f, PAINT(170, 214, 240)},
        {"window", ROUND, -0.22f, -0.4f, 0.22f, -0.04f, PAINT(170, 214, 240)},
        {"windshield", ROUND, 0.34f, -0.4f, 0.66f, -0.04f, PAINT(190, 226, 246)},
        {NULL, OVAL, 0.84f, 0.04f, 0.98f, 0.18f, PAINT(255, 236, 150)},
        {"wheel", OVAL, -0.74f, 0.18f, -0.26f, 0.66f, PAINT(34, 34, 38)},
        {NULL, OVAL, -0.6f, 0.32f, -0.4f, 0.52f, PAINT(180, 184, 190)},
        {"wheel", OVAL, 0.26f, 0.18f, 0.74f, 0.66f, PAINT(34, 34, 38)},
        {NULL, OVAL, 0.4f, 0.32f, 0.6f, 0.52f, PAINT(180, 184, 190)}}},
    {"lamp", "table lamp", "furniture", ALL & ~GRAY, -1, {
        {"stand", RECT, -0.07f, -0.2f, 0.07f, 0.9f, PAINT(128, 130, 134)},
        {"base", TRAPEZE, -0.46f, 0.78f, 0.46f, 1, PAINT(104, 106, 112)},
        {"shade", TRAPEZE, -0.8f, -1, 0.8f, 0.1f, TONE}}},
};
const int lp_figure_count = sizeof lp_figures / sizeof *lp_figures;

static bool inside(const struct lp_figure_layer *l, float x, float y) {
    float u = (2 * x - l->x0 - l->x1) / (l->x1 - l->x0), v = (2 * y - l->y0 - l->y1) / (l->y1 - l->y0);
    if (fabsf(u) > 1 || fabsf(v) > 1)
        return false;
    switch (l->shape) {
    case OVAL:
        return u * u + v * v <= 1;
    case ROUND: {
        float a = u * u * u, b = v * v * v;
        return a * a + b * b <= 1;
    }
    case TRIANGLE:
        return fabsf(u) <= 0.5f * (v + 1);
    case TRAPEZE:
        return fabsf(u) <= 0.725f + 0.275f * v;
    default:
        return true;
    }
}

int lp_figure_parts(const struct lp_figure *f, const struct lp_figure_layer **first) {
    int n = 0;
    for (int i = 0; i < LP_FIGURE_LAYERS && f->layer[i].x1 > f->layer[i].x0; i++)
        if (f->layer[i].part && *f->layer[i].part)
            first[n++] = &f->layer[i];
    return n;
}

/* The layer and the part in front at a place; NULL where there is none. */
static const struct lp_figure_layer *front(const struct lp_figure *f, float x, float y, int *part) {
    const struct lp_figure_layer *top = NULL;
    int n = 0;
    *part = 0;
    for (int i = 0; i < LP_FIGURE_LAYERS && f->layer[i].x1 > f->layer[i].x0; i++) {
        const struct lp_figure_layer *l = &f->layer[i];
        n += l->part && *l->part;
        if (!inside(l, x, y))
            continue;
        top = l;
        *part = l->part ? n : *part;
    }
    return top;
}

void lp_figure_draw(const struct lp_figure *f, int side, uint8_t *rgba, uint8_t *tone, uint8_t *part) {
    enum { FINE = 3 };
    for (int j = 0; j < side; j++)
        for (int i = 0; i < side; i++) {
            int sum[5] = {0}, at = j * side + i;
            for (int k = 0; k < FINE * FINE; k++) {
                float x = 2 * ((float)i + ((float)(k % FINE) + 0.5f) / FINE) / (float)side - 1;
                float y = 2 * ((float)j + ((float)(k / FINE) + 0.5f) / FINE) / (float)side - 1;
                int there;
                const struct lp_figure_layer *l = front(f, x, y, &there);
                if (k == FINE * FINE / 2)
                    part[at] = (uint8_t)there;
                if (!l)
                    continue;
                for (int c = 0; c < 3; c++)
                    sum[c] += l->rgb[c];
                sum[3] += 255;
                sum[4] += l->toned ? 255 : 0;
            }
            for (int c = 0; c < 4; c++)
                rgba[4 * at + c] = (uint8_t)(sum[c] / (FINE * FINE));
            tone[at] = (uint8_t)(sum[4] / (FINE * FINE));
        }
}
