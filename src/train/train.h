/* SPDX-License-Identifier: MIT */
/* Teaching a LLaVA dialogues: next-token prediction on the assistant's sequences only (LLaVA-Plus, equation 2),
 * AdamW, linear warm-up, cosine decay, clipped gradients. */
#ifndef LP_TRAIN_TRAIN_H
#define LP_TRAIN_TRAIN_H

#include "model/llava_model.h"
#include "text/template.h"

/* ---- what is learnt ---- */

/* A picture's row and the word it is to be near: an index into the set's words. */
struct lp_train_name {
    int32_t row, word;
};

struct lp_train_sample {
    int32_t *id;          /* [n], LP_IMAGE_TOKEN for a picture */
    int32_t *target;      /* [n]: the token that must follow, or LP_IGNORE */
    int32_t n, rows;      /* rows: n with pictures counted in full */
    const char **picture; /* paths, one for each LP_IMAGE_TOKEN */
    int32_t pictures;
    const struct lp_train_name *name; /* what rows of its one picture show */
    int32_t names;
};

struct lp_train_set {
    struct lp_arena arena;
    const struct lp_llava *model;      /* borrowed */
    const struct lp_template *template; /* the model's */
    struct lp_train_sample *sample;
    int64_t count, capacity, skipped; /* skipped: longer than the model's context */
    int32_t *word;                    /* tokens that picture rows are named by */
    int32_t words;
};

void lp_train_set_init(struct lp_train_set *set, const struct lp_llava *model);
void lp_train_set_done(struct lp_train_set *set);

/* Adds one dialogue: messages alternate, a human's first, an assistant's last. Texts and paths are copied. */
bool lp_train_set_add(struct lp_train_set *set, const struct lp_message *message, size_t n,
                      const char *const *picture, size_t pictures, struct lp_error *err);

/* Naming: before any sentence, a picture's rows, as the projector hands them to the language model, learn to lie near
 * the embeddings of the words for what they show, among `words` tokens (copied). Call once, before the pictures. */
bool lp_train_set_words(struct lp_train_set *set, const int32_t *word, int32_t words, struct lp_error *err);
/* A picture whose rows are to be named; copied. */
bool lp_train_set_add_names(struct lp_train_set *set, const char *picture, const struct lp_train_name *name, int32_t names,
                            struct lp_error *err);

/* ---- how ---- */

struct lp_train_progress {
    int64_t step, steps;
    double loss;        /* mean over the step's trained tokens, nats */
    double rate, gradient_norm, tokens_per_s, seconds_left;
};

struct lp_train_settings {
    int64_t steps;       /* 0: as many as `epochs` take */
    double epochs;
    int64_t batch;       /* dialogues a step */
    int64_t rows_a_pass; /* most rows of activations at once: a step is cut into passes */
    double rate;         /* peak learning rate */
    double warm_up;      /* share of the steps */
    double decay, clip, beta2;
    uint64_t seed;
    int64_t save_every;  /* steps; 0: never */
    const char *checkpoint; /* path of the checkpoint file; NULL: none */
    const char *log;        /* a JSONL file to append to; NULL: none */
    void (*progress)(void *context, const struct lp_train_progress *p);
    void *context;
    const volatile bool *stop; /* set: save a checkpoint and end with LP_ECANCELED */
};
void lp_train_defaults(struct lp_train_settings *s);

/* Trains the model in place. With a checkpoint path that exists it goes on from there. Same seed, data, settings
 * and number of threads: same weights. */
bool lp_train(struct lp_llava *model, const struct lp_train_set *set, const struct lp_train_settings *s,
              struct lp_error *err);

/* ---- parts, for the loop and for tests ---- */

/* The sum of losses over the samples' trained tokens and named rows, on the run's tape. *trained counts both. */
lp_tensor *lp_train_loss(lp_run *r, const struct lp_train_set *set, const struct lp_train_sample *const *sample,
                         int64_t count, int64_t *trained);

/* The loss of the samples' names; seen [pictures*rows,hidden]. NULL when there are none, too. */
lp_tensor *lp_train_naming_loss(lp_run *r, const struct lp_train_set *set, const struct lp_train_sample *const *sample,
                                int64_t count, lp_tensor *seen, int64_t *named);

/* Puts a sample, whose parts live in the set's arena, at the end; LP_EMEMORY. */
bool lp_train_set_push(struct lp_train_set *set, const struct lp_train_sample *sample, struct lp_error *err);

/* Learning rate at step (0-based) of steps. */
double lp_train_rate(const struct lp_train_settings *s, int64_t step, int64_t steps);

/* AdamW's state for those of a model's parameters that learn. */
struct lp_optimizer {
    float *data; /* gradients, first and second moments, one after the other */
    int64_t numbers, step;
    float *gradient, *first, *second; /* [numbers], parameters that learn in their order */
};
bool lp_optimizer_init(struct lp_optimizer *o, struct lp_llava *model, struct lp_error *err); /* gives grads */
void lp_optimizer_done(struct lp_optimizer *o);
/* One step on gradients that are sums over `count` tokens; clears them. Returns the norm before clipping; where it is
 * no finite number the weights stay as they are. */
double lp_optimizer_step(struct lp_optimizer *o, struct lp_llava *model, const struct lp_train_settings *s,
                         double rate, int64_t count);

bool lp_checkpoint_save(const char *path, const struct lp_llava *model, const struct lp_optimizer *o,
                        struct lp_error *err);
/* *found is false, and nothing changes, where there is no such file. */
bool lp_checkpoint_load(const char *path, struct lp_llava *model, struct lp_optimizer *o, bool *found,
                        struct lp_error *err);

#endif
