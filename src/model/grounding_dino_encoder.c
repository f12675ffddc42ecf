/* SPDX-License-Identifier: MIT */
/* model/grounding_dino_encoder.c - Grounding DINO's feature enhancer, Liu et al. 2023, arXiv:2303.05499,
 * section 3.2.
 *   places [N,C], tokens [T,C] --layers--> both anew. In each:
 *     places and tokens see each other (grounding_dino_fusion.c),
 *     tokens of a phrase see each other, places sample the maps where they choose to.
 * Norms stand behind sums, but in the fusion, where they stand before. */
#include "model/grounding_dino_model.h"

#include <string.h>

/* ---- weights ---- */

void lp_dino_bind_attention(struct lp_bind *b, const struct lp_dino_names *n, const char *name, int64_t C,
                            int64_t heads, struct lp_dino_attention *a) {
    struct lp_linear *part[3] = {&a->q, &a->k, &a->v};
    static const char *const names[3] = {"query", "key", "value"};
    size_t up = lp_bind_enter(b, "%s", name);
    if (n->packed)
        lp_bind_stacked(b, "in_proj_weight", "in_proj_bias", part, 3, C, C);
    for (int i = 0; i < 3 && !n->packed; i++)
        lp_bind_linear(b, names[i], part[i], C, C, true);
    lp_bind_linear(b, "out_proj", &a->out, C, C, true);
    a->heads = heads;
    lp_bind_leave(b, up);
}

void lp_dino_bind_deform(struct lp_bind *b, const char *name, const struct lp_dino_config *c, int64_t heads,
                         int64_t points, struct lp_dino_deform *d) {
    int64_t C = c->channels, samples = heads * c->levels * points;
    size_t up = lp_bind_enter(b, "%s", name);
    lp_bind_linear(b, "sampling_offsets", &d->offset, C, 2 * samples, true);
    lp_bind_linear(b, "attention_weights", &d->weight, C, samples, true);
    lp_bind_linear(b, "value_proj", &d->value, C, C, true);
    lp_bind_linear(b, "output_proj", &d->out, C, C, true);
    d->heads = heads;
    d->points = points;
    lp_bind_leave(b, up);
}

static void bind_text(struct lp_bind *b, const struct lp_dino_names *n, const struct lp_dino_config *c,
                      struct lp_dino_encoder_layer *l) {
    int64_t C = c->channels, F = c->encoder_ffn / 2;
    lp_dino_bind_attention(b, n, "self_attn", C, c->encoder_heads / 2, &l->text);
    for (int i = 0; i < 2; i++)
        lp_bind_layer_norm(b, n->text_norm[i], &l->text_norm[i], C, c->eps);
    lp_bind_linear(b, n->fc[0], &l->text_fc[0], C, F, true);
    lp_bind_linear(b, n->fc[1], &l->text_fc[1], F, C, true);
}

static void bind_deform(struct lp_bind *b, const struct lp_dino_names *n, const struct lp_dino_config *c,
                        struct lp_dino_encoder_layer *l) {
    lp_dino_bind_deform(b, "self_attn", c, c->encoder_heads, c->encoder_points, &l->deform);
    for (int i = 0; i < 2; i++)
        lp_bind_layer_norm(b, n->deform_norm[i], &l->norm[i], c->channels, c->eps);
    lp_bind_linear(b, n->fc[0], &l->fc[0], c->channels, c->encoder_ffn, true);
    lp_bind_linear(b, n->fc[1], &l->fc[1], c->encoder_ffn, c->channels, true);
}

bool lp_dino_bind_encoder(struct lp_bind *b, const struct lp_dino_names *n, struct lp_grounding_dino *m) {
    const struct lp_dino_config *c = &m->config;
    m->encoder = lp_arena_array(b->arena, (size_t)c->encoder_layers, sizeof *m->encoder);
    for (int64_t i = 0; i < c->encoder_layers && m->encoder; i++) {
        struct lp_dino_encoder_layer *l = &m->encoder[i];
        size_t up = lp_bind_enter(b, "%s.%ld%s", n->fusion[0], (long)i, n->fusion[1]);
        lp_dino_bind_fusion(b, n, c, &l->fusion);
        lp_bind_leave(b, up);
        up = lp_bind_enter(b, "%s.%ld%s", n->text[0], (long)i, n->text[1]);
        bind_text(b, n, c, l);
        lp_bind_leave(b, up);
        up = lp_bind_enter(b, "%s.%ld%s", n->deform[0], (long)i, n->deform[1]);
        bind_deform(b, n, c, l);
        lp_bind_leave(b, up);
    }
    return m->encoder;
}

/* ---- forward ---- */

lp_tensor *lp_dino_attend(lp_run *r, const struct lp_dino_attention *a, lp_tensor *q, lp_tensor *k,
                          lp_tensor *v, const struct lp_phrases *phrases) {
    struct lp_attention_settings s = {.heads = a->heads,
                                      .key_heads = a->heads,
                                      .start = phrases ? phrases->start : NULL,
                                      .count = phrases ? phrases->count : 0};
    lp_tensor *keys = lp_linear(r, &a->k, k), *values = lp_linear(r, &a->v, v);
    return lp_linear(r, &a->out, lp_attention(r, lp_linear(r, &a->q, q), keys, values, &s));
}

lp_tensor *lp_dino_sample(lp_run *r, const struct lp_dino_deform *d, lp_tensor *query, lp_tensor *place,
                          lp_tensor *reference, const struct lp_dino_maps *maps) {
    lp_mark m = lp_here(r);
    struct lp_deform_shape s = {.heads = d->heads, .levels = maps->count, .points = d->points};
    for (int64_t i = 0; i < maps->count; i++) {
        s.map[i].H = maps->map[i].H;
        s.map[i].W = maps->map[i].W;
    }
    lp_tensor *value = lp_linear(r, &d->value, place);
    lp_tensor *offset = lp_linear(r, &d->offset, query), *weight = lp_linear(r, &d->weight, query);
    lp_tensor *y = lp_deformable_attention(r, value, offset, weight, reference, &s);
    return lp_keep(r, m, lp_linear(r, &d->out, y));
}

void lp_dino_renew(lp_run *r, lp_mark m, struct lp_dino_both *x, const lp_tensor *place,
                   const lp_tensor *token) {
    if (!r->error.code) {
        memcpy(lp_f32(x->place), lp_f32(place), sizeof(float) * (size_t)lp_count(place));
        memcpy(lp_f32(x->token), lp_f32(token), sizeof(float) * (size_t)lp_count(token));
    }
    lp_back_to(r, m);
}

static lp_tensor *enhance_tokens(lp_run *r, const struct lp_dino_encoder_layer *l,
                                 const struct lp_dino_scene *scene, lp_tensor *x) {
    lp_tensor *q = lp_add(r, x, scene->token_code);
    x = lp_norm(r, &l->text_norm[0], lp_add(r, x, lp_dino_attend(r, &l->text, q, q, x, scene->phrases)));
    lp_tensor *h = lp_mlp(r, &l->text_fc[0], &l->text_fc[1], LP_RELU, x);
    return lp_norm(r, &l->text_norm[1], lp_add(r, x, h));
}

static lp_tensor *enhance_places(lp_run *r, const struct lp_dino_encoder_layer *l,
                                 const struct lp_dino_scene *scene, lp_tensor *x) {
    lp_mark m = lp_here(r);
    lp_tensor *q = lp_add(r, x, scene->place_code);
    lp_tensor *seen = lp_dino_sample(r, &l->deform, q, x, scene->middle, &scene->maps);
    x = lp_keep(r, m, lp_norm(r, &l->norm[0], lp_add(r, x, seen)));
    lp_tensor *h = lp_mlp(r, &l->fc[0], &l->fc[1], LP_RELU, x);
    return lp_keep(r, m, lp_norm(r, &l->norm[1], lp_add(r, x, h)));
}

void lp_dino_enhance(lp_run *r, const struct lp_grounding_dino *m, int64_t i,
                     const struct lp_dino_scene *scene, struct lp_dino_both *x) {
    const struct lp_dino_encoder_layer *l = &m->encoder[i];
    lp_mark mark = lp_here(r);
    lp_tensor *token = enhance_tokens(r, l, scene, x->token);
    lp_dino_renew(r, mark, x, enhance_places(r, l, scene, x->place), token);
}

lp_tensor *lp_dino_read(lp_run *r, const struct lp_grounding_dino *m, const struct lp_phrases *p) {
    struct lp_bert_rows rows = {.id = p->ids.id,
                                .position = p->position,
                                .n = (int64_t)p->ids.n,
                                .start = p->start,
                                .count = p->count};
    lp_mark mark = lp_here(r);
    return lp_keep(r, mark, lp_linear(r, &m->words, lp_bert_forward(r, &m->text, &rows)));
}

lp_tensor *lp_dino_token_codes(lp_run *r, const struct lp_grounding_dino *m, const struct lp_phrases *p) {
    int64_t C = m->config.channels;
    lp_tensor *y = lp_enter(r, "token_codes") ? lp_new(r, 2, (int64_t)p->ids.n, C) : NULL;
    lp_mark mark = lp_here(r);
    float *period = y ? lp_run_alloc(r, sizeof(float) * (size_t)C) : NULL;
    if (!period)
        return NULL;
    lp_dino_periods(period, C, 10000);
    for (size_t i = 0; i < p->ids.n; i++)
        lp_dino_wave(lp_f32(y) + (int64_t)i * C, (float)p->position[i], period, C);
    lp_back_to(r, mark);
    return y;
}
