/* SPDX-License-Identifier: MIT */
/* Swin: maps of features of a picture at falling resolutions, for detectors. */
#ifndef LP_MODEL_SWIN_H
#define LP_MODEL_SWIN_H

#include "base/json.h"
#include "nn/layers.h"

enum { LP_SWIN_MOST_STAGES = 4 };

struct lp_swin_config {
    int64_t width;            /* channels of the first stage; each further stage has twice as many */
    int64_t patch_px, window; /* window in places */
    int64_t stages, depth[LP_SWIN_MOST_STAGES], heads[LP_SWIN_MOST_STAGES];
    double mlp_ratio;
    enum lp_act act;
    float eps;
    bool qkv_bias;
    bool gives[LP_SWIN_MOST_STAGES]; /* which stages' maps are wanted */
};

/* Sizes from transformers' "backbone_config" object; absent ones are SwinConfig's defaults. */
bool lp_swin_read_config(const json_t *config, struct lp_swin_config *c, struct lp_error *err);

/* Sizes from the shapes of weights that go by the original's names below prefix ("backbone.0."). */
bool lp_swin_read_shapes(const struct lp_weights *files, const char *prefix, struct lp_swin_config *c,
                         struct lp_error *err);

int64_t lp_swin_channels(const struct lp_swin_config *c, int64_t stage); /* stage from 0 */

struct lp_swin_stage;
struct lp_swin {
    struct lp_swin_config config;
    struct lp_linear patch; /* [C,3,P,P], a convolution of stride P */
    struct lp_norm patch_norm;
    struct lp_swin_stage *stage; /* [stages] */
};

/* Binds below the binder's prefix, transformers' names ("model.backbone.conv_encoder.model.") or the
 * original's
 * ("backbone.0."), whichever the files have; new models get transformers'. False when out of memory. */
bool lp_swin_bind(struct lp_bind *b, const struct lp_swin_config *config, struct lp_swin *m);

/* A stage's map behind its norm, in the run; x NULL where the stage is not wanted. */
struct lp_swin_level {
    lp_tensor *x; /* [H*W,C], places row after row */
    int64_t H, W;
};

/* A picture of any size.  pixels [1,3,height,width], normalised. False after a failure. */
bool lp_swin_levels(lp_run *r, const struct lp_swin *m, lp_tensor *pixels,
                    struct lp_swin_level level[LP_SWIN_MOST_STAGES]);

#endif
