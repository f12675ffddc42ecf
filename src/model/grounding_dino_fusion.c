/* SPDX-License-Identifier: MIT */
/* model/grounding_dino_fusion.c - how picture and text see each other: Li et al. 2021, arXiv:2112.03857,
 * section 3.3.
 *   x = norm(place) [N,C], y = norm(token) [T,C]; in each of H heads
 *   score(n,t) = (x_n Q^T) . (y_t K^T) / sqrt(D)
 *   place = x + gamma (softmax over tokens of score, times y V^T) O^T
 *   token = y + gamma' (softmax over places of score, times x V'^T) O'^T
 * There are thousands of places and a few tokens. So the tokens are brought to where places are, not the
 * places into the heads: x Q^T k = x (k Q), and V^T and O^T are applied to tokens only. A token in each of H
 * heads is then a row of [H*T,C], and products with x cost H*T columns instead of the heads' H*D.
 * The original lowers scores by their maximum and limits them to +-50000, for 16-bit floats; this is the
 * same. */
#include "model/grounding_dino_model.h"

#include <math.h>
#include <string.h>

enum { ROWS = 1024, KEYS = 256 }; /* places, and tokens in heads, at once */

void lp_dino_bind_fusion(struct lp_bind *b, const struct lp_dino_names *n, const struct lp_dino_config *c,
                         struct lp_dino_fusion *f) {
    int64_t C = c->channels, E = c->encoder_ffn / 2;
    struct lp_linear *in[2] = {&f->in, &f->text_in}, *value[2] = {&f->value, &f->text_value},
                     *out[2] = {&f->out, &f->text_out};
    struct lp_norm *norm[2] = {&f->norm, &f->text_norm};
    lp_tensor **gamma[2] = {&f->gamma, &f->text_gamma};
    f->heads = c->encoder_heads / 2;
    for (int i = 0; i < 2; i++) {
        lp_bind_layer_norm(b, n->fusion_norm[i], norm[i], C, c->eps);
        lp_bind_linear(b, n->fusion_in[i], in[i], C, E, true);
        lp_bind_linear(b, n->fusion_value[i], value[i], C, E, true);
        lp_bind_linear(b, n->fusion_out[i], out[i], E, C, true);
        *gamma[i] = lp_bind_tensor(b, n->gamma[i], LP_BIND_SCALE, 1, C);
    }
}

/* x [T,E] of H heads side by side -> [H*T,E]: row h*T+t is token t's head h, zeros in the other heads. */
static lp_tensor *part_heads(lp_run *r, const lp_tensor *x, int64_t heads) {
    int64_t T = x ? lp_rows(x) : 0, E = x ? lp_dim(x, -1) : 0, D = E / heads;
    lp_tensor *y = lp_enter(r, "part_heads") ? lp_new(r, 2, heads * T, E) : NULL;
    if (!y)
        return NULL;
    memset(lp_f32(y), 0, sizeof(float) * (size_t)lp_count(y));
    for (int64_t i = 0; i < heads * T; i++)
        memcpy(lp_f32(y) + i * E + i / T * D, lp_f32(x) + i % T * E + i / T * D, sizeof(float) * (size_t)D);
    return y;
}

/* The way back; of each row only its own head counts. */
static lp_tensor *join_heads(lp_run *r, const lp_tensor *x, int64_t heads) {
    int64_t T = x ? lp_rows(x) / heads : 0, E = x ? lp_dim(x, -1) : 0, D = E / heads;
    lp_tensor *y = lp_enter(r, "join_heads") ? lp_new(r, 2, T, E) : NULL;
    for (int64_t i = 0; i < heads * T && y; i++)
        memcpy(lp_f32(y) + i % T * E + i / T * D, lp_f32(x) + i * E + i / T * D, sizeof(float) * (size_t)D);
    return y;
}

/* a [n,K] times b [K,N], which may be a weight of any type -> [n,N]. */
static lp_tensor *times(lp_run *r, const lp_tensor *a, const lp_tensor *b) {
    if (!lp_enter(r, "times"))
        return NULL;
    int64_t n = lp_rows(a), K = lp_dim(a, -1), N = lp_count(b) / K;
    lp_tensor *y = lp_new(r, 2, n, N);
    lp_mark m = lp_here(r);
    float *wide = b->type == LP_F32 ? lp_f32(b) : lp_run_alloc(r, sizeof(float) * (size_t)(K * N));
    if (!y || !wide)
        return NULL;
    if (b->type != LP_F32)
        r->k->to_f32(wide, b->data, b->type, K * N);
    r->k->matmul_nn(lp_f32(y), lp_f32(a), wide, n, N, K, false);
    lp_back_to(r, m);
    return y;
}

/* x + gamma y, gamma [C]; into y. */
static void add_scaled_by(const lp_tensor *x, const lp_tensor *gamma, lp_tensor *y) {
    int64_t C = lp_count(gamma);
    for (int64_t i = 0; y && i < lp_count(y); i++)
        lp_f32(y)[i] = lp_f32(x)[i] + lp_f32(gamma)[i % C] * lp_f32(y)[i];
}

/* The tokens as places meet them. */
struct keys {
    lp_tensor *key, *shift;  /* [H*T,C], [H*T]: score = key . place + shift */
    lp_tensor *value, *base; /* [H*T,C], [C]: what a place gets is base + the sum of values, gamma in both */
};

static struct keys make_keys(lp_run *r, const struct lp_dino_fusion *f, lp_tensor *y) {
    struct keys k = {0};
    lp_tensor *in = lp_linear(r, &f->text_in, y); /* [T,E] */
    float scale = 1 / sqrtf((float)(lp_enter(r, "keys") ? lp_dim(in, -1) / f->heads : 1));
    in = part_heads(r, lp_scale(r, in, scale), f->heads);
    k.key = times(r, in, f->in.w);
    k.value = lp_matmul(r, part_heads(r, lp_linear(r, &f->text_value, y), f->heads), f->out.w, NULL);
    if (!lp_enter(r, "keys"))
        return k;
    lp_tensor bias = {.type = LP_F32, .ndim = 2, .dim = {1, lp_count(f->in.b)}, .data = f->in.b->data};
    int64_t C = lp_count(f->gamma);
    k.shift = lp_matmul(r, in, &bias, NULL);
    k.base = lp_new(r, 1, C);
    for (int64_t i = 0; k.shift && k.base && i < lp_count(k.value); i++)
        lp_f32(k.value)[i] *= lp_f32(f->gamma)[i % C];
    for (int64_t c = 0; k.base && c < C; c++)
        lp_f32(k.base)[c] = lp_f32(f->gamma)[c] * lp_f32(f->out.b)[c];
    return k;
}

/* Places look at tokens, some rows at a time. */
static lp_tensor *look_at_tokens(lp_run *r, const struct lp_dino_fusion *f, const struct keys *k,
                                 lp_tensor *x) {
    lp_tensor *y = lp_add(r, x, k->base); /* [N,C] */
    for (int64_t at = 0; y && at < lp_rows(x); at += ROWS) {
        lp_mark m = lp_here(r);
        int64_t C = lp_dim(x, -1), left = lp_rows(x) - at, n = left < ROWS ? left : ROWS,
                HT = lp_rows(k->key);
        lp_tensor part = {.type = LP_F32, .ndim = 2, .dim = {n, C}, .data = lp_f32(x) + at * C};
        lp_tensor *share = lp_matmul(r, &part, k->key, k->shift); /* [n,H*T] */
        if (!share)
            return NULL;
        r->k->softmax(lp_f32(share), lp_f32(share), n * f->heads, HT / f->heads);
        r->k->matmul_nn(lp_f32(y) + at * C, lp_f32(share), lp_f32(k->value), n, C, HT, true);
        lp_back_to(r, m);
    }
    return y;
}

/* Tokens look at places, some of [H*T] at a time. What `shift` adds is the same for all places: softmax does
 * not see it. */
static lp_tensor *look_at_places(lp_run *r, const struct lp_dino_fusion *f, const struct keys *k,
                                 lp_tensor *x) {
    if (!lp_enter(r, "look_at_places"))
        return NULL;
    int64_t C = lp_dim(x, -1), HT = lp_rows(k->key);
    lp_tensor *seen = lp_like(r, k->key); /* [H*T,C] */
    for (int64_t at = 0; at < HT && seen; at += KEYS) {
        lp_mark m = lp_here(r);
        int64_t n = HT - at < KEYS ? HT - at : KEYS;
        lp_tensor key = {.type = LP_F32, .ndim = 2, .dim = {n, C}, .data = lp_f32(k->key) + at * C};
        lp_tensor *some = times(r, lp_softmax(r, lp_matmul(r, &key, x, NULL)), x); /* [n,N] -> [n,C] */
        if (!some)
            return NULL;
        memcpy(lp_f32(seen) + at * C, lp_f32(some), sizeof(float) * (size_t)(n * C));
        lp_back_to(r, m);
    }
    return lp_linear(r, &f->text_out, join_heads(r, lp_linear(r, &f->value, seen), f->heads));
}

void lp_dino_fuse(lp_run *r, const struct lp_dino_fusion *f, struct lp_dino_both *both) {
    lp_mark mark = lp_here(r);
    lp_tensor *y = lp_norm(r, &f->text_norm, both->token);
    lp_tensor *x = lp_norm(r, &f->norm, both->place);
    struct keys k = make_keys(r, f, y);
    lp_tensor *token = look_at_places(r, f, &k, x);
    add_scaled_by(y, f->text_gamma, token);
    lp_dino_renew(r, mark, both, look_at_tokens(r, f, &k, x), token);
}
