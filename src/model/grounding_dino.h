/* SPDX-License-Identifier: MIT */
/* Grounding DINO: boxes around what a caption names. */
#ifndef LP_MODEL_GROUNDING_DINO_H
#define LP_MODEL_GROUNDING_DINO_H

#include "base/error.h"
#include "image/image.h"
#include "kernel/kernel.h"

#include <stdatomic.h>

struct lp_grounding_dino;

/* Opens a folder: a Hugging Face one (config.json, model.safetensors, tokenizer.json or vocab.txt), or the
 * original's .pth after `model convert` with BERT's vocab.txt beside it. Owned by caller. The model is
 * constant afterwards: several threads may share it. NULL on failure: LP_EIO, LP_EMISSING (no weights or
 * words, or not all), LP_EINPUT (another kind of model). */
struct lp_grounding_dino *lp_grounding_dino_open(const char *folder, const struct lp_kernels *kernels,
                                                 struct lp_error *err);
void lp_grounding_dino_close(struct lp_grounding_dino *model);

/* What counts as found. All 0..1. */
struct lp_detect_limits {
    float box;    /* a box's surest word must be surer than this, */
    float text;   /* and each word of its phrase than this */
    double share; /* of two boxes that share more of their union than this the surer stays */
};
void lp_detect_limits_defaults(struct lp_detect_limits *limits); /* 0.35, 0.25, 0.8 */

struct lp_detection {
    float box[4]; /* x0y0x1y1, px of the picture; may reach a little beyond it */
    float score;
    char *phrase; /* the words of the caption that it is; may be "" */
};

/* The surest first. Owned by caller. */
struct lp_detections {
    int64_t count;
    struct lp_detection *item; /* [count] */
};

/* Looks in the picture for what caption[0..n) names: phrases that end in full stops. Words past the model's
 * 256 tokens are not looked for. cancel, set to true by another thread, ends it soon (LP_ECANCELED); NULL:
 * never. NULL on failure: LP_EINPUT for a picture so thin that the model cannot see it. Nothing found is no
 * failure. */
struct lp_detections *lp_grounding_dino_detect(const struct lp_grounding_dino *model,
                                               const struct lp_image *image, const char *caption, size_t n,
                                               const struct lp_detect_limits *limits,
                                               const atomic_bool *cancel, struct lp_error *err);
void lp_detections_close(struct lp_detections *found);

/* How many phrases the model reads of a caption; 0 where it has more tokens than the model reads; -1 on
 * failure. */
int64_t lp_grounding_dino_phrases(const struct lp_grounding_dino *model, const char *caption, size_t n,
                                  struct lp_error *err);

/* A box as one phrase of a caption. */
struct lp_ranked {
    float box[4];   /* x0y0x1y1, px of the picture; may reach a little beyond it */
    float score;    /* how sure the phrase's tokens are, the mean */
    int64_t phrase; /* the caption's first is 0 */
};
/* For qsort: the surest first, of equally sure ones the phrase that comes first. */
int lp_ranked_order(const void *a, const void *b);

/* The `most` surest of all boxes as all phrases, as detectors are measured: nothing is too unsure. A phrase's
 * boxes that share more than `share` of their union count once. best [most], the surest first. Returns how
 * many; -1 on failure, as above. */
int64_t lp_grounding_dino_rank(const struct lp_grounding_dino *model, const struct lp_image *image,
                               const char *caption, size_t n, double share, struct lp_ranked *best,
                               int64_t most, struct lp_error *err);

#endif
