/* SPDX-License-Identifier: MIT */
/* image/chart_draw.c - areas and words of charts; what lies outside the picture is clipped. */
#include "image/chart_inner.h"
#include "image/draw_text.h"

#include <string.h>

void lp_chart_fill(struct lp_image *image, struct lp_chart_place r, const uint8_t color[3]) {
    for (int y = r.y < 0 ? 0 : r.y; y < r.y + r.height && y < image->height; y++)
        for (int x = r.x < 0 ? 0 : r.x; x < r.x + r.width && x < image->width; x++)
            memcpy(image->pixel + 3 * ((size_t)y * (size_t)image->width + (size_t)x), color, 3);
}

void lp_chart_blend(struct lp_image *image, int x, int y, const uint8_t color[3], int alpha) {
    if (x < 0 || y < 0 || x >= image->width || y >= image->height)
        return;
    uint8_t *p = image->pixel + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
    for (int c = 0; c < 3; c++)
        p[c] = (uint8_t)((p[c] * (255 - alpha) + color[c] * alpha + 127) / 255);
}

bool lp_chart_put(struct lp_image *image, const char *text, int size, struct lp_chart_place r, enum lp_chart_align align,
                  const uint8_t color[3], struct lp_error *err) {
    struct lp_draw_text t;
    if (!lp_draw_text_visible(text))
        return true;
    if (!lp_draw_text_make(&t, text, size, 4096, err))
        return false;
    bool upright = align == LP_CHART_BOTTOM;
    int wide = upright ? t.height : t.width, high = upright ? t.width : t.height;
    int left = r.x + (align == LP_CHART_LEFT ? 0 : align == LP_CHART_RIGHT ? r.width - wide : (r.width - wide) / 2);
    int top = align == LP_CHART_BOTTOM ? r.y + r.height - high : r.y + (r.height - high) / 2;
    for (int y = 0; y < t.height; y++)
        for (int x = 0; x < t.width; x++) {
            int alpha = t.alpha[(size_t)y * (size_t)t.width + (size_t)x];
            if (upright)
                lp_chart_blend(image, left + y, top + t.width - 1 - x, color, alpha);
            else
                lp_chart_blend(image, left + x, top + y, color, alpha);
        }
    lp_draw_text_done(&t);
    return true;
}
