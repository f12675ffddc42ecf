/* SPDX-License-Identifier: MIT */
/* A language model with pictures as the planner needs it: LLaVA, or a scripted one in tests. */
#ifndef LP_PLAN_LMM_H
#define LP_PLAN_LMM_H

#include "model/llava.h"

struct lp_lmm_kind {
    struct lp_llava_picture *(*see)(void *self, const struct lp_image *image, struct lp_error *err);
    int64_t (*rows)(void *self);           /* positions so far */
    void (*cut)(void *self, int64_t rows); /* forgets all after the first `rows` */
    /* As lp_llava_feed. */
    const float *(*feed)(void *self, const int32_t *id, int64_t n,
                         const struct lp_llava_picture *const *pictures, int64_t picture_count,
                         struct lp_error *err);
    /* Positions out of it and behind what it has, as lp_llava_state_save and _load. */
    void (*save)(const void *self, int64_t first, int64_t rows, void *out);
    bool (*load)(void *self, const void *in, int64_t rows);
    void (*close)(void *self);
    /* From now on see and feed end soon, with LP_ECANCELED, where another thread sets `cancel`, borrowed, to true; NULL: never.
     * NULL: they take no time. */
    void (*heed)(void *self, const atomic_bool *cancel);
};

struct lp_remote; /* plan/remote.h */

/* One conversation's model. For one thread at a time. */
struct lp_lmm {
    const struct lp_lmm_kind *kind;
    void *self;
    struct lp_remote *remote; /* a server writes whole turns: of `kind` there is only `close`, and of what
                                 follows only knows_handles counts. NULL: `kind` computes */
    const struct lp_tokenizer *tokenizer; /* borrowed */
    const char *name;                     /* borrowed */
    const struct lp_template *template;   /* NULL: the name chooses */
    bool knows_handles;                   /* result turns tell handles */
    int64_t vocabulary, context;
    struct lp_store *store;  /* borrowed; what it saw and read is kept there; NULL: nowhere */
    struct lp_hash identity; /* of the model, */
    size_t row_bytes;        /* and what a position takes: for names in the store */
};

/* A new state on `model`, which is borrowed until lp_lmm_close, as is `store` (NULL: none). */
bool lp_lmm_open_llava(struct lp_lmm *lmm, const struct lp_llava *model, struct lp_store *store, struct lp_error *err);
void lp_lmm_close(struct lp_lmm *lmm);
/* kind->heed, where there is one. */
void lp_lmm_heed(struct lp_lmm *lmm, const atomic_bool *cancel);

#endif
