/* SPDX-License-Identifier: MIT */
/* image/draw.c - boxes, masks and points on a picture.
 *
 * Shapes are rounded rectangles (a circle is one, too): a pixel's coverage comes from its distance to the
 * edge, so that all edges are smooth. Everything has a thin dark rim and stands out on light and dark
 * pictures alike. */
#include "image/draw.h"

#include "image/draw_text.h"

#include "base/memory.h"

#include <math.h>

static const uint8_t palette[][3] = {
    {230, 47, 63},  {24, 119, 242}, {36, 168, 82}, {255, 152, 0}, {147, 64, 218}, {0, 172, 188},
    {240, 76, 158}, {134, 98, 58},  {160, 196, 0}, {72, 80, 210}, {255, 208, 20}, {104, 116, 128},
};

static const uint8_t black[3] = {0, 0, 0}, white[3] = {255, 255, 255};

void lp_draw_color(int index, uint8_t rgb[3]) {
    int n = sizeof palette / sizeof *palette, i = (index % n + n) % n;
    for (int c = 0; c < 3; c++)
        rgb[c] = palette[i][c];
}

/* Line width and text height for a picture, px. */
static float line_width(const struct lp_image *image) {
    return fminf(fmaxf(roundf(sqrtf((float)image->width * (float)image->height) / 260), 2), 24);
}

static float text_height(const struct lp_image *image) {
    return fminf(fmaxf(roundf(sqrtf((float)image->width * (float)image->height) / 34), 13), 160);
}

static void blend(struct lp_image *image, int x, int y, const uint8_t color[3], float alpha) {
    uint8_t *p = image->pixel + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
    for (int c = 0; c < 3; c++)
        p[c] = (uint8_t)((float)p[c] + alpha * ((float)color[c] - (float)p[c]) + 0.5f);
}

struct shape {
    float x0, y0, x1, y1, radius; /* px; radius of the corners */
};

/* Distance of a point to the shape's edge; negative inside. */
static float distance(const struct shape *s, float x, float y) {
    float half_w = (s->x1 - s->x0) / 2, half_h = (s->y1 - s->y0) / 2;
    float r = fminf(s->radius, fminf(half_w, half_h));
    float dx = fabsf(x - (s->x0 + s->x1) / 2) - half_w + r, dy = fabsf(y - (s->y0 + s->y1) / 2) - half_h + r;
    return fminf(fmaxf(dx, dy), 0) + hypotf(fmaxf(dx, 0), fmaxf(dy, 0)) - r;
}

static float clamp(float x, float lo, float hi) {
    return fminf(fmaxf(x, lo), hi);
}

/* The shape's pixels of columns from..to-1 in row y: filled (line 0), or its edge only, `line` px wide. */
static void paint_run(struct lp_image *image, const struct shape *s, float line, int y, int from, int to,
                      const uint8_t color[3], float alpha) {
    from = from < 0 ? 0 : from;
    to = to > image->width ? image->width : to;
    for (int x = from; x < to; x++) {
        float d = distance(s, (float)x + 0.5f, (float)y + 0.5f);
        float cover = clamp(line > 0 ? line / 2 + 0.5f - fabsf(d) : 0.5f - d, 0, 1);
        if (cover > 0)
            blend(image, x, y, color, alpha * cover);
    }
}

/* Paints a shape, leaving out the inside of an outline, which may be the whole picture. */
static void paint(struct lp_image *image, const struct shape *s, float line, const uint8_t color[3],
                  float alpha) {
    int out = (int)line + 1, in = (int)(line + s->radius) + 2;
    int left = (int)floorf(s->x0) - out, right = (int)ceilf(s->x1) + out;
    int top = (int)floorf(s->y0) - out, bottom = (int)ceilf(s->y1) + out;
    int inner_left = (int)s->x0 + in, inner_right = (int)s->x1 - in;
    for (int y = top < 0 ? 0 : top; y < bottom && y < image->height; y++) {
        bool edge = y < (int)s->y0 + in || y > (int)s->y1 - in;
        if (line <= 0 || edge || inner_left >= inner_right) {
            paint_run(image, s, line, y, left, right, color, alpha);
        } else {
            paint_run(image, s, line, y, left, inner_left, color, alpha);
            paint_run(image, s, line, y, inner_right, right, color, alpha);
        }
    }
}

/* The box with its corners in order and near enough to the picture for whole numbers; what is not a number is
 * 0. */
static struct shape shape_of(const struct lp_image *image, const struct lp_draw_box *b, float line) {
    float far = 8 * line, w = (float)image->width + far, h = (float)image->height + far;
    return (struct shape){clamp(fminf(b->x0, b->x1), -far, w), clamp(fminf(b->y0, b->y1), -far, h),
                          clamp(fmaxf(b->x0, b->x1), -far, w), clamp(fmaxf(b->y0, b->y1), -far, h),
                          1.5f * line};
}

static bool overlaps(const struct shape *a, const struct shape *b) {
    return a->x0 < b->x1 && b->x0 < a->x1 && a->y0 < b->y1 && b->y0 < a->y1;
}

/* Finds a place for a label of w x h px: above its box, below it, inside at the top; the first that lies in
 * the picture and hides no label before it. */
static struct shape place(const struct lp_image *image, const struct shape *box, float line, float w, float h,
                          const struct shape *before, size_t n) {
    float x = clamp(box->x0 - line / 2, 0, fmaxf((float)image->width - w, 0));
    float tops[] = {box->y0 - line / 2 - h, box->y1 + line / 2, box->y0 + line / 2};
    float bottom = fmaxf((float)image->height - h, 0);
    struct shape first = {0};
    for (int i = 0; i < 3; i++) {
        float y = clamp(tops[i], 0, bottom);
        struct shape at = {x, y, x + w, y + h, h / 5};
        bool fits = fabsf(y - tops[i]) < 0.5f;
        for (size_t j = 0; fits && j < n; j++)
            fits = !overlaps(&at, &before[j]);
        if (fits)
            return at;
        if (i == 0)
            first = at;
    }
    return first;
}

static bool draw_label(struct lp_image *image, const struct lp_draw_box *b, const struct shape *box,
                       float line, struct shape *placed, size_t n, struct lp_error *err) {
    float height = text_height(image), pad = roundf(height * 0.32f);
    int most = image->width - (int)(2 * pad);
    struct lp_draw_text text;
    if (!lp_draw_text_make(&text, b->label, (int)height, most > 16 ? most : 16, err))
        return false;
    float w = (float)text.width + 2 * pad, h = fmaxf((float)text.height + pad, roundf(height * 1.35f));
    struct shape at = place(image, box, line, w, h, placed, n);
    uint8_t color[3];
    lp_draw_color(b->color, color);
    at = (struct shape){roundf(at.x0), roundf(at.y0), roundf(at.x0) + w, roundf(at.y0) + h, at.radius};
    placed[n] = at;
    paint(image, &at, 0, color, 0.94f);
    float light = 0.299f * color[0] + 0.587f * color[1] + 0.114f * color[2];
    int left = (int)(at.x0 + pad), top = (int)(at.y0 + (h - (float)text.height) / 2);
    for (int y = 0; y < text.height && top + y < image->height; y++)
        for (int x = 0; x < text.width && left + x < image->width; x++)
            blend(image, left + x, top + y, light > 150 ? black : white,
                  text.alpha[(size_t)y * (size_t)text.width + (size_t)x] / 255.0f);
    lp_draw_text_done(&text);
    return true;
}

bool lp_draw_boxes(struct lp_image *image, const struct lp_draw_box *box, size_t n, struct lp_error *err) {
    float line = line_width(image);
    struct shape *placed = lp_alloc_array(n, sizeof *placed);
    if (!placed)
        return lp_error_memory(err);
    for (size_t i = 0; i < n; i++) {
        struct shape s = shape_of(image, &box[i], line);
        uint8_t color[3];
        lp_draw_color(box[i].color, color);
        paint(image, &s, line + fmaxf(2, line / 2), black, 0.3f);
        paint(image, &s, line, color, 1);
    }
    bool ok = true;
    size_t labels = 0;
    for (size_t i = 0; ok && i < n; i++) {
        if (!lp_draw_text_visible(box[i].label))
            continue;
        struct shape s = shape_of(image, &box[i], line);
        ok = draw_label(image, &box[i], &s, line, placed, labels++, err);
    }
    lp_free(placed);
    return ok;
}

/* Whether an inside pixel lies within k px of the outside, along a row or a column. */
static bool at_edge(const uint8_t *mask, int w, int h, int x, int y, int k) {
    size_t at = (size_t)y * (size_t)w + (size_t)x, down = (size_t)k * (size_t)w;
    return (x >= k && !mask[at - (size_t)k]) || (x + k < w && !mask[at + (size_t)k]) ||
           (y >= k && !mask[at - down]) || (y + k < h && !mask[at + down]);
}

void lp_draw_mask(struct lp_image *image, const uint8_t *mask, int color, float alpha) {
    uint8_t rgb[3];
    int w = image->width, h = image->height, k = (int)line_width(image);
    lp_draw_color(color, rgb);
    alpha = clamp(alpha, 0, 1);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            if (mask[(size_t)y * (size_t)w + (size_t)x])
                blend(image, x, y, rgb, at_edge(mask, w, h, x, y, k) ? fmaxf(alpha, 0.95f) : alpha);
}

void lp_draw_point(struct lp_image *image, float x, float y, bool positive) {
    static const uint8_t colors[2][3] = {{226, 36, 52}, {24, 178, 74}};
    float line = line_width(image), r = fmaxf(5, 2.5f * line), far = 4 * r;
    x = clamp(x, -far, (float)image->width + far);
    y = clamp(y, -far, (float)image->height + far);
    const struct ring {
        float r, alpha;
        const uint8_t *color;
    } rings[] = {{r + line, 0.35f, black}, {r + line / 2, 1, white}, {r - line / 4, 1, colors[positive]}};
    for (int i = 0; i < 3; i++) {
        float q = rings[i].r;
        paint(image, &(struct shape){x - q, y - q, x + q, y + q, q}, 0, rings[i].color, rings[i].alpha);
    }
}
