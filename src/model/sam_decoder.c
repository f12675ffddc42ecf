/* SPDX-License-Identifier: MIT */
/* model/sam_decoder.c - SAM's mask decoder, Kirillov et al. 2023, arXiv:2304.02643, appendix A and figure 14.
 *   tokens = [score token, mask tokens, sparse prompt] [t,O]; picture = features + dense prompt [side*side,O]
 *   --layers: tokens attend to themselves and to the picture, the picture to the tokens--> both anew
 *   picture --two transposed convolutions--> [(4*side)^2,O/8]; each mask token --perceptron--> [O/8];
 *   a mask is the product of both; scores come from the score token by another perceptron. */
#include "model/sam_model.h"

#include <string.h>

static const float upscale_eps = 1e-6f; /* LayerNorm2d's; no configuration changes it */

static void bind_attention(struct lp_bind *b, const char *name, struct lp_sam_attention *a, int64_t O,
                           int64_t inner, int64_t heads) {
    size_t up = lp_bind_enter(b, "%s", name);
    lp_bind_linear(b, "q_proj", &a->q, O, inner, true);
    lp_bind_linear(b, "k_proj", &a->k, O, inner, true);
    lp_bind_linear(b, "v_proj", &a->v, O, inner, true);
    lp_bind_linear(b, "out_proj", &a->out, inner, O, true);
    lp_bind_leave(b, up);
    a->heads = heads;
}

static void bind_layer(struct lp_bind *b, const struct lp_sam_config *c, const struct lp_sam_names *n,
                       int64_t i, struct lp_sam_two_way *l) {
    int64_t O = c->channels, inner = O / c->narrower, heads = c->decoder_heads;
    size_t up = lp_bind_enter(b, "mask_decoder.transformer.layers.%ld", (long)i);
    bind_attention(b, "self_attn", &l->itself, O, O, heads);
    bind_attention(b, "cross_attn_token_to_image", &l->to_picture, O, inner, heads);
    bind_attention(b, "cross_attn_image_to_token", &l->from_picture, O, inner, heads);
    for (int j = 0; j < 4; j++) {
        char norm[32];
        snprintf(norm, sizeof norm, "%s%d", n->norm, j + 1);
        lp_bind_layer_norm(b, norm, &l->norm[j], O, c->decoder_eps);
    }
    lp_bind_linear(b, "mlp.lin1", &l->lin1, O, c->decoder_ffn, true);
    lp_bind_linear(b, "mlp.lin2", &l->lin2, c->decoder_ffn, O, true);
    lp_bind_leave(b, up);
}

static void bind_mlp(struct lp_bind *b, const struct lp_sam_names *n, struct lp_sam_mlp *mlp, int64_t depth,
                     int64_t in, int64_t hidden, int64_t out) {
    mlp->depth = depth;
    for (int64_t i = 0; i < depth; i++) {
        char name[32];
        snprintf(name, sizeof name, "layers.%ld", (long)(n->numbered ? i : i - 1));
        if (!n->numbered && (i == 0 || i == depth - 1))
            snprintf(name, sizeof name, "%s", i == 0 ? "proj_in" : "proj_out");
        lp_bind_linear(b, name, &mlp->layer[i], i == 0 ? in : hidden, i == depth - 1 ? out : hidden, true);
    }
}

static void bind_upscale(struct lp_bind *b, const char *name, lp_tensor **w, lp_tensor **bias, int64_t in,
                         int64_t out) {
    size_t up = lp_bind_enter(b, "%s", name);
    *w = lp_bind_tensor(b, "weight", LP_BIND_MATRIX, 4, in, out, (int64_t)2, (int64_t)2);
    *bias = lp_bind_tensor(b, "bias", LP_BIND_SHIFT, 1, out);
    lp_bind_leave(b, up);
}

bool lp_sam_bind_decoder(struct lp_bind *b, const struct lp_sam_config *c, const struct lp_sam_names *n,
                         struct lp_sam_decoder *d) {
    int64_t O = c->channels;
    d->layer = lp_arena_array(b->arena, (size_t)c->depth, sizeof *d->layer);
    if (!d->layer)
        return false;
    d->score_token = lp_bind_tensor(b, "mask_decoder.iou_token.weight", LP_BIND_EMBEDDING, 2, (int64_t)1, O);
    d->mask_tokens = lp_bind_tensor(b, "mask_decoder.mask_tokens.weight", LP_BIND_EMBEDDING, 2, c->masks, O);
    for (int64_t i = 0; i < c->depth; i++)
        bind_layer(b, c, n, i, &d->layer[i]);
    bind_attention(b, "mask_decoder.transformer.final_attn_token_to_image", &d->last, O, O / c->narrower,
                   c->decoder_heads);
    lp_bind_layer_norm(b, n->last_norm, &d->last_norm, O, c->last_eps);
    bind_upscale(b, n->upscale[0], &d->upscale1, &d->upscale1_b, O, O / 4);
    lp_bind_layer_norm(b, n->upscale[1], &d->upscale_norm, O / 4, upscale_eps);
    bind_upscale(b, n->upscale[2], &d->upscale2, &d->upscale2_b, O / 4, O / 8);
    for (int64_t i = 0; i < c->masks; i++) {
        size_t up = lp_bind_enter(b, "mask_decoder.output_hypernetworks_mlps.%ld", (long)i);
        bind_mlp(b, n, &d->mask[i], 3, O, O, O / 8);
        lp_bind_leave(b, up);
    }
    size_t up = lp_bind_enter(b, "mask_decoder.iou_prediction_head");
    bind_mlp(b, n, &d->score, c->score_depth, O, c->score_hidden, c->masks);
    lp_bind_leave(b, up);
    return true;
}

static lp_tensor *attend(lp_run *r, const struct lp_sam_attention *a, lp_tensor *q, lp_tensor *keys, lp_tensor *values) {
    struct lp_attention_settings s = {a->heads, a->heads, false, NULL, 0};
    return lp_linear(r, &a->out, lp_attention(r, q, keys, values, &s));
}

static lp_tensor *coded(lp_run *r, lp_tensor *x, const lp_tensor *code) {
    return lp_add(r, x, (lp_tensor *)code);
}

/* Tokens, and what tells where and what each is: added again before every attention. */
struct tokens {
    lp_tensor *x;          /* [t,O] */
    const lp_tensor *code; /* [t,O] */
};

/* What tokens see in the picture: keys and values; the picture's queries where `from` is given. */
static struct lp_sam_start look_at(lp_run *r, const struct lp_sam *m, const struct lp_sam_attention *to,
                                   const struct lp_sam_attention *from, lp_tensor *picture) {
    lp_tensor *placed = coded(r, picture, m->prompts.grid);
    return (struct lp_sam_start){picture, lp_linear(r, &to->k, placed), lp_linear(r, &to->v, picture),
                                 from ? lp_linear(r, &from->q, placed) : NULL};
}

static lp_tensor *look(lp_run *r, const struct lp_sam_attention *a, const struct lp_norm *norm, const struct tokens *t,
                       const struct lp_sam_start *at) {
    lp_tensor *q = lp_linear(r, &a->q, coded(r, t->x, t->code));
    return lp_norm(r, norm, lp_add(r, t->x, attend(r, a, q, at->keys, at->values)));
}

static lp_tensor *attend_tokens(lp_run *r, const struct lp_sam_attention *a, lp_tensor *q, lp_tensor *v) {
    return attend(r, a, lp_linear(r, &a->q, q), lp_linear(r, &a->k, q), lp_linear(r, &a->v, v));
}

/* The tokens in `t`, and the picture anew. */
static lp_tensor *layer_forward(lp_run *r, const struct lp_sam_two_way *l, bool is_first, struct tokens *t,
                                const struct lp_sam_start *at) {
    if (is_first) { /* the tokens are still their own code, and what they were is not kept */
        t->x = attend_tokens(r, &l->itself, t->x, t->x);
    } else {
        t->x = lp_add(r, t->x, attend_tokens(r, &l->itself, coded(r, t->x, t->code), t->x));
    }
    t->x = lp_norm(r, &l->norm[0], t->x);
    t->x = look(r, &l->to_picture, &l->norm[1], t, at);
    lp_tensor *h = lp_act(r, lp_linear(r, &l->lin1, t->x), LP_RELU);
    t->x = lp_norm(r, &l->norm[2], lp_add(r, t->x, lp_linear(r, &l->lin2, h)));
    const struct lp_sam_attention *a = &l->from_picture;
    lp_tensor *keys = lp_linear(r, &a->k, coded(r, t->x, t->code)), *values = lp_linear(r, &a->v, t->x);
    return lp_norm(r, &l->norm[3], lp_add(r, at->picture, attend(r, a, at->queries, keys, values)));
}

/* [score token, mask tokens, sparse prompt]. */
static lp_tensor *make_tokens(lp_run *r, const struct lp_sam *m, const lp_tensor *sparse) {
    const struct lp_sam_decoder *d = &m->decoder;
    int64_t masks = m->config.masks, n = sparse ? lp_rows(sparse) : 0, O = m->config.channels;
    lp_tensor *y = lp_enter(r, "tokens") ? lp_new(r, 2, 1 + masks + n, O) : NULL;
    if (!y)
        return NULL;
    float *out = lp_f32(y);
    memcpy(out, lp_f32(d->score_token), sizeof(float) * (size_t)O);
    memcpy(out + O, lp_f32(d->mask_tokens), sizeof(float) * (size_t)(masks * O));
    if (sparse)
        memcpy(out + (1 + masks) * O, lp_f32(sparse), sizeof(float) * (size_t)(n * O));
    return y;
}

/* Row i of the tokens through a perceptron -> [1,out]. */
static lp_tensor *mlp(lp_run *r, const struct lp_sam_mlp *p, const lp_tensor *token, int64_t i) {
    if (!lp_enter(r, "mlp"))
        return NULL;
    int64_t O = lp_dim(token, -1);
    lp_tensor row = {.type = LP_F32, .ndim = 2, .dim = {1, O}, .data = lp_f32(token) + i * O};
    lp_tensor *x = lp_linear(r, &p->layer[0], &row);
    for (int64_t j = 1; j < p->depth; j++)
        x = lp_linear(r, &p->layer[j], lp_act(r, x, LP_RELU));
    return x;
}

/* picture [side*side,O], the mask tokens' rows behind the first -> logits [masks,(4*side)^2]. */
static lp_tensor *draw(lp_run *r, const struct lp_sam *m, lp_tensor *picture, const lp_tensor *token) {
    const struct lp_sam_decoder *d = &m->decoder;
    int64_t side = lp_sam_side(&m->config), masks = m->config.masks, C = m->config.channels / 8;
    lp_tensor *x =
        lp_conv_transpose(r, picture, d->upscale1, d->upscale1_b, side, side); /* [(2*side)^2,O/4] */
    x = lp_act(r, lp_norm(r, &d->upscale_norm, x), LP_GELU);
    x = lp_conv_transpose(r, x, d->upscale2, d->upscale2_b, 2 * side, 2 * side); /* [(4*side)^2,O/8] */
    x = lp_act(r, x, LP_GELU);
    lp_tensor *of_masks = x ? lp_new(r, 2, masks, C) : NULL;
    for (int64_t i = 0; i < masks && of_masks; i++) {
        lp_tensor *one = mlp(r, &d->mask[i], token, 1 + i);
        if (one)
            memcpy(lp_f32(of_masks) + i * C, lp_f32(one), sizeof(float) * (size_t)C);
    }
    return lp_matmul(r, of_masks, x, NULL);
}

static struct lp_sam_start begin_layer(lp_run *r, const struct lp_sam *m, int64_t i, lp_tensor *picture) {
    const struct lp_sam_two_way *l = &m->decoder.layer[i];
    return look_at(r, m, &l->to_picture, &l->from_picture, picture);
}

struct lp_sam_start lp_sam_begin(lp_run *r, const struct lp_sam *m, lp_tensor *features, lp_tensor *dense) {
    return begin_layer(r, m, 0, lp_add(r, features, dense));
}

lp_tensor *lp_sam_decode(lp_run *r, const struct lp_sam *m, const struct lp_sam_start *start, const lp_tensor *sparse,
                         lp_tensor **scores) {
    const struct lp_sam_decoder *d = &m->decoder;
    lp_tensor *code = make_tokens(r, m, sparse);
    struct tokens t = {code, code};
    struct lp_sam_start at = *start;
    for (int64_t i = 0; i < m->config.depth; i++) {
        lp_tensor *picture = layer_forward(r, &d->layer[i], i == 0, &t, &at);
        at = i + 1 < m->config.depth ? begin_layer(r, m, i + 1, picture) : look_at(r, m, &d->last, NULL, picture);
    }
    lp_tensor *token = look(r, &d->last, &d->last_norm, &t, &at);
    *scores = mlp(r, &d->score, token, 0);
    return draw(r, m, at.picture, token);
}
