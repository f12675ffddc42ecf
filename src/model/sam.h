/* SPDX-License-Identifier: MIT */
/* SAM: masks of what points, boxes and earlier masks show in a picture. The picture is looked at once; each
 * prompt costs little after that. */
#ifndef LP_MODEL_SAM_H
#define LP_MODEL_SAM_H

#include "base/arena.h"
#include "base/error.h"
#include "image/image.h"
#include "kernel/kernel.h"

#include <stdatomic.h>

struct lp_sam;

/* Opens a folder: a Hugging Face one (config.json, model.safetensors), or the original's .pth after `model
 * convert` (model.safetensors alone). Owned by caller. The model is constant afterwards: several threads may
 * share it. NULL on failure: LP_EIO, LP_EMISSING (no weights, or not all), LP_EINPUT (another kind of model).
 */
struct lp_sam *lp_sam_open(const char *folder, const struct lp_kernels *kernels, struct lp_error *err);
void lp_sam_close(struct lp_sam *model);
/* Whether the model may round what it multiplies to bfloat16, where that is faster. False at first; to be said before
 * the model is shared. */
void lp_sam_set_rough(struct lp_sam *model, bool rough);

/* What the model has seen of one picture. Owned by caller; constant. */
struct lp_sam_embedding {
    int width, height;               /* of the picture, px */
    int scaled_width, scaled_height; /* as the model saw it, px */
    int64_t rows, channels;          /* places of the picture's square, row after row */
    float *data;                     /* [rows,channels] */
    struct lp_sam_start *start;      /* what the decoder makes of it before it knows the prompt */
    struct lp_arena arena;           /* of both */
};

/* cancel, set to true by another thread, ends it soon (LP_ECANCELED); NULL: never. NULL on failure. */
struct lp_sam_embedding *lp_sam_see(const struct lp_sam *model, const struct lp_image *image,
                                    const atomic_bool *cancel, struct lp_error *err);
void lp_sam_embedding_close(struct lp_sam_embedding *embedding);

/* One thing to be found; all in px of the picture, all borrowed. At least one of points, box and mask is
 * there. */
struct lp_sam_prompt {
    int64_t points;
    const float (*point)[2]; /* [points] x y */
    const int *label;        /* [points] 1: on the thing, 0: not on it; NULL: all on it */
    const float *box;        /* x0y0x1y1, or NULL */
    const float *mask;       /* `logits` of an earlier answer about this picture, or NULL */
};

/* Which of the model's answers to one prompt. */
enum lp_sam_choice {
    LP_SAM_ONE,   /* the one for prompts that say enough: several points, a box */
    LP_SAM_THREE, /* the whole, the part and the part of the part, where one point may mean each */
    LP_SAM_BEST   /* of the three the one with the highest score */
};

struct lp_sam_mask {
    float score;    /* how well the model thinks it fits: intersection over union, about 0..1 */
    uint8_t *pixel; /* [height,width] of 0 and 1 */
    float *logits;  /* [side,side] of the picture's square: above 0 inside */
};

/* Owned by caller. */
struct lp_sam_masks {
    int width, height;         /* px */
    int64_t side;              /* of logits */
    int64_t count, per_prompt; /* mask[p * per_prompt + i] is answer i to prompt p */
    struct lp_sam_mask *mask;  /* [count] */
};

/* Masks for each prompt. NULL on failure: LP_EINPUT when a prompt is empty or lies outside the picture,
 * LP_EUSAGE when another model has seen the picture, LP_ECANCELED. */
struct lp_sam_masks *lp_sam_segment(const struct lp_sam *model, const struct lp_sam_embedding *embedding,
                                    const struct lp_sam_prompt *prompt, int64_t prompts,
                                    enum lp_sam_choice choice, const atomic_bool *cancel,
                                    struct lp_error *err);
void lp_sam_masks_close(struct lp_sam_masks *masks);

#endif
