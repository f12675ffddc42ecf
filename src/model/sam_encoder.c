/* SPDX-License-Identifier: MIT */
/* model/sam_encoder.c - SAM's image encoder: a plain vision transformer, Li et al. 2022, arXiv:2203.16527.
 *   pixels [1,3,S,S] --squares of P, positions--> [side*side,C] --blocks--> [side*side,C]
 *     --neck: 1x1 and 3x3 convolution, each with a norm over channels--> [side*side,O]
 * Most blocks attend within windows, a few over the whole picture. Maps lie place after place, channels
 * innermost, so that a norm over channels is the common layer norm and a 1x1 convolution the linear layer. */
#include "model/sam_model.h"

static const float neck_eps = 1e-6f; /* LayerNorm2d's; no configuration changes it */

static void bind_block(struct lp_bind *b, const struct lp_sam_config *c, const struct lp_sam_names *n,
                       int64_t i, struct lp_sam_block *l) {
    int64_t C = c->hidden, side = c->window[i] ? c->window[i] : lp_sam_side(c), D = C / c->heads;
    char norm[32];
    size_t up = lp_bind_enter(b, "%s.%ld", n->blocks, (long)i);
    snprintf(norm, sizeof norm, "%s1", n->norm);
    lp_bind_layer_norm(b, norm, &l->norm1, C, c->eps);
    lp_bind_linear(b, "attn.qkv", &l->qkv, C, 3 * C, c->qkv_bias);
    lp_bind_linear(b, "attn.proj", &l->out, C, C, true);
    if (c->has_distances) {
        l->row_table = lp_bind_tensor(b, "attn.rel_pos_h", LP_BIND_EMBEDDING, 2, 2 * side - 1, D);
        l->column_table = lp_bind_tensor(b, "attn.rel_pos_w", LP_BIND_EMBEDDING, 2, 2 * side - 1, D);
    }
    snprintf(norm, sizeof norm, "%s2", n->norm);
    lp_bind_layer_norm(b, norm, &l->norm2, C, c->eps);
    lp_bind_linear(b, "mlp.lin1", &l->lin1, C, c->ffn, true);
    lp_bind_linear(b, "mlp.lin2", &l->lin2, c->ffn, C, true);
    lp_bind_leave(b, up);
}

bool lp_sam_bind_encoder(struct lp_bind *b, const struct lp_sam_config *c, const struct lp_sam_names *n,
                         struct lp_sam_encoder *e) {
    int64_t C = c->hidden, O = c->channels, side = lp_sam_side(c);
    e->block = lp_arena_array(b->arena, (size_t)c->layers, sizeof *e->block);
    if (!e->block)
        return false;
    lp_bind_conv(b, n->patch, &e->patch, 3, C, c->patch_px, true);
    if (c->has_positions)
        e->position = lp_bind_tensor(b, n->position, LP_BIND_EMBEDDING, 4, (int64_t)1, side, side, C);
    for (int64_t i = 0; i < c->layers; i++)
        bind_block(b, c, n, i, &e->block[i]);
    lp_bind_conv(b, n->neck[0], &e->neck1, C, O, 1, false);
    lp_bind_layer_norm(b, n->neck[1], &e->neck_norm1, O, neck_eps);
    lp_bind_conv(b, n->neck[2], &e->neck2, O, O, 3, false);
    lp_bind_layer_norm(b, n->neck[3], &e->neck_norm2, O, neck_eps);
    return true;
}

/* Windows are cut after the linear layer, not before as in the original: the places that they have beyond the
 * picture are zeros before it, and so its bias behind it. */
static lp_tensor *attention(lp_run *r, const struct lp_sam_block *l, lp_tensor *x, int64_t side,
                            int64_t window, int64_t heads) {
    lp_tensor *qkv = lp_linear(r, &l->qkv, x); /* [side*side,3*C] */
    lp_tensor *y = lp_grid_attention(r, qkv, l->qkv.b, l->row_table, l->column_table, side, window ? window : side, heads);
    return lp_linear(r, &l->out, y);
}

static lp_tensor *block_forward(lp_run *r, const struct lp_sam *m, int64_t i,
                                lp_tensor *x) { /* x [side*side,C] */
    const struct lp_sam_block *l = &m->encoder.block[i];
    lp_mark mark = lp_here(r);
    x = lp_add(r, x,
               attention(r, l, lp_norm(r, &l->norm1, x), lp_sam_side(&m->config), m->config.window[i],
                         m->config.heads));
    x = lp_add(r, x, lp_mlp(r, &l->lin1, &l->lin2, LP_GELU, lp_norm(r, &l->norm2, x)));
    return lp_keep(r, mark, x);
}

/* A picture needs a block's matrices once: of a large file, one block at a time is mapped. */
static void let_go(const struct lp_sam *m, int64_t i) {
    const struct lp_sam_block *l = &m->encoder.block[i];
    const lp_tensor *matrix[] = {l->qkv.w, l->out.w, l->lin1.w, l->lin2.w};
    for (int k = 0; k < 4; k++)
        lp_weights_let_go_of(m->files, matrix[k]->data,
                             (size_t)lp_dtype_row_bytes(matrix[k]->type, lp_count(matrix[k])));
}

lp_tensor *lp_sam_blocks(lp_run *r, const struct lp_sam *m, lp_tensor *pixels, int64_t layers) {
    lp_mark mark = lp_here(r);
    lp_tensor *x =
        lp_linear(r, &m->encoder.patch, lp_patches(r, pixels, m->config.patch_px)); /* [side*side,C] */
    if (m->encoder.position)
        x = lp_add(r, x, m->encoder.position);
    for (int64_t i = 0; i < layers; i++) {
        x = block_forward(r, m, i, x);
        let_go(m, i);
    }
    return lp_keep(r, mark, x);
}

lp_tensor *lp_sam_neck(lp_run *r, const struct lp_sam *m, lp_tensor *x) {
    const struct lp_sam_encoder *e = &m->encoder;
    int64_t side = lp_sam_side(&m->config);
    struct lp_conv_settings around = {.height = side, .width = side, .kernel = 3, .stride = 1, .padding = 1};
    lp_mark mark = lp_here(r);
    x = lp_norm(r, &e->neck_norm1, lp_linear(r, &e->neck1, x)); /* [side*side,O] */
    x = lp_norm(r, &e->neck_norm2, lp_linear(r, &e->neck2, lp_unfold(r, x, &around)));
    return lp_keep(r, mark, x);
}
