/* SPDX-License-Identifier: MIT */
/* image/page.c - a page for people; text through libvips and Pango. */
#include "image/page.h"

#include "image/vips.h"

#include <math.h>
#include <string.h>

struct lp_image *lp_page_new(int width, int height, struct lp_error *err) {
    struct lp_image *page = lp_image_new(width, height, err);
    if (page)
        memset(page->pixel, 255, (size_t)width * (size_t)height * 3);
    return page;
}

void lp_page_paste(struct lp_image *page, const struct lp_image *from, int x, int y) {
    int left = x < 0 ? -x : 0, right = x + from->width > page->width ? page->width - x : from->width;
    for (int j = 0; j < from->height; j++)
        if (y + j >= 0 && y + j < page->height && right > left)
            memcpy(page->pixel + 3 * ((size_t)(y + j) * (size_t)page->width + (size_t)(x + left)),
                   from->pixel + 3 * ((size_t)j * (size_t)from->width + (size_t)left), 3 * (size_t)(right - left));
}

static void blend(struct lp_image *page, int x, int y, const uint8_t color[3], int alpha) {
    if (x < 0 || y < 0 || x >= page->width || y >= page->height)
        return;
    uint8_t *p = page->pixel + 3 * ((size_t)y * (size_t)page->width + (size_t)x);
    for (int c = 0; c < 3; c++)
        p[c] = (uint8_t)((p[c] * (255 - alpha) + color[c] * alpha + 127) / 255);
}

void lp_page_panel(struct lp_image *page, int x, int y, int width, int height, int radius, const uint8_t color[3]) {
    for (int j = 0; j < height; j++)
        for (int i = 0; i < width; i++) {
            int in_x = i < width - 1 - i ? i : width - 1 - i, in_y = j < height - 1 - j ? j : height - 1 - j;
            double dx = radius - in_x - 0.5, dy = radius - in_y - 0.5;
            double cover = dx > 0 && dy > 0 ? radius - hypot(dx, dy) + 0.5 : 1;
            if (cover > 0)
                blend(page, x + i, y + j, color, (int)(255 * fmin(cover, 1)));
        }
}

/* Valid UTF-8 without control characters but line feeds, with what Pango's markup means escaped. Freed with g_free. */
static char *clean(const char *text) {
    char *valid = g_utf8_make_valid(text, -1);
    for (char *c = valid; *c; c++)
        if (((unsigned char)*c < ' ' && *c != '\n') || *c == 127)
            *c = ' ';
    char *escaped = g_markup_escape_text(valid, -1);
    g_free(valid);
    return escaped;
}

static bool is_blank(const char *text) {
    return text[strspn(text, " \t\r\n")] == 0;
}

/* Inks the coverage [height,width] where Pango put it below and right of (x,y). */
static bool ink(struct lp_image *page, VipsImage *drawn, const uint8_t color[3], int x, int y, struct lp_error *err) {
    size_t n;
    uint8_t *alpha = vips_image_write_to_memory(drawn, &n);
    if (!alpha)
        return lp_error_memory(err);
    for (int j = 0; j < drawn->Ysize; j++)
        for (int i = 0; i < drawn->Xsize; i++)
            blend(page, x + drawn->Xoffset + i, y + drawn->Yoffset + j, color, alpha[(size_t)j * (size_t)drawn->Xsize + (size_t)i]);
    g_free(alpha);
    return true;
}

int lp_page_write(struct lp_image *page, const char *text, const struct lp_page_pen *pen, int x, int y, int width,
                  struct lp_error *err) {
    char font[80];
    VipsImage *drawn = NULL;
    int height = 0;
    if (is_blank(text))
        return 0;
    if (!lp_vips_start(err))
        return -1;
    char *markup = clean(text);
    g_snprintf(font, sizeof font, "%s %d", pen->font, pen->size);
    if (vips_text(&drawn, markup, "font", font, "dpi", 72, "width", width, "wrap", VIPS_TEXT_WRAP_WORD_CHAR, "spacing",
                  pen->size / 6, NULL) == 0 && drawn->Bands == 1 && drawn->BandFmt == VIPS_FORMAT_UCHAR) {
        height = drawn->Yoffset + drawn->Ysize;
        if (page && !ink(page, drawn, pen->color, x, y, err))
            height = -1;
    } else {
        lp_error_set(err, LP_EINTERNAL, "no text can be drawn: install a font, for example the package fonts-dejavu-core");
        height = -1;
    }
    VIPS_UNREF(drawn);
    g_free(markup);
    lp_vips_end();
    return height;
}
