/* SPDX-License-Identifier: MIT */
/* LLaVA: a CLIP picture encoder, a projector, a LLaMA. The planner. */
#ifndef LP_MODEL_LLAVA_H
#define LP_MODEL_LLAVA_H

#include "base/error.h"
#include "base/store.h"
#include "image/image.h"
#include "kernel/kernel.h"
#include "text/tokenizer.h"

#include <stdatomic.h>

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
/* Whether the picture encoder may round what it multiplies to bfloat16, where that is faster. False at first; to be said
 * before the model is shared. */
void lp_llava_set_rough(struct lp_llava *model, bool rough);

/* Borrowed until lp_llava_close. */
const struct lp_tokenizer *lp_llava_tokenizer(const struct lp_llava *model);
const char *lp_llava_name(const struct lp_llava *model); /* last part of the path, without ".gguf" */
/* Of its conversations: config.json's "llava_plus_template", or else as the name chooses. Never NULL. */
const struct lp_template *lp_llava_template(const struct lp_llava *model);
bool lp_llava_knows_handles(const struct lp_llava *model); /* trained with handles in result turns */
int64_t lp_llava_vocabulary(const struct lp_llava *model); /* numbers in a row of logits */
int64_t lp_llava_context(const struct lp_llava *model);    /* most positions of a conversation */
/* Equal for models that compute the same: of the configuration, the kernels and the weights (their files' times, and
 * samples of them). For the names of what is kept. */
const struct lp_hash *lp_llava_identity(const struct lp_llava *model);

/* What the language model sees of one picture: rows of embeddings. Owned by caller. */
struct lp_llava_picture {
    int64_t rows, width;
    float *data; /* [rows,width] */
    struct lp_hash content; /* equal for pictures that the model sees alike */
};
/* What was encoded once is found in `store`, borrowed, NULL: none. cancel, set to true by another thread, ends it soon
 * (LP_ECANCELED); NULL: never. */
struct lp_llava_picture *lp_llava_see(const struct lp_llava *model, const struct lp_image *image, struct lp_store *store,
                                      const atomic_bool *cancel, struct lp_error *err);
void lp_llava_picture_close(struct lp_llava_picture *picture);

/* One conversation's keys and values. Not for two threads at once. */
struct lp_llava_state;
struct lp_llava_state *lp_llava_state_open(const struct lp_llava *model, struct lp_error *err);
void lp_llava_state_close(struct lp_llava_state *state);
int64_t lp_llava_state_rows(const struct lp_llava_state *state);          /* positions so far */
/* From now on lp_llava_feed ends soon, with LP_ECANCELED, where another thread sets `cancel`, borrowed, to true; NULL: never. */
void lp_llava_state_heed(struct lp_llava_state *state, const atomic_bool *cancel);
void lp_llava_state_cut(struct lp_llava_state *state, int64_t rows); /* forgets all after the first `rows` */

/* The keys and values of `rows` positions from number `first` on, which it has, into out[rows * row bytes]; and, of a
 * state of the same model, behind what another has. They mean the same only behind the same tokens and pictures. False:
 * they do not fit into the context. */
size_t lp_llava_row_bytes(const struct lp_llava *model);
void lp_llava_state_save(const struct lp_llava_state *state, int64_t first, int64_t rows, void *out);
bool lp_llava_state_load(struct lp_llava_state *state, const void *in, int64_t rows);

/* Appends n tokens; each LP_IMAGE_TOKEN stands for the next of `pictures` (all must be used). Returns the logits
 * [vocabulary] after the last token, borrowed until the next call on this state; NULL on failure (LP_EINPUT when
 * the context would overflow), the state then being as before. */
const float *lp_llava_feed(struct lp_llava_state *state, const int32_t *id, int64_t n,
                           const struct lp_llava_picture *const *pictures, int64_t picture_count,
                           struct lp_error *err);

/* Appends id[i], no picture, to state[i], for n states of one model, no two the same: weights are read once for all of
 * them. Who is done or canceled stays away from the next call. Returns the logits [n,vocabulary], borrowed until the
 * next call on state[0]; NULL on failure (LP_EINPUT where a context is full), all states then being as before. Equal to
 * n calls of lp_llava_feed but for rounding. For one thread, which then uses all n states. */
const float *lp_llava_feed_batch(struct lp_llava_state *const *state, const int32_t *id, int64_t n, struct lp_error *err);

#endif
