/* SPDX-License-Identifier: MIT */
/* cli/naming.c - truth of scenes [masks, boxes] to the words of a picture's rows. */
#include "cli/naming.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/truth.h"
#include "image/rle.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 6 }; /* of a kind are counted */
static const float covers = 0.3f; /* share of a square from which on a thing is what the row shows */

/* All words, each by the token that begins its last part ("traffic light" is seen as "light"). */
struct words {
    const struct lp_tokenizer *tokenizer;
    struct lp_arena arena;
    int32_t *id; /* [n] */
    int32_t n, capacity;
    bool failed;
};

static bool is_space(const struct lp_tokenizer *t, int32_t id) {
    size_t n;
    const char *piece = lp_tokenizer_piece(t, id, &n);
    return n == 1 && piece[0] == ' ';
}

/* The word's place; -1 after a failure. */
static int32_t place(struct words *w, const char *text) {
    struct lp_error err = {0};
    struct lp_ids ids = {0};
    const char *space = strrchr(text, ' ');
    space = space ? space + 1 : text;
    bool ok = !w->failed && lp_tokenizer_encode(w->tokenizer, space, strlen(space), &ids, &err) && ids.n > 0;
    int32_t id = ok ? ids.id[ids.n > 1 && is_space(w->tokenizer, ids.id[0])] : -1, at = 0;
    lp_ids_done(&ids);
    while (ok && at < w->n && w->id[at] != id)
        at++;
    if (ok && at == w->n) {
        if (w->n == w->capacity) {
            w->capacity = w->capacity ? 2 * w->capacity : 256;
            int32_t *grown = lp_realloc(w->id, sizeof *grown * (size_t)w->capacity);
            ok = grown;
            w->id = grown ? grown : w->id;
        }
        if (ok)
            w->id[w->n++] = id;
    }
    w->failed |= !ok;
    return ok ? at : -1;
}

/* How a picture's pixels come to lie on the encoder's squares (image/preprocess.c). */
struct grid {
    int side; /* squares */
    float scale[2], shift[2], patch;
};

static struct grid lay_grid(const struct lp_llava *m, int width, int height) {
    const struct lp_preprocess *p = &m->preprocess;
    int shorter = width < height ? width : height, longer = width < height ? height : width;
    struct grid g = {.side = (int)(m->config.clip.image_px / m->config.clip.patch_px), .patch = (float)m->config.clip.patch_px};
    const int extent[2] = {width, height};
    for (int i = 0; i < 2; i++) {
        float whole = p->aspect == LP_ASPECT_CROP ? (float)shorter : p->aspect == LP_ASPECT_PAD ? (float)longer : (float)extent[i];
        g.scale[i] = (float)p->size / whole;
        g.shift[i] = 0.5f * ((float)p->crop - (float)extent[i] * g.scale[i]);
    }
    return g;
}

/* The square at a pixel; -1 outside. */
static int square(const struct grid *g, float x, float y) {
    float column = (x * g->scale[0] + g->shift[0]) / g->patch, row = (y * g->scale[1] + g->shift[1]) / g->patch;
    bool inside = column >= 0 && row >= 0 && column < (float)g->side && row < (float)g->side;
    return inside ? (int)row * g->side + (int)column : -1;
}

/* How much of each square each whole object covers: share [objects, squares], 0..1. */
static bool cover(const struct lp_truth_picture *p, const struct grid *g, uint8_t *mask, float *share, struct lp_error *err) {
    float pixel = g->scale[0] * g->scale[1] / (g->patch * g->patch);
    for (int k = 0; k < p->wholes; k++) {
        const struct lp_truth_object *o = &p->object[k];
        float *of = share + (size_t)k * (size_t)(g->side * g->side);
        if (!o->rle)
            continue;
        if (!lp_rle_decode(mask, p->width, p->height, o->rle, strlen(o->rle), err))
            return false;
        for (int y = (int)o->box[1]; y < p->height && (float)y < o->box[3]; y++)
            for (int x = (int)o->box[0]; x < p->width && (float)x < o->box[2]; x++) {
                int at = mask[(size_t)y * (size_t)p->width + (size_t)x] ? square(g, (float)x + 0.5f, (float)y + 0.5f) : -1;
                if (at >= 0)
                    of[at] += pixel;
            }
    }
    return true;
}

struct lesson {
    struct lp_truth *truth;
    struct lp_train_set *set;
    struct words words;
    int32_t *category;        /* places of the categories' words */
    int32_t number[MOST + 1]; /* of digits: [n] for n of a kind */
    int32_t side[2][3];       /* of sides; [..][1], the middle, has no word */
};

/* Names of one picture: at most two a square and four a thing. A thing's middle also tells how many of its kind there are and at
 * which sides of the picture it is, so that counting and comparing places become reading. color [wholes]: room for the places
 * of their colours. */
static int32_t name_rows(struct lesson *l, const struct lp_truth_picture *p, const struct grid *g, const float *share,
                         int32_t *color, struct lp_train_name *name) {
    int squares = g->side * g->side;
    int32_t n = 0, background = p->background ? place(&l->words, p->background) : -1;
    for (int k = 0; k < p->wholes; k++)
        color[k] = p->object[k].color ? place(&l->words, p->object[k].color) : -1;
    for (int i = 0; i < squares; i++) {
        int best = -1;
        float all = 0;
        for (int k = 0; k < p->wholes; k++) {
            float s = share[k * squares + i];
            all += s;
            if (s > covers && (best < 0 || s > share[best * squares + i]))
                best = k;
        }
        if (best >= 0)
            name[n++] = (struct lp_train_name){i, l->category[p->object[best].category]};
        if (best >= 0 && color[best] >= 0)
            name[n++] = (struct lp_train_name){i, color[best]};
        if (best < 0 && all < 0.5f * covers && background >= 0)
            name[n++] = (struct lp_train_name){i, background};
    }
    for (int k = 0; k < p->wholes; k++) {
        const struct lp_truth_object *o = &p->object[k];
        int at = square(g, 0.5f * (o->box[0] + o->box[2]), 0.5f * (o->box[1] + o->box[3]));
        if (at < 0)
            continue;
        int count = lp_truth_count(p, o->category);
        name[n++] = (struct lp_train_name){at, l->number[count < MOST ? count : MOST]};
        for (int axis = 0; axis < 2; axis++) {
            int third = 3 * (axis ? at / g->side : at % g->side) / g->side;
            if (third != 1)
                name[n++] = (struct lp_train_name){at, l->side[axis][third]};
        }
        if (share[k * squares + at] <= covers)
            name[n++] = (struct lp_train_name){at, l->category[o->category]};
    }
    return n;
}

/* What must be known before the first picture: every word there is. */
static bool collect(struct lesson *l, struct lp_error *err) {
    const struct lp_truth *t = l->truth;
    l->category = lp_arena_array(&l->words.arena, (size_t)t->categories + 1, sizeof *l->category);
    if (!l->category)
        return lp_error_memory(err);
    for (int i = 1; i <= MOST; i++)
        l->number[i] = place(&l->words, (const char[]){(char)('0' + i), 0});
    static const char *const sides[2][3] = {{"left", NULL, "right"}, {"top", NULL, "bottom"}};
    for (int i = 0; i < 4; i++)
        l->side[i / 2][i % 2 * 2] = place(&l->words, sides[i / 2][i % 2 * 2]);
    for (int i = 0; i < t->categories; i++)
        l->category[i] = place(&l->words, t->category[i].name);
    for (int64_t i = 0; i < t->pictures; i++) {
        if (t->picture[i].background)
            place(&l->words, t->picture[i].background);
        for (int k = 0; k < t->picture[i].wholes; k++)
            if (t->picture[i].object[k].color)
                place(&l->words, t->picture[i].object[k].color);
    }
    if (l->words.failed)
        return lp_error_set(err, LP_EINPUT, "the model's tokenizer cannot spell the scenes' words");
    return lp_train_set_words(l->set, l->words.id, l->words.n, err);
}

static bool add(struct lesson *l, const char *folder, const struct lp_truth_picture *p, struct lp_error *err) {
    struct grid g = lay_grid(l->set->model, p->width, p->height);
    size_t squares = (size_t)(g.side * g.side), most = 2 * squares + 4 * (size_t)p->wholes;
    uint8_t *mask = lp_alloc_array((size_t)p->width, (size_t)p->height);
    float *share = lp_alloc_array((size_t)p->wholes + 1, squares * sizeof *share);
    int32_t *color = lp_alloc_array((size_t)p->wholes + 1, sizeof *color);
    struct lp_train_name *name = lp_alloc_array(most, sizeof *name);
    char path[PATH_MAX];
    bool ok = mask && share && color && name;
    if (!ok)
        lp_error_memory(err);
    ok = ok && cover(p, &g, mask, share, err) && lp_file_join(path, sizeof path, folder, p->file, err);
    ok = ok && lp_train_set_add_names(l->set, path, name, name_rows(l, p, &g, share, color, name), err);
    lp_free(mask);
    lp_free(share);
    lp_free(color);
    lp_free(name);
    return ok || lp_error_prefix(err, "%s", p->file);
}

bool lp_naming_read(struct lp_train_set *set, const char *folder, struct lp_error *err) {
    struct lesson l = {.truth = lp_truth_open(folder, err), .set = set, .words = {.tokenizer = set->model->tokenizer}};
    bool ok = l.truth && collect(&l, err);
    for (int64_t i = 0; ok && i < l.truth->pictures; i++)
        ok = add(&l, folder, &l.truth->picture[i], err);
    lp_free(l.words.id);
    lp_arena_done(&l.words.arena);
    lp_truth_close(l.truth);
    return ok;
}
