/* SPDX-License-Identifier: MIT */
/* The parts of a SAM and its stages, for what tests it. Others need only sam.h. */
#ifndef LP_MODEL_SAM_MODEL_H
#define LP_MODEL_SAM_MODEL_H

#include "base/json.h"
#include "image/preprocess.h"
#include "model/sam.h"
#include "nn/layers.h"

enum { LP_SAM_MOST_LAYERS = 64, LP_SAM_MOST_DEPTH = 8, LP_SAM_MOST_MASKS = 8 };

struct lp_sam_config {
    /* The image encoder. */
    int64_t image_px, patch_px, hidden, layers, heads, ffn;
    int64_t window[LP_SAM_MOST_LAYERS]; /* of each block, in places a side; 0: the whole picture */
    bool qkv_bias, has_positions, has_distances;
    float eps;
    /* The prompt encoder and the mask decoder. */
    int64_t channels;      /* of the picture's features and of tokens */
    int64_t mask_channels; /* of a mask prompt on its way */
    float mask_eps;
    int64_t depth, decoder_heads, decoder_ffn;
    int64_t narrower; /* attention between tokens and picture works on channels / narrower */
    int64_t masks;    /* answers to a prompt: one for clear prompts, then those for unclear ones */
    int64_t score_depth, score_hidden;
    float decoder_eps, last_eps;
};

/* Places of the picture's square along a side. */
int64_t lp_sam_side(const struct lp_sam_config *c);

/* How each layout of files calls what both hold. */
struct lp_sam_names {
    const char *patch, *position, *blocks, *norm, *neck[4];
    const char *gauss, *points, *mask[5];
    const char *upscale[3], *last_norm;
    bool numbered; /* layers of perceptrons are "layers.0", "layers.1", ..; else "proj_in", "layers.0", ..,
                      "proj_out" */
};
const struct lp_sam_names *lp_sam_find_names(const struct lp_weights *files);
bool lp_sam_names_are_original(const struct lp_sam_names *names);

/* Sizes from config.json's object; absent ones are SamConfig's defaults. */
bool lp_sam_read_config(const json_t *config, struct lp_sam_config *c, struct lp_error *err);
/* Sizes of the original's weights, which come without a configuration, from their shapes. */
bool lp_sam_read_shapes(const struct lp_weights *files, struct lp_sam_config *c, struct lp_error *err);

struct lp_sam_block {
    struct lp_norm norm1, norm2;         /* [C] */
    struct lp_linear qkv, out;           /* [3*C,C], [C,C] */
    lp_tensor *row_table, *column_table; /* [2*side-1,D] or NULL; side: of the window, or of the picture */
    struct lp_linear lin1, lin2;         /* [F,C], [C,F] */
};

struct lp_sam_encoder {
    struct lp_linear patch;                /* [C,3,P,P], a convolution of stride P */
    lp_tensor *position;                   /* [1,side,side,C] or NULL */
    struct lp_sam_block *block;            /* [layers] */
    struct lp_linear neck1, neck2;         /* [O,C,1,1], [O,O,3,3], without bias */
    struct lp_norm neck_norm1, neck_norm2; /* [O] */
};

struct lp_sam_prompts {
    lp_tensor *gauss;              /* [2,O/2] */
    lp_tensor *point[4];           /* [1,O]: not on the thing, on it, a box's first corner, its second */
    lp_tensor *no_point, *no_mask; /* [1,O] */
    struct lp_linear mask[3];      /* [M/4,1,2,2], [M,M/4,2,2], [O,M,1,1] */
    struct lp_norm mask_norm[2];   /* [M/4], [M] */
    lp_tensor *grid;               /* [side*side,O]: the code of each place of the picture */
};

struct lp_sam_attention {
    struct lp_linear q, k, v, out; /* [I,O] three times, [O,I] */
    int64_t heads;
};

struct lp_sam_two_way {
    struct lp_sam_attention itself, to_picture, from_picture;
    struct lp_norm norm[4];      /* [O] */
    struct lp_linear lin1, lin2; /* [F,O], [O,F] */
};

/* A perceptron: linear layers with ReLU between. */
struct lp_sam_mlp {
    struct lp_linear layer[LP_SAM_MOST_DEPTH];
    int64_t depth;
};

struct lp_sam_decoder {
    lp_tensor *score_token, *mask_tokens; /* [1,O], [masks,O] */
    struct lp_sam_two_way *layer;         /* [depth] */
    struct lp_sam_attention last;
    struct lp_norm last_norm;                  /* [O] */
    lp_tensor *upscale1, *upscale1_b;          /* [O,O/4,2,2], [O/4], a transposed convolution */
    lp_tensor *upscale2, *upscale2_b;          /* [O/4,O/8,2,2], [O/8] */
    struct lp_norm upscale_norm;               /* [O/4] */
    struct lp_sam_mlp mask[LP_SAM_MOST_MASKS]; /* O -> O -> O -> O/8 */
    struct lp_sam_mlp score;                   /* O -> .. -> masks */
};

struct lp_sam {
    struct lp_arena arena;
    const struct lp_kernels *kernels;
    struct lp_weights *files;
    bool rough;                      /* see lp_sam_set_rough */
    struct lp_preprocess preprocess; /* size and crop are image_px */
    struct lp_sam_config config;
    struct lp_sam_encoder encoder;
    struct lp_sam_prompts prompts;
    struct lp_sam_decoder decoder;
    struct lp_parameters parameters;
};

/* A picture as a layer of the decoder finds it, and what the layer makes of that alone. */
struct lp_sam_start {
    lp_tensor *picture;                 /* [side*side,O] */
    lp_tensor *keys, *values, *queries; /* [side*side,O/narrower]: to_picture's, to_picture's, from_picture's */
};

/* Each binds its part; false when out of memory. */
bool lp_sam_bind_encoder(struct lp_bind *b, const struct lp_sam_config *c, const struct lp_sam_names *n,
                         struct lp_sam_encoder *e);
void lp_sam_bind_prompts(struct lp_bind *b, const struct lp_sam_config *c, const struct lp_sam_names *n,
                         struct lp_sam_prompts *p);
bool lp_sam_bind_decoder(struct lp_bind *b, const struct lp_sam_config *c, const struct lp_sam_names *n,
                         struct lp_sam_decoder *d);
/* Fills prompts.grid from the bound weights. False when out of memory. */
bool lp_sam_make_grid(struct lp_sam *m);

/* pixels [1,3,S,S] -> [side*side,C] after the first `layers` blocks, and -> [side*side,O] behind the neck. */
lp_tensor *lp_sam_blocks(lp_run *r, const struct lp_sam *m, lp_tensor *pixels, int64_t layers);
lp_tensor *lp_sam_neck(lp_run *r, const struct lp_sam *m, lp_tensor *x);

/* A prompt's points and box -> [n,O]; NULL also where it has neither. to_x and to_y: px of the model's square
 * for one of the picture. */
lp_tensor *lp_sam_sparse(lp_run *r, const struct lp_sam *m, const struct lp_sam_prompt *p, double to_x,
                         double to_y);
/* A prompt's mask, or none -> [side*side,O] or [1,O]. */
lp_tensor *lp_sam_dense(lp_run *r, const struct lp_sam *m, const float *mask);

/* features [side*side,O], dense [side*side,O] or [1,O] -> where a prompt with that mask starts from. */
struct lp_sam_start lp_sam_begin(lp_run *r, const struct lp_sam *m, lp_tensor *features, lp_tensor *dense);
/* From there with sparse [n,O] or NULL -> logits [masks,(4*side)^2] and *scores [1,masks]. */
lp_tensor *lp_sam_decode(lp_run *r, const struct lp_sam *m, const struct lp_sam_start *start, const lp_tensor *sparse,
                         lp_tensor **scores);

/* How large a picture lies in the model's square. */
void lp_sam_fit(const struct lp_sam *m, int width, int height, int *scaled_width, int *scaled_height);
/* The picture in the square's corner, normalised, zeros around it -> pixels [3,S,S]. */
bool lp_sam_prepare(const struct lp_sam *m, const struct lp_image *image, float *pixels,
                    struct lp_error *err);
/* logits [4*side,4*side] of the square -> pixel [height,width] of 0 and 1. */
void lp_sam_finish(lp_run *r, const struct lp_sam *m, const struct lp_sam_embedding *e, const float *logits,
                   uint8_t *pixel);

#endif
