/* SPDX-License-Identifier: MIT */
/* data/scene_card.c - cards: paper, print, and the boxes of lines and words around their ink. */
#include "data/scene_card.h"

#include "base/file.h"
#include "image/draw_text.h"

#include <string.h>

static const char *const fonts[] = {
    "DejaVu Sans Bold",     "DejaVu Sans",           "DejaVu Serif Bold",      "DejaVu Serif",         "DejaVu Sans Mono Bold",
    "Liberation Sans Bold", "Liberation Serif Bold", "Liberation Sans", "Liberation Mono Bold", "Liberation Serif Italic"};
enum { FONTS = sizeof fonts / sizeof *fonts };

bool lp_scene_fonts_ready(struct lp_error *err) {
    static const char *const need[][2] = {{"/usr/share/fonts/truetype/dejavu/DejaVuSerif-Bold.ttf", "fonts-dejavu-core"},
                                          {"/usr/share/fonts/truetype/liberation/LiberationSerif-Bold.ttf", "fonts-liberation"}};
    for (size_t i = 0; i < sizeof need / sizeof *need; i++)
        if (!lp_file_exists(need[i][0]))
            return lp_error_set(err, LP_EMISSING, "there is no %s: install Debian's package %s", need[i][0], need[i][1]);
    return true;
}

/* ---- where the words are ---- */

/* The box of what is inked of columns x0 .. x1; its own coordinates. */
static void ink_box(const struct lp_draw_text *t, int x0, int x1, int box[4]) {
    box[0] = x1;
    box[1] = t->height;
    box[2] = box[3] = 0;
    for (int y = 0; y < t->height; y++)
        for (int x = x0; x < x1; x++)
            if (t->alpha[(size_t)y * (size_t)t->width + (size_t)x] >= 64) {
                box[0] = x < box[0] ? x : box[0];
                box[1] = y < box[1] ? y : box[1];
                box[2] = x + 1 > box[2] ? x + 1 : box[2];
                box[3] = y + 1 > box[3] ? y + 1 : box[3];
            }
}

/* A word ends where the line up to it ends when drawn alone; the next begins at the next ink. */
static bool find_words(struct lp_scene_line *line, const struct lp_draw_text *t, const char *font, int size,
                       struct lp_error *err) {
    int from = 0;
    for (int at = 0; line->text[at] && line->words < LP_LINE_WORDS;) {
        int n = (int)strcspn(line->text + at, " ");
        char begin[LP_LINE_LETTERS];
        struct lp_draw_text part;
        memcpy(begin, line->text, (size_t)(at + n));
        begin[at + n] = 0;
        if (!lp_draw_text_print(&part, begin, font, size, err))
            return false;
        bool last = !line->text[at + n];
        int to = last || part.width > t->width ? t->width : part.width;
        lp_draw_text_done(&part);
        line->word[line->words].at = at;
        line->word[line->words].letters = n;
        ink_box(t, from, to, line->word[line->words++].box);
        from = to;
        at += n + (int)strspn(line->text + at + n, " ");
    }
    return true;
}

/* ---- drawing ---- */

static void fill(struct lp_scene_view *view, float *rgb, const int box[4], const uint8_t tone[3]) {
    int side = view->image->width;
    for (int y = box[1]; y < box[3]; y++)
        for (int x = box[0]; x < box[2]; x++) {
            if (x < 0 || y < 0 || x >= side || y >= side)
                continue;
            size_t at = (size_t)y * (size_t)side + (size_t)x;
            for (size_t c = 0; c < 3; c++)
                rgb[3 * at + c] = tone ? tone[c] : 0.75f * rgb[3 * at + c];
            if (tone)
                view->owner[at] = LP_SCENE_CARD;
        }
}

static void print(float *rgb, int side, const struct lp_draw_text *t, int left, int top, const uint8_t ink[3]) {
    for (int y = 0; y < t->height; y++)
        for (int x = 0; x < t->width; x++) {
            int i = left + x, j = top + y;
            if (i < 0 || j < 0 || i >= side || j >= side)
                continue;
            float a = (float)t->alpha[(size_t)y * (size_t)t->width + (size_t)x] / 255;
            float *to = rgb + 3 * ((size_t)j * (size_t)side + (size_t)i);
            for (int c = 0; c < 3; c++)
                to[c] += a * ((float)ink[c] - to[c]);
        }
}

/* Moves a box, and clips it. */
static void shift(int box[4], int left, int top, int side) {
    for (int i = 0; i < 4; i++) {
        box[i] += i % 2 ? top : left;
        box[i] = box[i] < 0 ? 0 : box[i] > side ? side : box[i];
    }
}

/* One line of print in the middle of the box; smaller where it would be too wide. */
static bool draw_line(const struct lp_scene_card *card, const int box[4], const char *text, size_t n, struct lp_scene_view *view,
                      float *rgb, struct lp_error *err) {
    const char *font = fonts[card->font % FONTS];
    int side = view->image->width, size = (box[3] - box[1]) * 3 / 4, most = box[2] - box[0];
    struct lp_scene_line *line = &view->line[view->lines];
    struct lp_draw_text t = {0};
    *line = (struct lp_scene_line){0};
    memcpy(line->text, text, n);
    size = size < 5 ? 5 : size;
    if (!lp_draw_text_print(&t, line->text, font, size, err))
        return false;
    if (t.width > most && size > 5) {
        size = size * most / t.width < 5 ? 5 : size * most / t.width;
        lp_draw_text_done(&t);
        if (!lp_draw_text_print(&t, line->text, font, size, err))
            return false;
    }
    int left = (box[0] + box[2] - t.width) / 2, top = (box[1] + box[3] - t.height) / 2;
    print(rgb, side, &t, left, top, card->ink);
    bool ok = find_words(line, &t, font, size, err);
    ink_box(&t, 0, t.width, line->box);
    shift(line->box, left, top, side);
    for (int i = 0; i < line->words; i++)
        shift(line->word[i].box, left, top, side);
    view->lines += ok;
    lp_draw_text_done(&t);
    return ok;
}

bool lp_scene_card_draw(const struct lp_scene_card *card, struct lp_scene_view *view, float *rgb, struct lp_error *err) {
    float side = (float)view->image->width;
    int box[4] = {(int)(card->x * side), (int)(card->y * side), (int)((card->x + card->width) * side),
                  (int)((card->y + card->height) * side)};
    int lines = 1, frame = card->framed ? 1 + (int)side / 160 : 0, shadow = 1 + (int)side / 100;
    for (const char *c = card->text; *c; c++)
        lines += *c == '\n';
    fill(view, rgb, (int[4]){box[0] + shadow, box[1] + shadow, box[2] + shadow, box[3] + shadow}, NULL);
    fill(view, rgb, box, frame ? card->ink : card->paper);
    if (frame)
        fill(view, rgb, (int[4]){box[0] + frame, box[1] + frame, box[2] - frame, box[3] - frame}, card->paper);
    int pad = (int)(0.2f * (float)(box[3] - box[1]) / (float)lines), height = (box[3] - box[1] - pad) / lines;
    bool ok = true;
    const char *text = card->text;
    for (int i = 0; ok && i < lines && view->lines < LP_SCENE_LINES; i++) {
        size_t n = strcspn(text, "\n");
        int top = box[1] + pad / 2 + i * height;
        ok = draw_line(card, (int[4]){box[0] + pad, top, box[2] - pad, top + height}, text, n, view, rgb, err);
        text += n + (text[n] == '\n');
    }
    return ok;
}
