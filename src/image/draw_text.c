/* SPDX-License-Identifier: MIT */
/* image/draw_text.c - text through libvips and Pango, which finds glyphs for every script in the fonts there
 * are. */
#include "image/draw_text.h"

#include "image/vips.h"

#include <string.h>

#define MAX_CHARACTERS 56

bool lp_draw_text_visible(const char *text) {
    for (; text && *text; text++)
        if ((unsigned char)*text > ' ' && *text != 127)
            return true;
    return false;
}

/* Valid UTF-8 of one line, cut to a label's length, with what Pango's markup means escaped. Freed with
 * g_free. */
static char *clean(const char *text) {
    char *valid = g_utf8_make_valid(text, (gssize)strnlen(text, 16 * MAX_CHARACTERS));
    for (char *c = valid; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
    bool cut = g_utf8_strlen(valid, -1) > MAX_CHARACTERS;
    if (cut)
        *g_utf8_offset_to_pointer(valid, MAX_CHARACTERS - 1) = 0;
    char *shown = g_strconcat(valid, cut ? "\xe2\x80\xa6" : "", NULL);
    char *escaped = g_markup_escape_text(shown, -1);
    g_free(shown);
    g_free(valid);
    return escaped;
}

/* At 72 dpi a point is a pixel. width 0: one line, however long. False: it cannot be drawn. */
static bool draw(struct lp_draw_text *t, const char *text, const char *font, int width) {
    char *markup = clean(text);
    VipsImage *image = NULL;
    size_t n;
    if (vips_text(&image, markup, "font", font, "dpi", 72, "width", width, "wrap", VIPS_TEXT_WRAP_WORD_CHAR, NULL) == 0 &&
        image->Bands == 1 && image->BandFmt == VIPS_FORMAT_UCHAR) {
        t->width = image->Xsize;
        t->height = image->Ysize;
        t->alpha = vips_image_write_to_memory(image, &n);
    }
    VIPS_UNREF(image);
    g_free(markup);
    lp_vips_end();
    return t->alpha;
}

bool lp_draw_text_make(struct lp_draw_text *t, const char *text, int size, int width, struct lp_error *err) {
    char font[40]; /* "sans" is whatever the machine has */
    g_snprintf(font, sizeof font, "sans bold %d", (size * 3 + 2) / 4);
    *t = (struct lp_draw_text){0};
    if (!lp_vips_start(err))
        return false;
    return draw(t, text, font, width) || lp_error_set(err, LP_EINTERNAL,
                                                      "no text can be drawn: install a font, for example the package "
                                                      "fonts-dejavu-core");
}

bool lp_draw_text_print(struct lp_draw_text *t, const char *text, const char *font, int size, struct lp_error *err) {
    char name[80];
    g_snprintf(name, sizeof name, "%s %d", font, size);
    *t = (struct lp_draw_text){0};
    if (!lp_vips_start(err))
        return false;
    return draw(t, text, name, 0) || lp_error_set(err, LP_EINTERNAL, "'%s' cannot be drawn in the font %s", text, font);
}

void lp_draw_text_done(struct lp_draw_text *t) {
    g_free(t->alpha);
    *t = (struct lp_draw_text){0};
}
