/* SPDX-License-Identifier: MIT */
/* plan/lmm.c - LLaVA behind the planner's seam. */
#include "plan/lmm.h"

#include "base/memory.h"
#include "model/llava_model.h"

#include <omp.h>

/* Multiplications of the largest matrix product below which threads cost more than they save: waiting for
 * each other takes a token of a nano planner longer than computing it, and much longer on a busy machine. */
#define WORTH_THREADS ((int64_t)1 << 21)

struct llava {
    const struct lp_llava *model;
    struct lp_llava_state *state;
    struct lp_store *store;
    const atomic_bool *cancel;
};

/* Sets the threads for a product of that size; returns how many there were. */
static int set_threads(int64_t work) {
    int before = omp_get_max_threads();
    if (work < WORTH_THREADS)
        omp_set_num_threads(1);
    return before;
}

static struct lp_llava_picture *see(void *self, const struct lp_image *image, struct lp_error *err) {
    const struct llava *l = self;
    const struct lp_clip_config *c = &l->model->config.clip;
    int threads = set_threads(lp_clip_patches(c) * c->hidden * c->ffn);
    struct lp_llava_picture *picture = lp_llava_see(l->model, image, l->store, l->cancel, err);
    omp_set_num_threads(threads);
    return picture;
}

static int64_t rows(void *self) {
    const struct llava *l = self;
    return lp_llava_state_rows(l->state);
}

static void cut(void *self, int64_t n) {
    struct llava *l = self;
    lp_llava_state_cut(l->state, n);
}

static const float *feed(void *self, const int32_t *id, int64_t n,
                         const struct lp_llava_picture *const *pictures, int64_t picture_count,
                         struct lp_error *err) {
    struct llava *l = self;
    const struct lp_llama_config *c = &l->model->config.llama;
    int threads = set_threads(n * c->hidden * c->ffn);
    const float *logits = lp_llava_feed(l->state, id, n, pictures, picture_count, err);
    omp_set_num_threads(threads);
    return logits;
}

static void save(const void *self, int64_t first, int64_t n, void *out) {
    const struct llava *l = self;
    lp_llava_state_save(l->state, first, n, out);
}

static bool load(void *self, const void *in, int64_t n) {
    struct llava *l = self;
    return lp_llava_state_load(l->state, in, n);
}

static void close(void *self) {
    struct llava *l = self;
    lp_llava_state_close(l->state);
    lp_free(l);
}

static void heed(void *self, const atomic_bool *cancel) {
    struct llava *l = self;
    l->cancel = cancel;
    lp_llava_state_heed(l->state, cancel);
}

static const struct lp_lmm_kind kind = {see, rows, cut, feed, save, load, close, heed};

bool lp_lmm_open_llava(struct lp_lmm *lmm, const struct lp_llava *model, struct lp_store *store,
                       struct lp_error *err) {
    *lmm = (struct lp_lmm){.kind = &kind,
                           .tokenizer = lp_llava_tokenizer(model),
                           .name = lp_llava_name(model),
                           .template = lp_llava_template(model),
                           .knows_handles = lp_llava_knows_handles(model),
                           .vocabulary = lp_llava_vocabulary(model),
                           .context = lp_llava_context(model),
                           .store = store,
                           .identity = *lp_llava_identity(model),
                           .row_bytes = lp_llava_row_bytes(model)};
    struct llava *l = lp_alloc(sizeof *l);
    if (!l)
        return lp_error_memory(err);
    l->model = model;
    l->store = store;
    l->state = lp_llava_state_open(model, err);
    lmm->self = l;
    if (l->state)
        return true;
    lp_lmm_close(lmm);
    return false;
}

void lp_lmm_heed(struct lp_lmm *lmm, const atomic_bool *cancel) {
    if (lmm->kind->heed)
        lmm->kind->heed(lmm->self, cancel);
}

void lp_lmm_close(struct lp_lmm *lmm) {
    if (lmm->self)
        lmm->kind->close(lmm->self);
    *lmm = (struct lp_lmm){0};
}
