/* SPDX-License-Identifier: MIT */
/* CLIP's picture encoder. */
#ifndef LP_MODEL_CLIP_H
#define LP_MODEL_CLIP_H

#include "base/json.h"
#include "nn/layers.h"

struct lp_clip_config {
    int64_t hidden, layers, heads, ffn, image_px, patch_px;
    enum lp_act act;
    float eps;
};

struct lp_clip_block;
struct lp_clip {
    struct lp_clip_config config;
    lp_tensor *class_embedding; /* [C] */
    struct lp_linear patch;     /* [C,3,P,P], a convolution of stride P without bias */
    lp_tensor *position;        /* [1+patches,C] */
    struct lp_norm pre;
    struct lp_clip_block *block; /* [depth] */
    int64_t depth;               /* blocks that are run */
};

/* Sizes from the "vision_config" object; absent ones are CLIPVisionConfig's defaults. */
bool lp_clip_read_config(const json_t *config, struct lp_clip_config *c, struct lp_error *err);
int64_t lp_clip_patches(const struct lp_clip_config *c); /* a picture */

/* Binds the first `depth` blocks below the binder's prefix ("...vision_model."). False when out of memory. */
bool lp_clip_bind(struct lp_bind *b, const struct lp_clip_config *config, int64_t depth, struct lp_clip *m);

/* Features of pictures before any final norm, the class token dropped.  pixels [n,3,S,S] -> [n*patches,C]. */
lp_tensor *lp_clip_features(lp_run *r, const struct lp_clip *m, lp_tensor *pixels);

#endif
