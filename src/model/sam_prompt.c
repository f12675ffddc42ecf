/* SPDX-License-Identifier: MIT */
/* model/sam_prompt.c - SAM's prompt encoder, Kirillov et al. 2023, arXiv:2304.02643, appendix A.
 *   points, box --random Fourier code of the place, plus what kind of point it is--> sparse [n,O]
 *   mask [4*side,4*side] --three convolutions--> dense [side*side,O]; without one a learnt row [1,O]
 * Places are pixels' centres, 0..1 of the square that the image encoder sees (Tancik et al. 2020,
 * arXiv:2006.10739). */
#include "model/sam_model.h"

#include <math.h>
#include <string.h>

void lp_sam_bind_prompts(struct lp_bind *b, const struct lp_sam_config *c, const struct lp_sam_names *n,
                         struct lp_sam_prompts *p) {
    int64_t O = c->channels, M = c->mask_channels, one = 1;
    p->gauss = lp_bind_tensor(b, n->gauss, LP_BIND_EMBEDDING, 2, (int64_t)2, O / 2);
    for (int i = 0; i < 4; i++) {
        size_t up = lp_bind_enter(b, "%s.%d", n->points, i);
        p->point[i] = lp_bind_tensor(b, "weight", LP_BIND_EMBEDDING, 2, one, O);
        lp_bind_leave(b, up);
    }
    p->no_point = lp_bind_tensor(b, "prompt_encoder.not_a_point_embed.weight", LP_BIND_EMBEDDING, 2, one, O);
    p->no_mask = lp_bind_tensor(b, "prompt_encoder.no_mask_embed.weight", LP_BIND_EMBEDDING, 2, one, O);
    lp_bind_conv(b, n->mask[0], &p->mask[0], 1, M / 4, 2, true);
    lp_bind_layer_norm(b, n->mask[1], &p->mask_norm[0], M / 4, c->mask_eps);
    lp_bind_conv(b, n->mask[2], &p->mask[1], M / 4, M, 2, true);
    lp_bind_layer_norm(b, n->mask[3], &p->mask_norm[1], M, c->mask_eps);
    lp_bind_conv(b, n->mask[4], &p->mask[2], M, O, 1, true);
}

/* out[O] = sin, then cos of 2 pi times random directions; x and y 0..1 of the square. */
static void put_code(const struct lp_sam *m, float x, float y, float *out) {
    int64_t half = m->config.channels / 2;
    const float *along_x = lp_f32(m->prompts.gauss), *along_y = along_x + half;
    for (int64_t i = 0; i < half; i++) {
        float angle = 2 * (float)M_PI * ((2 * x - 1) * along_x[i] + (2 * y - 1) * along_y[i]);
        out[i] = sinf(angle);
        out[half + i] = cosf(angle);
    }
}

bool lp_sam_make_grid(struct lp_sam *m) {
    int64_t side = lp_sam_side(&m->config), O = m->config.channels;
    float *data = lp_arena_array(&m->arena, (size_t)(side * side * O), sizeof *data);
    lp_tensor *grid = lp_arena_alloc(&m->arena, sizeof *grid);
    if (!data || !grid)
        return false;
    for (int64_t i = 0; i < side * side; i++)
        put_code(m, ((float)(i % side) + 0.5f) / (float)side, ((float)(i / side) + 0.5f) / (float)side,
                 data + i * O);
    *grid = (lp_tensor){.type = LP_F32, .ndim = 2, .dim = {side * side, O}, .data = data};
    m->prompts.grid = grid;
    return true;
}

/* The code of a point in px of the square, plus what kind it is. */
static void put_point(lp_run *r, const struct lp_sam *m, double x, double y, const lp_tensor *kind,
                      float *out) {
    float S = (float)m->config.image_px;
    put_code(m, ((float)x + 0.5f) / S, ((float)y + 0.5f) / S, out);
    r->k->add(out, out, lp_f32(kind), m->config.channels);
}

lp_tensor *lp_sam_sparse(lp_run *r, const struct lp_sam *m, const struct lp_sam_prompt *p, double to_x,
                         double to_y) {
    if (!lp_enter(r, "prompt"))
        return NULL;
    const struct lp_sam_prompts *w = &m->prompts;
    bool pads = p->points > 0 && !p->box; /* the model was trained with a box or a point too many */
    int64_t n = p->points + (p->box ? 2 : 0) + pads, O = m->config.channels;
    lp_tensor *y = n ? lp_new(r, 2, n, O) : NULL;
    if (!y)
        return NULL;
    float *out = lp_f32(y);
    for (int64_t i = 0; i < p->points; i++, out += O)
        put_point(r, m, p->point[i][0] * to_x, p->point[i][1] * to_y, w->point[!p->label || p->label[i]],
                  out);
    if (pads)
        memcpy(out, lp_f32(w->no_point), sizeof(float) * (size_t)O);
    for (int i = 0; i < 2 && p->box; i++, out += O)
        put_point(r, m, p->box[2 * i] * to_x, p->box[2 * i + 1] * to_y, w->point[2 + i], out);
    return y;
}

lp_tensor *lp_sam_dense(lp_run *r, const struct lp_sam *m, const float *mask) {
    const struct lp_sam_prompts *p = &m->prompts;
    if (!mask)
        return p->no_mask;
    int64_t side = 4 * lp_sam_side(&m->config);
    lp_mark mark = lp_here(r);
    lp_tensor *x = lp_enter(r, "mask prompt") ? lp_new(r, 2, side * side, (int64_t)1) : NULL;
    if (!x)
        return NULL;
    memcpy(lp_f32(x), mask, sizeof(float) * (size_t)(side * side));
    for (int i = 0; i < 2; i++, side /= 2) {
        struct lp_conv_settings halved = {.height = side, .width = side, .kernel = 2, .stride = 2};
        x = lp_linear(r, &p->mask[i], lp_unfold(r, x, &halved));
        x = lp_act(r, lp_norm(r, &p->mask_norm[i], x), LP_GELU);
    }
    return lp_keep(r, mark, lp_linear(r, &p->mask[2], x));
}
