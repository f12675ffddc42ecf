/* SPDX-License-Identifier: MIT */
/* model/grounding_dino_decoder.c - Grounding DINO's queries and its decoder, Liu et al. 2023,
 * arXiv:2303.05499, sections 3.3 and 3.4.
 *   places [N,C] --those that fit some token best--> boxes [n,4]; queries [n,C] are learnt
 *     --layers: queries see each other, the tokens, the maps about their boxes; boxes move--> both anew
 *   logits [n,T] = norm(query) . token
 * Boxes are centre and size; what a layer makes is added to their logits. */
#include "model/grounding_dino_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float near = 0.01f; /* places nearer to the picture's border than this are no candidates, */
static const float first_side = 0.05f; /* and these are boxes of this side, on each further map twice it */

/* ---- weights ---- */

static void bind_box_head(struct lp_bind *b, const char *name, int64_t C, struct lp_dino_box_head *h) {
    size_t up = lp_bind_enter(b, "%s.layers", name);
    for (int i = 0; i < LP_DINO_BOX_DEPTH; i++) {
        char number[2] = {(char)('0' + i), 0};
        lp_bind_linear(b, number, &h->layer[i], C, i < LP_DINO_BOX_DEPTH - 1 ? C : 4, true);
    }
    lp_bind_leave(b, up);
}

/* A decoder layer's own head, or the first's, which all share where it alone is stored; each may be stored by
 * either of two names. */
static void bind_layer_box_head(struct lp_bind *b, int64_t i, int64_t C, struct lp_dino_box_head *h) {
    static const char *const stems[] = {"bbox_embed", "model.decoder.bbox_embed",
                                        "transformer.decoder.bbox_embed"};
    char name[64], full[sizeof b->prefix + 96];
    for (int64_t at = i;; at = 0) {
        for (size_t k = 0; k < sizeof stems / sizeof *stems; k++) {
            snprintf(name, sizeof name, "%s.%ld", stems[k], (long)at);
            snprintf(full, sizeof full, "%s%s.layers.0.weight", b->prefix, name);
            if (lp_weights_find(b->files, full)) {
                bind_box_head(b, name, C, h);
                return;
            }
        }
        if (at == 0)
            break;
    }
    bind_box_head(b, "bbox_embed.0", C, h); /* which is missing */
}

static void bind_layer(struct lp_bind *b, const struct lp_dino_names *n, const struct lp_dino_config *c,
                       int64_t i, struct lp_dino_decoder_layer *l) {
    int64_t C = c->channels, heads = c->decoder_heads;
    size_t up = lp_bind_enter(b, "%s.%ld", n->decoder, (long)i);
    lp_dino_bind_attention(b, n, n->self, C, heads, &l->self);
    lp_dino_bind_attention(b, n, n->cross_text, C, heads, &l->text);
    lp_dino_bind_deform(b, n->cross, c, heads, c->decoder_points, &l->deform);
    for (int k = 0; k < 4; k++)
        lp_bind_layer_norm(b, n->decoder_layer_norm[k], &l->norm[k], C, c->eps);
    lp_bind_linear(b, n->fc[0], &l->fc[0], C, c->decoder_ffn, true);
    lp_bind_linear(b, n->fc[1], &l->fc[1], c->decoder_ffn, C, true);
    lp_bind_leave(b, up);
    bind_layer_box_head(b, i, C, &l->box);
}

bool lp_dino_bind_decoder(struct lp_bind *b, const struct lp_dino_names *n, struct lp_grounding_dino *m) {
    const struct lp_dino_config *c = &m->config;
    int64_t C = c->channels;
    m->decoder = lp_arena_array(b->arena, (size_t)c->decoder_layers, sizeof *m->decoder);
    if (!m->decoder)
        return false;
    lp_bind_linear(b, n->chosen, &m->chosen, C, C, true);
    lp_bind_layer_norm(b, n->chosen_norm, &m->chosen_norm, C, c->eps);
    bind_box_head(b, n->chosen_box, C, &m->chosen_box);
    m->targets = lp_bind_tensor(b, n->targets, LP_BIND_EMBEDDING, 2, c->queries, C);
    size_t up = lp_bind_enter(b, "%s.layers", n->query_code);
    lp_bind_linear(b, "0", &m->query_code[0], 2 * C, C, true);
    lp_bind_linear(b, "1", &m->query_code[1], C, C, true);
    lp_bind_leave(b, up);
    for (int64_t i = 0; i < c->decoder_layers; i++)
        bind_layer(b, n, c, i, &m->decoder[i]);
    lp_bind_layer_norm(b, n->decoder_norm, &m->decoder_norm, C, c->eps);
    return true;
}

/* ---- boxes ---- */

static float sigmoid(float x) {
    return 1 / (1 + expf(-x));
}

static float logit(float x, float edge) {
    return logf(fmaxf(x, edge) / fmaxf(1 - x, edge));
}

/* x [n,C] -> [n,4]. */
static lp_tensor *box_change(lp_run *r, const struct lp_dino_box_head *h, lp_tensor *x) {
    for (int i = 0; i < LP_DINO_BOX_DEPTH; i++) {
        x = lp_linear(r, &h->layer[i], x);
        x = i < LP_DINO_BOX_DEPTH - 1 ? lp_act(r, x, LP_RELU) : x;
    }
    return x;
}

/* Boxes [n,4] moved by what the head makes of x. */
static lp_tensor *move_boxes(lp_run *r, const struct lp_dino_box_head *h, lp_tensor *x, const lp_tensor *box,
                             float edge) {
    lp_tensor *y = box_change(r, h, x);
    for (int64_t i = 0; y && i < lp_count(y); i++)
        lp_f32(y)[i] = sigmoid(lp_f32(y)[i] + logit(lp_f32(box)[i], edge));
    return y;
}

/* ---- queries ---- */

/* The box of place `at` of all maps; false where it is no candidate. */
static bool first_box(const struct lp_dino_maps *maps, int64_t at, float box[4]) {
    int64_t i = 0;
    for (; at >= maps->map[i].H * maps->map[i].W; i++)
        at -= maps->map[i].H * maps->map[i].W;
    int64_t W = maps->map[i].W;
    box[0] = ((float)(at % W) + 0.5f) / (float)W;
    box[1] = ((float)(at / W) + 0.5f) / (float)maps->map[i].H;
    box[2] = box[3] = first_side * (float)(1 << i);
    bool good = true;
    for (int k = 0; k < 4; k++)
        good = good && box[k] > near && box[k] < 1 - near;
    return good;
}

struct ranked {
    float score;
    int32_t place;
};

static int best_first(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    int order = (x->score < y->score) - (x->score > y->score);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* The places of the n rows with the highest number in any column, best first. */
static int32_t *best_rows(lp_run *r, const lp_tensor *logits, int64_t n) {
    if (!lp_enter(r, "best_rows"))
        return NULL;
    int64_t N = lp_rows(logits), T = lp_dim(logits, -1);
    int32_t *place = lp_run_alloc(r, sizeof *place * (size_t)n);
    struct ranked *row = place ? lp_run_alloc(r, sizeof *row * (size_t)N) : NULL;
    if (!row)
        return NULL;
    for (int64_t i = 0; i < N; i++) {
        row[i] = (struct ranked){-INFINITY, (int32_t)i};
        for (int64_t t = 0; t < T; t++)
            row[i].score = fmaxf(row[i].score, lp_f32(logits)[i * T + t]);
    }
    qsort(row, (size_t)N, sizeof *row, best_first);
    for (int64_t i = 0; i < n; i++)
        place[i] = row[i].place;
    return place;
}

/* Places that are no candidates become zeros; they may be chosen all the same, with the whole picture as
 * their box. */
static lp_tensor *candidates(lp_run *r, const struct lp_grounding_dino *m, const struct lp_dino_maps *maps,
                             const lp_tensor *place) {
    int64_t C = m->config.channels;
    lp_tensor *x = lp_enter(r, "candidates") ? lp_like(r, place) : NULL;
    for (int64_t i = 0; x && i < maps->places; i++) {
        float box[4], *to = lp_f32(x) + i * C;
        if (first_box(maps, i, box))
            memcpy(to, lp_f32(place) + i * C, sizeof(float) * (size_t)C);
        else
            memset(to, 0, sizeof(float) * (size_t)C);
    }
    return lp_norm(r, &m->chosen_norm, lp_linear(r, &m->chosen, x));
}

void lp_dino_choose(lp_run *r, const struct lp_grounding_dino *m, const struct lp_dino_maps *maps,
                    const struct lp_dino_both *x, struct lp_dino_queries *q) {
    int64_t C = m->config.channels, n = m->config.queries < maps->places ? m->config.queries : maps->places;
    *q = (struct lp_dino_queries){0};
    if (!lp_enter(r, "choose") || !(q->box = lp_new(r, 2, n, (int64_t)4)) || !(q->x = lp_new(r, 2, n, C)))
        return;
    memcpy(lp_f32(q->x), lp_f32(m->targets), sizeof(float) * (size_t)(n * C));
    lp_mark mark = lp_here(r);
    lp_tensor *all = candidates(r, m, maps, x->place); /* [N,C] */
    int32_t *place = best_rows(r, lp_matmul(r, all, x->token, NULL), n);
    lp_tensor *change = place ? box_change(r, &m->chosen_box, lp_pick_rows(r, all, NULL, place, n)) : NULL;
    for (int64_t i = 0; change && i < n; i++) {
        float box[4], *to = lp_f32(q->box) + 4 * i;
        bool good = first_box(maps, place[i], box);
        for (int k = 0; k < 4; k++)
            to[k] = good ? sigmoid(lp_f32(change)[4 * i + k] + logit(box[k], 0)) : 1;
    }
    lp_back_to(r, mark);
}

/* What tells queries apart: where their boxes are, in the order y, x, width, height [n,2*C] -> [n,C]. */
static lp_tensor *query_codes(lp_run *r, const struct lp_grounding_dino *m, const lp_tensor *box) {
    static const int order[4] = {1, 0, 2, 3};
    if (!lp_enter(r, "query_codes"))
        return NULL;
    int64_t half = m->config.channels / 2, n = lp_rows(box);
    lp_tensor *y = lp_new(r, 2, n, 4 * half);
    float *period = y ? lp_run_alloc(r, sizeof(float) * (size_t)half) : NULL;
    if (!period)
        return NULL;
    lp_dino_periods(period, half, 10000);
    for (int64_t i = 0; i < 4 * n; i++)
        lp_dino_wave(lp_f32(y) + i * half, lp_f32(box)[i / 4 * 4 + order[i % 4]], period, half);
    y = lp_act(r, lp_linear(r, &m->query_code[0], y), LP_RELU);
    return lp_linear(r, &m->query_code[1], y);
}

void lp_dino_decode(lp_run *r, const struct lp_grounding_dino *m, int64_t i, const struct lp_dino_maps *maps,
                    const struct lp_dino_both *both, struct lp_dino_queries *q) {
    const struct lp_dino_decoder_layer *l = &m->decoder[i];
    lp_tensor *before = q->box;
    if (!lp_enter(r, "decode"))
        return;
    lp_tensor *box = lp_like(r, q->box), *out = lp_like(r, q->x);
    lp_mark mark = lp_here(r);
    lp_tensor *code = query_codes(r, m, before), *x = q->x, *place = lp_add(r, x, code);
    x = lp_norm(r, &l->norm[0], lp_add(r, x, lp_dino_attend(r, &l->self, place, place, x, NULL)));
    lp_tensor *seen = lp_dino_attend(r, &l->text, lp_add(r, x, code), both->token, both->token, NULL);
    x = lp_norm(r, &l->norm[1], lp_add(r, x, seen));
    seen = lp_dino_sample(r, &l->deform, lp_add(r, x, code), both->place, before, maps);
    x = lp_norm(r, &l->norm[2], lp_add(r, x, seen));
    x = lp_norm(r, &l->norm[3], lp_add(r, x, lp_mlp(r, &l->fc[0], &l->fc[1], LP_RELU, x)));
    lp_tensor *moved = move_boxes(r, &l->box, x, before, m->config.edge);
    if (moved) {
        memcpy(lp_f32(out), lp_f32(x), sizeof(float) * (size_t)lp_count(x));
        memcpy(lp_f32(box), lp_f32(moved), sizeof(float) * (size_t)lp_count(moved));
    }
    lp_back_to(r, mark);
    *q = (struct lp_dino_queries){out, box, before};
}

lp_tensor *lp_dino_conclude(lp_run *r, const struct lp_grounding_dino *m, const struct lp_dino_both *both,
                            const struct lp_dino_queries *q, lp_tensor **box) {
    lp_tensor *x = lp_norm(r, &m->decoder_norm, q->x);
    *box = move_boxes(r, &m->decoder[m->config.decoder_layers - 1].box, x, q->before, m->config.edge);
    return lp_matmul(r, x, both->token, NULL);
}
