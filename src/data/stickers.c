/* SPDX-License-Identifier: MIT */
/* data/stickers.c - the table of names: pictograms of the emoji font, shapes, figures and their parts. */
#include "data/stickers.h"

#include "base/memory.h"
#include "data/lines.h"
#include "data/sticker_pixels.h"
#include "data/wording.h"

#include <string.h>

static char *trim(char *text) {
    while (*text == ' ')
        text++;
    size_t n = strlen(text);
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\r'))
        text[--n] = 0;
    return text;
}

static const char *number(struct lp_arena *arena, const char *name, bool plural) {
    struct lp_str out = {0};
    lp_wording_number(name, plural, &out);
    const char *text = out.failed ? NULL : lp_arena_strdup(arena, lp_str_text(&out));
    lp_str_done(&out);
    return text;
}

/* The next category's words; synonyms are parted by commas. */
static bool add_name(struct lp_stickers *all, const char *name, const char *synonyms, const char *supercategory,
                     struct lp_error *err) {
    enum { MOST = 8 };
    struct lp_sticker_name *to = &all->name[all->names];
    const char **list = lp_arena_array(&all->arena, MOST + 1, sizeof *list);
    char *rest = lp_arena_strdup(&all->arena, synonyms);
    for (int n = 0; list && n < MOST && rest;) {
        char *comma = strchr(rest, ',');
        if (comma)
            *comma = 0;
        char *word = trim(rest);
        if (*word)
            list[n++] = word;
        rest = comma ? comma + 1 : NULL;
    }
    *to = (struct lp_sticker_name){number(&all->arena, name, false), number(&all->arena, name, true),
                                   lp_arena_strdup(&all->arena, supercategory), list};
    all->names++;
    return (list && to->name && to->plural && to->supercategory) || lp_error_memory(err);
}

/* The next sticker with its words and room for its pixels; NULL on failure. */
static struct lp_sticker *add(struct lp_stickers *all, const char *name, const char *synonyms, const char *supercategory,
                              bool figure, struct lp_error *err) {
    struct lp_sticker *s = &all->item[all->count];
    if (!add_name(all, name, synonyms, supercategory, err))
        return NULL;
    bool ok = true;
    for (int l = 0; ok && l < LP_STICKER_LEVELS; l++) {
        size_t side = (size_t)LP_STICKER_SIDE >> l;
        s->level[l] = lp_arena_array(&all->arena, side, side * 4);
        s->tone[l] = figure ? lp_arena_array(&all->arena, side, side) : NULL;
        ok = s->level[l] && (s->tone[l] || !figure);
    }
    s->map = figure ? lp_arena_array(&all->arena, LP_STICKER_SIDE, LP_STICKER_SIDE) : NULL;
    if (!ok || (figure && !s->map)) {
        lp_error_memory(err);
        return NULL;
    }
    all->count++;
    return s;
}

static bool tints(const char *supercategory) {
    static const char *const kinds[] = {"vehicle", "clothes", "furniture", "tool", "thing", "music", "device", NULL};
    for (int i = 0; kinds[i]; i++)
        if (!strcmp(kinds[i], supercategory))
            return true;
    return false;
}

static bool add_pictogram(void *stickers, char *line, struct lp_error *err) {
    enum { PARTS = 5 };
    struct lp_stickers *all = stickers;
    char *part[PARTS] = {0}, *at = line;
    int n = 0;
    for (; at && n < PARTS; n++) {
        char *bar = strchr(at, '|');
        if (bar)
            *bar = 0;
        part[n] = trim(at);
        at = bar ? bar + 1 : NULL;
    }
    if (n < 4 || at || !*part[0] || !*part[1] || (n == PARTS && strcmp(part[4], "support") != 0))
        return lp_error_set(err, LP_EINPUT, "a line is: emoji | name | synonyms | supercategory [| support]");
    struct lp_emoji e;
    if (!lp_emoji_make(&e, part[0], err))
        return false;
    struct lp_sticker *s = add(all, part[1], part[2], part[3], false, err);
    if (s) {
        lp_sticker_fit(s, &e);
        s->tints = tints(part[3]);
        s->support = n == PARTS;
    }
    lp_emoji_done(&e);
    return s;
}

static bool add_shapes(struct lp_stickers *all, struct lp_error *err) {
    all->plain = all->count;
    for (int i = 0; i < LP_SHAPES; i++) {
        struct lp_sticker *s = add(all, lp_shapes[i].name, lp_shapes[i].synonyms, "shape", false, err);
        if (!s)
            return false;
        lp_sticker_shape(s, &lp_shapes[i]);
    }
    return true;
}

/* The category of a part: that of the thing of the same name, if there is one. -1 on failure. */
static int part_of(struct lp_stickers *all, const char *name, struct lp_error *err) {
    size_t n = strcspn(name, "~");
    for (int i = 0; i < all->names; i++)
        if (strlen(all->name[i].name) == n && !strncmp(all->name[i].name, name, n))
            return i;
    return add_name(all, name, "", "part", err) ? all->names - 1 : -1;
}

static bool add_figures(struct lp_stickers *all, struct lp_error *err) {
    const struct lp_figure_layer *first[LP_FIGURE_PARTS];
    all->figures = all->count;
    for (int i = 0; i < lp_figure_count; i++) {
        struct lp_sticker *s = add(all, lp_figures[i].name, lp_figures[i].synonyms, lp_figures[i].supercategory, true, err);
        if (!s)
            return false;
        lp_sticker_figure(s, &lp_figures[i]);
    }
    for (int i = 0; i < lp_figure_count; i++) {
        int n = lp_figure_parts(&lp_figures[i], first);
        for (int k = 0; k < n; k++)
            if ((all->item[all->figures + i].part[k] = part_of(all, first[k]->part, err)) < 0)
                return false;
    }
    return true;
}

static bool add_sign(void *stickers, char *line, struct lp_error *err) {
    enum { LONGEST = 40 };
    struct lp_stickers *all = stickers;
    if (strlen(line) > LONGEST)
        return lp_error_set(err, LP_EINPUT, "a sign says at most %d letters", LONGEST);
    return (all->sign[all->signs++] = lp_arena_strdup(&all->arena, trim(line))) || lp_error_memory(err);
}

static bool read_table(struct lp_stickers *all, const char *folder, struct lp_error *err) {
    struct lp_lines lines;
    size_t figures = (size_t)lp_figure_count;
    bool ok = lp_lines_read(&lines, folder, "stickers.txt", err);
    if (ok) {
        all->item = lp_arena_array(&all->arena, lines.count + LP_SHAPES + figures, sizeof *all->item);
        all->name = lp_arena_array(&all->arena, lines.count + LP_SHAPES + figures * (1 + LP_FIGURE_PARTS), sizeof *all->name);
        ok = (all->item && all->name) || lp_error_memory(err);
    }
    ok = ok && lp_lines_each(&lines, add_pictogram, all, err);
    if (ok && !all->count)
        ok = lp_error_set(err, LP_EINPUT, "%s names no stickers", lines.path);
    lp_lines_done(&lines);
    return ok && add_shapes(all, err) && add_figures(all, err);
}

static bool read_signs(struct lp_stickers *all, const char *folder, struct lp_error *err) {
    struct lp_lines lines;
    bool ok = lp_lines_read(&lines, folder, "signs.txt", err);
    if (ok) {
        all->sign = lp_arena_array(&all->arena, lines.count, sizeof *all->sign);
        ok = all->sign || lp_error_memory(err);
    }
    ok = ok && lp_lines_each(&lines, add_sign, all, err);
    lp_lines_done(&lines);
    return ok;
}

struct lp_stickers *lp_stickers_open(const char *folder, struct lp_error *err) {
    struct lp_stickers *all = lp_alloc(sizeof *all);
    if (!all)
        lp_error_memory(err);
    if (all && read_table(all, folder, err) && read_signs(all, folder, err))
        return all;
    lp_stickers_close(all);
    return NULL;
}

void lp_stickers_close(struct lp_stickers *all) {
    if (!all)
        return;
    lp_arena_done(&all->arena);
    lp_free(all);
}

const char *lp_stickers_folder(void) {
    return LP_SOURCE_DIR "/data/scenes";
}
