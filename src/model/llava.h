/* SPDX-License-Identifier: MIT */
/* LLaVA: a CLIP picture encoder, a projector, a LLaMA. The planner. */
#ifndef LP_MODEL_LLAVA_H
#define LP_MODEL_LLAVA_H

#include "base/error.h"
#include "image/image.h"
#include "kernel/kernel.h"
#include "text/tokenizer.h"

struct lp_llava;
struct lp_template; /* text/template.h */

/* Opens a Hugging Face folder: config.json, model.safetensors (or shards), tokenizer.model or tokenizer.json; or a
 * GGUF language model with the mmproj file beside it. Owned by caller. The model is constant afterwards: several
 * states and threads may share it. */
struct lp_llava *lp_llava_open(const char *path, const struct lp_kernels *kernels, struct lp_error *err);
/* The same with the picture encoder's file named; NULL: beside the model (model/llava_source.h). */
struct lp_llava *lp_llava_open_with(const char *path, const char *mmproj, const struct lp_kernels *kernels,
                                    struct lp_error *err);
void lp_llava_close(struct lp_llava *model);

/* Borrowed until lp_llava_close. */
const struct lp_tokenizer *lp_llava_tokenizer(const struct lp_llava *model);
const char *lp_llava_name(const struct lp_llava *model); /* last part of the path, without ".gguf" */
/* Of its conversations: config.json's "llava_plus_template", or else as the name chooses. Never NULL. */
const struct lp_template *lp_llava_template(const struct lp_llava *model);
bool lp_llava_knows_handles(const struct lp_llava *model); /* trained with handles in result turns */
int64_t lp_llava_vocabulary(const struct lp_llava *model); /* numbers in a row of logits */
int64_t lp_llava_context(const struct lp_llava *model);    /* most positions of a conversation */

/* What the language model sees of one picture: rows of embeddings. Owned by caller. */
struct lp_llava_picture {
    int64_t rows, width;
    float *data; /* [rows,width] */
};
struct lp_llava_picture *lp_llava_see(const struct lp_llava *model, const struct lp_image *image,
                                      struct lp_error *err);
void lp_llava_picture_close(struct lp_llava_picture *picture);

/* One conversation's keys and values. Not for two threads at once. */
struct lp_llava_state;
struct lp_llava_state *lp_llava_state_open(const struct lp_llava *model, struct lp_error *err);
void lp_llava_state_close(struct lp_llava_state *state);
int64_t lp_llava_state_rows(const struct lp_llava_state *state);          /* positions so far */
void lp_llava_state_cut(struct lp_llava_state *state, int64_t rows); /* forgets all after the first `rows` */

/* Appends n tokens; each LP_IMAGE_TOKEN stands for the next of `pictures` (all must be used). Returns the logits
 * [vocabulary] after the last token, borrowed until the next call on this state; NULL on failure (LP_EINPUT when
 * the context would overflow), the state then being as before. */
const float *lp_llava_feed(struct lp_llava_state *state, const int32_t *id, int64_t n,
                           const struct lp_llava_picture *const *pictures, int64_t picture_count,
                           struct lp_error *err);

#endif
