/* SPDX-License-Identifier: MIT */
/* image/chart_lines.c - lines over two numbered axes. Ticks stand at round numbers: 1, 2 or 5 times a power of ten. */
#include "image/chart_inner.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

enum { WIDTH = 960, HEIGHT = 540, LEFT = 76, RIGHT = 24, TOP = 44, BELOW = 58, TEXT = 15 };

static const uint8_t paper[3] = {255, 255, 255}, ink[3] = {34, 34, 40}, pale[3] = {110, 110, 120}, grid[3] = {228, 228, 232};

struct axis {
    double low, high, tick;
};

static struct axis make_axis(double low, double high, int ticks) {
    if (!(low <= high)) /* no point at all */
        low = 0, high = 1;
    if (high - low < 1e-9 * (fabs(high) + 1))
        high = low + 1;
    double rough = (high - low) / ticks, power = pow(10, floor(log10(rough))), times = rough / power;
    double tick = power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
    return (struct axis){floor(low / tick) * tick, ceil(high / tick) * tick, tick};
}

static double place_x(const struct axis *a, double x) {
    return LEFT + (x - a->low) / (a->high - a->low) * (WIDTH - LEFT - RIGHT);
}

static double place_y(const struct axis *a, double y) {
    return HEIGHT - BELOW - (y - a->low) / (a->high - a->low) * (HEIGHT - TOP - BELOW);
}

/* A line of `half` px to both sides, with soft edges; above and below the diagram it is cut. */
static void draw_segment(struct lp_image *image, double x0, double y0, double x1, double y1, double half,
                         const uint8_t color[3]) {
    double dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
    int top = (int)fmax(fmin(y0, y1) - half - 1, TOP), bottom = (int)fmin(fmax(y0, y1) + half + 2, HEIGHT - BELOW);
    for (int y = top; y <= bottom; y++)
        for (int x = (int)(fmin(x0, x1) - half - 1); x <= (int)(fmax(x0, x1) + half + 2); x++) {
            double t = length > 0 ? ((x - x0) * dx + (y - y0) * dy) / length : 0;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            double far = hypot(x - x0 - t * dx, y - y0 - t * dy), cover = half + 0.5 - far;
            if (cover > 0)
                lp_chart_blend(image, x, y, color, (int)(255 * fmin(cover, 1)));
        }
}

static void draw_line(struct lp_image *image, const struct lp_chart_line *l, const struct axis *across,
                      const struct axis *up) {
    double before[2] = {0, 0}, half = l->name ? 1 : 0.4;
    bool begun = false;
    for (int64_t i = 0; i < l->n; i++) {
        if (!isfinite(l->x[i]) || !isfinite(l->y[i]))
            continue;
        double x = place_x(across, l->x[i]), y = fmin(fmax(place_y(up, l->y[i]), -HEIGHT), 2 * HEIGHT);
        if (begun)
            draw_segment(image, before[0], before[1], x, y, half, l->color);
        if (l->dots || l->n == 1)
            draw_segment(image, x, y, x, y, 3, l->color);
        before[0] = x;
        before[1] = y;
        begun = true;
    }
}

static bool draw_axes(struct lp_image *image, const struct axis *across, const struct axis *up, struct lp_error *err) {
    char text[32];
    bool ok = true;
    for (double y = up->low; ok && y <= up->high + 0.5 * up->tick; y += up->tick) {
        int at = (int)place_y(up, y);
        lp_chart_fill(image, (struct lp_chart_place){LEFT, at, WIDTH - LEFT - RIGHT, 1}, grid);
        snprintf(text, sizeof text, "%g", fabs(y) < 1e-9 * up->tick ? 0 : y);
        ok = lp_chart_put(image, text, TEXT, (struct lp_chart_place){0, at - 10, LEFT - 10, 20}, LP_CHART_RIGHT, pale, err);
    }
    for (double x = across->low; ok && x <= across->high + 0.5 * across->tick; x += across->tick) {
        int at = (int)place_x(across, x);
        lp_chart_fill(image, (struct lp_chart_place){at, TOP, 1, HEIGHT - TOP - BELOW}, grid);
        snprintf(text, sizeof text, "%g", fabs(x) < 1e-9 * across->tick ? 0 : x);
        ok = lp_chart_put(image, text, TEXT, (struct lp_chart_place){at - 40, HEIGHT - BELOW + 6, 80, 20}, LP_CHART_MIDDLE,
                          pale, err);
    }
    lp_chart_fill(image, (struct lp_chart_place){LEFT, TOP, 1, HEIGHT - TOP - BELOW}, pale);
    lp_chart_fill(image, (struct lp_chart_place){LEFT, HEIGHT - BELOW, WIDTH - LEFT - RIGHT, 1}, pale);
    return ok;
}

/* The least and the greatest of what is named; of the others where nothing is. */
static void find_range(const struct lp_chart_lines *c, double x[2], double y[2]) {
    x[0] = y[0] = DBL_MAX;
    x[1] = y[1] = -DBL_MAX;
    for (int i = 0; i < c->lines; i++)
        for (int64_t k = 0; k < c->line[i].n; k++) {
            double px = c->line[i].x[k], py = c->line[i].y[k];
            if (!isfinite(px) || !isfinite(py) || !c->line[i].name)
                continue;
            x[0] = fmin(x[0], px);
            x[1] = fmax(x[1], px);
            y[0] = fmin(y[0], py);
            y[1] = fmax(y[1], py);
        }
}

struct lp_image *lp_chart_lines(const struct lp_chart_lines *c, struct lp_error *err) {
    double x[2], y[2];
    find_range(c, x, y);
    struct axis across = make_axis(x[0], x[1], 10), up = make_axis(y[0], y[1], 8);
    struct lp_image *image = lp_image_new(WIDTH, HEIGHT, err);
    if (!image)
        return NULL;
    lp_chart_fill(image, (struct lp_chart_place){0, 0, WIDTH, HEIGHT}, paper);
    bool ok = draw_axes(image, &across, &up, err) &&
              lp_chart_put(image, c->title, TEXT + 2, (struct lp_chart_place){LEFT, 6, 400, 28}, LP_CHART_LEFT, ink, err) &&
              lp_chart_put(image, c->across, TEXT, (struct lp_chart_place){LEFT, HEIGHT - 28, WIDTH - LEFT - RIGHT, 22},
                           LP_CHART_MIDDLE, pale, err);
    int right = WIDTH - RIGHT;
    for (int i = c->lines - 1; ok && i >= 0; i--) {
        const struct lp_chart_line *l = &c->line[i];
        if (!l->name)
            continue;
        right -= 150;
        draw_segment(image, right, TOP + 12, right + 22, TOP + 12, 1.5, l->color);
        ok = lp_chart_put(image, l->name, TEXT, (struct lp_chart_place){right + 30, TOP + 2, 118, 20}, LP_CHART_LEFT, ink, err);
    }
    for (int i = 0; ok && i < c->lines; i++)
        draw_line(image, &c->line[i], &across, &up);
    if (ok)
        return image;
    lp_image_close(image);
    return NULL;
}
